//! What the administrator decides, as variables of the function's environment.
//!
//! A variable is the option of `fleet plan` or `fleet apply` that it stands for, and is read as that
//! option: what it means is said in one place. `docs/fleet-deploy.md` has the table for people.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use cli::options::{LockOptions, RecipeOptions, WhenPinned};
use cli::settings::Documents;
use cli::{Console, Exit, Failure, Problem, Terminals, Variables, lock};
use registry::Locked;
use registry::credentials::SecretPolicy;
use registry::credentials::aws::ObjectUri;
use serde_json::Value;
use taskdef::dialect::Dialect;
use taskdef::nearest::nearest;

use super::refused::Refused;
use super::store::{Place, Store};
use crate::accounts::Role;
use crate::command::outset;
use crate::help;
use crate::options::{Arguments, Command, PlanArguments, RolloutOptions};

/// What the names of all settings begin with.
const PREFIX: &str = "OUTRIGGER_";

/// The settings, without what their names begin with.
pub const VARIABLES: [&str; 37] = [
    "ACCOUNTS",
    "ALLOWED_REALMS",
    "ALLOWED_REGISTRIES",
    "ASSUMPTIONS",
    "CANARY",
    "CA_BUNDLE",
    "CLUSTERS",
    "CONFIRMED_IMAGES",
    "EXCLUDE",
    "EXTERNAL_ID",
    "IGNORE_TAGS",
    "INCLUDE",
    "INPUTS",
    "INSECURE_REGISTRIES",
    "IN_MOTION",
    "LAUNCH_TYPES",
    "LOCK",
    "LOCKED",
    "MAX_FAILURES",
    "MIRRORS",
    "MODE",
    "ORGANIZATION",
    "ORGANIZATIONAL_UNITS",
    "PIN_DIGESTS",
    "POLL",
    "RECIPE",
    "REGIONS",
    "REGISTRY_CREDENTIALS",
    "RESULTS",
    "ROLE_NAME",
    "SERVICES",
    "SESSION_TAGS",
    "SKIP_ACCOUNTS",
    "STEADY_TIMEOUT",
    "TASK_SIZE",
    "TIMEOUT",
    "WAVE",
];

/// How a variable becomes an option.
#[derive(Clone, Copy)]
enum Shape {
    /// Once, with its text.
    Text,
    /// Once for each value; commas or blanks stand between them.
    Words,
    /// As a flag, where it is `true`.
    Flag,
}

/// Options of `plan` that the filters do not have. The others are read where the filters read theirs.
const OF_PLAN: [(&str, &str, Shape); 9] = [
    ("ACCOUNTS", "account", Shape::Words),
    ("CLUSTERS", "cluster", Shape::Words),
    ("ORGANIZATION", "organization", Shape::Flag),
    ("ORGANIZATIONAL_UNITS", "organizational-unit", Shape::Words),
    ("REGIONS", "region", Shape::Words),
    ("ROLE_NAME", "role-name", Shape::Text),
    ("SERVICES", "service", Shape::Words),
    ("SESSION_TAGS", "session-tag", Shape::Words),
    ("SKIP_ACCOUNTS", "skip-account", Shape::Words),
];

/// Options of `apply`.
const OF_APPLY: [(&str, &str, Shape); 6] = [
    ("CANARY", "canary", Shape::Text),
    ("IN_MOTION", "in-motion", Shape::Text),
    ("MAX_FAILURES", "max-failures", Shape::Text),
    ("POLL", "poll", Shape::Text),
    ("STEADY_TIMEOUT", "steady-timeout", Shape::Text),
    ("WAVE", "wave", Shape::Text),
];

/// Options that are spelled otherwise as variables, for the ways out that name them.
const SPELLED: [(&str, &str); 11] = [
    (", with the keys of `--set`", ""),
    (
        "`fleet --help` shows what there is",
        "`docs/fleet-deploy.md` has the settings",
    ),
    ("--allow-realm", "OUTRIGGER_ALLOWED_REALMS"),
    ("--allow-registry", "OUTRIGGER_ALLOWED_REGISTRIES"),
    ("--ca-bundle FILE", "OUTRIGGER_CA_BUNDLE"),
    ("--exclude", "OUTRIGGER_EXCLUDE"),
    ("--include", "OUTRIGGER_INCLUDE"),
    ("--insecure-registry", "OUTRIGGER_INSECURE_REGISTRIES"),
    ("--lock FILE", "OUTRIGGER_LOCK"),
    ("--mirror", "OUTRIGGER_MIRRORS"),
    ("--recipe NAME|FILE", "OUTRIGGER_RECIPE"),
];

