//! Settings: options that can also be given in a file, `outrigger.yaml`, and in the environment.
//!
//! A setting that the command line does not give is taken from its variable, `OUTRIGGER_*`, else
//! from the file, and given to the program as the option that it is: what an option means is said
//! in one place. A list replaces a list; the inputs of recipes are merged one by one.

mod environment;
mod file;
mod find;
mod inputs;
mod table;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Parser};
use taskdef::dialect::Dialect;
use taskdef::nearest::nearest;
use taskdef::selector::Selector;

use crate::{Console, Exit, Failure, Problem, command_line, recipes, text};
use environment::Environment;
use file::SettingsFile;
use inputs::{recipes_in_use, with_origin};
use table::{SETTINGS, Setting, Shape};

/// Which settings file counts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub struct SettingsOptions {
    /// Settings file [default: outrigger.yaml beside the document, or above it up to the repository's root]
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,

    /// Read no settings file
    #[arg(long, conflicts_with = "settings")]
    pub no_settings: bool,
}

/// Where a setting was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On the command line, by this option.
    Option(&'static str),
    /// In the environment, by this variable.
    Variable(String),
    /// In the settings file: file, line and column.
    File(String),
    /// Nowhere.
    Default,
}

impl Origin {
    /// What a message about a setting begins with.
    fn subject(&self, setting: &Setting) -> String {
        match self {
            Origin::Variable(name) => format!("the variable `{name}`"),
            origin => format!("{origin}: `{}`", setting.key),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Option(option) => write!(f, "--{option}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::File(place) => f.write_str(place),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// What one place gives a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    /// One text; several for a list.
    texts: Vec<String>,
    origin: Origin,
}

/// One setting with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its key in the settings file; a dot stands between a group and its member.
    pub key: &'static str,
    /// Its option, without its hyphens.
    pub option: &'static str,
    /// Its values; none where nothing is given and there is no default.
    pub values: Vec<String>,
    /// Where they come from.
    pub origin: Origin,
}

/// What is in force in a run, and where it comes from.
#[derive(Default)]
pub struct Layers {
    /// The settings file's name, where there is one.
    pub file: Option<String>,
    /// Every setting that the command takes.
    pub settings: Vec<InForce>,
    /// The inputs as `--set` takes them, the later one winning. A value may be a secret.
    pub inputs: Vec<(String, Origin)>,
}

/// Says nothing of the inputs.
impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers")
            .field("file", &self.file)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Layers {
    /// Whether the command line itself gives this option.
    pub fn is_on_command_line(&self, option: &'static str) -> bool {
        let origin = Origin::Option(option);
        self.settings.iter().any(|setting| setting.origin == origin)
    }
}

/// The key and the option of every setting, but for the inputs of recipes.
pub fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    SETTINGS.iter().map(|setting| (setting.key, setting.option))
}

/// What settings have to know of a program's documents.
#[derive(Clone, Copy, Debug)]
pub struct Documents {
    /// The argument that names the document, beside which the settings file is looked for.
    pub argument: &'static str,
    /// How documents are spelled.
    pub dialect: Dialect,
    /// The recipes that a document names itself: then neither file nor environment names any.
    pub recipes: fn(&Path) -> Option<Vec<String>>,
}

impl Documents {
    /// Documents that name no recipes.
    pub fn new(argument: &'static str, dialect: Dialect) -> Documents {
        Documents {
            argument,
            dialect,
            recipes: |_| None,
        }
    }
}

/// Reads the arguments (without the program's name) and the settings around them, or says what
/// is wrong with them, or prints the help that they ask for: then the run is over.
pub fn parse<A: Parser>(
    args: &[OsString],
    documents: Documents,
    console: &mut Console<'_>,
) -> Result<(A, Layers), Exit> {
    parse_as(A::command(), args, documents, console)
}

/// Does the same with a command line that says more than the type does: see [`crate::help`].
pub fn parse_as<A: Parser>(
    described: Command,
    args: &[OsString],
    documents: Documents,
    console: &mut Console<'_>,
) -> Result<(A, Layers), Exit> {
    let mut matches = command_line::parse(described, args, console)?;
    let mut layers = Layers::default();
    let command = A::command();
    if takes_settings(leaf(&command, &matches).command) {
        let layered = layered::<A>(args, documents, (&command, matches), console);
        (matches, layers) = layered.map_err(|failure| failure.tell(console))?;
    }
    match A::from_arg_matches_mut(&mut matches) {
        Ok(arguments) => Ok((arguments, layers)),
        Err(error) => Err(command_line::tell(&error, command.get_name(), console)),
    }
}

/// The command that is meant, with what it is given.
struct Leaf<'m> {
    command: &'m Command,
    matches: &'m ArgMatches,
    /// How many arguments name it.
    depth: usize,
}

