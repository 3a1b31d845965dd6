//! The program as a whole, in this process.

use std::fs;
use std::path::Path;

use cli::{Console, Exit, Paint, Terminals};

use crate::{run, run_on};

/// How a run ended, and what it wrote.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    exit: Exit,
    stdout: String,
    stderr: String,
}

fn ended(stdin: &str, args: &[&str]) -> Ended {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = run(args, &mut stdin.as_bytes(), &mut stdout, &mut stderr);
    Ended {
        exit,
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs with Alert Logic's recipe, which only adds a sidecar.
fn added(stdin: &str, args: &[&str]) -> Ended {
    ended(stdin, &[args, &["--recipe", "alert-logic"]].concat())
}

/// Runs with Lacework's recipe, which wraps.
fn wrapped(stdin: &str, args: &[&str]) -> Ended {
    let recipe = [
        "--recipe",
        "lacework",
        "--set",
        "accessToken=arn:aws:secretsmanager:eu-central-1:123456789012:secret:t",
    ];
    ended(stdin, &[args, &recipe].concat())
}

const TEMPLATE: &str = r#"Parameters:
  Tag:
    Type: String
    Default: s3cret
Resources:
  # The service that customers see.
  Api:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: "256"
      Memory: "512"
      ExecutionRoleArn: arn:aws:iam::123456789012:role/execution
      ContainerDefinitions:
        - Name: app
          Image: nginx:1.27 # the web server
          EntryPoint: ["/docker-entrypoint.sh"]
          Command: [nginx, "-g", "daemon off;"]
          User: root
          Environment:
            - Name: PASSWORD
              Value: s3cret
"#;

/// A task definition whose image depends on a parameter.
const PARAMETERIZED: &str = r#"  Worker:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: "256"
      Memory: "512"
      ExecutionRoleArn: arn:aws:iam::123456789012:role/execution
      ContainerDefinitions:
        - Name: worker
          Image: !Sub "worker:${Tag}"
"#;

const LOCK: &str = r#"{"version": 1, "images": {
  "docker.io/library/worker:s3cret": {"linux/amd64": {"entrypoint": ["/work"], "cmd": ["--fast"]}}
}}"#;

fn both() -> String {
    format!("{TEMPLATE}{PARAMETERIZED}")
}

#[test]
fn a_template_goes_in_and_comes_out_instrumented() {
    let ended = wrapped(TEMPLATE, &[]);
    assert_eq!(ended.exit, Exit::Done);
    insta::assert_snapshot!(ended.stdout, @"");
    insta::assert_snapshot!(ended.stderr, @"");
}

#[test]
fn a_second_run_changes_nothing() {
    let first = wrapped(TEMPLATE, &["--detailed-exitcode"]);
    assert_eq!(first.exit, Exit::Changed);
    let second = wrapped(&first.stdout, &["--detailed-exitcode"]);
    assert_eq!((second.exit, &second.stdout), (Exit::Done, &first.stdout));
    insta::assert_snapshot!(second.stderr, @"");
}

#[test]
fn a_run_that_fails_names_every_problem_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.yaml");
    let template = format!("{}{}", both(), PARAMETERIZED.replace("Worker", "Second"));
    let ended = wrapped(&template, &["-o", &output.to_string_lossy(), "--diff"]);
    assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Failed, ""));
    assert!(!output.exists());
    insta::assert_snapshot!(ended.stderr, @"");
}

#[test]
fn skipping_leaves_the_others_to_be_rewritten() {
    let plain = wrapped(&both(), &["--on-unresolved", "skip"]);
    assert_eq!(plain.exit, Exit::NotInstrumented);
    assert!(plain.stdout.ends_with(PARAMETERIZED));
    assert!(plain.stdout.contains("lacework-sidecar.sh"));
    assert!(
        plain
            .stderr
            .ends_with("1 task definition rewritten, 0 left alone, 1 refused\n")
    );
    let detailed = wrapped(
        &both(),
        &["--on-unresolved", "skip", "--detailed-exitcode", "--quiet"],
    );
    assert_eq!(
        (detailed.exit, detailed.stdout),
        (Exit::NotInstrumented, plain.stdout)
    );
    assert!(
        detailed.stderr.contains("error[parameterized-image]"),
        "{}",
        detailed.stderr
    );
    assert!(!detailed.stderr.contains("Api"), "{}", detailed.stderr);
}

