//! Selectors: [JSONPath](https://www.rfc-editor.org/rfc/rfc9535) queries that choose task definitions and containers.
//!
//! What the crate beneath would accept and then answer wrongly is refused here: a filter inside a filter, functions
//! that the RFC does not have, functions with arguments or in places that it forbids, names with blanks in them.

use std::fmt;

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment,
    Selector as Choice, Test, TestFunction,
};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use regex::RegexBuilder;
use serde_json::Value;

use crate::dialect::Dialect;

#[cfg(test)]
mod tests;

/// How long a query may be, in bytes: real ones have a tenth of it.
const MAX_LENGTH: usize = 1000;

/// How deep brackets and parentheses of a query may be nested: its parser tries each level several times.
const MAX_NESTING: usize = 8;

/// How large the regular expressions of a query may be together, compiled, in bytes: each is
/// compiled again for every text that it is held against. Four times `\w` is as much; a name of
/// an image takes a sixteenth.
const MAX_PATTERNS: usize = 256 << 10;

/// Runs a query.
type Run = for<'v> fn(&JpQuery, &'v Value) -> Vec<&'v Value>;

/// A query that is valid and means here what it means in the RFC.
#[derive(Clone)]
pub struct Selector {
    text: String,
    query: JpQuery,
    /// A pointer, so that a program that parses no query does not hold what runs one, nor regular
    /// expressions.
    run: Run,
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Selector").field(&self.text).finish()
    }
}

/// Shows the query as it was given.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Not JSONPath.
    #[error("`{0}` is not a JSONPath query")]
    Syntax(String),
    /// Longer than any query needs to be.
    #[error("the JSONPath query has {0} bytes; {MAX_LENGTH} are the most")]
    TooLong(usize),
    /// Nested deeper than any query needs to be.
    #[error("`{0}` nests brackets and parentheses more than {MAX_NESTING} deep")]
    TooDeep(String),
    /// A filter inside a filter.
    #[error("`{0}` has a filter inside a filter")]
    NestedFilter(String),
    /// Regular expressions that take long.
    #[error("the regular expressions of `{0}` are too large")]
    CostlyPatterns(String),
    /// A text that is no regular expression, and so matches nothing.
    #[error("`{0}` has a text for `match` or `search` that is not a regular expression")]
    NotAPattern(String),
    /// A regular expression that the query does not hold itself.
    #[error("`{0}` takes a pattern of `match` or `search` from the document")]
    PatternOfTheDocument(String),
    /// A function that JSONPath does not have.
    #[error("`{query}` calls `{function}`, which is not a function of JSONPath")]
    UnknownFunction {
        /// The query.
        query: String,
        /// The function.
        function: String,
    },
    /// A function in a place where, or with arguments with which, it means nothing.
    #[error("`{query}` {what}")]
    IllTyped {
        /// The query.
        query: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl SelectorError {
    /// The way out, with examples for documents of this spelling.
    pub fn hint(&self, dialect: Dialect) -> String {
        let hint = match self {
            SelectorError::Syntax(query) if !query.trim_start().starts_with('$') => {
                return format!("a query begins with `$`, as in `{}`", dialect.task_query());
            }
            SelectorError::Syntax(_) => {
                let example = dialect.task_query();
                return format!("RFC 9535 has the grammar; an example is `{example}`");
            }
            SelectorError::NestedFilter(_) => {
                let example = dialect.container_query();
                return format!("begin one filter where the other one ends, as in `{example}`");
            }
            SelectorError::TooLong(_) | SelectorError::TooDeep(_) => "give several shorter queries",
            SelectorError::CostlyPatterns(_) => {
                "repeat less, with `*` or `+` instead of large counts, and write `[A-Za-z0-9_]` for `\\w`"
            }
            SelectorError::NotAPattern(_) => "RFC 9485 has the grammar",
            SelectorError::PatternOfTheDocument(_) => "write the pattern in the query",
            SelectorError::UnknownFunction { .. } => {
                "the functions are `length`, `count`, `match`, `search` and `value`"
            }
            SelectorError::IllTyped { .. } => {
                "RFC 9535, section 2.4, says what each function takes"
            }
        };
        hint.to_owned()
    }
}

impl Selector {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// When the text is not a JSONPath query, or one whose meaning here is in doubt.
    pub fn parse(text: &str) -> Result<Selector, SelectorError> {
        if text.len() > MAX_LENGTH {
            return Err(SelectorError::TooLong(text.len()));
        }
        let syntax = || SelectorError::Syntax(text.to_owned());
        if nesting(text) > MAX_NESTING {
            return Err(SelectorError::TooDeep(text.to_owned()));
        }
        if text.trim() != text || has_blank_in_name(text) {
            return Err(syntax());
        }
        let query = parse_json_path(text).map_err(|_| syntax())?;
        let mut check = Check {
            text,
            patterns: Vec::new(),
        };
        check.segments(&query.segments, false)?;
        check.cost()?;
        Ok(Selector {
            text: text.to_owned(),
            query,
            run: selected,
        })
    }

    /// Whether the query selects anything of a document.
    pub fn selects(&self, document: &Value) -> bool {
        !self.matches(document).is_empty()
    }

    /// The places of a document that the query selects.
    pub(crate) fn matches<'v>(&self, document: &'v Value) -> Vec<&'v Value> {
        (self.run)(&self.query, document)
    }
}

