//! What goes wrong, and what is never said.

use std::fs;

use cli::{Console, Exit, Paint, Terminals, Variables};

use super::{TEMPLATE, added, both, ended, wrapped};
use crate::run_on;

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
        let detailed = super::ended(TEMPLATE, &[args, &["--detailed-exitcode"]].concat());
        assert_eq!(detailed.exit, Exit::Failed);
        ended.stderr
    };
    assert!(errors(&[]).starts_with("error: no recipe is given\n"));
    let alert_logic = ["--recipe", "alert-logic"];
    insta::assert_snapshot!(errors(&[&alert_logic[..], &["--in-place"]].concat()), @"
    error: `--in-place` needs a file, not standard input
      hint: name the file, or write elsewhere with `-o FILE`
    ");
    insta::assert_snapshot!(errors(&[&alert_logic[..], &["--parameter-overrides", "Tga=x"]].concat()), @"
    error: `--parameter-overrides` names `Tga`, which the template does not declare
      hint: did you mean `Tag`?
    ");
    insta::assert_snapshot!(errors(&[&alert_logic[..], &["--resolved-parameter", "Tag=x"]].concat()), @"
    error: `--resolved-parameter` names `Tag`, which has no SSM type
      hint: give its value with `--parameter-overrides`
    ");
    insta::assert_snapshot!(errors(&["--recipe", "lacework"]), @"
    error: recipe `lacework`: missing input `accessToken`
      hint: `accessToken`: access token of the agent, from the Lacework console
    ");
    insta::assert_snapshot!(errors(&["--colour=blue"]), @"
    error: unexpected argument '--colour' found

      tip: a similar argument exists: '--color'

    Usage: cfn-filter [TEMPLATE] --recipe <NAME|FILE> [OPTIONS]
           cfn-filter lock [TEMPLATE] --recipe <NAME|FILE> [OPTIONS]
           cfn-filter settings [TEMPLATE] [OPTIONS]
           cfn-filter image inspect <IMAGE> [OPTIONS]
           cfn-filter recipes list
           cfn-filter recipes show <NAME|FILE>
           cfn-filter recipes check <NAME|FILE>... [--set <KEY=VALUE>]
           cfn-filter recipes new <NAME>
           cfn-filter recipes schema

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(errors(&["--recipe", "lacework", "--region", "Frankfurt"]), @"
    error: the value of `--region <REGION>` is not valid: a region looks like `eu-central-1`
    ");
}

#[test]
fn what_is_no_template_is_an_error_with_its_place() {
    let failed = |text: &str| {
        let ended = added(text, &[]);
        assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Failed, ""));
        ended.stderr
    };
    insta::assert_snapshot!(failed(""), @"error: <stdin>: the document is empty");
    insta::assert_snapshot!(failed("{\"Resources\": {},\n \"Resources\": {}}"), @"error: <stdin>:2:2: the key `Resources` stands twice in the same object");
    insta::assert_snapshot!(failed("- a list"), @"error: <stdin>: neither a CloudFormation template (`Resources`), nor a task definition (`containerDefinitions`), nor the output of `describe-task-definition` (`taskDefinition`)");
    insta::assert_snapshot!(failed("a: 1"), @"error: <stdin>: neither a CloudFormation template (`Resources`), nor a task definition (`containerDefinitions`), nor the output of `describe-task-definition` (`taskDefinition`)");
    let missing = added("", &["no/such/template.yaml"]);
    insta::assert_snapshot!(missing.stderr, @"error: cannot read `no/such/template.yaml`: no such file or directory");
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
            progress: false,
        },
        variables: Variables::default(),
    };
    let exit = run_on(&["--recipe".into(), "alert-logic".into()], console);
    assert_eq!((exit, stdout.as_slice()), (Exit::Usage, &b""[..]));
    insta::assert_snapshot!(String::from_utf8(stderr).unwrap(), @"
    error: no template is given
      hint: name a file, or pipe the template into standard input
    ");
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
