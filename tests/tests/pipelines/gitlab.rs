//! The GitLab job: its own script, with the API of GitLab on this machine.

use std::fs;

use outrigger_tests::servers::program;
use outrigger_tests::servers::scripted::{Reply, Seen, Server};
use serde_json::{Value, json};

use crate::{MARKER, Workspace, beside, examples, stdout};

/// The script as GitLab runs it: one command after the other, until one fails.
fn script() -> String {
    let (_, page) = examples()
        .into_iter()
        .find(|(name, _)| name == ".gitlab-ci.yml")
        .unwrap();
    let commands = page["agents"]["script"].as_array().unwrap();
    let commands: Vec<&str> = commands
        .iter()
        .map(|command| command.as_str().unwrap())
        .collect();
    format!("exec 2>&1\nset -e\n{}", commands.join("\n"))
}

/// GitLab with a note of somebody else, and one of its own if it is said so.
fn gitlab(own: bool) -> impl Future<Output = Server> {
    Server::plain(move |seen: &Seen| {
        let note = |id: u64, author: u64| json!({"id": id, "author": {"id": author}, "body": format!("{MARKER}\n")});
        let mut notes = vec![note(1, 5)];
        notes.extend(own.then(|| note(2, 9)));
        let body = match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/user") => json!({"id": 9}),
            ("GET", _) => json!(notes),
            _ => json!({}),
        };
        Reply::ok("application/json", body.to_string())
    })
}

#[test]
fn the_job_notes_its_report_and_gives_its_findings() {
    for name in ["jq", "curl"] {
        if program(&name.to_uppercase(), name).unwrap().is_none() {
            return;
        }
    }
    for own in [false, true] {
        let ((workspace, code, said), seen) = beside(gitlab(own), move |api| {
            let workspace = Workspace::new(&["firelens-service"]);
            let output = workspace
                .command("sh")
                .args(["-c", &script()])
                .env("TEMPLATE", "stacks/firelens-service/template.yaml")
                .env("OUTRIGGER_TOKEN", "t0ken")
                .env("CI_API_V4_URL", api)
                .env("CI_PROJECT_ID", "3")
                .env("CI_MERGE_REQUEST_IID", "7")
                .output()
                .unwrap();
            (workspace, output.status.code(), stdout(&output))
        });
        assert_eq!(code, Some(3), "{said}");
        assert!(!said.contains("t0ken"), "{said}");
        let writes: Vec<(&str, &str)> = seen
            .iter()
            .filter(|seen| seen.method != "GET")
            .map(|seen| (seen.method.as_str(), seen.path.as_str()))
            .collect();
        let notes = "/projects/3/merge_requests/7/notes";
        let expected = if own {
            ("PUT", format!("{notes}/2"))
        } else {
            ("POST", notes.to_owned())
        };
        assert_eq!(writes, [(expected.0, expected.1.as_str())]);
        // curl 7 writes a blank as `+`, later ones as `%20`.
        let note = seen.last().unwrap().body.replace('+', "%20");
        assert!(
            note.starts_with("body=%3C%21--%20outrigger%20report%20--%3E"),
            "{note}"
        );
        let quality: Vec<Value> =
            serde_json::from_slice(&fs::read(workspace.path("work/code-quality.json")).unwrap())
                .unwrap();
        let found = quality
            .iter()
            .find(|found| found["check_name"] == "not-instrumented")
            .unwrap();
        assert_eq!(found["severity"], "major");
        assert_eq!(
            found["location"]["path"],
            "stacks/firelens-service/template.yaml"
        );
        assert_eq!(found["location"]["lines"]["begin"], 74);
        assert!(
            found["fingerprint"]
                .as_str()
                .is_some_and(|text| text.len() > 20)
        );
    }
}
