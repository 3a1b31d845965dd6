//! In which format the report goes where.

use std::fs;
use std::path::Path;

use outrigger_tests::run::{Ran, cfn_filter};
use serde_json::Value;

const TEMPLATE: &str = "../samples/nginx/template.yaml";
const SECRET: &str =
    "accessToken=arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf";

fn run(args: &[&str]) -> Ran {
    let all = [&["--recipe", "lacework", "--set", SECRET], args].concat();
    cfn_filter(
        &all.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(),
        b"",
    )
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn path(folder: &tempfile::TempDir, file: &str) -> String {
    folder.path().join(file).display().to_string()
}

#[test]
fn without_a_file_it_takes_the_place_of_the_text() {
    let plain = run(&[TEMPLATE]);
    assert_eq!(run(&[TEMPLATE, "--report", "text"]), plain);
    let told = run(&[TEMPLATE, "--report", "json"]);
    assert_eq!((told.exit, &told.stdout), (0, &plain.stdout));
    assert_eq!(json(&told.stderr)["outcome"], "done");
    assert!(
        run(&[TEMPLATE, "--report", "markdown"])
            .stderr
            .starts_with("<!-- outrigger report -->\n")
    );
    assert_eq!(
        json(&run(&[TEMPLATE, "--report", "sarif"]).stderr)["version"],
        "2.1.0"
    );
}

#[test]
fn with_a_file_the_text_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let plain = run(&[TEMPLATE]);
    for (file, begins) in [
        ("a.json", "{\n  \"version\": 1,"),
        ("a.md", "<!-- outrigger report -->\n"),
        ("a.sarif", "{\n  \"$schema\": "),
        ("a.SARIF.json", "{\n  \"$schema\": "),
    ] {
        let file = path(&folder, file);
        assert_eq!(run(&[TEMPLATE, "--report-file", &file]), plain);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(begins), "{file}: {text}");
    }
    let file = path(&folder, "text");
    assert_eq!(
        run(&[TEMPLATE, "--report-file", &file, "--report", "text"]),
        plain
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), plain.stderr);
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 5, "no temporary file stays");
}

#[test]
fn quiet_is_about_standard_error_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (loud, quiet) = (path(&folder, "loud.json"), path(&folder, "quiet.json"));
    run(&[TEMPLATE, "--report-file", &loud]);
    let ran = run(&[TEMPLATE, "--report-file", &quiet, "-q"]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert_eq!(fs::read(&loud).unwrap(), fs::read(&quiet).unwrap());
    assert_eq!(run(&[TEMPLATE, "--report", "json", "-q"]).stderr, "");
    let refused = run(&[
        "cases/outcomes/all-problems-at-once/template.yaml",
        "--report",
        "json",
        "-q",
    ]);
    assert_eq!(json(&refused.stderr)["outcome"], "refused");
}

#[test]
fn a_check_and_a_dry_run_report_to_standard_output_and_to_files() {
    let ran = run(&[
        TEMPLATE,
        "--check",
        "--report",
        "json",
        "--report-file",
        "-",
    ]);
    assert_eq!(ran.exit, 3);
    let report = json(std::str::from_utf8(&ran.stdout).unwrap());
    assert_eq!(
        (&report["purpose"], &report["outcome"]),
        (&"check".into(), &"checkFailed".into())
    );
    assert!(ran.stderr.contains("fails the check"));
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder, "r.json");
    assert_eq!(run(&[TEMPLATE, "--diff", "--report-file", &file]).exit, 0);
    let report = json(&fs::read_to_string(&file).unwrap());
    assert_eq!(report["purpose"], "dryRun");
    assert_eq!(report["taskDefinitions"][0]["outcome"], "wouldBeRewritten");
    let out = path(&folder, "out.yaml");
    let ran = run(&[
        TEMPLATE,
        "-o",
        &out,
        "--report",
        "markdown",
        "--report-file",
        "/dev/stdout",
    ]);
    assert!(
        ran.stdout
            .starts_with(b"<!-- outrigger report -->\n## Outrigger: 1 task definition rewritten")
    );
}

