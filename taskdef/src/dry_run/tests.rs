//! What a dry run says of good recipes, and of each kind of bad one.

use super::*;
use crate::recipe::{InputValue, builtin};

/// A recipe with a wrapper, a sidecar and this after its head.
fn recipe(body: &str) -> Recipe {
    let text = format!(
        "recipe: 1\nname: x\ndescription: a test\ndocumentation: [d]\npermissions: {{vendor: [{{text: t}}]}}\nprerequisites: [{{text: t}}]\n{body}\n"
    );
    Recipe::parse("x.yaml", &text).unwrap_or_else(|error| panic!("{error}"))
}

fn tried(body: &str, given: &[(&str, &str)]) -> DryRun {
    let given = given.iter().map(|(name, text)| {
        let value = InputValue::parse(text).unwrap();
        ((*name).to_owned(), value)
    });
    dry_run(&recipe(body), given.collect()).unwrap()
}

fn told(run: &DryRun) -> String {
    let mut told = String::new();
    for remark in &run.remarks {
        if let Some(place) = &remark.place {
            told.push_str(&format!("{place}: "));
        }
        told.push_str(&format!("{}: {}\n", remark.severity, remark.message));
        if let Some((first, others)) = remark.samples.split_first() {
            told.push_str(&format!("  {first}, and {} more\n", others.len()));
        }
        if let Some(hint) = &remark.hint {
            told.push_str(&format!("  hint: {hint}\n"));
        }
    }
    told
}

const SIDECAR: &str =
    "sidecars:\n  - {name: agent, settings: {image: agent:1, essential: false}}\n";

fn outcomes(run: &DryRun, outcome: Outcome) -> usize {
    let reports = run.samples.iter();
    reports
        .filter(|tried| tried.report.outcome == outcome)
        .count()
}

#[test]
fn nothing_is_wrong_with_the_recipes_that_come_with_the_program() {
    for (name, text) in builtin() {
        let recipe = Recipe::parse(name, text).unwrap();
        let run = dry_run(&recipe, Inputs::new()).unwrap();
        assert_eq!(told(&run), "", "{name}");
        let rewritten = outcomes(&run, Outcome::Rewritten);
        let refused = run.samples.iter().filter(|tried| tried.refused_by_recipe);
        assert_eq!(rewritten + refused.count(), run.samples.len(), "{name}");
        assert!(rewritten >= 10 && run.choices >= 3, "{name}");
    }
}

