//! The end of a run: what is printed about it, and its exit code.

use taskdef::report::Report;
use taskdef::settings::OnUnresolved;

use crate::Exit;
use crate::options::OutputOptions;
use crate::report::{Section, Setting, Tally, nothing_written, render, render_errors};

/// What decides how a run ends, apart from its report.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// The options about output.
    pub options: &'r OutputOptions,
    /// What happens to a task definition that cannot be instrumented.
    pub on_unresolved: OnUnresolved,
    /// Whether the document changed.
    pub changed: bool,
    /// The settings file that took part in it.
    pub settings_file: Option<&'r str>,
}

/// Whether the run fails, so that nothing may be written.
pub fn refused(report: &Report, run: Run<'_>) -> bool {
    exit(report, run) == Exit::Failed
}

/// The exit code that the report stands for.
pub fn exit(report: &Report, run: Run<'_>) -> Exit {
    match (report.is_refused(), run.on_unresolved) {
        (true, _) if run.options.check => Exit::NotInstrumented,
        (true, OnUnresolved::Fail) => Exit::Failed,
        (true, OnUnresolved::Skip) => Exit::NotInstrumented,
        (false, _) if run.options.detailed_exitcode && run.changed => Exit::Changed,
        (false, _) => Exit::Done,
    }
}

/// The report as text; when it is `quiet`, or the run was refused, the errors alone.
///
/// `sections` is asked for only when something was rewritten and all of the report is told.
pub fn text(
    report: &Report,
    run: Run<'_>,
    quiet: bool,
    setting: &Setting<'_>,
    sections: impl FnOnce() -> Vec<Section>,
) -> String {
    let mut text = String::new();
    let refused = refused(report, run);
    if refused || quiet {
        text.push_str(&render_errors(report, setting));
        if refused {
            text.push_str(&nothing_written(report, setting.paint));
        }
    } else {
        let rewritten = Tally::of(report).rewritten > 0;
        let sections = if rewritten { sections() } else { Vec::new() };
        text.push_str(&render(report, &sections, setting));
    }
    match run.settings_file {
        // For whoever wonders where a decision comes from.
        Some(name) if !text.is_empty() => {
            format!("{} {name}\n\n{text}", setting.paint.faint("settings:"))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use taskdef::report::{Outcome, Report, TaskDefinitionReport};
    use taskdef::settings::OnUnresolved;

    use super::{Run, exit, text};
    use crate::options::OutputOptions;
    use crate::report::{Purpose, Section, Setting};
    use crate::{Exit, Paint};

    fn report(outcome: Outcome) -> Report {
        let task = TaskDefinitionReport {
            id: "Api".to_owned(),
            outcome,
            containers: vec![],
            changes: vec![],
            findings: vec![],
        };
        Report {
            task_definitions: vec![task],
            findings: vec![],
        }
    }

    fn options(check: bool, detailed_exitcode: bool, quiet: bool) -> OutputOptions {
        OutputOptions {
            check,
            detailed_exitcode,
            quiet,
            ..OutputOptions::default()
        }
    }

    #[test]
    fn exit_codes() {
        use OnUnresolved::{Fail, Skip};
        let end = |outcome, (check, detailed), on_unresolved, changed| {
            let options = options(check, detailed, false);
            exit(
                &report(outcome),
                Run {
                    options: &options,
                    on_unresolved,
                    changed,
                    settings_file: None,
                },
            )
        };
        let (plain, check, detailed) = ((false, false), (true, false), (false, true));
        assert_eq!(end(Outcome::Rewritten, plain, Fail, true), Exit::Done);
        assert_eq!(end(Outcome::Rewritten, detailed, Fail, true), Exit::Changed);
        assert_eq!(end(Outcome::Unchanged, detailed, Fail, false), Exit::Done);
        assert_eq!(end(Outcome::Refused, plain, Fail, false), Exit::Failed);
        assert_eq!(end(Outcome::Refused, detailed, Fail, false), Exit::Failed);
        assert_eq!(
            end(Outcome::Refused, plain, Skip, true),
            Exit::NotInstrumented
        );
        assert_eq!(
            end(Outcome::Refused, detailed, Skip, true),
            Exit::NotInstrumented
        );
        assert_eq!(
            end(Outcome::Refused, check, Fail, false),
            Exit::NotInstrumented
        );
        assert_eq!(end(Outcome::Unchanged, check, Fail, false), Exit::Done);
        assert_eq!(end(Outcome::LeftAlone, check, Fail, false), Exit::Done);
    }

    fn printed(outcome: Outcome, quiet: bool) -> String {
        let options = options(false, false, quiet);
        let run = Run {
            options: &options,
            on_unresolved: OnUnresolved::Fail,
            changed: true,
            settings_file: None,
        };
        let setting = Setting {
            document: "t.yaml",
            line: &|_| Some(7),
            paint: Paint::Plain,
            purpose: Purpose::Rewrite,
        };
        let needs = || {
            vec![Section {
                heading: "needs".to_owned(),
                lines: vec!["this".to_owned()],
            }]
        };
        text(&report(outcome), run, quiet, &setting, needs)
    }

    #[test]
    fn as_much_as_is_wanted() {
        insta::assert_snapshot!(printed(Outcome::Rewritten, false), @"
        Api: rewritten (t.yaml:7)

        needs
          this

        1 task definition rewritten, 0 left alone, 0 refused
        ");
        insta::assert_snapshot!(printed(Outcome::Unchanged, false), @"
        Api: already instrumented (t.yaml:7)

        0 task definitions rewritten, 1 already instrumented, 0 left alone, 0 refused
        ");
        insta::assert_snapshot!(printed(Outcome::Refused, false), @"
        Api: refused (t.yaml:7)

        error: nothing was written: 1 of 1 task definition refused
        ");
        assert_eq!(printed(Outcome::Rewritten, true), "");
        assert_eq!(
            printed(Outcome::Refused, true),
            printed(Outcome::Refused, false)
        );
    }
}