fn leaf<'m>(command: &'m Command, matches: &'m ArgMatches) -> Leaf<'m> {
    let mut leaf = Leaf {
        command,
        matches,
        depth: 0,
    };
    while let Some((name, matches)) = leaf.matches.subcommand() {
        let Some(command) = leaf.command.find_subcommand(name) else {
            break;
        };
        leaf = Leaf {
            command,
            matches,
            depth: leaf.depth + 1,
        };
    }
    leaf
}

fn takes_settings(command: &Command) -> bool {
    id(command, "no-settings").is_some()
}

/// The name by which clap knows an option of the command.
fn id<'c>(command: &'c Command, option: &str) -> Option<&'c str> {
    let mut arguments = command.get_arguments();
    let argument = arguments.find(|argument| argument.get_long() == Some(option))?;
    Some(argument.get_id().as_str())
}

fn is_given(leaf: &Leaf<'_>, option: &str) -> bool {
    let source = id(leaf.command, option).and_then(|id| leaf.matches.value_source(id));
    source == Some(ValueSource::CommandLine)
}

fn layered<A: Parser>(
    args: &[OsString],
    documents: Documents,
    (command, matches): (&Command, ArgMatches),
    console: &Console<'_>,
) -> Result<(ArgMatches, Layers), Failure> {
    let typed = leaf(command, &matches);
    let document = document(&typed, documents.argument);
    let file = settings_file(&typed, document)?;
    let environment = environment::read(&console.variables)?;
    let mut added = added(&typed, &environment, file.as_ref());
    let named = document.filter(|_| !is_given(&typed, "recipe"));
    let named = named.and_then(documents.recipes);
    if named.is_some() {
        added.retain(|(setting, _)| setting.shape != Shape::Recipes);
    }
    understood(&added, documents.dialect)?;
    let used = || recipes_in_use(&typed, &added, named);
    let inputs = inputs::of_settings(&typed, used, environment, file.as_ref())?;
    let options = added
        .iter()
        .flat_map(|(setting, given)| options(setting, given));
    let sets = inputs
        .iter()
        .map(|(text, _)| format!("--set={text}").into());
    let all: Vec<OsString> = options.chain(sets).collect();
    let matches = match all.is_empty() {
        true => matches.clone(),
        false => with::<A>(args, typed.depth, all)
            .map_err(|error| explain::<A>(args, typed.depth, &added, &error))?,
    };
    let layers = Layers {
        file: file.map(|file| file.name),
        settings: in_force(&leaf(command, &matches), &added),
        inputs: with_origin(&leaf(command, &matches), inputs),
    };
    Ok((matches, layers))
}

/// The arguments with others before those that were typed, so that a typed input wins.
fn with<A: Parser>(
    args: &[OsString],
    depth: usize,
    added: Vec<OsString>,
) -> Result<ArgMatches, clap::Error> {
    let (names, rest) = args.split_at_checked(depth).unwrap_or((args, &[]));
    let all = names
        .iter()
        .cloned()
        .chain(added)
        .chain(rest.iter().cloned());
    A::command().try_get_matches_from(all)
}

/// The document's file, where there is one.
fn document<'m>(typed: &Leaf<'m>, argument: &str) -> Option<&'m Path> {
    let document = typed.matches.try_get_one::<PathBuf>(argument);
    let document = document.ok().flatten();
    document
        .map(PathBuf::as_path)
        .filter(|path| *path != Path::new("-"))
}

