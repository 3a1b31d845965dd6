//! The override file of a module: its header, by which it is known and checked, and its resources.

use ring::digest::{SHA256, digest};

use crate::options::OverrideForm;

use super::hcl::{Expression, assignments};
use super::making::Making;
use super::source::{Copied, KIND, Resource};

/// Its name. [Terraform merges](https://developer.hashicorp.com/terraform/language/files/override)
/// files of this form into the others of a module.
pub(crate) const NAME: &str = "outrigger_override.tf";

/// How every file begins that this program has made.
const SIGNATURE: &str = "# Made by `tf-filter override`";
const MADE_WITH: &str = "# Made with: ";
const MADE_FROM: &str = "# Made from: ";
const LEFT: &str = "# Left alone: ";
const CONTENT: &str = "# Content: ";

/// Functions of a provider can be called where the module names it.
const PROVIDER: &str = r#"
terraform {
  required_providers {
    outrigger = {
      source = "outrigger/outrigger"
    }
  }
}
"#;

/// What a resource becomes.
#[derive(Clone, Debug)]
pub(crate) struct Overridden<'r> {
    pub(crate) resource: &'r Resource,
    pub(crate) attributes: Vec<(String, Expression)>,
    /// Its blocks `volume`, all of them, where one is added; nothing where they stay.
    pub(crate) volumes: Vec<Block>,
}

/// A block of an overridden resource.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Copied(Copied),
    Volume(Vec<(String, Expression)>),
}

/// What the header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The digest of what it was made with: form, recipes, inputs, policies.
    pub(crate) made_with: String,
    /// The resources, by name, with the digest of what they were made from.
    pub(crate) made_from: Vec<(String, String)>,
    /// The resources that stay as they are.
    pub(crate) left: Vec<String>,
    /// The digest of what comes after the header.
    pub(crate) content: String,
}

impl Header {
    /// Reads the header of a file; none where this program has not made the file.
    pub(crate) fn read(text: &str) -> Option<Header> {
        if !text.starts_with(SIGNATURE) {
            return None;
        }
        let mut header = Header::default();
        let prefix = format!("{KIND}.");
        for line in text.lines().take_while(|line| line.starts_with('#')) {
            if let Some(digest) = line.strip_prefix(MADE_WITH) {
                header.made_with = digest.to_owned();
            } else if let Some(digest) = line.strip_prefix(CONTENT) {
                header.content = digest.to_owned();
            } else if let Some(name) = line.strip_prefix(LEFT) {
                header
                    .left
                    .extend(name.strip_prefix(&prefix).map(str::to_owned));
            } else if let Some((name, rest)) = line
                .strip_prefix(MADE_FROM)
                .and_then(|rest| rest.strip_prefix(&prefix)?.split_once(' '))
            {
                let digest = rest.rsplit(' ').next().unwrap_or_default();
                header.made_from.push((name.to_owned(), digest.to_owned()));
            }
        }
        Some(header)
    }
}

/// What identifies a text.
pub(crate) fn digest_of(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", hex.collect::<String>())
}

/// What comes after the header of a file.
pub(crate) fn content(text: &str) -> &str {
    let end = text.find("\n\n").map(|end| end + 1);
    end.and_then(|end| text.get(end..)).unwrap_or_default()
}

/// The text of the file.
pub(crate) fn render(making: &Making, resources: &[Overridden<'_>], left: &[String]) -> String {
    let mut content = String::new();
    if making.form == OverrideForm::Function {
        content.push_str(PROVIDER);
    }
    for one in resources {
        content.push_str(&format!(
            "\nresource \"{KIND}\" \"{}\" {{\n",
            one.resource.name
        ));
        content.push_str(&assignments(&one.attributes, 2));
        for block in &one.volumes {
            content.push('\n');
            content.push_str(&match block {
                Block::Copied(copied) => format!("  {}\n", copied.render(2)),
                Block::Volume(members) => format!("  volume {{\n{}  }}\n", assignments(members, 4)),
            });
        }
        content.push_str("}\n");
    }
    let mut header = format!(
        "{SIGNATURE} in the form `{}`, with the recipe {}.
# Do not edit it: make it again when these resources change. To undo it, delete this file.
{MADE_WITH}{}
",
        making.form.name(),
        making.recipes,
        making.digest,
    );
    for one in resources {
        let Resource {
            name, file, text, ..
        } = one.resource;
        header.push_str(&format!(
            "{MADE_FROM}{KIND}.{name} in {file} {}\n",
            digest_of(text)
        ));
    }
    for name in left {
        header.push_str(&format!("{LEFT}{KIND}.{name}\n"));
    }
    header.push_str(&format!("{CONTENT}{}\n", digest_of(&content)));
    // The newline that ends the header is the first of two.
    header + &content
}
