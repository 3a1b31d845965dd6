//! What keeps a template from being deployed, for the person who deploys it.

use taskdef::report::{Finding, Outcome, Report, Severity};

/// One thing that is wrong, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What is wrong: lower case, one line, no full stop.
    pub(crate) message: String,
    /// The way out.
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// The same with the way out.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The most characters of an error message. CloudFormation keeps more of it, but a person reads it
/// in a table's cell.
const MESSAGE_LIMIT: usize = 3900;
/// The most characters of one problem among several.
const PROBLEM_LIMIT: usize = 1200;

/// The problems in their order, as many as a change set shows, with a count of the others.
pub(crate) fn error_message(problems: &[Problem]) -> String {
    let mut message = match problems {
        [] => "the template was not processed".to_owned(),
        [problem] => return cut(&shown(problem), MESSAGE_LIMIT),
        problems => format!("{} problems:", problems.len()),
    };
    for (index, problem) in problems.iter().enumerate() {
        let next = format!(" [{}] {}", index + 1, cut(&shown(problem), PROBLEM_LIMIT));
        let left = problems.len() - index;
        let rest = format!(" ... and {left} more: see the log of the macro's function");
        if length(&message) + length(&next) + length(&rest) > MESSAGE_LIMIT {
            message.push_str(&rest);
            break;
        }
        message.push_str(&next);
    }
    message
}

/// Settings that the filter has as options, in the words of the macro.
const SPELLED: [(&str, &str); 13] = [
    (
        "`--offline` takes the lock file as it is",
        "`OUTRIGGER_LOCKED` takes the lock file as it is",
    ),
    (
        "`cfn-filter lock` with the same options",
        "`cfn-filter lock` with the same options, and upload it",
    ),
    (
        ", or give the value that it resolves to as a `resolved-parameter`",
        "",
    ),
    ("--allow-realm ", "OUTRIGGER_ALLOWED_REALMS="),
    ("--allow-registry ", "OUTRIGGER_ALLOWED_REGISTRIES="),
    ("--ca-bundle FILE", "OUTRIGGER_CA_BUNDLE"),
    ("--ca-bundle", "OUTRIGGER_CA_BUNDLE"),
    ("--insecure-registry ", "OUTRIGGER_INSECURE_REGISTRIES="),
    ("--mirror ", "OUTRIGGER_MIRRORS="),
    ("`confirmed`", "`OUTRIGGER_CONFIRMED_IMAGES`"),
    ("`parameterized-images`", "`OUTRIGGER_PARAMETERIZED_IMAGES`"),
    ("`registry-credentials`", "`OUTRIGGER_REGISTRY_CREDENTIALS`"),
    ("`task-size`", "`OUTRIGGER_TASK_SIZE`"),
];

/// A way out that the libraries name, in the words of the macro: they know settings by the
/// names that these have at a command line.
pub(crate) fn spelled(hint: &str) -> String {
    let spell = |text: String, (option, setting): &(&str, &str)| text.replace(option, setting);
    SPELLED.iter().fold(hint.to_owned(), spell)
}

fn shown(problem: &Problem) -> String {
    let text = match &problem.hint {
        Some(hint) => format!("{}; way out: {}", problem.message, spelled(hint)),
        None => problem.message.clone(),
    };
    // One line, whatever a template's names hold.
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn cut(text: &str, most: usize) -> String {
    if length(text) <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(4)).collect();
    cut.push_str(" ...");
    cut
}

