//! The files of a configuration: which folder is which module, and what stands there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use cli::input::{read_file, read_text};
use cli::{Failure, text};
use serde::Deserialize;
use serde_json::Value;

use super::file::{Header, NAME, digest_of};
use super::source::{Contents, KIND, Resource, contents};

/// The largest file of a module that is read.
const LIMIT: u64 = 16 << 20;
/// Where `terraform init` keeps what it makes, and in it the list that says which folder is which
/// module.
const DATA: &str = ".terraform";
const LIST: &str = "modules/modules.json";

/// The folders of a configuration, and what is in them.
#[derive(Debug)]
pub(crate) struct Modules {
    /// By the names of the calls that lead to a module, joined with dots.
    by_calls: BTreeMap<String, PathBuf>,
    folders: BTreeMap<PathBuf, Folder>,
    /// Where Terraform keeps what it makes: copies of modules are below it.
    data: PathBuf,
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
    /// Reads what `terraform init` has left in the root module's folder, and the files of every module.
    /// That is below `.terraform` there, or in another folder.
    pub(crate) fn read(root: &Path, data: Option<&str>) -> Result<Modules, Failure> {
        let data = data.filter(|data| !data.is_empty()).unwrap_or(DATA);
        let mut modules = Modules {
            by_calls: BTreeMap::from([(String::new(), plain(root))]),
            folders: BTreeMap::new(),
            data: plain(&root.join(data)),
        };
        let list = modules.data.join(LIST);
        if list.is_file() {
            let bytes = read_file(&list, LIMIT)?;
            let listed: Listed = serde_json::from_slice(&bytes).map_err(|_| {
                Failure::failed(format!("`{}` is not what Terraform writes", shown(&list)))
                    .hint("run `terraform init`")
            })?;
            for module in listed.modules {
                // A call that is gone stays in the list until the next `terraform init`.
                let folder = plain(&root.join(module.dir));
                if folder.is_dir() {
                    modules.by_calls.insert(module.key, folder);
                }
            }
        }
        for folder in modules.by_calls.values() {
            if !modules.folders.contains_key(folder) {
                let read = Folder::read(folder)?;
                modules.folders.insert(folder.clone(), read);
            }
        }
        modules.knows_every_call()?;
        Ok(modules)
    }

    /// Without `terraform init` nothing says where a called module is.
    fn knows_every_call(&self) -> Result<(), Failure> {
        for (calls, folder) in &self.by_calls {
            let called = self.folders.get(folder).map(|folder| &folder.calls);
            for name in called.into_iter().flatten() {
                let key = match calls.as_str() {
                    "" => name.clone(),
                    calls => format!("{calls}.{name}"),
                };
                if !self.by_calls.contains_key(&key) {
                    return Err(self.unlisted(&key));
                }
            }
        }
        Ok(())
    }

    /// Terraform may make the folder of a module a link to where the module came from: other
    /// configurations use that folder, too.
    pub(crate) fn owns_its_folders(&self) -> Result<(), Failure> {
        let real = |path: &Path| path.canonicalize().ok();
        for (folder, read) in &self.folders {
            let leads_away = self.is_copy(folder)
                && real(folder)
                    .zip(real(&self.data))
                    .is_none_or(|(folder, data)| !folder.starts_with(data));
            if leads_away && (read.made.is_some() || read.names().next().is_some()) {
                return Err(Failure::failed(format!(
                    "`{}` is a link to a folder elsewhere, where other configurations would find the file",
                    shown(folder)
                ))
                .hint("give the module's `source` as a relative path, or call the provider's function there"));
            }
        }
        Ok(())
    }

    fn unlisted(&self, key: &str) -> Failure {
        let list = shown(&self.data.join(LIST));
        Failure::failed(format!("`{list}` has no module `{key}`"))
            .hint("run `terraform init` in the folder of the root module, and name that folder with `--directory`")
    }

    /// The folder of a module.
    pub(crate) fn folder(&self, calls: &[String]) -> Result<&Path, Failure> {
        let key = calls.join(".");
        let folder = self.by_calls.get(&key).map(PathBuf::as_path);
        folder.ok_or_else(|| self.unlisted(&key))
    }

    /// All folders, each once, with what is in them.
    pub(crate) fn folders(&self) -> &BTreeMap<PathBuf, Folder> {
        &self.folders
    }

    /// Whether Terraform has made the folder as a copy of a module that is elsewhere.
    pub(crate) fn is_copy(&self, folder: &Path) -> bool {
        folder.starts_with(&self.data)
    }
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// Its task definitions, in the order of files and lines.
    pub(crate) resources: Vec<Resource>,
    /// Task definitions that stand in more than one place, or where they cannot be read, by name.
    pub(crate) unclear: BTreeMap<String, Unclear>,
    /// The names of the modules that it calls.
    calls: BTreeSet<String>,
    /// Whether its own files say where the provider comes from.
    pub(crate) names_provider: bool,
    /// The header of the override file of this program, and its text.
    pub(crate) made: Option<(Header, String)>,
}

/// A task definition that is not written once, in one file.
#[derive(Debug, Default)]
pub(crate) struct Unclear {
    pub(crate) reason: String,
    /// The files that it stands in beside its own.
    texts: String,
}