fn settings_file(
    typed: &Leaf<'_>,
    document: Option<&Path>,
) -> Result<Option<SettingsFile>, Failure> {
    if typed.matches.get_flag("no_settings") {
        return Ok(None);
    }
    if let Some(path) = typed.matches.get_one::<PathBuf>("settings") {
        return file::read(path).map(Some);
    }
    let folder = document.and_then(|path| path.parent());
    let found = find::find(folder.unwrap_or(Path::new("")));
    found.as_deref().map(file::read).transpose()
}

/// What the environment, or else the file, gives the settings that the command line does not.
fn added(
    typed: &Leaf<'_>,
    environment: &Environment,
    file: Option<&SettingsFile>,
) -> Vec<(&'static Setting, Given)> {
    let open = SETTINGS
        .iter()
        .filter(|setting| id(typed.command, setting.option).is_some())
        .filter(|setting| !is_given(typed, setting.option));
    let given = |setting: &Setting| {
        let environment = environment.given.get(setting.key);
        environment.or_else(|| file?.given.get(setting.key))
    };
    open.filter_map(|setting| Some((setting, given(setting)?.clone())))
        .collect()
}

/// Refuses what clap would take, because only the work itself would find it wrong: there the
/// place would not be known any more.
fn understood(added: &[(&Setting, Given)], dialect: Dialect) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for (setting, given) in added {
        let subject = given.origin.subject(setting);
        for text in &given.texts {
            match setting.shape {
                Shape::Lines => problems.extend(Selector::parse(text).err().map(|error| Problem {
                    message: format!("{subject} is not valid: {error}"),
                    hint: Some(error.hint(dialect)),
                })),
                Shape::Recipes => problems.extend(recipes::unknown(text).map(|problem| Problem {
                    message: format!("{subject} is not valid: {}", problem.message),
                    ..problem
                })),
                _ => {}
            }
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}

fn options(setting: &Setting, given: &Given) -> Vec<OsString> {
    let option = |text: &String| format!("--{}={text}", setting.option).into();
    given.texts.iter().map(option).collect()
}

/// Every setting of the file and the environment that the program does not understand.
fn explain<A: Parser>(
    args: &[OsString],
    depth: usize,
    added: &[(&Setting, Given)],
    error: &clap::Error,
) -> Failure {
    let problems = added.iter().filter_map(|(setting, given)| {
        let names = args.get(..depth).unwrap_or_default();
        let alone = with::<A>(names, depth, options(setting, given)).err()?;
        problem(setting, given, &alone)
    });
    let problems: Vec<Problem> = problems.collect();
    match problems.is_empty() {
        // Only together do they not fit.
        true => Failure::usage(text::line(&error.kind().to_string())),
        false => Failure {
            exit: Exit::Usage,
            problems,
        },
    }
}

fn problem(setting: &Setting, given: &Given, error: &clap::Error) -> Option<Problem> {
    let subject = given.origin.subject(setting);
    let (what, hint) = match error.kind() {
        ErrorKind::InvalidValue => {
            let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue) else {
                return None;
            };
            let near = given.texts.iter();
            let near = near.filter(|text| !values.contains(text));
            let near = near.filter_map(|text| nearest(text, values.iter().map(String::as_str)));
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            let hint = near.map(|near| format!("did you mean `{near}`?")).next();
            (format!("has to be {}", values.join(" or ")), hint)
        }
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error)?;
            (format!("is not valid: {reason}"), None)
        }
        _ => return None,
    };
    Some(Problem {
        message: format!("{subject} {what}"),
        hint,
    })
}

/// Every setting that the command takes.
fn in_force(leaf: &Leaf<'_>, added: &[(&'static Setting, Given)]) -> Vec<InForce> {
    let rows = SETTINGS.iter().filter_map(|setting| {
        let id = id(leaf.command, setting.option)?;
        let values = leaf.matches.get_raw(id).unwrap_or_default();
        let values = values.map(|value| value.to_string_lossy().into_owned());
        let given = added.iter().find(|(added, _)| *added == setting);
        let origin = match (given, leaf.matches.value_source(id)) {
            (Some((_, given)), _) => given.origin.clone(),
            (None, Some(ValueSource::CommandLine)) => Origin::Option(setting.option),
            (None, _) => Origin::Default,
        };
        Some(InForce {
            key: setting.key,
            option: setting.option,
            values: values.collect(),
            origin,
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests;