/// What the administrator decides.
pub(super) struct Settings {
    /// What `plan` is given.
    pub(super) plan: PlanArguments,
    /// How `apply` updates services.
    pub(super) rollout: RolloutOptions,
    pub(super) role: Option<Role>,
    /// Which secret may be read for which registry.
    pub(super) secrets: SecretPolicy,
    /// Where plans, journals and reports are.
    pub(super) results: Place,
    /// The environment, without what only this module knows.
    pub(super) variables: Variables,
}

/// Shows no input.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("results", &self.results)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the environment; a variable that is empty is not set.
    pub(super) fn read(variables: BTreeMap<String, String>) -> Result<Settings, Failure> {
        let mut variables: BTreeMap<String, String> = variables
            .into_iter()
            .filter(|(name, value)| !name.starts_with(PREFIX) || !value.trim().is_empty())
            .collect();
        // Everything that is wrong is told at once.
        let mut problems = unknown(&mut variables);
        let results = variables.remove("OUTRIGGER_RESULTS");
        let results = kept(results_of(results.as_deref()), &mut problems);
        let secrets = variables.remove("OUTRIGGER_REGISTRY_CREDENTIALS");
        let secrets = secrets_of(secrets.as_deref().unwrap_or("{}"));
        let secrets = kept(secrets, &mut problems);
        let of_plan = options(&mut variables, &OF_PLAN, &mut problems);
        let of_apply = options(&mut variables, &OF_APPLY, &mut problems);
        let variables: Variables = variables.into_iter().collect();
        let plan = kept(plan_of(of_plan, &variables), &mut problems);
        let rollout = kept(rollout_of(of_apply, &variables), &mut problems);
        let role = plan.as_ref().map(|plan| {
            let (role, _) = on_console(&variables, |console| outset::role(&plan.enter, console));
            role
        });
        let role = role.and_then(|role| kept(role, &mut problems));
        match (plan, rollout, role, secrets, results) {
            (Some(plan), Some(rollout), Some(role), Some(secrets), Some(results))
                if problems.is_empty() =>
            {
                Ok(Settings {
                    plan: *plan,
                    rollout,
                    role,
                    secrets,
                    results,
                    variables,
                })
            }
            _ => Err(Failure {
                exit: Exit::Usage,
                problems,
            }),
        }
    }
}

/// What could be read; what is wrong is kept for later.
fn kept<T>(read: Result<T, Failure>, problems: &mut Vec<Problem>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(failure) => {
            // The same variable may be read for a plan and for an apply.
            let new = failure.problems.into_iter();
            let new: Vec<Problem> = new.filter(|problem| !problems.contains(problem)).collect();
            problems.extend(new);
            None
        }
    }
}

fn results_of(text: Option<&str>) -> Result<Place, Failure> {
    let text = text.ok_or_else(|| missing("RESULTS", "give s3://BUCKET[/PREFIX]"))?;
    Place::parse(text.trim()).ok_or_else(|| {
        Failure::usage("the setting `OUTRIGGER_RESULTS` is not of the form s3://BUCKET[/PREFIX]")
    })
}

fn plan_of(options: Vec<OsString>, variables: &Variables) -> Result<Box<PlanArguments>, Failure> {
    let Command::Plan(plan) = parsed(&["plan", "--no-settings"], options, variables)? else {
        return Err(Failure::failed("the settings are those of no plan"));
    };
    match plan.recipe.recipe.is_empty() {
        true => Err(missing("RECIPE", "name a recipe, or an object in S3")),
        false => Ok(plan),
    }
}

fn rollout_of(options: Vec<OsString>, variables: &Variables) -> Result<RolloutOptions, Failure> {
    let apply = ["apply", "plan.json", "--no-settings"];
    match parsed(&apply, options, variables)? {
        Command::Apply(apply) => Ok(apply.rollout.clone()),
        _ => Err(Failure::failed("the settings are those of no apply")),
    }
}

fn missing(name: &str, hint: &str) -> Failure {
    Failure::usage(format!("the setting `{PREFIX}{name}` is missing")).hint(hint)
}