impl Folder {
    /// Reads the files of a module that have something in them that matters here.
    fn read(folder: &Path) -> Result<Folder, Failure> {
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
            if matters(&text) {
                read.add(&path, &name, kind, &text)?;
            }
        }
        Ok(read)
    }

    /// The names of all its task definitions.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let written = self.resources.iter().map(|one| one.name.as_str());
        let unclear = self.unclear.keys().map(String::as_str);
        let unclear = unclear.filter(|name| self.resource(name).is_none());
        written.chain(unclear)
    }

    /// A task definition, as it is written.
    pub(crate) fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|one| one.name == name)
    }

    /// How messages name a task definition.
    pub(crate) fn place(&self, name: &str) -> String {
        match self.resource(name) {
            Some(resource) => resource.place(),
            None => format!("`{KIND}.{name}`"),
        }
    }

    /// What identifies all that its files say of a task definition.
    pub(crate) fn digest(&self, name: &str) -> Option<String> {
        let unclear = self.unclear.get(name);
        let texts = [
            self.resource(name).map(|one| one.text.as_str()),
            unclear.map(|unclear| unclear.texts.as_str()),
        ];
        let texts: Vec<&str> = texts.into_iter().flatten().collect();
        (!texts.is_empty()).then(|| digest_of(&texts.concat()))
    }

    fn add(&mut self, path: &Path, name: &str, kind: Kind, text: &str) -> Result<(), Failure> {
        let unreadable = |line: usize, column: usize, reason: &str| {
            let reason = text::line(reason);
            Failure::failed(format!(
                "`{}` cannot be read: line {line}, column {column}: {reason}",
                shown(path)
            ))
        };
        let mut found: Vec<(String, Option<Resource>)> = Vec::new();
        match kind.json {
            true => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(text);
                let document: Value = serde_json::from_str(text)
                    .map_err(|error| unreadable(error.line(), error.column(), "not JSON"))?;
                let named = in_json(&document, &["resource", KIND]).into_iter();
                found.extend(named.map(|resource| (resource, None)));
                self.calls.extend(in_json(&document, &["module"]));
                let providers = ["terraform", "required_providers"];
                let providers = in_json(&document, &providers);
                self.names_provider |= providers.iter().any(|name| name == "outrigger");
            }
            false => {
                let Contents {
                    resources,
                    calls,
                    names_provider,
                } = contents(name, text)
                    .map_err(|error| unreadable(error.line, error.column, &error.reason))?;
                found.extend(
                    resources
                        .into_iter()
                        .map(|one| (one.name.clone(), Some(one))),
                );
                self.calls.extend(calls);
                self.names_provider |= names_provider;
            }
        }
        for (resource, found) in found {
            let reason = match (self.resource(&resource), &found) {
                _ if kind.overrides => format!("`{name}` overrides it already"),
                (Some(known), _) => format!("it stands in `{}` and in `{name}`", known.file),
                (None, None) => format!("it is written in JSON, in `{name}`"),
                (None, Some(_)) => {
                    self.resources.extend(found);
                    continue;
                }
            };
            let unclear = self.unclear.entry(resource).or_default();
            unclear.reason = reason;
            unclear.texts.push_str(text);
        }
        Ok(())
    }
}

/// Whether a file can say something of a task definition, of a module or of the provider. A name may
/// be spelled with escapes (`\u005f`).
fn matters(text: &str) -> bool {
    let words = [KIND, "outrigger", "\\u", "\\U", "\"module\""];
    words.iter().any(|word| text.contains(word))
        || text
            .lines()
            .any(|line| line.trim_start().starts_with("module"))
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
        // A name of an editor (`#main.tf#`) does not end as one that is read.
        let is_hidden = name.starts_with('.') || name.ends_with('~');
        if !is_hidden && folder.join(&name).is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The names below a place of a file in [Terraform's JSON
/// syntax](https://developer.hashicorp.com/terraform/language/syntax/json), where every object may be
/// a list of such.
fn in_json(document: &Value, place: &[&str]) -> Vec<String> {
    match (document, place) {
        (Value::Array(several), place) => {
            let names = several.iter().flat_map(|one| in_json(one, place));
            names.collect()
        }
        // `//` is a comment.
        (Value::Object(names), []) => {
            let names = names.keys().filter(|name| *name != "//");
            names.cloned().collect()
        }
        (Value::Object(map), [first, rest @ ..]) => {
            let inner = map.get(*first).map(|inner| in_json(inner, rest));
            inner.unwrap_or_default()
        }
        _ => Vec::new(),
    }
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

/// A path in a message.
pub(crate) fn shown(path: &Path) -> String {
    let path = text::line(&path.to_string_lossy());
    path.strip_prefix("./").map_or(path.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Modules;

    #[test]
    fn the_list_of_modules_may_be_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let root = folder.path();
        write("main.tf", "module \"a\" {}\n");
        write("data/modules/a/main.tf", "");
        write(
            "data/modules/modules.json",
            r#"{"Modules": [{"Key": "a", "Dir": "data/modules/a"}]}"#,
        );
        assert!(Modules::read(root, None).is_err());
        assert!(Modules::read(root, Some("")).is_err());
        let absolute = root.join("data");
        for data in ["data", absolute.to_str().unwrap()] {
            let modules = Modules::read(root, Some(data)).unwrap();
            let copy = modules.folder(&["a".to_owned()]).unwrap();
            assert!(copy.ends_with(Path::new("data/modules/a")));
            assert!(modules.is_copy(copy) && !modules.is_copy(root));
        }
    }
}
