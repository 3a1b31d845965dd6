//! What a module's files say of its task definitions: the text of the expressions, which no plan holds.

use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::structure::{Attribute, Block, Body, Structure};
use hcl_edit::template::HeredocTemplate;
use hcl_edit::visit::{self, Visit};

/// The resource type that all of this is about.
pub(crate) const KIND: &str = "aws_ecs_task_definition";

/// A part of a file, to be copied into another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) text: String,
    /// How far the line where it begins is indented.
    pub(crate) indent: usize,
    /// The bytes of its heredocs, whose lines stay where they are.
    pub(crate) heredocs: Vec<Range<usize>>,
}

/// One of several: a block, or a `dynamic` block that makes some.
#[derive(Clone, Debug)]
pub(crate) enum Repeated {
    One(BTreeMap<String, Copied>),
    Dynamic {
        for_each: Copied,
        iterator: String,
        content: BTreeMap<String, Copied>,
    },
}

/// A resource `aws_ecs_task_definition`, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) name: String,
    /// The file's name.
    pub(crate) file: String,
    /// The line where it begins, from 1.
    pub(crate) line: usize,
    /// The whole block.
    pub(crate) text: String,
    pub(crate) attributes: BTreeMap<String, Copied>,
    /// Its blocks `volume`: as text, and what they hold.
    pub(crate) volumes: Vec<(Copied, Repeated)>,
    /// Its block `runtime_platform`.
    pub(crate) platform: Option<Repeated>,
    /// What `lifecycle` has Terraform ignore; `all` for everything.
    pub(crate) ignored: Vec<String>,
    /// Images that the container definitions name as plain texts.
    pub(crate) images: Vec<String>,
}

impl Resource {
    /// How messages name the resource.
    pub(crate) fn place(&self) -> String {
        let Resource {
            name, file, line, ..
        } = self;
        format!("`{KIND}.{name}` ({file}:{line})")
    }
}

/// A file that cannot be read as HCL: where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) reason: String,
}

/// What one file of a module says that matters here.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Its task definitions.
    pub(crate) resources: Vec<Resource>,
    /// The names of the modules that it calls.
    pub(crate) calls: Vec<String>,
    /// Whether it says where the provider comes from.
    pub(crate) names_provider: bool,
}

/// Reads one file.
pub(crate) fn contents(file: &str, text: &str) -> Result<Contents, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let body = hcl_edit::parser::parse_body(text).map_err(|error| Unreadable {
        line: error.location().line(),
        column: error.location().column(),
        reason: error.message().to_owned(),
    })?;
    let blocks = || body.iter().filter_map(Structure::as_block);
    let called = blocks().filter(|block| block.ident.as_str() == "module");
    Ok(Contents {
        resources: blocks()
            .filter_map(|block| resource(file, text, block))
            .collect(),
        calls: called
            .filter_map(|block| Some(block.labels.first()?.as_str().to_owned()))
            .collect(),
        names_provider: blocks().any(names_provider),
    })
}

/// Whether a block `terraform` says where the provider comes from.
fn names_provider(block: &Block) -> bool {
    let required = |part: &Structure| {
        let block = part.as_block();
        block.is_some_and(|block| {
            block.ident.as_str() == "required_providers" && block.body.has_attribute("outrigger")
        })
    };
    block.ident.as_str() == "terraform" && block.body.iter().any(required)
}

fn resource(file: &str, text: &str, block: &Block) -> Option<Resource> {
    let [kind, name] = block.labels.as_slice() else {
        return None;
    };
    if block.ident.as_str() != "resource" || kind.as_str() != KIND {
        return None;
    }
    let span = block.span()?;
    let before = text.get(..span.start)?;
    let definitions = block
        .body
        .get_attribute("container_definitions")
        .map(|attribute| &attribute.value);
    let inner = |name: &'static str| block.body.iter().filter(move |part| is_block(part, name));
    Some(Resource {
        name: name.as_str().to_owned(),
        file: file.to_owned(),
        line: before.matches('\n').count() + 1,
        text: text.get(span)?.to_owned(),
        attributes: attributes(text, &block.body),
        volumes: inner("volume")
            .filter_map(|part| {
                let block = part.as_block()?;
                Some((copied_block(text, block)?, repeated(text, block)?))
            })
            .collect(),
        platform: inner("runtime_platform").find_map(|part| repeated(text, part.as_block()?)),
        ignored: inner("lifecycle").flat_map(ignored).collect(),
        images: definitions.map(literal_images).unwrap_or_default(),
    })
}

