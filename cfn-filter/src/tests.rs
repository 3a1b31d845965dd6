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
    insta::assert_snapshot!(ended.stdout, @r#"
    Parameters:
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
              EntryPoint: ["/var/lib/lacework-backup/lacework-sidecar.sh", "/docker-entrypoint.sh"]
              Command: [nginx, "-g", "daemon off;"]
              User: root
              Environment:
                - Name: PASSWORD
                  Value: s3cret
              Secrets:
                - Name: "LaceworkAccessToken"
                  ValueFrom: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:t"
              VolumesFrom:
                - SourceContainer: "datacollector-sidecar"
                  ReadOnly: true
              DependsOn:
                - ContainerName: "datacollector-sidecar"
                  Condition: "SUCCESS"
            - Name: "datacollector-sidecar"
              Image: "lacework/datacollector:latest-sidecar"
              Essential: false
    "#);
    insta::assert_snapshot!(ended.stderr, @"
    Api: rewritten (<stdin>:7)
      app: nginx:1.27
        before: /docker-entrypoint.sh nginx -g 'daemon off;'
        after:  /var/lib/lacework-backup/lacework-sidecar.sh /docker-entrypoint.sh nginx -g 'daemon off;'
        - entryPoint changed
        - secrets LaceworkAccessToken added
        - volumesFrom datacollector-sidecar added
        - dependsOn datacollector-sidecar added
      datacollector-sidecar: lacework/datacollector:latest-sidecar (sidecar)
        - container added
      warning[assumes-of-image]: the wrapper is a shell script, so the image needs `/bin/sh`
        container `app`, image `nginx:1.27`
      warning[assumes-of-image]: the agent needs the root certificates of the image (package `ca-certificates` or its like)
        container `app`, image `nginx:1.27`

    the task execution role needs
      `secretsmanager:GetSecretValue` or `ssm:GetParameters` for the access token, when it comes from a secret store
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html

    prerequisites
      AWS Fargate platform version 1.3 or 1.4, and agent 3.2 or later
        https://docs.lacework.net/onboarding/aws-ecs-fargate
      the agent has to be able to run as root

    network
      the task reaches the agent server URL over HTTPS
        https://docs.lacework.net/onboarding/aws-ecs-fargate

    1 task definition rewritten, 0 left alone, 0 refused
    ");
}

#[test]
fn a_second_run_changes_nothing() {
    let first = wrapped(TEMPLATE, &["--detailed-exitcode"]);
    assert_eq!(first.exit, Exit::Changed);
    let second = wrapped(&first.stdout, &["--detailed-exitcode"]);
    assert_eq!((second.exit, &second.stdout), (Exit::Done, &first.stdout));
    insta::assert_snapshot!(second.stderr, @"
    Api: already instrumented (<stdin>:7)
      app: nginx:1.27
        runs: /var/lib/lacework-backup/lacework-sidecar.sh /docker-entrypoint.sh nginx -g 'daemon off;'
      datacollector-sidecar: lacework/datacollector:latest-sidecar (sidecar)
      warning[assumes-of-image]: the wrapper is a shell script, so the image needs `/bin/sh`
        container `app`, image `nginx:1.27`
      warning[assumes-of-image]: the agent needs the root certificates of the image (package `ca-certificates` or its like)
        container `app`, image `nginx:1.27`
      note[already-instrumented]: the process starts with the recipe's wrapper already
        container `app`, image `nginx:1.27`

    0 task definitions rewritten, 1 already instrumented, 0 left alone, 0 refused
    ");
}

#[test]
fn a_run_that_fails_names_every_problem_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("out.yaml");
    let template = format!("{}{}", both(), PARAMETERIZED.replace("Worker", "Second"));
    let ended = wrapped(&template, &["-o", &output.to_string_lossy(), "--diff"]);
    assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Failed, ""));
    assert!(!output.exists());
    insta::assert_snapshot!(ended.stderr, @"
    Worker: refused (<stdin>:24)
      error[parameterized-image]: the image depends on the template parameter `Tag`, so what it runs is not known
        container `worker`, image `!Sub worker:${Tag}`
        hint: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or let parameterized images be resolved

    Second: refused (<stdin>:35)
      error[parameterized-image]: the image depends on the template parameter `Tag`, so what it runs is not known
        container `worker`, image `!Sub worker:${Tag}`
        hint: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or let parameterized images be resolved

    error: nothing was written: 2 of 3 task definitions refused
    ");
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
        ended.stdout.contains("Image: \"worker:s3cret\"\n"),
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
    insta::assert_snapshot!(bare.stderr, @"
    Api: fails the check (<stdin>:7)
      app: nginx:1.27
      al-agent: alertlogic/al-agent-container:latest (sidecar)
        - container added
      error[not-instrumented]: does not carry the recipe `alert-logic`, or its image would have to be resolved to tell
        hint: rewrite the template, and check the result

    0 task definitions carry the recipe, 0 left alone, 1 fails the check
    ");
    let instrumented = added(&added(TEMPLATE, &[]).stdout, &["--check"]);
    assert_eq!(
        (instrumented.exit, instrumented.stdout.as_str()),
        (Exit::Done, "")
    );
    insta::assert_snapshot!(instrumented.stderr, @"
    Api: carries the recipe (<stdin>:7)
      app: nginx:1.27
      al-agent: alertlogic/al-agent-container:latest (sidecar)

    1 task definition carries the recipe, 0 left alone, 0 fail the check
    ");
    assert_eq!(added("Resources: [", &["--check"]).exit, Exit::Failed);
}

#[test]
fn a_diff_is_all_that_is_written() {
    let dry = added(TEMPLATE, &["--diff"]);
    assert_eq!(dry.exit, Exit::Done);
    insta::assert_snapshot!(dry.stdout, @r#"
    --- <stdin>
    +++ <stdin>
    @@ -21,3 +21,6 @@
               Environment:
                 - Name: PASSWORD
                   Value: s3cret
    +        - Name: "al-agent"
    +          Image: "alertlogic/al-agent-container:latest"
    +          Essential: true
    "#);
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
    insta::assert_snapshot!(errors(&["--no-such-option"]), @"
    error: unexpected argument '--no-such-option' found

      tip: to pass '--no-such-option' as a value, use '-- --no-such-option'

    Usage: cfn-filter [TEMPLATE] --recipe <NAME|FILE> [OPTIONS]
           cfn-filter recipes list
           cfn-filter recipes show <NAME|FILE>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(errors(&["--recipe", "lacework", "--region", "Frankfurt"]), @"
    error: invalid value 'Frankfurt' for '--region <REGION>': a region looks like `eu-central-1`

    For more information, try '--help'.
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
    insta::assert_snapshot!(failed("- a list"), @"error: <stdin>: not a CloudFormation template: it has no `Resources`");
    insta::assert_snapshot!(failed("a: 1"), @"error: <stdin>: not a CloudFormation template: it has no `Resources`");
    let missing = added("", &["no/such/template.yaml"]);
    insta::assert_snapshot!(missing.stderr, @"error: cannot read `no/such/template.yaml`: no such file or directory");
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
    let (head, containers) = TEMPLATE.split_once("ContainerDefinitions:\n").unwrap();
    let shared = format!("Metadata:\n      Shared: &shared\n{containers}");
    let template = head.replace("Parameters:\n", &format!("{shared}Parameters:\n"))
        + "ContainerDefinitions: *shared\n";
    let ended = added(&template, &[]);
    assert_eq!(ended.exit, Exit::Done, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("note[alias-expanded]: the alias `*shared` in line "),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .ends_with("1 task definition rewritten, 0 left alone, 0 refused\n")
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
    insta::assert_snapshot!(String::from_utf8(stderr).unwrap(), @"
    error: no template is given
      hint: name a file, or pipe the template into standard input
    ");
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
