//! The report in [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), as far as
//! code scanning reads it: findings in place.

mod artifact;
mod log;

use std::collections::BTreeMap;
use std::path::Path;

use super::rules::{explanation, plain};
use super::run_report::{
    DocumentFinding, Finding, FindingSeverity, Position, Problem, RunOutcome, RunReport,
};
use artifact::artifact;
use log::{
    ArtifactLocation, AutomationDetails, Configuration, Driver, Fingerprints, Help, Invocation,
    Location, Log, LogicalLocation, Message, Notification, PhysicalLocation, Region,
    RepositoryRoot, Result, Rule, Run, Tool, UriBaseIds,
};

/// The rule of a run that could not do its work; it is no finding's.
const CANNOT_RUN: &str = "cannot-run";

/// The whole log, with one run. `path` is the document's file; what has none has no positions.
pub fn render(report: &RunReport<'_>, path: Option<&Path>) -> String {
    let artifact = path.map(artifact);
    let mut results = Results {
        artifact: artifact.as_ref(),
        all: Vec::new(),
        seen: BTreeMap::new(),
    };
    for problem in &report.problems {
        results.problem(problem);
    }
    for task in &report.task_definitions {
        for finding in &task.findings {
            results.finding(Some(task.id), finding);
        }
    }
    for DocumentFinding { resource, finding } in &report.findings {
        results.finding(*resource, finding);
    }
    let mut results = results.all;
    let rules = rules(&mut results);
    let document = artifact.as_ref().map_or("stdin", |location| &location.uri);
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: report.tool.name,
                full_name: format!("Outrigger {} {}", report.tool.name, report.tool.version),
                version: report.tool.version,
                semantic_version: report.tool.version,
                rules,
            },
        },
        invocations: [invocation(report, artifact.as_ref())],
        automation_details: AutomationDetails {
            id: format!("outrigger/{document}/"),
        },
        original_uri_base_ids: artifact
            .as_ref()
            .and_then(|location| location.uri_base_id)
            .map(|_| UriBaseIds {
                source_root: RepositoryRoot {
                    description: text("the root of the repository, or the working directory"),
                },
            }),
        results,
        column_kind: "unicodeCodePoints",
    };
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    super::to_json(&log)
}

fn invocation<'r>(report: &RunReport<'r>, artifact: Option<&ArtifactLocation>) -> Invocation {
    let problems = report.problems.iter().map(|problem| Notification {
        level: "error",
        message: text(&sentence(problem.message, problem.hint)),
        locations: location(artifact, problem.position, Vec::new()),
    });
    let mut notifications: Vec<Notification> = problems.collect();
    if artifact.is_none() {
        notifications.push(Notification {
            level: "note",
            message: text("The document came from standard input, so that no file can be named."),
            locations: Vec::new(),
        });
    }
    Invocation {
        execution_successful: report.outcome != RunOutcome::Failed,
        exit_code: report.exit.code,
        exit_code_description: report.exit.meaning,
        tool_execution_notifications: notifications,
    }
}

/// The results so far.
struct Results<'a> {
    artifact: Option<&'a ArtifactLocation>,
    all: Vec<Result>,
    /// How often each fingerprint was there already.
    seen: BTreeMap<u64, usize>,
}

impl Results<'_> {
    fn problem(&mut self, problem: &Problem<'_>) {
        let mark = self.mark(&[CANNOT_RUN]);
        self.all.push(Result {
            rule_id: CANNOT_RUN.to_owned(),
            rule_index: 0,
            level: "error",
            message: text(&sentence(problem.message, problem.hint)),
            locations: location(self.artifact, problem.position, Vec::new()),
            partial_fingerprints: mark,
        });
    }

    fn finding(&mut self, resource: Option<&str>, finding: &Finding<'_>) {
        let container = finding.container;
        let resource_id = resource.unwrap_or_default();
        let about = container.or(finding.image).unwrap_or_default();
        let mark = self.mark(&[finding.code, resource_id, about]);
        let named = [(resource, "resource"), (container, "element")];
        let mut qualified = String::new();
        let logical = named.into_iter().filter_map(|(name, kind)| {
            let name = name?;
            qualified = match qualified.as_str() {
                "" => name.to_owned(),
                before => format!("{before}/{name}"),
            };
            Some(LogicalLocation {
                name: name.to_owned(),
                fully_qualified_name: qualified.clone(),
                kind,
            })
        });
        // The innermost is the place.
        let logical = logical.last().into_iter().collect();
        let message = match finding.image {
            Some(image) => format!("{} (image `{image}`)", finding.message),
            None => finding.message.to_owned(),
        };
        self.all.push(Result {
            rule_id: finding.code.to_owned(),
            rule_index: 0,
            level: level(finding.severity),
            message: text(&sentence(&message, finding.hint)),
            locations: location(self.artifact, finding.position, logical),
            partial_fingerprints: mark,
        });
    }

    /// What stays the same when lines move: code, task definition, and container or image; of several such findings the
    /// number.
    fn mark(&mut self, parts: &[&str]) -> Fingerprints {
        let hash = fnv_1a(&parts.join("\0"));
        let count = self.seen.entry(hash).or_default();
        *count += 1;
        Fingerprints {
            primary_location_line_hash: format!("{hash:016x}:{count}"),
        }
    }
}

