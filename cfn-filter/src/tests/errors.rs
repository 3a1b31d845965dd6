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
    error: there is no option `--colour` here
      hint: did you mean `--color`?
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
    insta::assert_snapshot!(failed(""), @"
    error: <stdin>: the document is empty
      hint: if another program wrote it, see whether that one failed
    error: nothing was written
    ");
    insta::assert_snapshot!(failed("{\"Resources\": {},\n \"Resources\": {}}"), @"
    error: <stdin>:2:2: the key `Resources` stands twice in the same object
      hint: remove one of them
    error: nothing was written
    ");
    insta::assert_snapshot!(failed("- a list"), @"
    error: <stdin>: neither a CloudFormation template (`Resources`), nor a task definition (`containerDefinitions`), nor the output of `describe-task-definition` (`taskDefinition`)
    error: nothing was written
    ");
    insta::assert_snapshot!(failed("a: 1"), @"
    error: <stdin>: neither a CloudFormation template (`Resources`), nor a task definition (`containerDefinitions`), nor the output of `describe-task-definition` (`taskDefinition`)
    error: nothing was written
    ");
    let missing = added("", &["no/such/template.yaml"]);
    insta::assert_snapshot!(missing.stderr, @"
    error: cannot read `no/such/template.yaml`: no such file or directory
    error: nothing was written
    ");
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

#[test]
fn mistakes_of_typing_have_a_way_out() {
    let said = |args: &[&str]| {
        let ended = ended(TEMPLATE, args);
        assert_eq!(ended.exit, Exit::Usage, "{args:?}: {}", ended.stderr);
        ended.stderr
    };
    insta::assert_snapshot!(said(&["-", "--recpie", "lacework"]), @"
    error: there is no option `--recpie` here
      hint: did you mean `--recipe`?
    ");
    insta::assert_snapshot!(said(&["lokc"]), @"
    error: there is no command `lokc`, and no file of this name
      hint: did you mean the command `lock`?
    ");
    insta::assert_snapshot!(said(&["lokc", "t.yaml"]), @"
    error: more than one file to read is named
      hint: a value with spaces has to be quoted; a command stands before everything else
    ");
    insta::assert_snapshot!(said(&["help"]), @"
    error: there is no command `help`, and no file of this name
      hint: `cfn-filter --help` names the commands
    ");
    insta::assert_snapshot!(said(&["recipes", "shwo", "lacework"]), @"
    error: there is no command `shwo` here
      hint: did you mean `show`?
    ");
    insta::assert_snapshot!(said(&["image", "inspect"]), @"
    error: `<IMAGE>` is missing
      hint: `cfn-filter --help` shows what there is
    ");
    insta::assert_snapshot!(said(&["image", "inspect", "Nginx:1"]), @"
    error: not an image reference: the repository name `Nginx` has the upper-case letter `N`
      hint: an image is named as in a task definition: `nginx:1.27`, `registry.example/shop/api:1`
    ");
    insta::assert_snapshot!(said(&["--on-unresolved", "hunter2"]), @"
    error: `--on-unresolved <WHAT>` does not take this value
      hint: it takes: fail, skip
    ");
    insta::assert_snapshot!(said(&["--on-unresolved"]), @"
    error: `--on-unresolved <WHAT>` has no value
      hint: it takes: fail, skip
    ");
    insta::assert_snapshot!(said(&["--check", "--diff"]), @"
    error: `--check` cannot be used with `--diff`
      hint: leave one of them out
    ");
}

#[test]
fn mistakes_about_files_have_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(path("template.yaml"), TEMPLATE).unwrap();
    fs::write(path("plan.json"), r#"{"terraform_version": "1.11.4"}"#).unwrap();
    fs::write(path("tab.yaml"), "Resources:\n\tApi: 1\n").unwrap();
    fs::write(path("binary"), [0xff_u8, 0xfe]).unwrap();
    fs::write(path("lock"), "version: 1\n").unwrap();
    let said = |args: &[&str]| {
        let ended = added("", args);
        assert_eq!(ended.exit, Exit::Failed, "{args:?}: {}", ended.stderr);
        ended
            .stderr
            .replace(&*folder.path().to_string_lossy(), "DIR")
    };
    insta::assert_snapshot!(said(&[&path("tempalte.yaml")]), @"
    error: cannot read `DIR/tempalte.yaml`: no such file or directory
      hint: did you mean `DIR/template.yaml`?
    error: nothing was written
    ");
    insta::assert_snapshot!(said(&[&path("")]), @"
    error: cannot read `DIR/`: is a directory
      hint: name a file in it
    error: nothing was written
    ");
    insta::assert_snapshot!(said(&[&path("binary")]), @"
    error: DIR/binary:1:1: the text is not UTF-8
      hint: save the file in the encoding UTF-8
    error: nothing was written
    ");
    insta::assert_snapshot!(said(&[&path("plan.json")]), @"
    error: DIR/plan.json: neither a CloudFormation template (`Resources`), nor a task definition (`containerDefinitions`), nor the output of `describe-task-definition` (`taskDefinition`)
      hint: this is a Terraform plan, which `tf-filter` reads
    error: nothing was written
    ");
    insta::assert_snapshot!(said(&[&path("tab.yaml")]), @"
    error: DIR/tab.yaml:2:2: tabs disallowed within this context (block indentation)
      hint: indent with spaces
    error: nothing was written
    ");
    let template = path("template.yaml");
    insta::assert_snapshot!(said(&[&template, "-o", &path("")]), @"
    error: cannot write `DIR/`: is a directory
      hint: name a file in it
    error: nothing was written
    ");
    insta::assert_snapshot!(said(&[&template, "-o", &path("no/out.yaml")]), @"
    error: cannot write `DIR/no/out.yaml`: no such file or directory
      hint: the folder has to be there
    error: nothing was written
    ");
    insta::assert_snapshot!(said(&[&template, "--lock", &path("lock")]), @"
    error: DIR/lock:1:1: expected value
      hint: a lock file is JSON, as `cfn-filter lock` writes it
    error: nothing was written
    ");
}

#[test]
fn yaml_that_is_damaged_has_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("tab-in-text.yaml", "Resources: x\n\tApi: 1\n"),
        ("bracket.yaml", "Resources: [a, b\nApi: 1\n"),
        ("brace.yaml", "Resources: {a: b\nApi: 1\n"),
        ("quote.yaml", "Resources: \"abc\nApi: 1\n"),
    ];
    let told = files.map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let ended = added("", &[&*path.to_string_lossy()]);
        assert_eq!(ended.exit, Exit::Failed);
        ended
            .stderr
            .replace(&*folder.path().to_string_lossy(), "DIR")
    });
    insta::assert_snapshot!(told.concat(), @"
    error: DIR/tab-in-text.yaml:1:12: while scanning a plain scalar, found a tab
      hint: indent with spaces, in the lines below, too
    error: nothing was written
    error: DIR/bracket.yaml:2:4: illegal placement of ':' indicator
      hint: see whether a bracket is closed, here or in the lines before
    error: nothing was written
    error: DIR/brace.yaml:2:4: while parsing a flow mapping, did not find expected ',' or '}'
      hint: see whether a bracket is closed, here or in the lines before
    error: nothing was written
    error: DIR/quote.yaml:2:1: invalid indentation in multiline quoted scalar
      hint: see whether a quotation mark is closed, here or in the lines before
    error: nothing was written
    ");
}
