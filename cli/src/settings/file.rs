//! The settings file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use taskdef::nearest::nearest;
use taskdef::recipe::{InputValue, builtin};
use taskdef::source::{Source, Step};

use super::table::{RECIPES, SETTINGS, Setting, Shape};
use super::{Given, Origin};
use crate::input::{Document, read_file};
use crate::{Exit, Failure, Problem, recipes, text};

/// The largest settings file that is read.
const FILE_LIMIT: u64 = 1 << 20;

/// A settings file.
#[derive(Debug)]
pub(super) struct SettingsFile {
    /// Its name in messages.
    pub(super) name: String,
    /// What it gives, by the setting's key.
    pub(super) given: BTreeMap<&'static str, Given>,
    /// The inputs of recipes, in their order.
    pub(super) inputs: Vec<RecipeInputs>,
}

/// The inputs of one recipe.
#[derive(Debug)]
pub(super) struct RecipeInputs {
    pub(super) recipe: String,
    pub(super) origin: Origin,
    pub(super) inputs: Vec<FileInput>,
}

/// One input. Its value may be a secret.
pub(super) struct FileInput {
    pub(super) name: String,
    /// The value as `--set` takes it.
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Says nothing of the value.
impl std::fmt::Debug for FileInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileInput")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Reads a settings file.
pub(super) fn read(path: &Path) -> Result<SettingsFile, Failure> {
    let document = Document {
        bytes: read_file(path, FILE_LIMIT)?,
        name: text::line(&path.to_string_lossy()),
        path: Some(path.to_owned()),
    };
    let mut settings = SettingsFile {
        name: document.name.clone(),
        given: BTreeMap::new(),
        inputs: Vec::new(),
    };
    // A file of comments sets nothing.
    if is_blank(&document.bytes) {
        return Ok(settings);
    }
    let source =
        Source::from_bytes(&document.bytes).map_err(|error| document.source_failure(&error))?;
    let mut reader = Reader {
        source: &source,
        name: &document.name,
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        problems: Vec::new(),
    };
    reader.root(&mut settings);
    match reader.problems.is_empty() {
        true => Ok(settings),
        false => Err(Failure {
            exit: Exit::Usage,
            problems: reader.problems,
        }),
    }
}

fn is_blank(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.all(|line| line.is_empty() || line.starts_with(b"#"))
}

struct Reader<'r> {
    source: &'r Source<'r>,
    name: &'r str,
    folder: PathBuf,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn root(&mut self, settings: &mut SettingsFile) {
        let Value::Object(root) = self.source.value() else {
            self.wrong(&[], "the settings have to be a map", None);
            return;
        };
        for (key, value) in root {
            let path = [key.as_str()];
            if key == RECIPES {
                self.recipes(value, settings);
            } else if let Some(setting) = setting(key) {
                self.setting(setting, &path, value, settings);
            } else if members(key).next().is_some() {
                self.group(key, value, settings);
            } else {
                self.unknown(&path, key, top_keys());
            }
        }
    }

    fn group(&mut self, group: &str, value: &Value, settings: &mut SettingsFile) {
        let Some(map) = self.map(&[group], value) else {
            return;
        };
        for (key, value) in map {
            let path = [group, key.as_str()];
            match setting(&format!("{group}.{key}")) {
                Some(setting) => self.setting(setting, &path, value, settings),
                None => self.unknown(&path, key, members(group)),
            }
        }
    }

    fn setting(
        &mut self,
        setting: &'static Setting,
        path: &[&str],
        value: &Value,
        settings: &mut SettingsFile,
    ) {
        let what = match setting.shape {
            Shape::Text | Shape::File => "a text",
            Shape::Flag => "`true` or `false`",
            Shape::Words | Shape::Recipes | Shape::Lines => "a text or a list of texts",
        };
        let texts = match (setting.shape, value) {
            (Shape::Flag, Value::Bool(flag)) => Some(vec![flag.to_string()]),
            (Shape::Flag, _) => None,
            (Shape::Words | Shape::Recipes | Shape::Lines, Value::Array(items)) => {
                items.iter().map(scalar).collect()
            }
            (_, value) => scalar(value).map(|text| vec![text]),
        };
        let Some(texts) = texts else {
            self.wrong(path, &format!("`{}` has to be {what}", setting.key), None);
            return;
        };
        let texts = match setting.shape {
            Shape::File => texts.iter().map(|text| self.beside(text)).collect(),
            Shape::Recipes => texts.into_iter().map(|text| self.recipe(text)).collect(),
            _ => texts,
        };
        let origin = self.origin(path);
        settings.given.insert(setting.key, Given { texts, origin });
    }