fn selected<'v>(query: &JpQuery, document: &'v Value) -> Vec<&'v Value> {
    // The only error is a result that is no place of the document; a checked query has none.
    let found = js_path_process(query, document).unwrap_or_default();
    found.into_iter().map(|place| place.val).collect()
}

/// The characters of a query outside of its string literals; a literal counts as one quote.
fn outside_of_literals(text: &str) -> impl Iterator<Item = char> {
    let mut literal = None;
    let mut escaped = false;
    text.chars().filter(move |&char| match literal {
        Some(quote) => {
            let ends = char == quote && !escaped;
            escaped = char == '\\' && !escaped;
            if ends {
                literal = None;
            }
            ends
        }
        None => {
            let begins = matches!(char, '\'' | '"');
            if begins {
                literal = Some(char);
                escaped = false;
            }
            !begins
        }
    })
}

fn nesting(text: &str) -> usize {
    let depths = outside_of_literals(text).scan(0_usize, |depth, char| {
        match char {
            '(' | '[' => *depth += 1,
            ')' | ']' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    depths.max().unwrap_or_default()
}

/// Whether two names or numbers have nothing but blanks between them: the parser beneath takes `$.a b` for one name.
fn has_blank_in_name(text: &str) -> bool {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_' || !char.is_ascii();
    let mut after_name = false;
    let mut blank = false;
    for char in outside_of_literals(text) {
        if char.is_ascii_whitespace() {
            blank = true;
            continue;
        }
        if after_name && blank && is_name(char) {
            return true;
        }
        after_name = is_name(char);
        blank = false;
    }
    false
}

/// What the parser leaves unchecked: the RFC's [well-typedness](https://www.rfc-editor.org/rfc/rfc9535#section-2.4.3), and our own limits.
struct Check<'q> {
    text: &'q str,
    /// The regular expressions of `match` and `search`.
    patterns: Vec<String>,
}

impl Check<'_> {
    fn ill_typed(&self, what: &'static str) -> SelectorError {
        SelectorError::IllTyped {
            query: self.text.to_owned(),
            what,
        }
    }

    fn segments(&mut self, segments: &[Segment], in_filter: bool) -> Result<(), SelectorError> {
        segments
            .iter()
            .try_for_each(|segment| self.segment(segment, in_filter))
    }

    fn segment(&mut self, segment: &Segment, in_filter: bool) -> Result<(), SelectorError> {
        match segment {
            Segment::Descendant(inner) => self.segment(inner, in_filter),
            Segment::Selector(choice) => self.choice(choice, in_filter),
            Segment::Selectors(choices) => choices
                .iter()
                .try_for_each(|choice| self.choice(choice, in_filter)),
        }
    }

    fn choice(&mut self, choice: &Choice, in_filter: bool) -> Result<(), SelectorError> {
        match choice {
            Choice::Filter(_) if in_filter => {
                Err(SelectorError::NestedFilter(self.text.to_owned()))
            }
            Choice::Filter(filter) => self.filter(filter),
            Choice::Name(_) | Choice::Wildcard | Choice::Index(_) | Choice::Slice(..) => Ok(()),
        }
    }

    fn filter(&mut self, filter: &Filter) -> Result<(), SelectorError> {
        match filter {
            Filter::Or(filters) | Filter::And(filters) => {
                filters.iter().try_for_each(|filter| self.filter(filter))
            }
            Filter::Atom(FilterAtom::Filter { expr, .. }) => self.filter(expr),
            Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
                Test::Function(function) => match &**function {
                    TestFunction::Match(..)
                    | TestFunction::Search(..)
                    | TestFunction::Custom(..) => self.function(function),
                    TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => {
                        Err(self.ill_typed(
                            "calls a function that gives a value where a test is expected",
                        ))
                    }
                },
                query => self.query(query),
            },
            Filter::Atom(FilterAtom::Comparison(comparison)) => self.comparison(comparison),
        }
    }

    fn query(&mut self, test: &Test) -> Result<(), SelectorError> {
        match test {
            Test::RelQuery(segments) => self.segments(segments, true),
            Test::AbsQuery(query) => self.segments(&query.segments, true),
            Test::Function(function) => self.function(function),
        }
    }

    fn comparison(&mut self, comparison: &Comparison) -> Result<(), SelectorError> {
        let (left, right) = comparison.vals();
        [left, right].into_iter().try_for_each(|side| match side {
            Comparable::Function(function) => self.function(function),
            Comparable::Literal(_) | Comparable::SingularQuery(_) => Ok(()),
        })
    }

    fn function(&mut self, function: &TestFunction) -> Result<(), SelectorError> {
        match function {
            TestFunction::Length(argument) => self.value(argument),
            TestFunction::Count(argument) | TestFunction::Value(argument) => self.nodes(argument),
            TestFunction::Match(text, pattern) | TestFunction::Search(text, pattern) => {
                self.value(text)?;
                self.value(pattern)?;
                match pattern {
                    FnArg::Literal(Literal::String(pattern)) => {
                        self.patterns.push(format!("(?:{pattern})"));
                        Ok(())
                    }
                    // One from the document could be of any size.
                    _ => Err(SelectorError::PatternOfTheDocument(self.text.to_owned())),
                }
            }
            TestFunction::Custom(name, _) => Err(SelectorError::UnknownFunction {
                query: self.text.to_owned(),
                function: name.clone(),
            }),
        }
    }

    /// An argument that has to be one value.
    fn value(&mut self, argument: &FnArg) -> Result<(), SelectorError> {
        let segments = match argument {
            FnArg::Literal(_) => return Ok(()),
            FnArg::Test(test) => match &**test {
                Test::RelQuery(segments) => segments,
                Test::AbsQuery(query) => &query.segments,
                Test::Function(function) if function.is_comparable() => {
                    return self.function(function);
                }
                Test::Function(_) => {
                    return Err(self.ill_typed("gives a function a test where it takes a value"));
                }
            },
            FnArg::Filter(_) => {
                return Err(self.ill_typed("gives a function a test where it takes a value"));
            }
        };
        let singular = |segment: &Segment| {
            matches!(
                segment,
                Segment::Selector(Choice::Name(_) | Choice::Index(_))
            )
        };
        match segments.iter().all(singular) {
            true => Ok(()),
            false => {
                Err(self.ill_typed("gives a function several places where it takes one value"))
            }
        }
    }

    /// An argument that has to be a query.
    fn nodes(&mut self, argument: &FnArg) -> Result<(), SelectorError> {
        match argument {
            FnArg::Test(test) if !matches!(**test, Test::Function(_)) => self.query(test),
            _ => Err(self.ill_typed("gives a function a value where it takes a query")),
        }
    }

    /// Bounds what the regular expressions take, all together.
    fn cost(&self) -> Result<(), SelectorError> {
        let all = self.patterns.concat();
        let compiled = RegexBuilder::new(&all).size_limit(MAX_PATTERNS).build();
        compiled.map(|_| ()).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => SelectorError::CostlyPatterns(self.text.to_owned()),
            _ => SelectorError::NotAPattern(self.text.to_owned()),
        })
    }
}
