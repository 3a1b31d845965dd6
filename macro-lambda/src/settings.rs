//! What the administrator decides, as variables of the function's environment.
//!
//! `docs/macro.md` has the table for people; [`VARIABLES`] is what is read.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use registry::credentials::SecretPolicy;
use registry::credentials::aws::{ObjectUri, SdkConfig, config_of_variables};
use registry::remote::{self, Limits, Proxies};
use serde_json::{Map, Value};
use taskdef::dialect::Dialect;
use taskdef::nearest::nearest;
use taskdef::recipe::{InputValue, builtin};
use taskdef::selector::Selector;
use taskdef::settings::{
    Assumptions, LaunchTypes, Mode, OnUnresolved, ParameterizedImages, PinDigests, SelectionTags,
    TaskSize,
};

use crate::params::AllowedParams;
use crate::problem::Problem;

/// What the names of all settings begin with.
const PREFIX: &str = "OUTRIGGER_";

/// The settings, without what their names begin with.
pub const VARIABLES: [&str; 22] = [
    "ALLOWED_REALMS",
    "ALLOWED_REGISTRIES",
    "ALLOW_OPT_OUT_TAGS",
    "ALLOW_TEMPLATE_PARAMS",
    "ASSUMPTIONS",
    "CA_BUNDLE",
    "CONFIRMED_IMAGES",
    "EXCLUDE",
    "INCLUDE",
    "INPUTS",
    "INSECURE_REGISTRIES",
    "LAUNCH_TYPES",
    "LOCK",
    "LOCKED",
    "MIRRORS",
    "MODE",
    "ON_UNRESOLVED",
    "PARAMETERIZED_IMAGES",
    "PIN_DIGESTS",
    "RECIPE",
    "REGISTRY_CREDENTIALS",
    "TASK_SIZE",
];

/// Bytes of manifests and configs that are kept from one invocation to the next.
const KEPT: u64 = 16 << 20;

/// Where a recipe comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecipeSource {
    /// It comes with the program.
    Builtin(&'static str, &'static str),
    /// It is kept in Amazon S3.
    Object(ObjectUri),
}

/// What the administrator decides.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) recipes: Vec<RecipeSource>,
    pub(crate) inputs: Vec<(String, InputValue)>,
    /// How templates are rewritten, but for what a request brings.
    pub(crate) run: taskdef::settings::Settings,
    pub(crate) registries: remote::Settings,
    /// Certificates for the registries' settings: a file in a layer of the function.
    pub(crate) ca_bundle: Option<PathBuf>,
    pub(crate) secrets: SecretPolicy,
    /// The function's own rights, and where AWS is.
    pub(crate) aws: SdkConfig,
    pub(crate) lock: Option<ObjectUri>,
    /// Whether nothing but the lock file answers.
    pub(crate) locked: bool,
    pub(crate) allowed_params: AllowedParams,
}

impl Settings {
    /// Reads the environment; a variable that is empty is not set.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn read(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<Problem>> {
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        let mut reader = Reader {
            variables: &variables,
            problems: Vec::new(),
        };
        reader.unknown();
        let settings = Self {
            recipes: reader.recipes(),
            inputs: reader.inputs(),
            run: reader.run(),
            registries: reader.registries(),
            ca_bundle: reader.text("CA_BUNDLE").map(PathBuf::from),
            secrets: reader.secrets(),
            aws: reader.aws(),
            lock: reader.parsed("LOCK"),
            locked: reader.flag("LOCKED", false),
            allowed_params: reader.parsed("ALLOW_TEMPLATE_PARAMS").unwrap_or_default(),
        };
        if settings.locked && settings.lock.is_none() {
            reader.wrong("LOCKED", "needs the setting `OUTRIGGER_LOCK`");
        }
        match reader.problems.is_empty() {
            true => Ok(settings),
            false => Err(reader.problems),
        }
    }
}

