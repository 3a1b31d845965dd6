//! Building a YAML document from events: its value, and where its parts stand.

use granit_parser::{Event, ScalarStyle, Span, StructureStyle};
use serde_json::{Map, Value};

use super::anchors::{Anchors, Refused};
use super::plain::{Plain, value_of_core};
use super::text::Text;
use super::tree::{Kind, NodeId, Properties, Tree};
use super::yaml::{Anchor, Meaning, Prefix, complex_key, range_of};
use super::{MAX_DEPTH, SourceError};

/// A collection that is not closed yet.
pub(super) struct Open {
    pub(super) id: NodeId,
    pub(super) flow: bool,
    pub(super) prefix: Prefix,
    pub(super) content: Content,
    /// How deep its entries stand.
    depth: usize,
}

pub(super) enum Content {
    Mapping {
        map: Map<String, Value>,
        key: Option<String>,
    },
    Sequence(Vec<Value>),
}

pub(super) struct Document<'t> {
    pub(super) text: Text<'t>,
    pub(super) tree: Tree,
    plain: Plain,
    /// The end of what was read.
    pub(super) at: usize,
    pub(super) open: Vec<Open>,
    anchors: Anchors,
    pub(super) root: Option<Value>,
    documents: usize,
}

impl<'t> Document<'t> {
    pub(super) fn new(text: Text<'t>, plain: Plain) -> Self {
        let (tree, anchors) = (Tree::default(), Anchors::new(text.len()));
        Document {
            text,
            tree,
            plain,
            at: 0,
            open: vec![],
            anchors,
            root: None,
            documents: 0,
        }
    }

    pub(super) fn take(
        &mut self,
        event: Event<'_>,
        span: &Span,
        anchor: Option<Anchor>,
    ) -> Result<(), SourceError> {
        match event {
            Event::DocumentStart(..) => self.start_document(span),
            Event::Scalar(value, style, _, tag) => {
                let prefix = self.prefix(span, tag.as_deref(), anchor)?;
                self.scalar(&value, style, span, prefix)
            }
            Event::SequenceStart(style, _, tag) => {
                let prefix = self.prefix(span, tag.as_deref(), anchor)?;
                self.open(Content::Sequence(vec![]), style, span, prefix)
            }
            Event::MappingStart(style, _, tag) => {
                let prefix = self.prefix(span, tag.as_deref(), anchor)?;
                self.open(
                    Content::Mapping {
                        map: Map::new(),
                        key: None,
                    },
                    style,
                    span,
                    prefix,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(_) => Err(self.refused(&Refused::Unknown, span)),
            _ => Ok(()),
        }
    }

    fn start_document(&mut self, span: &Span) -> Result<(), SourceError> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(SourceError::SeveralDocuments {
                line: span.start.line(),
            });
        }
        if span.slice(self.text.as_str()) == Some("---") {
            self.at = range_of(span).1;
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        span: &Span,
        prefix: Prefix,
    ) -> Result<(), SourceError> {
        let (start, end) = range_of(span);
        let plain = style == ScalarStyle::Plain;
        let (kind, start, end, mut value) = match style {
            ScalarStyle::Plain if start == end => (Kind::Absent, self.at, self.at, ""),
            ScalarStyle::Plain => (Kind::Plain, start, end, value),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                (Kind::Quoted, start, end, value)
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header = self.text.skip_blank(self.at);
                (
                    Kind::BlockScalar,
                    header,
                    self.end_of_block(header, end, span.indent),
                    value,
                )
            }
        };
        if kind == Kind::BlockScalar && end == self.text.len() {
            // The parser adds the line break that the end of the text stands for; no other reader does.
            value = value.strip_suffix('\n').unwrap_or(value);
        }
        if self.is_key() && matches!(prefix.meaning, Meaning::Plain) && plain {
            match value {
                "" => return Err(complex_key(span)),
                "<<" => {
                    return Err(SourceError::MergeKey {
                        line: span.start.line(),
                        column: span.start.col() + 1,
                    });
                }
                _ => {}
            }
        }
        let read = match &prefix.meaning {
            // The text itself is the key.
            _ if self.is_key() => Value::String(value.to_owned()),
            Meaning::Plain if plain => self.plain.value(value),
            Meaning::Core(suffix) => value_of_core(suffix, value, self.plain.value(value), plain)
                .ok_or_else(|| self.misfit(suffix, span))?,
            _ => Value::String(value.to_owned()),
        };
        let id = self.tree.push(kind, start, end);
        self.at = end;
        self.note(id, &prefix);
        self.finish(id, read, prefix, span)
    }

    /// The end of a block scalar's content, before its last line break. The parser's span may run into the next line.
    fn end_of_block(&self, header: usize, span_end: usize, indent: Option<usize>) -> usize {
        let header_end = self.text.line_end(header);
        let keep = self
            .text
            .slice(header, header_end)
            .split(['#', ' '])
            .next()
            .is_some_and(|text| text.contains('+'));
        let mut end = span_end.max(header_end);
        while end > header_end {
            let start = self.text.line_start(end);
            let line = self.text.slice(start, end);
            let blank = line.bytes().all(|byte| byte == b' ') && line.len() <= indent.unwrap_or(0);
            let at_break = match self.text.byte(end) {
                Some(byte) => matches!(byte, b'\n' | b'\r'),
                None => !line.is_empty(),
            };
            if at_break && (keep || !blank) {
                break;
            }
            match self.text.end_of_line_before(start) {
                Some(before) => end = before,
                None => break,
            }
            if keep {
                break;
            }
        }
        end.max(header_end)
    }

