//! The action, step by step, as the runner of GitHub would run it.

use std::collections::BTreeMap;
use std::fs;

use outrigger_tests::document::parse;
use outrigger_tests::servers::program;
use outrigger_tests::servers::scripted::{Reply, Seen, Server};
use serde_json::{Value, json};

use crate::{MARKER, Workspace, beside, root, stdout};

/// `action.yml`.
pub(crate) fn document() -> Value {
    parse(&fs::read(root().join("action.yml")).unwrap()).unwrap()
}

/// How an action ended.
struct Ended {
    /// What it printed.
    log: String,
    /// The steps that ran, each with its exit code.
    steps: Vec<(String, i32)>,
    outputs: BTreeMap<String, String>,
}

/// A run about pull request 7 of `team/shop`.
struct Run<'r> {
    workspace: &'r Workspace,
    inputs: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    api: String,
}

impl<'r> Run<'r> {
    fn new(workspace: &'r Workspace, inputs: &[(&str, &str)], api: &str) -> Self {
        let action = document();
        let declared = action["inputs"].as_object().unwrap().iter();
        let mut all: BTreeMap<String, String> = declared
            .map(|(name, input)| {
                let default = input["default"].as_str().unwrap_or_default();
                (
                    name.clone(),
                    default.replace("${{ github.token }}", "t0ken"),
                )
            })
            .collect();
        for (name, value) in inputs {
            assert!(
                all.insert((*name).to_owned(), (*value).to_owned())
                    .is_some()
            );
        }
        Self {
            workspace,
            inputs: all,
            outputs: BTreeMap::new(),
            api: api.to_owned(),
        }
    }

    /// The value of an expression, of the two kinds that the action has.
    fn value(&self, expression: &str) -> String {
        if let Some(input) = expression.strip_prefix("inputs.") {
            return self.inputs[input].clone();
        }
        let output = expression.strip_prefix("steps.run.outputs.").unwrap();
        self.outputs.get(output).cloned().unwrap_or_default()
    }

    fn filled(&self, text: &str) -> String {
        let expression = text
            .strip_prefix("${{ ")
            .and_then(|text| text.strip_suffix(" }}"));
        expression.map_or_else(|| text.to_owned(), |expression| self.value(expression))
    }

    fn is_due(&self, step: &Value) -> bool {
        let Some(condition) = step["if"].as_str() else {
            return true;
        };
        let (left, right) = condition.split_once(" == ").unwrap();
        self.value(left) == right.trim_matches('\'')
    }

    /// Runs the steps until one fails.
    fn run(mut self) -> Ended {
        let (mut log, mut steps) = (String::new(), Vec::new());
        fs::create_dir_all(self.workspace.path("temp")).unwrap();
        let event = json!({"pull_request": {"number": 7}});
        fs::write(self.workspace.path("event.json"), event.to_string()).unwrap();
        let action = document();
        for step in action["runs"]["steps"].as_array().unwrap() {
            if !self.is_due(step) {
                continue;
            }
            let (said, code) = self.step(step);
            log.push_str(&said);
            steps.push((step["name"].as_str().unwrap().to_owned(), code));
            if code != 0 {
                break;
            }
        }
        Ended {
            log,
            steps,
            outputs: self.outputs,
        }
    }

    fn step(&mut self, step: &Value) -> (String, i32) {
        let file = |name: &str| self.workspace.path(name);
        let mut command = self.workspace.command("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
            .arg(format!("exec 2>&1\n{}", step["run"].as_str().unwrap()))
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_API_URL", &self.api)
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("GITHUB_REPOSITORY", "team/shop")
            .env("GITHUB_RUN_ID", "42")
            .env("GITHUB_EVENT_PATH", file("event.json"))
            .env("GITHUB_OUTPUT", file("output"))
            .env("GITHUB_PATH", file("paths"))
            .env("GITHUB_STEP_SUMMARY", file("summary.md"))
            .env("RUNNER_TEMP", file("temp"));
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, self.filled(value.as_str().unwrap()));
        }
        let output = command.output().unwrap();
        if step["id"] == "run" {
            let written = fs::read_to_string(file("output")).unwrap_or_default();
            let pairs = written.lines().filter_map(|line| line.split_once('='));
            self.outputs = pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
        }
        (stdout(&output), output.status.code().unwrap())
    }
}

/// A comment as GitHub gives it.
fn comment(id: u64, kind: &str, body: &str) -> Value {
    json!({"id": id, "user": {"type": kind}, "body": body})
}