#[test]
fn a_parameter_is_evaluated_with_the_lock_file_beside_the_template() {
    let directory = tempfile::tempdir().unwrap();
    let template = directory.path().join("template.yaml");
    fs::write(&template, both()).unwrap();
    fs::write(directory.path().join("outrigger.lock"), LOCK).unwrap();
    let ended = wrapped(
        "",
        &[
            &template.to_string_lossy(),
            "--parameterized-images",
            "resolve",
            "--locked",
        ],
    );
    assert_eq!(ended.exit, Exit::Done, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("Image: worker:s3cret\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stderr.contains("warning[mutable-tag]"),
        "{}",
        ended.stderr
    );
    let other = wrapped(
        "",
        &[
            &template.to_string_lossy(),
            "--parameterized-images",
            "resolve",
            "--parameter-overrides",
            "Tag=other",
        ],
    );
    assert_eq!((other.exit, other.stdout.as_str()), (Exit::Failed, ""));
    assert!(
        other.stderr.contains("error[image-unresolved]"),
        "{}",
        other.stderr
    );
}

#[test]
fn checking_writes_nothing() {
    let bare = added(TEMPLATE, &["--check"]);
    assert_eq!(
        (bare.exit, bare.stdout.as_str()),
        (Exit::NotInstrumented, "")
    );
    insta::assert_snapshot!(bare.stderr, @"");
    let instrumented = added(&added(TEMPLATE, &[]).stdout, &["--check"]);
    assert_eq!(
        (instrumented.exit, instrumented.stdout.as_str()),
        (Exit::Done, "")
    );
    insta::assert_snapshot!(instrumented.stderr, @"");
    assert_eq!(added("Resources: [", &["--check"]).exit, Exit::Failed);
}

#[test]
fn a_diff_is_all_that_is_written() {
    let dry = added(TEMPLATE, &["--diff"]);
    assert_eq!(dry.exit, Exit::Done);
    insta::assert_snapshot!(dry.stdout, @"");
    assert!(
        dry.stderr
            .ends_with("1 task definition would be rewritten, 0 left alone, 0 refused\n")
    );
    let same = added(&added(TEMPLATE, &[]).stdout, &["--diff"]);
    assert_eq!((same.exit, same.stdout.as_str()), (Exit::Done, ""));
}

#[test]
fn files_are_written_where_the_options_say() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let (input, output) = (path("in.yaml"), path("out.yaml"));
    fs::write(&input, TEMPLATE).unwrap();
    let expected = added(TEMPLATE, &[]).stdout;
    let written = added("", &[&input, "-o", &output, "--quiet"]);
    assert_eq!(
        written,
        Ended {
            exit: Exit::Done,
            stdout: String::new(),
            stderr: String::new()
        }
    );
    assert_eq!(fs::read_to_string(&output).unwrap(), expected);
    assert_eq!(fs::read_to_string(&input).unwrap(), TEMPLATE);
    let in_place = added("", &[&input, "--in-place", "--diff", "--quiet"]);
    assert_eq!((in_place.exit, in_place.stderr.as_str()), (Exit::Done, ""));
    assert!(in_place.stdout.starts_with("--- "));
    assert_eq!(fs::read_to_string(&input).unwrap(), expected);
    let over_itself = added("", &[&output, "-o", &output, "--quiet"]);
    assert_eq!(
        (over_itself.exit, fs::read_to_string(&output).unwrap()),
        (Exit::Done, expected)
    );
}

#[test]
fn wrong_usage() {
    let errors = |args: &[&str]| {
        let ended = ended(TEMPLATE, args);
        assert_eq!(
            (ended.exit, ended.stdout.as_str()),
            (Exit::Usage, ""),
            "{}",
            ended.stderr
        );
        let detailed = self::ended(TEMPLATE, &[args, &["--detailed-exitcode"]].concat());
        assert_eq!(detailed.exit, Exit::Failed);
        ended.stderr
    };
    assert!(errors(&[]).starts_with("error: no recipe is given\n"));
    let alert_logic = ["--recipe", "alert-logic"];
    insta::assert_snapshot!(errors(&[&alert_logic[..], &["--in-place"]].concat()), @"");
    insta::assert_snapshot!(errors(&[&alert_logic[..], &["--parameter-overrides", "Tga=x"]].concat()), @"");
    insta::assert_snapshot!(errors(&[&alert_logic[..], &["--resolved-parameter", "Tag=x"]].concat()), @"");
    insta::assert_snapshot!(errors(&["--recipe", "lacework"]), @"");
    insta::assert_snapshot!(errors(&["--no-such-option"]), @"");
    insta::assert_snapshot!(errors(&["--recipe", "lacework", "--region", "Frankfurt"]), @"");
}

#[test]
fn what_is_no_template_is_an_error_with_its_place() {
    let failed = |text: &str| {
        let ended = added(text, &[]);
        assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Failed, ""));
        ended.stderr
    };
    insta::assert_snapshot!(failed(""), @"");
    insta::assert_snapshot!(failed("{\"Resources\": {},\n \"Resources\": {}}"), @"");
    insta::assert_snapshot!(failed("- a list"), @"");
    insta::assert_snapshot!(failed("a: 1"), @"");
    let missing = added("", &["no/such/template.yaml"]);
    insta::assert_snapshot!(missing.stderr, @"");
}

