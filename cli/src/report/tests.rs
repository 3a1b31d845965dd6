use taskdef::report::{
    Code, ContainerReport, Finding, Outcome, ProcessChange, Report, Severity, TaskDefinitionReport,
};

use super::{Purpose, Section, Setting, Tally, nothing_written, render, render_errors};
use crate::Paint;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn finding(code: Code, severity: Severity, message: &str) -> Finding {
    Finding {
        code,
        severity,
        container: Some("app".to_owned()),
        image: Some("nginx:1.27".to_owned()),
        message: message.to_owned(),
        hint: Some("say so\nor not".to_owned()),
    }
}

fn task(id: &str, outcome: Outcome, findings: Vec<Finding>) -> TaskDefinitionReport {
    TaskDefinitionReport {
        id: id.to_owned(),
        outcome,
        containers: vec![],
        changes: vec![],
        findings,
    }
}

fn rewritten() -> TaskDefinitionReport {
    let process = |given: Option<&str>, before: &[&str], after: &[&str]| ProcessChange {
        given: given.map(str::to_owned),
        before: words(before),
        after: words(after),
    };
    let app = ContainerReport {
        name: "app".to_owned(),
        image: "nginx:1.27".to_owned(),
        sidecar: false,
        wrapped: true,
        processes: vec![
            process(
                Some("IsProd"),
                &["nginx", "-g", "daemon off;"],
                &["/wrap", "nginx", "-g", "daemon off;"],
            ),
            process(Some("not IsProd"), &["sh"], &["/wrap", "sh"]),
        ],
        changes: words(&["environment TOKEN added", "dependsOn agent added"]),
    };
    let agent = ContainerReport {
        name: "agent".to_owned(),
        image: "vendor/agent".to_owned(),
        sidecar: true,
        wrapped: false,
        processes: vec![process(None, &[], &["/agent", "--quiet"])],
        changes: vec![],
    };
    TaskDefinitionReport {
        id: "Api".to_owned(),
        outcome: Outcome::Rewritten,
        containers: vec![app, agent],
        changes: words(&["pidMode changed"]),
        findings: vec![finding(
            Code::AssumesOfImage,
            Severity::Warning,
            "a shell is assumed",
        )],
    }
}

fn report() -> Report {
    let nested = finding(Code::NestedTemplate, Severity::Note, "a stack of its own");
    Report {
        task_definitions: vec![
            rewritten(),
            task("Old\u{1b}", Outcome::Unchanged, vec![]),
            task(
                "Ec2",
                Outcome::LeftAlone,
                vec![finding(Code::NotFargate, Severity::Note, "runs on EC2")],
            ),
            task(
                "Worker",
                Outcome::Refused,
                vec![
                    finding(Code::PlatformDefault, Severity::Note, "linux/amd64"),
                    finding(
                        Code::ParameterizedImage,
                        Severity::Error,
                        "depends on `Image`",
                    ),
                    finding(Code::CannotMerge, Severity::Error, "cannot be merged"),
                ],
            ),
        ],
        findings: vec![
            (
                "Network".to_owned(),
                Finding {
                    container: None,
                    image: None,
                    hint: None,
                    ..nested.clone()
                },
            ),
            (
                "Network".to_owned(),
                Finding {
                    image: None,
                    hint: None,
                    ..nested.clone()
                },
            ),
            (
                String::new(),
                Finding {
                    container: None,
                    image: None,
                    hint: None,
                    ..nested
                },
            ),
        ],
    }
}