/// Whether it is a block of this type, or a `dynamic` block that makes such blocks.
fn is_block(part: &Structure, name: &str) -> bool {
    let Some(block) = part.as_block() else {
        return false;
    };
    let label = block.labels.first().map(|label| label.as_str());
    block.ident.as_str() == name || (block.ident.as_str() == "dynamic" && label == Some(name))
}

fn attributes(text: &str, body: &Body) -> BTreeMap<String, Copied> {
    let attributes = body.iter().filter_map(Structure::as_attribute);
    let copied = attributes.filter_map(|attribute| {
        Some((attribute.key.as_str().to_owned(), copied(text, attribute)?))
    });
    copied.collect()
}

fn repeated(text: &str, block: &Block) -> Option<Repeated> {
    if block.ident.as_str() != "dynamic" {
        return Some(Repeated::One(attributes(text, &block.body)));
    }
    let label = block.labels.first()?.as_str().to_owned();
    let iterator = block.body.get_attribute("iterator");
    let content = block.body.iter().find(|part| is_block(part, "content"))?;
    Some(Repeated::Dynamic {
        for_each: copied(text, block.body.get_attribute("for_each")?)?,
        iterator: iterator.map_or(label, |attribute| {
            attribute.value.to_string().trim().to_owned()
        }),
        content: attributes(text, &content.as_block()?.body),
    })
}

fn ignored(lifecycle: &Structure) -> Vec<String> {
    let body = lifecycle.as_block().map(|block| &block.body);
    let changes = body.and_then(|body| body.get_attribute("ignore_changes"));
    let name = |value: &Expression| value.to_string().trim().trim_matches('"').to_owned();
    match changes.map(|attribute| &attribute.value) {
        Some(Expression::Array(items)) => items.iter().map(name).collect(),
        Some(one) => vec![name(one)],
        None => Vec::new(),
    }
}

/// The value of an attribute, as it is written.
fn copied(text: &str, attribute: &Attribute) -> Option<Copied> {
    let mut heredocs = Heredocs::default();
    heredocs.visit_expr(&attribute.value);
    part(text, attribute.value.span()?, heredocs)
}

fn copied_block(text: &str, block: &Block) -> Option<Copied> {
    let mut heredocs = Heredocs::default();
    heredocs.visit_block(block);
    part(text, block.span()?, heredocs)
}

fn part(text: &str, span: Range<usize>, heredocs: Heredocs) -> Option<Copied> {
    let before = text.get(..span.start)?;
    let line = before
        .rfind('\n')
        .map_or(before, |end| before.get(end + 1..).unwrap_or_default());
    let within = |heredoc: Range<usize>| {
        let start = heredoc.start.checked_sub(span.start)?;
        Some(start..heredoc.end.checked_sub(span.start)?)
    };
    // A heredoc ends with its closing word; the parser may count the line's end to it.
    let copied = text.get(span.clone())?;
    Some(Copied {
        text: copied.trim_end().to_owned(),
        indent: line.len() - line.trim_start_matches(' ').len(),
        heredocs: heredocs.0.into_iter().filter_map(within).collect(),
    })
}

#[derive(Default)]
struct Heredocs(Vec<Range<usize>>);

impl Visit for Heredocs {
    fn visit_heredoc_template(&mut self, heredoc: &HeredocTemplate) {
        self.0.extend(heredoc.span());
    }
}