#[test]
fn wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let copy = path(&folder, "copy.json");
    fs::copy("../samples/task-definition/described.json", &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    let wrong = |args: &[&str]| {
        let ran = run(args);
        assert_eq!((ran.exit, ran.stdout.len()), (2, 0), "{}", ran.stderr);
        ran.stderr
    };
    insta::assert_snapshot!(wrong(&[TEMPLATE, "--report-file", "report.txt"]), @"
    error: the name of `--report-file` does not say which format is meant
      hint: end it in `.json`, `.md` or `.sarif`, or say `--report FORMAT`
    ");
    insta::assert_snapshot!(wrong(&[TEMPLATE, "--report-file", "-", "--report", "json"]), @"
    error: the report cannot go to standard output, where the document goes
      hint: name a file for the report, or write the document elsewhere with `-o FILE`
    ");
    let out = path(&folder, "out.yaml");
    insta::assert_snapshot!(wrong(&[TEMPLATE, "--report-file", "-", "--report", "json", "--diff", "-o", &out]), @"
    error: the report cannot go to standard output, where the diff goes
      hint: name a file for the report
    ");
    insta::assert_snapshot!(wrong(&[&copy, "--report-file", &copy, "-o", &out]), @"
    error: the report would replace the document
      hint: name another file for the report
    ");
    let dotted = format!("{}/./copy.json", folder.path().display());
    wrong(&[TEMPLATE, "-o", &copy, "--report-file", &dotted]);
    assert_eq!(fs::read(&copy).unwrap(), before);
    // What a run reads beside its document is not written over either.
    let [lock, settings] = ["l.lock", "outrigger.yaml"].map(|file| path(&folder, file));
    fs::write(&lock, r#"{"version": 1, "images": {}}"#).unwrap();
    fs::write(&settings, "policies: {assumptions: warn}\n").unwrap();
    insta::assert_snapshot!(wrong(&[TEMPLATE, "--lock", &lock, "-o", &lock]), @"
    error: the document would replace the lock file
      hint: name another file for the document
    ");
    insta::assert_snapshot!(wrong(&[&copy, "--lock", &lock, "-o", &out, "--report-file", &lock, "--report", "json"]), @"
    error: the report would replace the lock file
      hint: name another file for the report
    ");
    insta::assert_snapshot!(wrong(&[&copy, "-o", &settings]), @"
    error: the document would replace the settings file
      hint: name another file for the document
    ");
    let beside = path(&folder, "outrigger.lock");
    wrong(&[&copy, "-o", &beside]);
    wrong(&[
        TEMPLATE,
        "-o",
        &out,
        "--report-file",
        &out,
        "--report",
        "json",
    ]);
    assert_eq!(
        fs::read_to_string(&lock).unwrap(),
        r#"{"version": 1, "images": {}}"#
    );
    assert!(!Path::new(&out).exists() && !Path::new(&beside).exists());
}

#[test]
fn a_run_whose_report_cannot_be_written_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(&folder, "out.yaml");
    let ran = run(&[
        TEMPLATE,
        "-o",
        &out,
        "--report-file",
        "no/such/folder/r.json",
    ]);
    assert_eq!(ran.exit, 1);
    insta::assert_snapshot!(ran.stderr, @"
    error: cannot write the report to `no/such/folder/r.json`: no such file or directory
    error: nothing was written
    ");
    assert!(!Path::new(&out).exists());
}

#[test]
fn what_cannot_be_done_is_reported_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder, "r.json");
    let ran = run(&["no/such.yaml", "--report-file", &file]);
    assert_eq!(ran.exit, 1);
    let report = json(&fs::read_to_string(&file).unwrap());
    assert_eq!(
        (&report["outcome"], &report["exit"]["code"]),
        (&"failed".into(), &1.into())
    );
    assert!(
        ran.stderr
            .contains(report["problems"][0]["message"].as_str().unwrap())
    );
    let ran = run(&["no/such.yaml", "--report", "json"]);
    assert_eq!(json(&ran.stderr), report);
    let usage = run(&[
        TEMPLATE,
        "--set",
        "x=1",
        "--report",
        "json",
        "--detailed-exitcode",
    ]);
    assert_eq!(
        (usage.exit, &json(&usage.stderr)["exit"]["code"]),
        (1, &1.into())
    );
    let late = run(&[TEMPLATE, "-o", "no/such/out.yaml", "--report-file", &file]);
    assert_eq!(late.exit, 1);
    let report = json(&fs::read_to_string(&file).unwrap());
    assert_eq!(
        report["outcome"], "failed",
        "what was not written was not rewritten"
    );
}

#[test]
fn standard_input_has_a_name_and_no_place() {
    let document = fs::read(TEMPLATE).unwrap();
    let args = [
        "--recipe",
        "lacework",
        "--set",
        SECRET,
        "--report",
        "sarif",
        "--lock",
        "../samples/nginx/outrigger.lock",
    ];
    let ran = cfn_filter(&args.map(str::to_owned), &document);
    assert_eq!(ran.exit, 0);
    let run = &json(&ran.stderr)["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "outrigger/stdin/");
    let result = &run["results"][0];
    assert_eq!(result["locations"][0].get("physicalLocation"), None);
    assert!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].is_string());
    let said = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(said.as_str().unwrap().contains("standard input"));
}
