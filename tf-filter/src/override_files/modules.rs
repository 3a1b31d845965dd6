//! The files of a configuration: which folder is which module, and what stands there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use cli::input::{read_file, read_text};
use cli::{Failure, text};
use serde::Deserialize;
use serde_json::Value;

use super::file::{Header, NAME};
use super::source::{KIND, Resource, resources};

/// The largest file of a module that is read.
const LIMIT: u64 = 16 << 20;
/// Where `terraform init` says which folder is which module.
const MODULES: &str = ".terraform/modules/modules.json";

/// The folders of a configuration.
#[derive(Debug)]
pub(crate) struct Modules {
    /// By the names of the calls that lead to a module, joined with dots.
    folders: BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "Modules")]
    modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Dir")]
    dir: PathBuf,
}

impl Modules {
    /// Reads what `terraform init` has left in the root module's folder.
    pub(crate) fn read(root: &Path) -> Result<Modules, Failure> {
        let mut folders = BTreeMap::from([(String::new(), root.to_owned())]);
        let list = root.join(MODULES);
        if !list.is_file() {
            return Ok(Modules { folders });
        }
        let bytes = read_file(&list, LIMIT)?;
        let listed: Listed = serde_json::from_slice(&bytes).map_err(|_| {
            Failure::failed(format!("`{}` is not what Terraform writes", shown(&list)))
                .hint("run `terraform init`")
        })?;
        for module in listed.modules {
            folders.insert(module.key, plain(&root.join(module.dir)));
        }
        Ok(Modules { folders })
    }

    /// The folder of a module.
    pub(crate) fn folder(&self, calls: &[String]) -> Result<&Path, Failure> {
        let key = calls.join(".");
        self.folders.get(&key).map(PathBuf::as_path).ok_or_else(|| {
            Failure::failed(format!("`{MODULES}` has no module `{key}`"))
                .hint("run `terraform init` in the folder of the root module, and name that folder with `--directory`")
        })
    }

    /// All folders, each once.
    pub(crate) fn folders(&self) -> BTreeSet<&Path> {
        self.folders.values().map(PathBuf::as_path).collect()
    }
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// Its task definitions, in the order of files and lines.
    pub(crate) resources: Vec<Resource>,
    /// Task definitions that stand in more than one place, or where they cannot be read: by name,
    /// with the reason.
    pub(crate) unclear: BTreeMap<String, String>,
    /// The header of the override file of this program, and its text.
    pub(crate) made: Option<(Header, String)>,
}

impl Folder {
    /// Reads the files of a module that have task definitions in them.
    pub(crate) fn read(folder: &Path) -> Result<Folder, Failure> {
        let mut read = Folder::default();
        for name in names(folder)? {
            let path = folder.join(&name);
            if name == NAME {
                let text = read_text(&path, LIMIT)?;
                let header = Header::read(&text).ok_or_else(|| {
                    Failure::failed(format!("`{}` was not made by this program", shown(&path)))
                        .hint("rename it: the name is that of the files that this program makes")
                })?;
                read.made = Some((header, text));
                continue;
            }
            let Some(kind) = Kind::of(&name) else {
                continue;
            };
            let text = read_text(&path, LIMIT)?;
            if !text.contains(KIND) {
                continue;
            }
            read.add(&path, &name, kind, &text)?;
        }
        Ok(read)
    }

    fn add(&mut self, path: &Path, name: &str, kind: Kind, text: &str) -> Result<(), Failure> {
        let found = match kind.json {
            true => in_json(text)
                .into_iter()
                .map(|resource| (resource, None))
                .collect(),
            false => {
                let found = resources(name, text).map_err(|error| {
                    let (line, column) = (error.line, error.column);
                    let reason = text::line(&error.reason);
                    Failure::failed(format!(
                        "`{}` cannot be read: line {line}, column {column}: {reason}",
                        shown(path)
                    ))
                })?;
                let named = found.into_iter().map(|one| (one.name.clone(), Some(one)));
                named.collect::<Vec<_>>()
            }
        };
        for (resource, found) in found {
            let known = self.resources.iter().find(|known| known.name == resource);
            let reason = match (known, &found) {
                _ if kind.overrides => format!("`{name}` overrides it already"),
                (Some(known), _) => format!("it stands in `{}` and in `{name}`", known.file),
                (None, None) => format!("it is written in JSON, in `{name}`"),
                (None, Some(_)) => {
                    self.resources.extend(found);
                    continue;
                }
            };
            self.unclear.insert(resource, reason);
        }
        Ok(())
    }
}

/// How Terraform or OpenTofu reads a file.
#[derive(Clone, Copy)]
struct Kind {
    json: bool,
    overrides: bool,
}

impl Kind {
    fn of(name: &str) -> Option<Kind> {
        let endings = [
            (".tf", false),
            (".tofu", false),
            (".tf.json", true),
            (".tofu.json", true),
        ];
        let (stem, json) = endings
            .iter()
            .find_map(|(ending, json)| Some((name.strip_suffix(ending)?, *json)))?;
        let overrides = stem == "override" || stem.ends_with("_override");
        Some(Kind { json, overrides })
    }
}

/// The names of a folder's files, sorted, without those that Terraform passes over.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: std::io::Error| {
        let failure = Failure::failed(format!(
            "cannot read the folder `{}`: {}",
            shown(folder),
            cli::console::reason(&error)
        ));
        failure.hint("name the folder of the root module with `--directory`")
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy().into_owned();
        let is_hidden = name.starts_with('.') || name.ends_with('~') || name.starts_with('#');
        if !is_hidden && folder.join(&name).is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The task definitions of a file in Terraform's JSON syntax.
fn in_json(text: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let mut names = Vec::new();
    let mut blocks = vec![document.get("resource").cloned().unwrap_or_default()];
    // A block is an object, or a list of such.
    while let Some(block) = blocks.pop() {
        match block {
            Value::Array(items) => blocks.extend(items),
            Value::Object(map) => match map.get(KIND) {
                Some(Value::Object(resources)) => names.extend(resources.keys().cloned()),
                Some(Value::Array(several)) => {
                    let several = several.iter().filter_map(Value::as_object);
                    names.extend(several.flat_map(|resources| resources.keys().cloned()));
                }
                _ => {}
            },
            _ => {}
        }
    }
    names
}

/// A path without steps that lead nowhere.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for step in path.components() {
        match step {
            Component::CurDir if plain.as_os_str().is_empty() => plain.push("."),
            Component::CurDir => {}
            step => plain.push(step),
        }
    }
    match plain.strip_prefix(".") {
        Ok(rest) if !rest.as_os_str().is_empty() => rest.to_owned(),
        _ => plain,
    }
}

/// Whether Terraform has made the folder as a copy of a module that is elsewhere.
pub(crate) fn is_copy(folder: &Path) -> bool {
    folder
        .components()
        .any(|step| step.as_os_str() == ".terraform")
}

/// A path in a message.
pub(crate) fn shown(path: &Path) -> String {
    let path = text::line(&path.to_string_lossy());
    path.strip_prefix("./").map_or(path.clone(), str::to_owned)
}