    /// A path in the file is relative to the file.
    fn beside(&self, text: &str) -> String {
        self.folder.join(text).to_string_lossy().into_owned()
    }

    fn recipe(&self, text: String) -> String {
        let is_builtin = builtin().iter().any(|(name, _)| *name == text);
        match !is_builtin && recipes::is_file(&text, &self.folder) {
            // Without a folder it could be taken for a name.
            true if self.folder.as_os_str().is_empty() => {
                Path::new(".").join(text).to_string_lossy().into_owned()
            }
            true => self.beside(&text),
            false => text,
        }
    }

    fn recipes(&mut self, value: &Value, settings: &mut SettingsFile) {
        let Some(map) = self.map(&[RECIPES], value) else {
            return;
        };
        for (recipe, value) in map {
            let path = [RECIPES, recipe.as_str()];
            let Some(map) = self.map(&path, value) else {
                continue;
            };
            let mut inputs = Vec::new();
            for (key, value) in map {
                let path = [RECIPES, recipe.as_str(), key.as_str()];
                match key.as_str() {
                    "inputs" => inputs = self.inputs(&path, value),
                    _ => self.unknown(&path, key, ["inputs"]),
                }
            }
            settings.inputs.push(RecipeInputs {
                recipe: recipe.clone(),
                origin: self.origin(&path),
                inputs,
            });
        }
    }

    /// No message repeats a value: it may be a secret.
    fn inputs(&mut self, path: &[&str], value: &Value) -> Vec<FileInput> {
        let Some(map) = self.map(path, value) else {
            return Vec::new();
        };
        let mut inputs = Vec::new();
        for (name, value) in map {
            let path: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
            match InputValue::from_value(value.clone()) {
                Ok(value) => inputs.push(FileInput {
                    name: name.clone(),
                    text: in_its_form(&value),
                    origin: self.origin(&path),
                }),
                Err(error) => self.wrong(&path, &format!("input `{name}`: {error}"), None),
            }
        }
        inputs
    }

    fn map<'v>(&mut self, path: &[&str], value: &'v Value) -> Option<&'v Map<String, Value>> {
        if let Value::Object(map) = value {
            return Some(map);
        }
        let key = path.join(".");
        self.wrong(path, &format!("`{key}` has to be a map"), None);
        None
    }

    fn unknown<'k>(&mut self, path: &[&str], key: &str, known: impl IntoIterator<Item = &'k str>) {
        let known: Vec<&str> = known.into_iter().collect();
        let hint = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        self.wrong(path, &format!("unknown key `{key}`"), Some(hint));
    }

    fn wrong(&mut self, path: &[&str], message: &str, hint: Option<String>) {
        self.problems.push(Problem {
            message: format!("{}: {message}", self.place(path)),
            hint,
        });
    }

    fn origin(&self, path: &[&str]) -> Origin {
        Origin::File(self.place(path))
    }

    /// File, line and column.
    fn place(&self, path: &[&str]) -> String {
        let steps: Vec<Step> = path
            .iter()
            .map(|key| Step::Key((*key).to_owned()))
            .collect();
        match self.source.position(&steps) {
            Some((line, column)) => format!("{}:{line}:{column}", self.name),
            None => self.name.to_owned(),
        }
    }
}

fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The keys inside a group.
fn members(group: &str) -> impl Iterator<Item = &'static str> {
    let keys = SETTINGS
        .iter()
        .filter_map(|setting| setting.key.split_once('.'));
    keys.filter(move |(of, _)| *of == group)
        .map(|(_, member)| member)
}

/// The keys at the top: settings and groups.
fn top_keys() -> Vec<&'static str> {
    let mut keys = Vec::new();
    let tops = SETTINGS.iter().map(|setting| setting.key);
    for key in tops
        .map(|key| key.split('.').next().unwrap_or(key))
        .chain([RECIPES])
    {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The value in the form in which no text is taken for something else.
pub(super) fn in_its_form(value: &InputValue) -> String {
    let (form, value) = match value {
        InputValue::Plain(value) => ("value", value),
        InputValue::ValueFrom(value) => ("valueFrom", value),
    };
    Value::Object(Map::from_iter([(form.to_owned(), value.clone())])).to_string()
}