/// The images of containers that are written as objects, where they are plain texts.
fn literal_images(definitions: &Expression) -> Vec<String> {
    #[derive(Default)]
    struct Images(Vec<String>);
    impl Visit for Images {
        fn visit_object(&mut self, object: &Object) {
            for (key, value) in object.iter() {
                let is_image = match key {
                    ObjectKey::Ident(key) => key.as_str() == "image",
                    ObjectKey::Expression(key) => key.as_str() == Some("image"),
                };
                if let (true, Some(image)) = (is_image, value.expr().as_str()) {
                    self.0.push(image.to_owned());
                }
            }
            visit::visit_object(self, object);
        }
    }
    let mut images = Images::default();
    images.visit_expr(definitions);
    images.0
}

#[cfg(test)]
mod tests {
    use super::{Copied, Repeated, contents};

    const TEXT: &str = r#"
# A comment, and a resource of another type.
resource "aws_ecs_service" "app" {}

resource "aws_ecs_task_definition" "app" {
  family = "app-${var.stage}"
  container_definitions = jsonencode([
    { name = "web", image = "nginx:1.25", text = <<-EOT
      a ${var.b}
      EOT
    },
    { "name" = "log", "image" = "fluent/${var.tag}" },
  ])
  cpu = (256) # a comment
  volume {
    name = "a"
  }
  dynamic "volume" {
    for_each = var.volumes
    iterator = it
    content {
      name = it.value.name
    }
  }
  runtime_platform {
    cpu_architecture = "ARM64"
  }
  lifecycle {
    ignore_changes = [container_definitions, tags["a"]]
  }
}
"#;

    fn shown(copied: &Copied) -> &str {
        &copied.text
    }

    #[test]
    fn expressions_are_copied_as_they_are_written() {
        let found = contents("main.tf", TEXT).unwrap().resources;
        let [resource] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!((resource.name.as_str(), resource.line), ("app", 5));
        assert_eq!(
            shown(&resource.attributes["family"]),
            "\"app-${var.stage}\""
        );
        assert_eq!(shown(&resource.attributes["cpu"]), "(256)");
        let definitions = &resource.attributes["container_definitions"];
        assert!(definitions.text.starts_with("jsonencode([\n    { name"));
        assert!(definitions.text.ends_with("])"));
        assert_eq!(definitions.indent, 2);
        let heredoc = definitions.heredocs[0].clone();
        let heredoc = definitions.text.get(heredoc).unwrap();
        assert!(
            heredoc.starts_with("<<-EOT") && heredoc.trim_end().ends_with("EOT"),
            "{heredoc}"
        );
        assert!(resource.text.starts_with("resource \"aws") && resource.text.ends_with('}'));
        assert_eq!(resource.images, ["nginx:1.25"]);
        assert_eq!(resource.ignored, ["container_definitions", "tags[\"a\"]"]);
    }

    #[test]
    fn blocks_are_copied_whole() {
        let resource = contents("main.tf", TEXT).unwrap().resources.remove(0);
        let [
            (one, _),
            (
                dynamic,
                Repeated::Dynamic {
                    for_each,
                    iterator,
                    content,
                },
            ),
        ] = resource.volumes.as_slice()
        else {
            panic!("{:?}", resource.volumes);
        };
        assert_eq!(one.text, "volume {\n    name = \"a\"\n  }");
        assert!(dynamic.text.starts_with("dynamic \"volume\""));
        assert_eq!((shown(for_each), iterator.as_str()), ("var.volumes", "it"));
        assert_eq!(shown(&content["name"]), "it.value.name");
        assert!(matches!(resource.platform, Some(Repeated::One(platform)) if platform.len() == 1));
    }

    #[test]
    fn what_is_no_hcl_is_told_without_its_text() {
        let wrong = contents("main.tf", "a = 1\nb = \"hunter2\" hunter2\n").unwrap_err();
        assert_eq!(wrong.line, 2);
        assert!(!wrong.reason.contains("hunter2"), "{}", wrong.reason);
    }
}
