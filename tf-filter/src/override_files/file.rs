//! The override file of a module: its header, by which it is known and checked, and its resources.

use std::collections::BTreeMap;

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
const PLANNED: &str = "# Planned: ";
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
    /// What identifies the plan of it that this was made from.
    pub(crate) planned: String,
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
    /// What it was made with, by name (form, recipes, inputs and others), with digests.
    pub(crate) made_with: BTreeMap<String, String>,
    /// The resources, by name, with the digest of what they were made from.
    pub(crate) made_from: BTreeMap<String, String>,
    /// The same resources, with the digest of what the plan said of them.
    pub(crate) planned: BTreeMap<String, String>,
    /// The resources that stay as they are, with the digest of what is written of them.
    pub(crate) left: BTreeMap<String, String>,
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
            if let Some(digest) = line.strip_prefix(CONTENT) {
                header.content = digest.to_owned();
                continue;
            }
            let places = [
                (MADE_WITH, &mut header.made_with),
                (MADE_FROM, &mut header.made_from),
                (PLANNED, &mut header.planned),
                (LEFT, &mut header.left),
            ];
            for (start, place) in places {
                let named = line.strip_prefix(start);
                let named = named.map(|rest| rest.strip_prefix(&prefix).unwrap_or(rest));
                if let Some((name, rest)) = named.and_then(|rest| rest.split_once(' ')) {
                    let digest = rest.rsplit(' ').next().unwrap_or_default();
                    place.insert(name.to_owned(), digest.to_owned());
                }
            }
        }
        Some(header)
    }
}

/// What identifies a text, whatever ends its lines: version control may change that.
pub(crate) fn digest_of(text: &str) -> String {
    let digest = digest(&SHA256, text.replace("\r\n", "\n").as_bytes());
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", hex.collect::<String>())
}

/// What comes after the header of a file.
pub(crate) fn content(text: &str) -> &str {
    let header = text.lines().take_while(|line| line.starts_with('#'));
    let mut rest = text;
    for _ in header {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

/// The text of the file.
pub(crate) fn render(
    making: &Making,
    resources: &[Overridden<'_>],
    left: &[(String, String)],
    names_provider: bool,
) -> String {
    let mut content = String::new();
    if making.form == OverrideForm::Function && !resources.is_empty() && !names_provider {
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
",
        making.form.name(),
        making.recipes,
    );
    for (name, digest) in &making.digests {
        header.push_str(&format!("{MADE_WITH}{name} {digest}\n"));
    }
    for one in resources {
        let Resource {
            name, file, text, ..
        } = one.resource;
        header.push_str(&format!(
            "{MADE_FROM}{KIND}.{name} in {file} {}\n{PLANNED}{KIND}.{name} {}\n",
            digest_of(text),
            one.planned
        ));
    }
    for (name, digest) in left {
        header.push_str(&format!("{LEFT}{KIND}.{name} {digest}\n"));
    }
    header.push_str(&format!("{CONTENT}{}\n", digest_of(&content)));
    // A newline that ends the header is the first of two.
    header + &content
}