/// GitHub, with these comments on the pull request.
fn github(comments: Vec<Value>, write: u16) -> impl Future<Output = Server> {
    Server::plain(move |seen: &Seen| {
        if seen.method != "GET" {
            return Reply::new(write);
        }
        let page: usize = seen.query.rsplit('=').next().unwrap().parse().unwrap();
        let page: Vec<&Value> = comments.iter().skip((page - 1) * 100).take(100).collect();
        Reply::ok("application/json", json!(page).to_string())
    })
}

/// What was written: method, path, and the body of the comment.
fn written(seen: &[Seen]) -> Vec<(String, String, String)> {
    let writes = seen.iter().filter(|seen| seen.method != "GET");
    writes
        .map(|seen| {
            let body: Value = serde_json::from_str(&seen.body).unwrap();
            let body = body["body"].as_str().unwrap().to_owned();
            (seen.method.clone(), seen.path.clone(), body)
        })
        .collect()
}

/// Has a report commented, on a pull request that has these comments.
fn commented(report: &str, comments: Vec<Value>, status: u16) -> Option<(String, Vec<Seen>)> {
    program("JQ", "jq").unwrap()?;
    program("CURL", "curl").unwrap()?;
    let report = report.to_owned();
    Some(beside(github(comments, status), move |api| {
        let workspace = Workspace::new(&["nginx"]);
        fs::write(workspace.path("report.md"), report).unwrap();
        fs::create_dir(workspace.path("temp")).unwrap();
        fs::write(
            workspace.path("event.json"),
            r#"{"pull_request": {"number": 7}}"#,
        )
        .unwrap();
        let mut run = Run::new(&workspace, &[], api);
        let file = workspace.path("report.md").display().to_string();
        run.outputs.insert("report".to_owned(), file);
        let action = document();
        let steps = action["runs"]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == "Comment").unwrap();
        let (log, code) = run.step(step);
        assert_eq!(code, 0, "{log}");
        log
    }))
}

#[test]
fn a_first_report_is_a_new_comment() {
    let report = format!("{MARKER}\n## Outrigger: `a` \"b\" $(c) ${{{{ d }}}}\n");
    let others = vec![comment(1, "User", "looks good")];
    let Some((log, seen)) = commented(&report, others, 201) else {
        return;
    };
    assert_eq!(log, "");
    let path = "/repos/team/shop/issues/7/comments".to_owned();
    assert_eq!(written(&seen), [("POST".to_owned(), path, report)]);
    assert!(
        seen.iter()
            .all(|seen| seen.authorization.as_deref() == Some("Bearer t0ken"))
    );
}

#[test]
fn the_next_report_replaces_it_on_whichever_page_it_is() {
    let report = format!("{MARKER}\nnew\n");
    let mut comments: Vec<Value> = (1..=100).map(|id| comment(id, "User", "x")).collect();
    // Somebody who wants to have a comment of their own taken for it.
    comments[3] = comment(4, "User", &report);
    comments.push(comment(101, "Bot", "another bot"));
    comments.push(comment(102, "Bot", &format!("{MARKER}\nold\n")));
    let Some((_, seen)) = commented(&report, comments, 200) else {
        return;
    };
    let path = "/repos/team/shop/issues/comments/102".to_owned();
    assert_eq!(written(&seen), [("PATCH".to_owned(), path, report)]);
}

#[test]
fn a_report_that_is_too_long_leads_to_the_summary() {
    let report = format!("{MARKER}\n{}\n", "x".repeat(65_000));
    let Some((_, seen)) = commented(&report, Vec::new(), 201) else {
        return;
    };
    let [(_, _, body)] = &written(&seen)[..] else {
        panic!("{seen:?}");
    };
    assert!(body.starts_with(&format!("{MARKER}\n")));
    assert!(body.contains("(https://github.example/team/shop/actions/runs/42)"));
}

#[test]
fn a_comment_that_may_not_be_written_is_a_warning() {
    let Some((log, _)) = commented(&format!("{MARKER}\n"), Vec::new(), 403) else {
        return;
    };
    assert!(
        log.contains("::warning::the report cannot be commented"),
        "{log}"
    );
    assert!(!log.contains("t0ken"), "{log}");
}

/// Runs the whole action with these inputs, and gives what GitHub has seen.
fn whole(
    samples: &'static [&str],
    inputs: &'static [(&str, &str)],
) -> Option<(Ended, Workspace, Vec<Seen>)> {
    program("JQ", "jq").unwrap()?;
    program("CURL", "curl").unwrap()?;
    let ((ended, workspace), seen) = beside(github(Vec::new(), 201), move |api| {
        let workspace = Workspace::new(samples);
        let ended = Run::new(&workspace, inputs, api).run();
        (ended, workspace)
    });
    Some((ended, workspace, seen))
}