    fn open(
        &mut self,
        content: Content,
        style: StructureStyle,
        span: &Span,
        prefix: Prefix,
    ) -> Result<(), SourceError> {
        if self.is_key() {
            return Err(complex_key(span));
        }
        let mapping = matches!(content, Content::Mapping { .. });
        if let Meaning::Core(suffix) = &prefix.meaning
            && !matches!((suffix.as_str(), mapping), ("map", true) | ("seq", false))
        {
            return Err(self.misfit(suffix, span));
        }
        let depth = self.depth() + 1 + usize::from(matches!(prefix.meaning, Meaning::Function(_)));
        self.check_depth(depth, span)?;
        let flow = style == StructureStyle::Flow;
        let kind = match (mapping, flow) {
            (true, true) => Kind::FlowMapping,
            (true, false) => Kind::BlockMapping,
            (false, true) => Kind::FlowSequence,
            (false, false) => Kind::BlockSequence,
        };
        let start = self.text.skip_blank(self.at);
        let id = self.tree.push(kind, start, start);
        self.note(id, &prefix);
        if flow && matches!(self.text.byte(start), Some(b'[' | b'{')) && span.start != span.end {
            self.at = start + 1;
        }
        self.open.push(Open {
            id,
            flow,
            prefix,
            content,
            depth,
        });
        Ok(())
    }

    fn close(&mut self, span: &Span) -> Result<(), SourceError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let (start, end) = range_of(span);
        if open.flow && end > start {
            self.at = end;
        }
        self.tree.close(open.id, self.at);
        let value = match open.content {
            Content::Mapping { map, .. } => Value::Object(map),
            Content::Sequence(list) => Value::Array(list),
        };
        self.finish(open.id, value, open.prefix, span)
    }

    fn alias(&mut self, number: usize, span: &Span) -> Result<(), SourceError> {
        self.skip_separators();
        let (start, end) = range_of(span);
        let id = self.tree.push(Kind::Alias, start, end);
        self.at = end;
        let (value, target) = match self.anchors.get(number, self.depth()) {
            Ok(anchored) => (anchored.value.clone(), anchored.node),
            Err(refused) => return Err(self.refused(&refused, span)),
        };
        self.tree.aliases.insert(id, target);
        let value = match value {
            _ if !self.is_key() => value,
            Value::Array(_) | Value::Object(_) => return Err(complex_key(span)),
            text @ Value::String(_) => text,
            _ => Value::String(
                self.text
                    .slice(self.tree.start(target), self.tree.end(target))
                    .to_owned(),
            ),
        };
        self.put(value, id, span)
    }

    /// Gives a complete node its meaning and puts it into what holds it.
    fn finish(
        &mut self,
        id: NodeId,
        value: Value,
        prefix: Prefix,
        span: &Span,
    ) -> Result<(), SourceError> {
        let value = match prefix.meaning {
            Meaning::Function(function) => {
                self.check_depth(self.depth() + 2, span)?;
                let inner = match value {
                    Value::String(text) if function == "Fn::GetAtt" => {
                        Value::Array(text.splitn(2, '.').map(Value::from).collect())
                    }
                    inner => inner,
                };
                Value::Object(Map::from_iter([(function, inner)]))
            }
            _ => value,
        };
        if let Some((number, _)) = prefix.anchor {
            self.anchors
                .insert(number, id, &value)
                .map_err(|refused| self.refused(&refused, span))?;
        }
        self.put(value, id, span)
    }

    fn put(&mut self, value: Value, id: NodeId, span: &Span) -> Result<(), SourceError> {
        let repeated = match self.open.last_mut().map(|open| &mut open.content) {
            None => {
                self.root = Some(value);
                None
            }
            Some(Content::Sequence(list)) => {
                list.push(value);
                None
            }
            Some(Content::Mapping {
                map,
                key: slot @ None,
            }) => match value {
                Value::String(text) if map.contains_key(&text) => Some(text),
                Value::String(text) => {
                    *slot = Some(text);
                    None
                }
                _ => return Err(complex_key(span)),
            },
            Some(Content::Mapping { map, key: slot }) => {
                map.insert(slot.take().unwrap_or_default(), value);
                None
            }
        };
        match repeated {
            Some(key) => {
                let (line, column) = self.text.position(self.tree.start(id));
                Err(SourceError::DuplicateKey { key, line, column })
            }
            None => Ok(()),
        }
    }

    /// Notes what stands before a node.
    fn note(&mut self, id: NodeId, prefix: &Prefix) {
        let Some((start, end)) = prefix.range else {
            return;
        };
        let function = match &prefix.meaning {
            Meaning::Function(function) => Some(function.clone()),
            _ => None,
        };
        let anchor = prefix.anchor.as_ref().map(|(_, name)| name.clone());
        self.tree.properties.insert(
            id,
            Properties {
                start: start as u32,
                end: end as u32,
                function,
                anchor,
            },
        );
    }

    /// Whether the next node is the key of a member.
    pub(super) fn is_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                content: Content::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn depth(&self) -> usize {
        self.open.last().map_or(0, |open| open.depth)
    }

    fn check_depth(&self, depth: usize, span: &Span) -> Result<(), SourceError> {
        if depth > MAX_DEPTH {
            Err(self.refused(&Refused::TooDeep, span))
        } else {
            Ok(())
        }
    }

    fn refused(&self, refused: &Refused, span: &Span) -> SourceError {
        let (line, column) = (span.start.line(), span.start.col() + 1);
        match refused {
            Refused::TooDeep => SourceError::TooDeep {
                line,
                column,
                limit: MAX_DEPTH,
            },
            Refused::TooLarge => SourceError::AliasesTooLarge { line, column },
            Refused::Unknown => {
                let name = span.slice(self.text.as_str()).unwrap_or_default();
                let name = name.strip_prefix('*').unwrap_or(name).to_owned();
                SourceError::UnknownAlias { name, line, column }
            }
        }
    }
}