/// Takes away what is no setting: a misspelt one would be one without effect.
fn unknown(variables: &mut BTreeMap<String, String>) -> Vec<Problem> {
    let is_known = |name: &str| VARIABLES.contains(&name);
    let ours = variables
        .keys()
        .filter_map(|name| name.strip_prefix(PREFIX));
    let unknown = ours.filter(|name| !is_known(name));
    let problems = unknown
        .map(|name| Problem {
            message: format!("there is no setting `{PREFIX}{name}`"),
            hint: nearest(name, VARIABLES).map(|near| format!("did you mean `{PREFIX}{near}`?")),
        })
        .collect();
    variables.retain(|name, _| name.strip_prefix(PREFIX).is_none_or(is_known));
    problems
}

/// Takes variables away, and gives the options that they are.
fn options(
    variables: &mut BTreeMap<String, String>,
    table: &[(&str, &str, Shape)],
    problems: &mut Vec<Problem>,
) -> Vec<OsString> {
    let mut options = Vec::new();
    for (name, option, shape) in table {
        let Some(text) = variables.remove(&format!("{PREFIX}{name}")) else {
            continue;
        };
        let text = text.trim();
        match (shape, text) {
            (Shape::Text, text) => options.push(format!("--{option}={text}").into()),
            (Shape::Words, text) => {
                let words = text.split(|c: char| c == ',' || c.is_whitespace());
                let words = words.filter(|word| !word.is_empty());
                options.extend(words.map(|word| format!("--{option}={word}").into()));
            }
            (Shape::Flag, "true") => options.push(format!("--{option}").into()),
            (Shape::Flag, "false") => {}
            (Shape::Flag, _) => problems.push(Problem {
                message: format!("the setting `{PREFIX}{name}` has to be `true` or `false`"),
                hint: None,
            }),
        }
    }
    options
}

/// Reads options as the program does.
fn parsed(
    command: &[&str],
    options: Vec<OsString>,
    variables: &Variables,
) -> Result<Command, Failure> {
    let args: Vec<OsString> = command
        .iter()
        .map(|arg| (*arg).into())
        .chain(options)
        .collect();
    let (parsed, said) = on_console(variables, |console| {
        cli::settings::parse_as::<Arguments>(
            help::command(),
            &args,
            Documents::new("plan", Dialect::Ecs),
            console,
        )
    });
    match parsed {
        Ok((arguments, _)) => Ok(arguments.command),
        Err(_) => Err(told(&said)),
    }
}

/// Does something with a console that has this environment and nobody before it; gives what was
/// told there, too.
pub(super) fn on_console<T>(
    variables: &Variables,
    work: impl FnOnce(&mut Console<'_>) -> T,
) -> (T, String) {
    let mut said = Vec::new();
    let done = work(&mut Console {
        stdin: &mut io::empty(),
        stdout: &mut io::sink(),
        stderr: &mut said,
        terminals: Terminals::default(),
        variables: variables.clone(),
    });
    (done, String::from_utf8_lossy(&said).into_owned())
}

/// Takes apart what the program tells a person: `error:` lines, each with a `hint:`.
fn told(text: &str) -> Failure {
    let mut problems: Vec<Problem> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("error: "), problems.last_mut()) {
            (Some(message), _) => problems.push(Problem {
                message: spelled(message),
                hint: None,
            }),
            (None, Some(last)) => {
                let line = line.trim();
                let line = line.strip_prefix("hint: ").unwrap_or(line);
                let hint = last.hint.take();
                last.hint = Some(hint.map_or_else(|| line.to_owned(), |it| format!("{it} {line}")));
            }
            (None, None) => {}
        }
    }
    Failure {
        exit: Exit::Usage,
        problems,
    }
}

/// What names options, in the words of variables.
pub(super) fn spelled(text: &str) -> String {
    let all = || OF_PLAN.iter().chain(&OF_APPLY);
    let mut text = text.to_owned();
    for (option, variable) in SPELLED {
        text = text.replace(option, variable);
    }
    // The longer names first: one may begin with another.
    let mut options: Vec<_> = all().collect();
    options.sort_by_key(|(_, option, _)| std::cmp::Reverse(option.len()));
    for (name, option, _) in options {
        text = text.replace(&format!("--{option}"), &format!("{PREFIX}{name}"));
    }
    text
}