fn steps(ended: &Ended) -> Vec<(&str, i32)> {
    ended
        .steps
        .iter()
        .map(|(name, code)| (name.as_str(), *code))
        .collect()
}

#[test]
fn a_check_comments_its_report_and_fails() {
    let inputs = &[
        ("templates", "stacks/**/template.yaml\n"),
        ("report", "sarif"),
        ("comment", "true"),
    ];
    let Some((ended, workspace, seen)) = whole(&["firelens-service", "alert-logic"], inputs) else {
        return;
    };
    let expected = [("Install", 0), ("Run", 0), ("Comment", 0), ("Result", 3)];
    assert_eq!(steps(&ended), expected, "{}", ended.log);
    let [(method, _, body)] = &written(&seen)[..] else {
        panic!("{seen:?}");
    };
    assert_eq!(method, "POST");
    assert_eq!(body.matches(MARKER).count(), 1);
    assert!(body.contains("ShopTask") && body.contains("WorkerTask"));
    let summary = workspace.read("summary.md");
    assert_eq!(body.trim_start_matches(&format!("{MARKER}\n")), summary);
    for file in ["1.sarif", "2.sarif"] {
        let file = format!("{}/{file}", ended.outputs["reports"]);
        let report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(report["version"], "2.1.0");
    }
    let template = workspace.read("work/stacks/alert-logic/template.yaml");
    assert!(!template.contains("al-agent"), "a check writes nothing");
    // What a template makes the program print is no command to the runner.
    let (_, rest) = ended.log.split_once("::stop-commands::").unwrap();
    let (token, rest) = rest.split_once('\n').unwrap();
    assert!(token.len() == 32 && rest.contains(&format!("::{token}::\n")));
}

#[test]
fn a_filter_rewrites_where_the_templates_are() {
    let inputs = &[
        ("mode", "filter"),
        ("templates", "stacks/nginx/template.yaml"),
        ("recipe", "lacework"),
        (
            "args",
            "--set\naccessToken=/app/a token; touch here\n--offline",
        ),
    ];
    let Some((ended, workspace, seen)) = whole(&["nginx"], inputs) else {
        return;
    };
    let expected = [("Install", 0), ("Run", 0), ("Result", 0)];
    assert_eq!(steps(&ended), expected, "{}", ended.log);
    assert!(seen.is_empty());
    let template = workspace.read("work/stacks/nginx/template.yaml");
    assert!(template.contains("lacework-sidecar.sh"));
    assert!(!workspace.path("work/here").exists());
    assert!(
        workspace
            .read("summary.md")
            .contains("1 task definition rewritten")
    );
}

#[test]
fn what_went_wrong_is_in_the_summary() {
    let summary = |inputs| {
        let (ended, workspace, _) = whole(&["nginx"], inputs)?;
        let (last, code) = ended.steps.last().unwrap();
        assert_eq!(last, "Result", "{}", ended.log);
        Some((*code, workspace.read("summary.md")))
    };
    let lock = &[
        ("templates", "stacks/nginx/outrigger.lock"),
        ("recipe", "alert-logic"),
    ];
    let Some((code, unreadable)) = summary(lock) else {
        return;
    };
    assert_eq!(code, 1);
    assert!(
        unreadable.contains("outrigger.lock: neither a CloudFormation template"),
        "{unreadable}"
    );
    // Arguments that cannot be read do not even say where the report goes.
    let argument = &[
        ("templates", "stacks/nginx/template.yaml"),
        ("args", "--no-such"),
    ];
    let (code, wrong) = summary(argument).unwrap();
    assert_eq!(code, 2);
    assert!(
        wrong.contains("\n    error: there is no option `--no-such` here\n"),
        "{wrong}"
    );
}

#[test]
fn inputs_that_make_no_sense_end_the_run() {
    for (name, value) in [
        ("mode", "rewrite"),
        ("templates", "no/*.yaml"),
        ("templates", " \n"),
        ("report", "pdf"),
    ] {
        let workspace = Workspace::new(&["nginx"]);
        let mut inputs = vec![("templates", "stacks/nginx/template.yaml")];
        inputs.push((name, value));
        let ended = Run::new(&workspace, &inputs, "").run();
        assert_eq!(steps(&ended), [("Install", 0), ("Run", 1)], "{name}");
        assert!(ended.log.contains("::error::"), "{}", ended.log);
    }
}