struct Reader<'v> {
    variables: &'v BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl<'v> Reader<'v> {
    fn text(&self, name: &str) -> Option<&'v str> {
        let value = self.variables.get(&format!("{PREFIX}{name}"))?.trim();
        (!value.is_empty()).then_some(value)
    }

    fn wrong(&mut self, name: &str, what: impl Display) {
        let problem = Problem::new(format!("the setting `{PREFIX}{name}` {what}"));
        self.problems.push(problem);
    }

    /// A misspelt setting would be one without effect.
    fn unknown(&mut self) {
        for variable in self.variables.keys() {
            let Some(name) = variable.strip_prefix(PREFIX) else {
                continue;
            };
            if !VARIABLES.contains(&name) {
                let problem = Problem::new(format!("there is no setting `{variable}`"));
                self.problems.push(match nearest(name, VARIABLES) {
                    Some(near) => problem.hint(format!("did you mean `{PREFIX}{near}`?")),
                    None => problem,
                });
            }
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, format!("is wrong: {error}"));
                None
            }
        }
    }

    /// Values with commas or blanks between them.
    fn list<T: FromStr<Err: Display>>(&mut self, name: &str) -> Vec<T> {
        let Some(text) = self.text(name) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for (index, word) in words(text).enumerate() {
            match word.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.wrong(name, format!("is wrong: value {}: {error}", index + 1)),
            }
        }
        // A list of nothing is not the same as no list.
        if words(text).next().is_none() {
            self.wrong(name, "holds no value");
        }
        values
    }

    fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)], default: T) -> T {
        let Some(text) = self.text(name) else {
            return default;
        };
        if let Some((_, value)) = choices.iter().find(|(known, _)| *known == text) {
            return *value;
        }
        let known: Vec<String> = choices
            .iter()
            .map(|(known, _)| format!("`{known}`"))
            .collect();
        self.wrong(name, format!("has to be {}", known.join(" or ")));
        default
    }

    fn flag(&mut self, name: &str, default: bool) -> bool {
        self.choice(name, &[("true", true), ("false", false)], default)
    }

    fn recipes(&mut self) -> Vec<RecipeSource> {
        let Some(text) = self.text("RECIPE") else {
            let problem = Problem::new("the setting `OUTRIGGER_RECIPE` is missing");
            self.problems
                .push(problem.hint(format!("there are: {}", names())));
            return Vec::new();
        };
        let mut sources = Vec::new();
        if words(text).next().is_none() {
            self.wrong("RECIPE", "holds no value");
        }
        for word in words(text) {
            match recipe_source(word) {
                Ok(source) => sources.push(source),
                Err(problem) => self.problems.push(problem),
            }
        }
        sources
    }

    /// A JSON object, with the keys of `--set`: `input`, or `recipe.input`.
    fn inputs(&mut self) -> Vec<(String, InputValue)> {
        let Some(object) = self.object("INPUTS") else {
            return Vec::new();
        };
        let mut inputs = Vec::new();
        for (key, value) in object {
            let value = match value {
                Value::String(text) => InputValue::parse(&text),
                value => InputValue::from_value(value),
            };
            match value {
                Ok(value) => inputs.push((key, value)),
                Err(error) => self.wrong("INPUTS", format!("is wrong: input `{key}`: {error}")),
            }
        }
        inputs
    }

    /// No message repeats any of it: a value may be a secret.
    fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match serde_json::from_str(self.text(name)?) {
            Ok(Value::Object(object)) => Some(object),
            _ => {
                self.wrong(name, "is not a JSON object");
                None
            }
        }
    }

    fn run(&mut self) -> taskdef::settings::Settings {
        let mut run = taskdef::settings::Settings {
            parameterized_images: self.choice(
                "PARAMETERIZED_IMAGES",
                &[
                    ("reject", ParameterizedImages::Reject),
                    ("resolve", ParameterizedImages::Resolve),
                ],
                ParameterizedImages::Reject,
            ),
            on_unresolved: self.choice(
                "ON_UNRESOLVED",
                &[("fail", OnUnresolved::Fail), ("skip", OnUnresolved::Skip)],
                OnUnresolved::Fail,
            ),
            pin_digests: self.choice(
                "PIN_DIGESTS",
                &[
                    ("no", PinDigests::No),
                    ("digest", PinDigests::Digest),
                    ("keep-tag", PinDigests::KeepTag),
                ],
                PinDigests::No,
            ),
            launch_types: self.choice(
                "LAUNCH_TYPES",
                &[("fargate", LaunchTypes::Fargate), ("any", LaunchTypes::Any)],
                LaunchTypes::Fargate,
            ),
            assumptions: self.choice(
                "ASSUMPTIONS",
                &[("warn", Assumptions::Warn), ("fail", Assumptions::Fail)],
                Assumptions::Warn,
            ),
            task_size: self.choice(
                "TASK_SIZE",
                &[("keep", TaskSize::Keep), ("grow", TaskSize::Grow)],
                TaskSize::Keep,
            ),
            confirmed: self.list("CONFIRMED_IMAGES"),
            ..taskdef::settings::Settings::default()
        };
        run.selection.mode = self.choice("MODE", &MODES, Mode::OptOut);
        run.selection.include = self.selectors("INCLUDE");
        run.selection.exclude = self.selectors("EXCLUDE");
        if !self.flag("ALLOW_OPT_OUT_TAGS", true) {
            run.selection.tags = SelectionTags::Ignored;
        }
        run
    }

    /// One query a line: commas and blanks are part of them.
    fn selectors(&mut self, name: &str) -> Vec<Selector> {
        let mut selectors = Vec::new();
        for query in queries(self.text(name).unwrap_or_default()) {
            match Selector::parse(query) {
                Ok(selector) => selectors.push(selector),
                Err(error) => {
                    let problem = format!("the setting `{PREFIX}{name}` is wrong: {error}");
                    self.problems
                        .push(Problem::new(problem).hint(error.hint(Dialect::CloudFormation)));
                }
            }
        }
        selectors
    }

    fn registries(&mut self) -> remote::Settings {
        let allowed = self.list("ALLOWED_REGISTRIES");
        remote::Settings {
            insecure: self.list("INSECURE_REGISTRIES"),
            allowed_registries: (!allowed.is_empty()).then_some(allowed),
            allowed_realms: self.list("ALLOWED_REALMS"),
            mirrors: self.list("MIRRORS"),
            proxies: Proxies::from_variables(|name| self.variables.get(name).cloned()),
            limits: Limits {
                kept: KEPT,
                ..Limits::default()
            },
            ..remote::Settings::default()
        }
    }

    fn aws(&self) -> SdkConfig {
        let variables = self.variables.iter();
        config_of_variables(variables.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// `{"registry.example": ["arn:..."]}`
    fn secrets(&mut self) -> SecretPolicy {
        let object = self.object("REGISTRY_CREDENTIALS").unwrap_or_default();
        let mut bindings: Vec<(&str, Vec<&str>)> = Vec::new();
        for (host, secrets) in &object {
            let secrets = match secrets {
                Value::String(one) => Some(vec![one.as_str()]),
                Value::Array(several) => several.iter().map(Value::as_str).collect(),
                _ => None,
            };
            match secrets {
                Some(secrets) if secrets.iter().all(|secret| secret.starts_with("arn:")) => {
                    bindings.push((host, secrets));
                }
                _ => {
                    let what = format!("is wrong: `{host}` needs a list of ARNs of secrets");
                    self.wrong("REGISTRY_CREDENTIALS", what);
                }
            }
        }
        SecretPolicy::bound(bindings).unwrap_or_else(|error| {
            self.problems.push(Problem::new(error.to_string()));
            SecretPolicy::Bound(Default::default())
        })
    }
}

/// What `Mode` can be, for the setting and for a parameter of the transform.
pub(crate) const MODES: [(&str, Mode); 2] = [("opt-out", Mode::OptOut), ("opt-in", Mode::OptIn)];

/// Values with commas or blanks between them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| c == ',' || c.is_whitespace());
    parts.filter(|part| !part.is_empty())
}

/// One query a line.
pub(crate) fn queries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// A built-in recipe by its name, or one in Amazon S3.
fn recipe_source(word: &str) -> Result<RecipeSource, Problem> {
    if word.starts_with("s3://") {
        return word.parse().map(RecipeSource::Object).map_err(|error| {
            Problem::new(format!(
                "the setting `OUTRIGGER_RECIPE` is wrong: `{word}`: {error}"
            ))
        });
    }
    builtin_recipe(word)
}

/// A recipe that comes with the program.
pub(crate) fn builtin_recipe(name: &str) -> Result<RecipeSource, Problem> {
    let known = builtin().iter().find(|(known, _)| *known == name);
    if let Some((name, text)) = known {
        return Ok(RecipeSource::Builtin(name, text));
    }
    let near = nearest(name, builtin().iter().map(|(known, _)| *known));
    let problem = Problem::new(format!("there is no recipe `{name}`"));
    Err(match near {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!("there are: {}", names())),
    })
}

fn names() -> String {
    let names: Vec<&str> = builtin().iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
