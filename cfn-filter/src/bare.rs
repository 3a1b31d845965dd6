//! Task definitions by themselves, in the ECS API's spelling.

use cli::input::Document;
use cli::settings::Layers;
use cli::{Exit, Failure, Problem};
use taskdef::registration::registrable;
use taskdef::report::Finding;
use taskdef::source::{Change, New, Path, Source};

use crate::options::{DeploymentOptions, WhenParameterized};

/// What a registration takes, as text in the notation of the description, and what was left out.
pub(crate) fn registration(
    document: &Document,
    described: Source<'_>,
) -> Result<(String, Vec<(String, Finding)>), Failure> {
    let (task, findings) = registrable(described.value());
    let path = Path::new();
    let new = New::Value(task);
    // What stays of the description stays as it is written.
    let member = described.member("taskDefinition");
    let described = match &member {
        Some(text) => {
            Source::parse_template(text).map_err(|error| document.source_failure(&error))?
        }
        None => described,
    };
    let spliced = described
        .splice(vec![Change { path, new }])
        .map_err(|error| document.source_failure(&error))?;
    Ok((spliced.text, findings))
}

/// Refuses options that only a template gives a meaning. As a setting for all documents it has none here.
pub(crate) fn check_options(options: &DeploymentOptions, layers: &Layers) -> Result<(), Failure> {
    let resolves = options.parameterized_images == WhenParameterized::Resolve
        && layers.is_on_command_line("parameterized-images");
    let given = [
        (
            "--parameter-overrides",
            !options.parameter_overrides.is_empty(),
        ),
        (
            "--resolved-parameter",
            !options.resolved_parameter.is_empty(),
        ),
        ("--parameterized-images resolve", resolves),
    ];
    let given = given.into_iter().filter(|(_, given)| *given);
    let problems = given.map(|(option, _)| Problem {
        message: format!(
            "`{option}` is about the parameters of a template, and this is a task definition"
        ),
        hint: Some("leave it out".to_owned()),
    });
    let problems: Vec<Problem> = problems.collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Failure {
            exit: Exit::Usage,
            problems,
        }),
    }
}