#[test]
fn nothing_to_do_leaves_every_byte() {
    for text in [
        "\u{feff}{ \"Resources\" : { } }\r\n",
        "# empty\nResources: {}",
    ] {
        let ended = added(text, &["--detailed-exitcode"]);
        assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Done, text));
        assert_eq!(ended.stderr, "no task definition found\n");
    }
}

#[test]
fn no_report_shows_a_value() {
    let resolve = ["--parameterized-images", "resolve"];
    for args in [
        &[][..],
        &resolve,
        &["--on-unresolved", "skip"],
        &["--parameter-overrides", "Tag=s3cret"],
    ] {
        let ended = wrapped(&both(), args);
        // As an image reference, a parameter's value may be shown: that is what `resolve` asks for.
        let stderr = ended.stderr.replace("worker:s3cret", "");
        assert!(!stderr.contains("s3cret"), "{stderr}");
    }
    let plain = ended(
        TEMPLATE,
        &["--recipe", "lacework", "--set", "accessToken=s3cret"],
    );
    assert!(
        plain.stderr.contains("warning[secret-in-clear]") && !plain.stderr.contains("s3cret"),
        "{}",
        plain.stderr
    );
}

#[test]
fn an_expanded_alias_is_told() {
    let template = "Parameters:\n  Tag: {Type: String}\nResources:\n".to_owned()
        + TEMPLATE
            .split_once("Resources:\n")
            .unwrap()
            .1
            .replace("Api:\n", "Api: &api\n")
            .as_str()
        + "  Other: *api\n";
    let ended = added(&template, &[]);
    assert_eq!(ended.exit, Exit::Done, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("note[alias-expanded]: the alias `*api` in line "),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .ends_with("2 task definitions rewritten, 0 left alone, 0 refused\n")
    );
}

#[test]
fn a_resource_in_a_loop_has_its_line() {
    let body = TEMPLATE.split_once("Api:\n").unwrap().1;
    let body: String = body.lines().map(|line| format!("      {line}\n")).collect();
    let template = format!(
        "Resources:\n  Fn::ForEach::Each:\n    - Name\n    - [A, B]\n    - Task${{Name}}:\n{body}"
    );
    let ended = added(&template, &[]);
    assert_eq!(ended.exit, Exit::Done, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .starts_with("Task${Name}: rewritten (<stdin>:5)\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn colors_when_asked_for() {
    let plain = added(TEMPLATE, &["--diff"]);
    let colored = added(TEMPLATE, &["--diff", "--color", "always"]);
    assert!(!plain.stdout.contains('\u{1b}') && !plain.stderr.contains('\u{1b}'));
    assert!(colored.stdout.contains("\u{1b}[32m+") && colored.stderr.contains('\u{1b}'));
}

#[test]
fn a_terminal_has_no_template() {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let console = Console {
        stdin: &mut std::io::empty(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminals: Terminals {
            stdin: true,
            stdout: Paint::Plain,
            stderr: Paint::Plain,
        },
    };
    let exit = run_on(&["--recipe".into(), "alert-logic".into()], console);
    assert_eq!((exit, stdout.as_slice()), (Exit::Usage, &b""[..]));
    insta::assert_snapshot!(String::from_utf8(stderr).unwrap(), @"");
}

#[test]
fn help_version_and_recipes_go_to_standard_output() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["recipes", "list"],
        &["recipes", "show", "lacework"],
    ] {
        let ended = ended("", args);
        assert_eq!(
            (ended.exit, ended.stderr.as_str()),
            (Exit::Done, ""),
            "{args:?}"
        );
        assert!(!ended.stdout.is_empty());
    }
    assert_eq!(ended("", &["recipes", "show", "nobody"]).exit, Exit::Usage);
}

#[test]
fn a_lock_file_has_to_be_there_when_it_is_asked_for() {
    let ended = added(TEMPLATE, &["--lock", "no/such.lock"]);
    assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Failed, ""));
    let directory = tempfile::tempdir().unwrap();
    let template = directory.path().join("template.yaml");
    fs::write(&template, TEMPLATE).unwrap();
    let locked = added("", &[&template.to_string_lossy(), "--locked"]);
    assert_eq!((locked.exit, locked.stdout.as_str()), (Exit::Failed, ""));
    assert!(
        locked.stderr.starts_with("error: there is no lock file"),
        "{}",
        locked.stderr
    );
    assert!(Path::new(&template).exists());
}