/// `{"registry.example": ["arn:..."]}`. No message repeats any of it.
fn secrets_of(text: &str) -> Result<SecretPolicy, Failure> {
    let wrong = || {
        Failure::usage("the setting `OUTRIGGER_REGISTRY_CREDENTIALS` is wrong")
            .hint("it takes {\"REGISTRY\": [\"ARN\", ...], ...}")
    };
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else {
        return Err(wrong());
    };
    let mut bindings: Vec<(&str, Vec<&str>)> = Vec::new();
    for (host, secrets) in &object {
        let secrets: Option<Vec<&str>> = match secrets {
            Value::String(one) => Some(vec![one.as_str()]),
            Value::Array(several) => several.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let secrets = secrets.filter(|all| all.iter().all(|secret| secret.starts_with("arn:")));
        bindings.push((host, secrets.ok_or_else(wrong)?));
    }
    SecretPolicy::bound(bindings).map_err(|error| Failure::usage(error.to_string()))
}

/// The recipes and their inputs. Those that are in S3 are fetched, and so are those of today.
pub(super) async fn recipes(settings: &Settings, store: &Store) -> Result<RecipeOptions, Refused> {
    let mut recipes = settings.plan.recipe.clone();
    for (place, name) in recipes.recipe.iter_mut().enumerate() {
        if let Some(file) = fetched(store, name, &format!("recipe-{place}.yaml")).await? {
            *name = file.to_string_lossy().into_owned();
        }
    }
    Ok(recipes)
}

/// What is known of images without a look at them.
pub(super) async fn locked(settings: &Settings, store: &Store) -> Result<Locked, Refused> {
    let images = &settings.plan.images;
    let Some(path) = &images.lock else {
        return match images.offline.locked {
            true => Err(Refused::settings(Failure::usage(
                "the setting `OUTRIGGER_LOCKED` needs `OUTRIGGER_LOCK`",
            ))),
            false => Ok(Locked::new(registry::LockFile::new("outrigger.lock"))),
        };
    };
    let name = path.to_string_lossy();
    let file = fetched(store, &name, "outrigger.lock").await?;
    let options = LockOptions {
        lock: Some(file.unwrap_or_else(|| path.clone())),
        pin_digests: WhenPinned::No,
    };
    lock::load(&options, images.offline.locked, None).map_err(Refused::settings)
}

/// A file with what an object in S3 holds; nothing, where the name is that of a file already.
async fn fetched(store: &Store, name: &str, file: &str) -> Result<Option<PathBuf>, Refused> {
    if !name.starts_with("s3://") {
        return Ok(None);
    }
    let uri: ObjectUri = name
        .parse()
        .map_err(|error| Refused::settings(Failure::usage(format!("`{name}` is {error}"))))?;
    let bytes = store.foreign(&uri).await?;
    let folder = std::env::temp_dir().join(format!("outrigger-{}", std::process::id()));
    let path = folder.join(file);
    written(&folder, &path, &bytes).map_err(|error| {
        let reason = cli::console::reason(&error);
        Refused::broken(
            format!("`{name}` cannot be kept: {reason}"),
            "give the function more ephemeral storage",
        )
    })?;
    Ok(Some(path))
}

fn written(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        let whole = |(name, value): &(&str, &str)| (format!("{PREFIX}{name}"), (*value).to_owned());
        Settings::read(variables.iter().map(whole).collect())
    }

    fn wrong(variables: &[(&str, &str)]) -> String {
        let all = [
            &[("RESULTS", "s3://results"), ("RECIPE", "alert-logic")],
            variables,
        ]
        .concat();
        let failure = read(&all).map(|_| ()).unwrap_err();
        Refused::settings(failure).to_string()
    }

    #[test]
    fn variables_are_options() {
        let settings = read(&[
            ("RESULTS", "s3://results/fleet"),
            ("RECIPE", "alert-logic"),
            ("REGIONS", "eu-central-1, us-east-1"),
            ("ORGANIZATION", "true"),
            ("ORGANIZATIONAL_UNITS", "ou-1"),
            ("ROLE_NAME", "Fleet"),
            ("EXTERNAL_ID", "canary"),
            ("SESSION_TAGS", "team=a"),
            ("MODE", "opt-in"),
            ("CANARY", "2"),
            ("ACCOUNTS", ""),
        ])
        .unwrap();
        let plan = &settings.plan;
        assert_eq!(plan.accounts.region, ["eu-central-1", "us-east-1"]);
        assert!(plan.accounts.organization);
        assert_eq!(plan.recipe.recipe, ["alert-logic"]);
        assert_eq!(plan.choices.mode, cli::options::WhichMode::OptIn);
        assert_eq!(settings.rollout.canary, 2);
        assert!(settings.role.is_some());
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[test]
    fn what_is_wrong_is_told_in_the_words_of_variables() {
        let table = [
            wrong(&[("REGION", "eu-central-1")]),
            wrong(&[("ACCOUNTS", "12")]),
            wrong(&[("ACCOUNTS", "123456789012"), ("ORGANIZATION", "true")]),
            wrong(&[("ORGANIZATION", "yes")]),
            wrong(&[("ORGANIZATIONAL_UNITS", "ou-1")]),
            wrong(&[("WAVE", "0")]),
            wrong(&[("MODE", "neither")]),
            wrong(&[("ROLE_NAME", "/x")]),
            wrong(&[("SESSION_TAGS", "x"), ("ROLE_NAME", "x")]),
            wrong(&[("RESULTS", "results")]),
            wrong(&[("RECIPE", "alertlogic")]),
            wrong(&[("REGISTRY_CREDENTIALS", "{\"docker.io\": [\"canary\"]}")]),
            wrong(&[("INPUTS", "canary")]),
            wrong(&[
                ("WAVES", "1"),
                ("WAVE", "0"),
                ("ACCOUNTS", "12"),
                ("RESULTS", "x"),
                ("ORGANIZATION", "yes"),
            ]),
        ];
        let table = table.join("\n");
        assert!(
            !table.contains("canary") && !table.contains("--"),
            "{table}"
        );
        insta::assert_snapshot!(table, @r#"
        there is no setting `OUTRIGGER_REGION`; way out: did you mean `OUTRIGGER_REGIONS`?
        the value of `OUTRIGGER_ACCOUNTS <ID>` is not valid: an account is a number of 12 digits
        `OUTRIGGER_ACCOUNTS <ID>` cannot be used with `OUTRIGGER_ORGANIZATION`; way out: leave one of them out
        the setting `OUTRIGGER_ORGANIZATION` has to be `true` or `false`
        `OUTRIGGER_ORGANIZATION` is missing; way out: `docs/fleet-deploy.md` has the settings
        the value of `OUTRIGGER_WAVE <PERCENT>` is not valid: a percentage is a whole number from 1 to 100
        the variable `OUTRIGGER_MODE` has to be `opt-out` or `opt-in`
        `OUTRIGGER_ROLE_NAME`: a role's name has letters, digits, `+=,.@_-`, and a slash after each part of its path
        `OUTRIGGER_SESSION_TAGS` takes KEY=VALUE
        the setting `OUTRIGGER_RESULTS` is not of the form s3://BUCKET[/PREFIX]
        the variable `OUTRIGGER_RECIPE` is not valid: there is no recipe `alertlogic`; way out: did you mean `alert-logic`? There are: alert-logic, deepfence, lacework, prisma-cloud, sysdig; or name a file
        the setting `OUTRIGGER_REGISTRY_CREDENTIALS` is wrong; way out: it takes {"REGISTRY": ["ARN", ...], ...}
        the variable `OUTRIGGER_INPUTS` is not a JSON object; way out: it takes `{"KEY": VALUE, ...}`
        there is no setting `OUTRIGGER_WAVES`; way out: did you mean `OUTRIGGER_WAVE`? / the setting `OUTRIGGER_RESULTS` is not of the form s3://BUCKET[/PREFIX] / the setting `OUTRIGGER_ORGANIZATION` has to be `true` or `false` / the value of `OUTRIGGER_ACCOUNTS <ID>` is not valid: an account is a number of 12 digits / the value of `OUTRIGGER_WAVE <PERCENT>` is not valid: a percentage is a whole number from 1 to 100
        "#);
    }

    #[test]
    fn what_has_to_be_there() {
        let failure = read(&[]).unwrap_err();
        insta::assert_snapshot!(Refused::settings(failure), @"the setting `OUTRIGGER_RESULTS` is missing; way out: give s3://BUCKET[/PREFIX] / the setting `OUTRIGGER_RECIPE` is missing; way out: name a recipe, or an object in S3");
        let failure = read(&[("RESULTS", "s3://results")]).unwrap_err();
        insta::assert_snapshot!(Refused::settings(failure), @"the setting `OUTRIGGER_RECIPE` is missing; way out: name a recipe, or an object in S3");
    }
}
