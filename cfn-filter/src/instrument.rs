//! The road from a template to a template.

use cli::conclude::{self, Run};
use cli::input::{Document, read_document};
use cli::output::{self, Rewrite};
use cli::recipes::{self, Bound};
use cli::report::{Purpose, Setting};
use cli::{Console, Exit, Failure, lock};
use registry::Locked;
use taskdef::report::{Code, Finding, Report, Severity};
use taskdef::settings::{Deployment, Settings};
use taskdef::source::{Source, Spliced, Step};

use crate::options::Arguments;
use crate::parameters::{self, Parameters};

/// Does what the arguments say, and gives the exit code.
pub(crate) fn instrument(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    output::validate(&arguments.output, arguments.template.as_deref())?;
    let recipe = recipes::bind(&arguments.recipe)?;
    let parameters = parameters::parse(&arguments.deployment)?;
    let document = read_document(arguments.template.as_deref(), "template", console)?;
    let source = Source::from_bytes(&document.bytes)
        .map_err(|error| document.failure(&error.to_string(), error.hint()))?;
    parameters::check(&parameters, source.value())?;
    let locked = lock::load(&arguments.images, document.path.as_deref())?;
    let settings = settings(arguments, parameters, &recipe);
    let (report, spliced) = judge(arguments, &document, &source, &recipe, &settings, &locked)?;
    let run = Run {
        options: &arguments.output,
        on_unresolved: settings.on_unresolved,
        changed: spliced.is_some(),
    };
    if !arguments.output.check && !conclude::refused(&report, run) {
        let before = std::str::from_utf8(&document.bytes).unwrap_or_default();
        let after = spliced.as_ref().map_or(before, |spliced| &spliced.text);
        output::deliver(Rewrite { before, after }, &document, &arguments.output, console)?;
    }
    let setting = Setting {
        document: &document.name,
        line: &|id| line_of(&source, id),
        paint: console.terminals.stderr,
        purpose: purpose(arguments),
    };
    conclude::print(&report, run, &setting, || recipe.sections(), console);
    Ok(conclude::exit(&report, run))
}

fn purpose(arguments: &Arguments) -> Purpose {
    let output = &arguments.output;
    match (output.check, output.diff) {
        (true, _) => Purpose::Check,
        (false, true) if output.output.is_none() && !output.in_place => Purpose::DryRun,
        _ => Purpose::Rewrite,
    }
}