/// The rules of these results, in order of their names; each result then knows the index of its own.
fn rules(results: &mut [Result]) -> Vec<Rule> {
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for result in results.iter() {
        index.insert(result.rule_id.clone(), 0);
    }
    for (position, place) in index.values_mut().enumerate() {
        *place = position;
    }
    for result in results.iter_mut() {
        result.rule_index = index.get(&result.rule_id).copied().unwrap_or_default();
    }
    index.into_keys().map(rule).collect()
}

fn rule(id: String) -> Rule {
    let explained = explanation(&id);
    let (severity, meaning, way_out) = match &explained {
        Some(known) => (
            known.severity,
            known.meaning.as_str(),
            known.way_out.as_str(),
        ),
        None => (
            "error",
            "The job could not be done, and nothing is known of the task definitions.",
            "As the message says.",
        ),
    };
    Rule {
        // A name that differs from the ID in nothing but case is none.
        name: id.contains('-').then(|| pascal_case(&id)),
        short_description: text(&plain(meaning)),
        help: Help {
            text: format!("{} {}", plain(meaning), plain(way_out)),
            markdown: format!("{meaning}\n\n**Way out:** {way_out}"),
        },
        default_configuration: Configuration { level: severity },
        id,
    }
}

/// `image-unresolved` is `ImageUnresolved`.
fn pascal_case(code: &str) -> String {
    let words = code.split('-').map(|word| {
        let mut chars = word.chars();
        chars
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(chars)
    });
    words.flatten().collect()
}

fn level(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Note => "note",
        FindingSeverity::Warning => "warning",
        FindingSeverity::Error => "error",
    }
}

/// A message and the way out as sentences.
fn sentence(message: &str, hint: Option<&str>) -> String {
    let ended = |text: &str| match text.ends_with(['.', '?', '!']) {
        true => text.to_owned(),
        false => format!("{text}."),
    };
    match hint {
        Some(hint) => format!("{} Hint: {}", ended(message), ended(hint.trim_end())),
        None => ended(message),
    }
}

/// A text in which nothing is a [link](https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html#_Toc141790720).
fn text(text: &str) -> Message {
    let is_link = text.contains("](");
    let text = match is_link {
        true => text
            .replace('\\', "\\\\")
            .replace('[', "\\[")
            .replace(']', "\\]"),
        false => text.to_owned(),
    };
    Message { text }
}

fn location(
    artifact: Option<&ArtifactLocation>,
    position: Option<Position>,
    logical_locations: Vec<LogicalLocation>,
) -> Vec<Location> {
    if artifact.is_none() && logical_locations.is_empty() {
        return Vec::new();
    }
    let physical_location = artifact.map(|location| PhysicalLocation {
        artifact_location: location.clone(),
        // What is about the whole document is shown at its beginning.
        region: Region {
            start_line: position.map_or(1, |position| position.line),
            start_column: position.and_then(|position| position.column),
        },
    });
    vec![Location {
        physical_location,
        logical_locations,
    }]
}

/// [FNV-1a](https://datatracker.ietf.org/doc/html/draft-eastlake-fnv): the same from one version of the program to the next.
fn fnv_1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{fnv_1a, pascal_case, sentence, text};

    #[test]
    fn texts() {
        assert_eq!(pascal_case("image-unresolved"), "ImageUnresolved");
        assert_eq!(sentence("a", Some("b?\n")), "a. Hint: b?");
        assert_eq!(text("[a] ${B}").text, "[a] ${B}");
        assert_eq!(text("[a](b)").text, "\\[a\\](b)");
        // The published value.
        assert_eq!(fnv_1a("foobar"), 0x8594_4171_f739_67e8);
    }
}