#[test]
fn what_is_missing_is_made_up_by_type() {
    let run = tried(
        "inputs:
  text: {description: d, required: true}
  secret: {description: d, required: true, secret: true, secretKey: key}
  one: {description: d, required: true, allowed: [first, second]}
  port: {description: d, type: port, required: true}
  names: {description: d, type: list, names: containers, required: true}
  late: {description: d, requiredWhen: inputs.one == 'first'}
  given: {description: d, required: true}
workload:
  - settings:
      dockerLabels: {a: \"{{ inputs.text }}{{ inputs.one }}{{ inputs.port }}{{ inputs.names | join(',') }}{{ inputs.late }}{{ inputs.given }}\"}
      environment: [{name: A, value: \"{{ inputs.secret }}\"}]",
        &[("given", "x")],
    );
    let made = run.placeholders.iter();
    let made: Vec<String> = made
        .map(|made| format!("{}={}", made.input, made.value))
        .collect();
    insta::assert_snapshot!(made.join("\n"), @r#"
    text=placeholder
    secret=arn:aws:secretsmanager:eu-central-1:123456789012:secret:placeholder-AbCdEf:key::
    one=first
    port=8443
    names=["web"]
    late=placeholder
    "#);
    insta::assert_snapshot!(told(&run), @"");
}

#[test]
fn a_wrong_input_is_an_error_of_its_own() {
    let recipe = recipe("inputs: {a: {description: d, required: true}}");
    let given = [("b".to_owned(), InputValue::parse("x").unwrap())];
    let Err(errors) = dry_run(&recipe, given.into()) else {
        panic!("an input that is not there");
    };
    assert_eq!(errors.to_string(), "recipe `x`: unknown input `b`");
}

#[test]
fn secrets_are_not_needed_and_not_kept() {
    let run = tried(
        "inputs: {a: {description: d, secret: true}}\nsidecars:\n  - {name: agent, settings: {image: i, essential: false, command: [\"{{ inputs.a }}\"]}}",
        &[("a", "hunter2")],
    );
    let sidecar = run.samples.first().unwrap().sidecars.first().unwrap();
    assert_eq!(sidecar["command"], serde_json::json!(["placeholder"]));
}

#[test]
fn a_credential_in_the_name_of_an_image_is_not_kept() {
    let run = tried(
        "imageSecrets: [key_*/agent]\ninputs:\n  image: {description: d, required: true}\nsidecars:\n  - {name: agent, settings: {essential: false}}",
        &[("image", "r/key_hunter2/agent:1")],
    );
    let sidecar = run.samples.first().unwrap().sidecars.first().unwrap();
    assert_eq!(sidecar["image"], serde_json::json!("r/key_***/agent:1"));
}

#[test]
fn rules_of_ecs() {
    let missing = "workload:\n  - process: {wrapper: [/wrap]}\n    settings: {volumesFrom: [{sourceContainer: agnet}]}\n";
    insta::assert_snapshot!(told(&tried(&format!("{missing}{SIDECAR}"), &[])), @"
    error: `volumesFrom` names the container `agnet`, which is not there
      image with entry point and command, and 69 more
      hint: correct the name, or remove the entry
    warning: the first sidecar states its image, so that the input `image`, which every user expects, does nothing
      hint: leave the image out of its settings, and make it the default of the input `image`
    ");
    let capability =
        "workload:\n  - settings: {linuxParameters: {capabilities: {add: [SYS_ADMIN]}}}";
    insta::assert_snapshot!(told(&tried(capability, &[])), @"
    error: it adds the capability `SYS_ADMIN`, and Fargate allows `SYS_PTRACE` only
      image with entry point and command, and 12 more
      hint: remove the capability, or run the task elsewhere than on Fargate
    ");
}

#[test]
fn expressions_that_fail_when_they_are_used() {
    let text = "inputs: {a: {description: d}}\nworkload:\n  - settings:\n      environment:\n        - {name: A, value: \"https://{{ inputs.a }}/\"}";
    insta::assert_snapshot!(told(&tried(text, &[])), @"
    error: x.yaml:11:28: an input that was not given cannot stand inside a text
      image with entry point and command, and 12 more
      hint: give the input, or put the text into a block with a `when`
    ");
    assert_eq!(told(&tried(text, &[("a", "x")])), "");
    let two = "workload:\n  - process: {wrapper: [/wrap]}\n  - when: container.user != \"root\"\n    process: {wrapper: [/wrap-b]}";
    insta::assert_snapshot!(told(&tried(two, &[])), @"
    error: x.yaml:10:14: a second block states the process of this container
      image that is not root's, and 9 more
    ");
}

#[test]
fn only_another_value_of_an_input_shows_it() {
    let body = "inputs: {mode: {description: d, default: a, allowed: [a, b]}}\nworkload:\n  - when: inputs.mode == 'b'\n    settings: {dependsOn: [{containerName: nobody, condition: START}]}";
    let run = tried(body, &[]);
    insta::assert_snapshot!(told(&run), @"
    error: `dependsOn` names the container `nobody`, which is not there
      image with entry point and command, with mode=b, and 12 more
      hint: correct the name, or remove the entry
    warning: the recipe changes nothing in any sample
    ");
    assert!(run.fails());
    let run = tried(body, &[("mode", "a")]);
    assert!(!run.fails() && run.choices == 0, "{}", told(&run));
}

#[test]
fn a_second_run_that_changes_something() {
    let body = "workload:\n  - when: container.user != \"root\"\n    settings: {user: root}\n  - when: container.user == \"root\"\n    settings: {environment: [{name: ROOT, value: \"1\"}]}";
    insta::assert_snapshot!(told(&tried(body, &[])), @"
    error: a second run changes something again: web: environment ROOT added
      image that is not root's, and 1 more
      hint: a condition that asks what the recipe itself changes (`container.user`) holds no longer when the recipe is run again
    ");
}

#[test]
fn a_shell_that_would_lose_the_arguments() {
    for shell in ["[sh, -c]", "[/bin/bash, -e, -lc]"] {
        let run = tried(
            &format!("workload:\n  - process: {{wrapper: {shell}}}"),
            &[],
        );
        assert!(told(&run).starts_with("error: the wrapper is a shell with `-c`"));
    }
    for other in ["[env, -c]", "[sh, /start.sh]"] {
        let run = tried(
            &format!("workload:\n  - process: {{wrapper: {other}}}"),
            &[],
        );
        assert_eq!(told(&run), "", "{other}");
    }
}

#[test]
fn a_recipe_that_does_nothing_or_refuses_everything() {
    insta::assert_snapshot!(told(&tried("", &[])), @"warning: the recipe changes nothing in any sample");
    let never = "requires: [{that: container.name == 'x', message: m}]\nworkload:\n  - process: {wrapper: [/wrap]}";
    insta::assert_snapshot!(told(&tried(never, &[])), @"
    error: the recipe refuses every sample
      hint: give the inputs with which it refuses none by `--set`
    x.yaml:9:5: warning: no sample reaches this block of `workload`
      hint: give the inputs under which its condition holds by `--set`, if it can hold at all
    ");
}

#[test]
fn what_nothing_reaches_or_reads() {
    let body = "inputs:
  used: {description: d}
  asked: {description: d, requiredWhen: inputs.used == 'x'}
  forgotten: {description: d}
requires:
  - {that: task.operatingSystem == 'LINUX', message: m}
assumes:
  - {name: shell, when: container.name == 'x', message: m}
workload:
  - when: [task.cpuArchitecture == 'ARM64', container.name == 'x']
    process: {wrapper: [/wrap]}
  - settings: {user: root}
sidecars:
  - name: agent
    settings: {image: agent:1, essential: false}
    blocks:
      - {each: container, when: container.name == 'x', settings: {user: \"0\"}}
      - {each: container, when: container.name == 'jobs', settings: {user: \"0\"}}
  - name: other
    when: container.name == 'x'
    settings: {image: agent:1, essential: false}
task:
  - {when: task.family == 'x', settings: {pidMode: task}}";
    let run = tried(body, &[]);
    insta::assert_snapshot!(told(&run), @"
    x.yaml:14:5: warning: no sample reaches this assumption
      hint: give the inputs under which its condition holds by `--set`, if it can hold at all
    x.yaml:16:5: warning: no sample reaches this block of `workload`
      hint: give the inputs under which its condition holds by `--set`, if it can hold at all
    x.yaml:23:9: warning: no sample reaches this block of a sidecar
      hint: give the inputs under which its condition holds by `--set`, if it can hold at all
    x.yaml:25:5: warning: no sample reaches this sidecar
      hint: give the inputs under which its condition holds by `--set`, if it can hold at all
    x.yaml:29:5: warning: no sample reaches this block of `task`
      hint: give the inputs under which its condition holds by `--set`, if it can hold at all
    x.yaml:9:3: warning: the input `asked` is used nowhere
    x.yaml:10:3: warning: the input `forgotten` is used nowhere
    warning: the first sidecar states its image, so that the input `image`, which every user expects, does nothing
      hint: leave the image out of its settings, and make it the default of the input `image`
    x.yaml:12:5: note: no sample is refused by this requirement
    ");
    assert!(!run.fails());
}

#[test]
fn what_a_user_is_not_told() {
    let text = "recipe: 1\nname: x\ndescription: d\nworkload: [{settings: {user: root}}]";
    let recipe = Recipe::parse("x.yaml", text).unwrap();
    insta::assert_snapshot!(told(&dry_run(&recipe, Inputs::new()).unwrap()), @"
    note: there is no `documentation`: where the vendor documents it
    note: there is no `permissions`: what the roles need
    note: there is no `prerequisites`: what has to be there before
    ");
}

#[test]
fn a_program_that_is_lost_is_seen() {
    let bound = recipe("workload:\n  - process: {wrapper: [/wrap]}");
    let bound = bound.bind(Inputs::new()).unwrap();
    let recipes = Recipes::from(bound);
    for sample in samples(None) {
        let (report, mut after) =
            rewritten(&sample.template(), &sample, &recipes, &Settings::default()).unwrap();
        assert_eq!(report.outcome, Outcome::Rewritten, "{}", sample.name);
        let (task, facts) = sample.facts();
        let bound = recipes.iter().next().unwrap();
        let container = sample.containers.first().unwrap();
        let asked = bound.workload(&task, facts.first().unwrap()).unwrap();
        assert_eq!(
            broken_promise(&after, container, &asked),
            None,
            "{}",
            sample.name
        );
        let definition = "/Resources/Task/Properties/ContainerDefinitions/0";
        let definition = after.pointer_mut(definition).unwrap();
        definition["EntryPoint"] = serde_json::json!(["/wrap"]);
        definition["Command"] = serde_json::json!([]);
        let broken = broken_promise(&after, container, &asked).unwrap();
        assert_eq!(
            broken.message,
            "the container `web` no longer starts its own program with all its arguments"
        );
    }
}