fn with<T>(paint: Paint, purpose: Purpose, print: impl FnOnce(&Setting<'_>) -> T) -> T {
    let line = |id: &str| (id != "Ec2").then_some(id.len());
    print(&Setting {
        document: "template.yaml",
        line: &line,
        paint,
        purpose,
    })
}

#[test]
fn everything_a_reviewer_wants() {
    let sections = [
        Section {
            heading: "execution role".to_owned(),
            lines: words(&["secretsmanager:GetSecretValue\non x"]),
        },
        Section {
            heading: "task role".to_owned(),
            lines: vec![],
        },
    ];
    let text = with(Paint::Plain, Purpose::Rewrite, |setting| {
        render(&report(), &sections, setting)
    });
    insta::assert_snapshot!(text, @r"
    Api: rewritten (template.yaml:3)
      app: nginx:1.27
        before [IsProd]: nginx -g 'daemon off;'
        after [IsProd]:  /wrap nginx -g 'daemon off;'
        before [not IsProd]: sh
        after [not IsProd]:  /wrap sh
        - environment TOKEN added
        - dependsOn agent added
      agent: vendor/agent (sidecar)
        runs: /agent --quiet
      - pidMode changed
      warning[assumes-of-image]: a shell is assumed
        container `app`, image `nginx:1.27`
        hint: say so
          or not

    Old\u{1b}: already instrumented (template.yaml:4)

    Ec2: left alone (template.yaml)
      note[not-fargate]: runs on EC2
        container `app`, image `nginx:1.27`
        hint: say so
          or not

    Worker: refused (template.yaml:6)
      note[platform-default]: linux/amd64
        container `app`, image `nginx:1.27`
        hint: say so
          or not
      error[parameterized-image]: depends on `Image`
        container `app`, image `nginx:1.27`
        hint: say so
          or not
      error[cannot-merge]: cannot be merged
        container `app`, image `nginx:1.27`
        hint: say so
          or not

    Network (template.yaml:7)
      note[nested-template]: a stack of its own
      note[nested-template]: a stack of its own
        container `app`

    template.yaml
      note[nested-template]: a stack of its own

    execution role
      secretsmanager:GetSecretValue
        on x

    1 task definition rewritten, 1 already instrumented, 1 left alone, 1 refused
    ");
}

#[test]
fn errors_alone_are_all_errors() {
    let text = with(Paint::Plain, Purpose::Rewrite, |setting| {
        render_errors(&report(), setting)
    });
    insta::assert_snapshot!(text, @"
    Worker: refused (template.yaml:6)
      error[parameterized-image]: depends on `Image`
        container `app`, image `nginx:1.27`
        hint: say so
          or not
      error[cannot-merge]: cannot be merged
        container `app`, image `nginx:1.27`
        hint: say so
          or not
    ");
    insta::assert_snapshot!(nothing_written(&report(), Paint::Plain), @"error: nothing was written: 1 of 4 task definitions refused");
    let fine = Report {
        task_definitions: vec![rewritten()],
        findings: vec![],
    };
    assert_eq!(
        with(Paint::Plain, Purpose::Rewrite, |setting| render_errors(
            &fine, setting
        )),
        ""
    );
}

#[test]
fn a_summary_for_every_purpose() {
    let last = |report: &Report, purpose| {
        let text = with(Paint::Plain, purpose, |setting| {
            render(report, &[], setting)
        });
        text.lines().last().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(last(&report(), Purpose::DryRun), @"1 task definition would be rewritten, 1 already instrumented, 1 left alone, 1 refused");
    insta::assert_snapshot!(last(&report(), Purpose::Check), @"1 task definition carries the recipe, 1 left alone, 1 fails the check");
    insta::assert_snapshot!(last(&Report::default(), Purpose::Rewrite), @"no task definition found");
    let two = Report {
        task_definitions: vec![rewritten(), rewritten()],
        findings: vec![],
    };
    insta::assert_snapshot!(last(&two, Purpose::Rewrite), @"2 task definitions rewritten, 0 left alone, 0 refused");
    insta::assert_snapshot!(last(&two, Purpose::Check), @"0 task definitions carry the recipe, 0 left alone, 0 fail the check");
}

#[test]
fn colors_only_when_asked_for() {
    let plain = with(Paint::Plain, Purpose::Rewrite, |setting| {
        render(&report(), &[], setting)
    });
    let colored = with(Paint::Colored, Purpose::Rewrite, |setting| {
        render(&report(), &[], setting)
    });
    assert!(!plain.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    assert_ne!(colored, plain);
}

#[test]
fn outcomes_are_counted() {
    assert_eq!(
        Tally::of(&report()),
        Tally {
            rewritten: 1,
            unchanged: 1,
            left_alone: 1,
            refused: 1
        }
    );
}
