//! In which format the report goes where.

use std::path::Path;

use clap::ValueEnum;
use taskdef::recipe::Recipes;
use taskdef::report::Report;

use super::build::{Subject, failed_report, run_report};
use super::run_report::{RunReport, Tool};
use super::{Purpose, Setting, markdown, sarif, to_json};
use crate::apart::{Named, keep_apart};
use crate::conclude::{self, Run};
use crate::console::reason;
use crate::options::OutputOptions;
use crate::output::Reads;
use crate::replace::replace_file;
use crate::{Console, Exit, Failure, Paint, lock, output, recipes, text};

/// `--report`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a person at a terminal.
    #[default]
    Text,
    /// For a program: `docs/report.schema.json` describes it.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// For code scanning.
    Sarif,
}

/// Where a file of the report may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target<'o> {
    None,
    Stdout,
    File(&'o Path),
}

fn target(options: &OutputOptions) -> Target<'_> {
    match &options.report_file {
        None => Target::None,
        Some(path) if output::is_stdout(path) => Target::Stdout,
        Some(path) => Target::File(path),
    }
}

/// The format that the options ask for.
fn format(options: &OutputOptions) -> ReportFormat {
    let by_name = options.report_file.as_deref().and_then(by_ending);
    options.report.or(by_name).unwrap_or_default()
}

fn by_ending(path: &Path) -> Option<ReportFormat> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let ending = |ending: &str| name.ends_with(ending);
    match () {
        () if ending(".sarif") || ending(".sarif.json") => Some(ReportFormat::Sarif),
        () if ending(".json") => Some(ReportFormat::Json),
        () if ending(".md") => Some(ReportFormat::Markdown),
        () => None,
    }
}

/// Whether the report tells more than a text: of containers and positions.
pub fn is_detailed(options: &OutputOptions) -> bool {
    format(options) != ReportFormat::Text
}

/// Whether nothing but errors is told, so that nothing else has to be known.
pub fn only_errors(options: &OutputOptions) -> bool {
    options.quiet && options.report_file.is_none() && !is_detailed(options)
}

/// Refuses options about what is written that cannot work together.
pub fn validate(options: &OutputOptions, reads: Reads<'_>) -> Result<(), Failure> {
    validate_report(options, reads.document)?;
    let document = output::target(options, reads.document).map(|path| ("document", path));
    let report = match target(options) {
        Target::File(path) => Some(("report", path)),
        Target::Stdout | Target::None => None,
    };
    let of_document = reads.document.filter(|path| *path != Path::new("-"));
    let read: Vec<Named<'_>> = of_document
        .map(|path| ("document", path))
        .into_iter()
        .collect();
    keep_apart(report.as_slice(), &read)?;
    let written: Vec<Named<'_>> = document.into_iter().chain(report).collect();
    let lock = reads.lock.map(|lock| lock::path(lock, reads.document));
    let lock = lock.as_deref().map(|path| ("lock file", path));
    let settings = reads
        .settings
        .map(|name| ("settings file", Path::new(name)));
    let read: Vec<Named<'_>> = lock.into_iter().chain(settings).collect();
    keep_apart(&written, &read)
}

/// Refuses options about the report that cannot work together; `file` is the document.
fn validate_report(options: &OutputOptions, file: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = &options.report_file else {
        return Ok(());
    };
    if options.report.is_none() && by_ending(path).is_none() {
        return Err(Failure::usage(
            "the name of `--report-file` does not say which format is meant",
        )
        .hint("end it in `.json`, `.md` or `.sarif`, or say `--report FORMAT`"));
    }
    let document = output::target(options, file);
    if target(options) == Target::Stdout && !options.check && (document.is_none() || options.diff) {
        let (goes, way_out) = match options.diff {
            true => ("diff", ""),
            false => (
                "document",
                ", or write the document elsewhere with `-o FILE`",
            ),
        };
        return Err(Failure::usage(format!(
            "the report cannot go to standard output, where the {goes} goes"
        ))
        .hint(format!("name a file for the report{way_out}")));
    }
    Ok(())
}

