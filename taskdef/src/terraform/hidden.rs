//! What a report says of a task definition that holds sensitive values.
//!
//! Terraform marks the whole text of container definitions as sensitive when a part of it is. So
//! nothing that was read from it may be shown: no name, no image, no process, and no message of a
//! finding, which may quote any of them. What stays is what became of it, the codes, and how many
//! containers were added.

use crate::report::{Code, ContainerReport, Finding, Outcome, Severity, TaskDefinitionReport};

/// What stands where a sensitive value would; Terraform writes the same.
pub const SENSITIVE: &str = "(sensitive value)";

/// The report without what was read from the task definition.
pub(super) fn hidden(report: TaskDefinitionReport) -> TaskDefinitionReport {
    let mut findings = vec![said(&report)];
    for finding in report.findings {
        let hidden = without_values(finding);
        if !findings.contains(&hidden) {
            findings.push(hidden);
        }
    }
    let containers = report.containers.into_iter().enumerate();
    TaskDefinitionReport {
        id: report.id,
        outcome: report.outcome,
        containers: containers.map(without_names).collect(),
        changes: Vec::new(),
        findings,
    }
}

fn said(report: &TaskDefinitionReport) -> Finding {
    let rewritten = match report.outcome {
        Outcome::Rewritten => "; it is rewritten, and the plan keeps its marks",
        _ => "",
    };
    Finding {
        code: Code::SensitiveDefinition,
        severity: Severity::Note,
        container: None,
        image: None,
        message: format!(
            "holds sensitive values, so that nothing read from it is shown{rewritten}"
        ),
        hint: None,
    }
}

fn without_values(finding: Finding) -> Finding {
    Finding {
        code: finding.code,
        severity: finding.severity,
        container: finding.container.map(|_| SENSITIVE.to_owned()),
        image: finding.image.map(|_| SENSITIVE.to_owned()),
        message: "not shown, because the task definition holds sensitive values".to_owned(),
        hint: Some(format!(
            "`{}` is explained in `docs/findings.md`",
            finding.code
        )),
    }
}

fn without_names((index, container): (usize, ContainerReport)) -> ContainerReport {
    let is_changed = !container.changes.is_empty();
    ContainerReport {
        // The name of a sidecar is the recipe's.
        name: match container.sidecar {
            true => container.name,
            false => format!("number {}", index + 1),
        },
        image: SENSITIVE.to_owned(),
        sidecar: container.sidecar,
        wrapped: container.wrapped,
        processes: Vec::new(),
        changes: is_changed
            .then(|| SENSITIVE.to_owned())
            .into_iter()
            .collect(),
    }
}