/// What a report says is wrong, in the order of the template.
pub(crate) fn of_report(report: &Report) -> Vec<Problem> {
    let refused = report
        .task_definitions
        .iter()
        .filter(|task| task.outcome == Outcome::Refused);
    let tasks = refused.flat_map(|task| {
        let errors = task.findings.iter().filter(|finding| is_error(finding));
        errors.map(|finding| of_finding(&task.id, finding))
    });
    let errors = report
        .findings
        .iter()
        .filter(|(_, finding)| is_error(finding));
    let document = errors.map(|(id, finding)| of_finding(id, finding));
    tasks.chain(document).collect()
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

/// `Api`, container `app`, image `nginx:1`: message (code)
fn of_finding(id: &str, finding: &Finding) -> Problem {
    let place = [
        (!id.is_empty()).then(|| format!("`{id}`")),
        finding
            .container
            .as_ref()
            .map(|name| format!("container `{name}`")),
        finding
            .image
            .as_ref()
            .map(|image| format!("image `{image}`")),
    ];
    let place: Vec<String> = place.into_iter().flatten().collect();
    let (message, code) = (&finding.message, finding.code);
    Problem {
        message: match place.is_empty() {
            true => format!("{message} ({code})"),
            false => format!("{}: {message} ({code})", place.join(", ")),
        },
        hint: finding.hint.clone(),
    }
}

#[cfg(test)]
mod tests {
    use taskdef::report::{Code, TaskDefinitionReport};

    use super::*;

    fn finding(severity: Severity, container: Option<&str>, hint: Option<&str>) -> Finding {
        Finding {
            code: Code::UnknownImage,
            severity,
            container: container.map(str::to_owned),
            image: container.map(|_| "{\"Ref\": \"Repo\"}".to_owned()),
            message: "the image depends on the resource `Repo`".to_owned(),
            hint: hint.map(str::to_owned),
        }
    }

    #[test]
    fn errors_are_told_with_their_place_and_the_way_out() {
        let report = Report {
            task_definitions: vec![TaskDefinitionReport {
                id: "Api".to_owned(),
                outcome: Outcome::Refused,
                containers: vec![],
                changes: vec![],
                findings: vec![
                    finding(Severity::Error, Some("app"), Some("state `EntryPoint`")),
                    finding(Severity::Warning, Some("app"), None),
                ],
            }],
            findings: vec![(String::new(), finding(Severity::Error, None, None))],
        };
        let problems = of_report(&report);
        insta::assert_snapshot!(error_message(&problems), @r#"2 problems: [1] `Api`, container `app`, image `{"Ref": "Repo"}`: the image depends on the resource `Repo` (unknown-image); way out: state `EntryPoint` [2] the image depends on the resource `Repo` (unknown-image)"#);
        insta::assert_snapshot!(error_message(&problems[..1]), @r#"`Api`, container `app`, image `{"Ref": "Repo"}`: the image depends on the resource `Repo` (unknown-image); way out: state `EntryPoint`"#);
    }

    /// Every way out of the libraries that names an option, as the source has it.
    fn ways_out_with_options() -> Vec<String> {
        let files = [
            "../registry/src/remote/error.rs",
            "../registry/src/locked/tags.rs",
        ];
        let mut found = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(file).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            found.extend(code.filter(|line| line.contains("--")).map(str::to_owned));
        }
        found
    }

    #[test]
    fn ways_out_are_told_in_the_words_of_the_macro() {
        let found = ways_out_with_options();
        assert!(found.len() > 4, "{found:?}");
        for line in found {
            assert!(!spelled(&line).contains("--"), "{}", spelled(&line));
        }
        insta::assert_snapshot!(
            spelled("for a registry without TLS: `--insecure-registry a.example`"),
            @"for a registry without TLS: `OUTRIGGER_INSECURE_REGISTRIES=a.example`"
        );
    }

    #[test]
    fn a_message_is_short_enough_and_counts_what_it_leaves_out() {
        let problem = |text: &str| Problem::new(text.repeat(100)).hint("mend\nit");
        let many: Vec<Problem> = (0..50).map(|_| problem("äöü ")).collect();
        let message = error_message(&many);
        assert!(length(&message) <= MESSAGE_LIMIT);
        assert!(message.starts_with("50 problems: [1] "));
        assert!(
            message.ends_with(" ... and 41 more: see the log of the macro's function"),
            "{message}"
        );
        assert!(!message.contains('\n'));
        let long = error_message(&[Problem::new("x".repeat(10_000))]);
        assert_eq!(length(&long), MESSAGE_LIMIT);
        assert!(error_message(&[]).contains("not processed"));
    }
}
