//! The program as a whole, in this process.

mod errors;

use std::fs;

use cli::Exit;

use crate::run;

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
    ended(
        stdin,
        &[args, &["--offline", "--recipe", "alert-logic"]].concat(),
    )
}

/// Runs with Lacework's recipe, which wraps.
fn wrapped(stdin: &str, args: &[&str]) -> Ended {
    let recipe = [
        "--offline",
        "--recipe",
        "lacework",
        "--set",
        "accessToken=arn:aws:secretsmanager:eu-central-1:123456789012:secret:t",
    ];
    ended(stdin, &[args, &recipe].concat())
}

/// A report without the texts of findings and recipes, which have tests of their own.
fn outline(report: &str) -> String {
    let mut outline = String::new();
    for line in report.lines() {
        let texts = ["  error[", "  warning[", "  note[", "    hint: "];
        let label = match line.split_once(": ") {
            Some((label, _)) if texts.iter().any(|text| line.starts_with(text)) => label,
            _ => line,
        };
        outline.push_str(label);
        outline.push('\n');
    }
    match outline.split_once("the task execution role needs\n") {
        Some((tasks, rest)) => {
            let summary = rest.lines().last().unwrap_or_default();
            format!("{tasks}[what the roles need]\n\n{summary}\n")
        }
        None => outline,
    }
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
    insta::assert_snapshot!(outline(&ended.stderr), @"
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
      warning[assumes-shell]
        container `app`, image `nginx:1.27`
      warning[assumes-certificates]
        container `app`, image `nginx:1.27`

    [what the roles need]

    1 task definition rewritten, 0 left alone, 0 refused
    ");
}

#[test]
fn a_second_run_changes_nothing() {
    let first = wrapped(TEMPLATE, &["--detailed-exitcode"]);
    assert_eq!(first.exit, Exit::Changed);
    let second = wrapped(&first.stdout, &["--detailed-exitcode"]);
    assert_eq!((second.exit, &second.stdout), (Exit::Done, &first.stdout));
    insta::assert_snapshot!(outline(&second.stderr), @"
    Api: already instrumented (<stdin>:7)
      app: nginx:1.27
        runs: /var/lib/lacework-backup/lacework-sidecar.sh /docker-entrypoint.sh nginx -g 'daemon off;'
      datacollector-sidecar: lacework/datacollector:latest-sidecar (sidecar)
      warning[assumes-shell]
        container `app`, image `nginx:1.27`
      warning[assumes-certificates]
        container `app`, image `nginx:1.27`
      note[already-instrumented]
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
    insta::assert_snapshot!(outline(&ended.stderr), @"
    Worker: refused (<stdin>:24)
      error[parameterized-image]
        container `worker`, image `!Sub worker:${Tag}`
        hint

    Second: refused (<stdin>:35)
      error[parameterized-image]
        container `worker`, image `!Sub worker:${Tag}`
        hint

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
    insta::assert_snapshot!(outline(&bare.stderr), @"
    Api: fails the check (<stdin>:7)
      error[not-instrumented]
        hint

    0 task definitions carry the recipe, 0 left alone, 1 fails the check
    ");
    let instrumented = added(&added(TEMPLATE, &[]).stdout, &["--check"]);
    assert_eq!(
        (instrumented.exit, instrumented.stdout.as_str()),
        (Exit::Done, "")
    );
    insta::assert_snapshot!(outline(&instrumented.stderr), @"
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