/// Everything that the report of a run is made of.
pub struct Telling<'t> {
    /// What the library says.
    pub report: &'t Report,
    /// What decides how the run ends.
    pub run: Run<'t>,
    /// What the report's texts depend on.
    pub setting: Setting<'t>,
    /// The recipes of the run; none where recipes are taken off.
    pub recipes: Option<&'t Recipes>,
    /// What a detailed report needs besides; asked for only by one.
    pub subject: Option<Subject<'t>>,
}

impl Telling<'_> {
    /// Writes the report's file, if there is to be one. Before the document is written: a run whose report is
    /// lost changes nothing.
    pub fn write_file(&self) -> Result<(), Failure> {
        match target(self.run.options) {
            Target::File(path) => write(path, &self.render(format(self.run.options))),
            Target::Stdout | Target::None => Ok(()),
        }
    }

    /// Prints the report where it is wanted.
    pub fn print(&self, console: &mut Console<'_>) -> Result<(), Failure> {
        let options = self.run.options;
        let format = format(options);
        let on_stderr = match target(options) {
            Target::Stdout => {
                console.print(self.render(format).as_bytes())?;
                ReportFormat::Text
            }
            Target::File(_) => ReportFormat::Text,
            Target::None => format,
        };
        let text = match on_stderr {
            ReportFormat::Text => self.text(options.quiet, console.terminals.stderr),
            _ if options.quiet && !self.report.is_refused() => String::new(),
            format => self.render(format),
        };
        if !text.is_empty() {
            console.tell(&text);
        }
        Ok(())
    }

    fn render(&self, format: ReportFormat) -> String {
        match &self.subject {
            Some(subject) => {
                let report = run_report(self.report, self.run, self.recipes, subject);
                rendered(&report, format, subject.path)
            }
            None => self.text(false, Paint::Plain),
        }
    }

    fn text(&self, quiet: bool, paint: Paint) -> String {
        let setting = Setting {
            paint,
            ..self.setting
        };
        conclude::text(self.report, self.run, quiet, &setting, || {
            self.recipes.map(recipes::all_sections).unwrap_or_default()
        })
    }
}

fn rendered(report: &RunReport<'_>, format: ReportFormat, path: Option<&Path>) -> String {
    match format {
        ReportFormat::Markdown => markdown::render(report),
        ReportFormat::Sarif => sarif::render(report, path),
        ReportFormat::Json | ReportFormat::Text => to_json(report),
    }
}

fn write(path: &Path, content: &str) -> Result<(), Failure> {
    replace_file(path, content.as_bytes()).map_err(|error| {
        let name = text::line(&path.to_string_lossy());
        Failure::failed(format!(
            "cannot write the report to `{name}`: {}",
            reason(&error)
        ))
    })
}

/// Tells of a run that could not do its work, in the format that the options ask for, and ends it.
pub fn tell_failure(
    failure: &Failure,
    tool: Tool,
    (options, reads): (&OutputOptions, Reads<'_>),
    console: &mut Console<'_>,
) -> Exit {
    let ending = match options.check {
        true => "nothing was checked",
        false => "nothing was written",
    };
    let format = format(options);
    let file = reads.document;
    let target = match validate(options, reads) {
        Ok(()) => target(options),
        // Options that contradict each other do not say where a report may go.
        Err(_) => return failure.tell_of_run(ending, console),
    };
    if (format, target) == (ReportFormat::Text, Target::None) {
        return failure.tell_of_run(ending, console);
    }
    let file = file.filter(|file| *file != Path::new("-"));
    let name = file.map_or("<stdin>".to_owned(), |file| {
        text::line(&file.to_string_lossy())
    });
    let exit = match options.detailed_exitcode {
        true => failure.exit.detailed(),
        false => failure.exit,
    };
    let report = failed_report(failure, (tool, &name), Purpose::of(options, file), exit);
    let content = match format {
        ReportFormat::Text => failure.render(Paint::Plain),
        format => rendered(&report, format, file),
    };
    match target {
        Target::None => {
            console.tell(&content);
            return failure.exit;
        }
        Target::Stdout => drop(console.print(content.as_bytes())),
        Target::File(path) => {
            if let Err(unwritten) = write(path, &content)
                && unwritten.problems != failure.problems
            {
                console.tell(&unwritten.render(console.terminals.stderr));
            }
        }
    }
    failure.tell_of_run(ending, console)
}
