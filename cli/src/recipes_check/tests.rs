//! What a person sees of a check.

use std::fs;

use super::check;
use crate::recipes_command::{RecipesCommand, run};
use crate::{Console, Exit, Failure, Paint, Terminals, Variables};

/// A console whose answers are kept.
fn answered(
    work: impl FnOnce(&mut Console<'_>) -> Result<Exit, Failure>,
) -> (Result<Exit, Failure>, String) {
    let (mut stdin, mut stdout, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
    let mut console = Console {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminals: Terminals::default(),
        variables: Variables::default(),
    };
    let end = work(&mut console);
    assert_eq!(stderr, b"");
    (end, String::from_utf8(stdout).unwrap())
}

/// Checks recipes with these texts, in files of their own; the folder is not shown.
fn checked(texts: &[&str], set: &[&str]) -> (Result<Exit, String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = folder.path().join(format!("{index}.yaml"));
        fs::write(&path, text).unwrap();
        names.push(path.to_str().unwrap().to_owned());
    }
    let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
    let (end, shown) = answered(|console| check(&names, &set, console));
    let prefix = format!("{}/", folder.path().display());
    let end = end.map_err(|failure| {
        let told = failure.render(Paint::Plain).replace(&prefix, "");
        format!("{:?}\n{told}", failure.exit)
    });
    (end, shown.replace(&prefix, ""))
}

/// What follows the samples.
fn end(shown: &str) -> &str {
    shown.rsplit_once("\n\n").unwrap().1
}

const SMALL: &str = "\
recipe: 1
name: small
description: a small one
inputs:
  key: {description: d, required: true, secret: true}
  mode: {description: d, default: a, allowed: [a, b]}
  image: {default: 'agent:1'}
requires:
  - {that: container.user == 'root', message: 'it runs as `{{ container.user }}`'}
workload:
  - process: {wrapper: [/wrap]}
    settings:
      environment: [{name: KEY, value: '{{ inputs.key }}'}, {name: MODE, value: '{{ inputs.mode }}'}]
sidecars:
  - name: agent
    settings: {essential: false, logConfiguration: inherit, environment: [{name: MODE, value: '{{ inputs.mode }}'}]}
";

#[test]
fn a_recipe_is_shown_at_work() {
    let (exit, shown) = checked(&[SMALL], &["key=hunter2"]);
    assert_eq!(exit, Ok(Exit::Done));
    assert!(!shown.contains("hunter2"));
    insta::assert_snapshot!(shown, @r"
    small (0.yaml)

      image with entry point and command: rewritten
        web
          before: /docker-entrypoint.sh serve --listen 0.0.0.0:8080
          after:  /wrap /docker-entrypoint.sh serve --listen 0.0.0.0:8080
          - environment KEY added
          - environment MODE added
        agent (sidecar)
          - image: agent:1
          - essential: false
          - logConfiguration: inherit
          - environment: MODE
      image with an entry point alone: rewritten
        web
          before: /app/api
          after:  /wrap /app/api
      image with a command alone: rewritten
        web
          before: node jobs.js
          after:  /wrap node jobs.js
      entry point in the task definition: rewritten
        web
          before: /app/start '' 'two words' 'it'\''s' '$HOME' '{{ x }}' 'naïve'
          after:  /wrap /app/start '' 'two words' 'it'\''s' '$HOME' '{{ x }}' 'naïve'
      command in the task definition: rewritten
        web
          before: /docker-entrypoint.sh migrate
          after:  /wrap /docker-entrypoint.sh migrate
      image that is not root's: refused by the recipe
        it runs as `1000:1000`
      read-only root file system: rewritten, as above
      ARM64: rewritten, as above
      ARM64, read-only, not root's: refused by the recipe
        it runs as `1000:1000`
      two containers: rewritten, as above
      under conditions: rewritten
        web
          before [IsProd]: /docker-entrypoint.sh serve --fast
          after [IsProd]:  /wrap /docker-entrypoint.sh serve --fast
          before [not IsProd]: /docker-entrypoint.sh serve --listen 0.0.0.0:8080
          after [not IsProd]:  /wrap /docker-entrypoint.sh serve --listen 0.0.0.0:8080
      image that starts the wrapper itself: rewritten
        web
          runs: /wrap /app/api
        note[wrapper-in-image]: the image itself starts the recipe's wrapper

    note: there is no `documentation`: where the vendor documents it
    note: there is no `permissions`: what the roles need
    note: there is no `prerequisites`: what has to be there before
    small: 10 of 12 samples rewritten, 2 refused by the recipe, 6 other values tried; 0 errors, 0 warnings, 3 notes
    ");
}

#[test]
fn what_cannot_be_read_and_what_is_odd_is_told() {
    let broken = SMALL.replace("logConfiguration: inherit", "user: '{{ inputs.kee }}'");
    let (exit, shown) = checked(&[&broken, "recipe: 1\nname: x\n"], &[]);
    assert_eq!(shown, "");
    insta::assert_snapshot!(exit.unwrap_err(), @"
    Failed
    error: 0.yaml:16:40: unknown input `kee`
      hint: did you mean `key`?
    error: 1.yaml:2:1: the key `description` is missing
    ");
    let odd = SMALL.replace("inputs:\n", "inputs:\n  forgotten: {description: d}\n").replace(
        "sidecars:\n",
        "  - {when: task.family == 'x', settings: {user: root}}\n  - {when: task.family == 'y', settings: {user: root}}\nsidecars:\n",
    );
    let (exit, shown) = checked(&[&odd], &[]);
    assert_eq!(exit, Ok(Exit::Done));
    insta::assert_snapshot!(end(&shown), @"
    warning: 0.yaml:15:5: no sample reaches this block of `workload`
    warning: 0.yaml:16:5: no sample reaches this block of `workload`
      hint: give the inputs under which its condition holds by `--set`, if it can hold at all
    warning: 0.yaml:5:3: the input `forgotten` is used nowhere
    note: there is no `documentation`: where the vendor documents it
    note: there is no `permissions`: what the roles need
    note: there is no `prerequisites`: what has to be there before
    small: 10 of 12 samples rewritten, 2 refused by the recipe, 7 other values tried; 0 errors, 3 warnings, 3 notes
    ");
}

#[test]
fn what_is_wrong_is_told_at_the_end() {
    let wrong = SMALL.replace(
        "essential: false",
        "essential: false, dependsOn: [{containerName: nobody, condition: START}]",
    );
    let (exit, shown) = checked(&[&wrong], &[]);
    assert_eq!(exit, Ok(Exit::NotInstrumented));
    insta::assert_snapshot!(shown, @"
    small (0.yaml)
      made up: key=arn:aws:secretsmanager:eu-central-1:123456789012:secret:placeholder-AbCdEf

      image with entry point and command: refused
        `dependsOn` names the container `nobody`, which is not there
      image with an entry point alone: refused
        `dependsOn` names the container `nobody`, which is not there
      image with a command alone: refused
        `dependsOn` names the container `nobody`, which is not there
      entry point in the task definition: refused
        `dependsOn` names the container `nobody`, which is not there
      command in the task definition: refused
        `dependsOn` names the container `nobody`, which is not there
      image that is not root's: refused by the recipe
        it runs as `1000:1000`
      read-only root file system: refused
        `dependsOn` names the container `nobody`, which is not there
      ARM64: refused
        `dependsOn` names the container `nobody`, which is not there
      ARM64, read-only, not root's: refused by the recipe
        it runs as `1000:1000`
      two containers: refused
        `dependsOn` names the container `nobody`, which is not there
      under conditions: refused
        `dependsOn` names the container `nobody`, which is not there
      image that starts the wrapper itself: refused
        note[wrapper-in-image]: the image itself starts the recipe's wrapper
        `dependsOn` names the container `nobody`, which is not there

    error: `dependsOn` names the container `nobody`, which is not there
      sample: image with entry point and command, and 69 more
      hint: correct the name, or remove the entry
    note: there is no `documentation`: where the vendor documents it
    note: there is no `permissions`: what the roles need
    note: there is no `prerequisites`: what has to be there before
    small: 0 of 12 samples rewritten, 2 refused by the recipe, 6 other values tried; 1 error, 0 warnings, 3 notes
    ");
}

#[test]
fn several_recipes_and_their_inputs() {
    let other = SMALL.replace("name: small", "name: other");
    let (exit, shown) = checked(&[SMALL, &other], &["small.mode=b"]);
    assert_eq!(exit, Ok(Exit::Done));
    let summaries = shown.lines().filter(|line| line.contains("other value"));
    insta::assert_snapshot!(summaries.collect::<Vec<_>>().join("\n"), @"
    small: 10 of 12 samples rewritten, 2 refused by the recipe, 5 other values tried; 0 errors, 0 warnings, 3 notes
    other: 10 of 12 samples rewritten, 2 refused by the recipe, 6 other values tried; 0 errors, 0 warnings, 3 notes
    ");
    let (exit, _) = checked(&[SMALL], &["mod=b"]);
    insta::assert_snapshot!(exit.unwrap_err(), @"
    Usage
    error: recipe `small`: unknown input `mod`
      hint: did you mean `mode`?
    ");
    let (exit, _) = checked(&[SMALL], &["mode=c"]);
    insta::assert_snapshot!(exit.unwrap_err(), @"
    Usage
    error: recipe `small`: input `mode` has to be one of `a`, `b`
    ");
}

#[test]
fn the_recipe_to_start_from_passes() {
    let start = |name: &str| {
        let name = name.to_owned();
        answered(|console| run(&RecipesCommand::New { name }, console))
    };
    let (end, text) = start("my-vendor");
    assert_eq!(end, Ok(Exit::Done));
    assert!(text.contains("\nname: my-vendor\n") && !text.contains("NAME"));
    let (exit, shown) = checked(&[&text], &[]);
    assert_eq!(exit, Ok(Exit::Done));
    assert!(
        shown.ends_with("0 errors, 0 warnings, 0 notes\n"),
        "{shown}"
    );
    let (end, text) = start("My vendor");
    assert_eq!(text, "");
    let failure = end.unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    insta::assert_snapshot!(failure.render(Paint::Plain), @"error: a recipe's name has lower-case letters, digits and hyphens only");
}

#[test]
fn the_schema_is_the_one_of_the_repository() {
    let (end, text) = answered(|console| run(&RecipesCommand::Schema, console));
    assert_eq!(end, Ok(Exit::Done));
    let kept = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../templates/recipe.schema.json"
    );
    assert_eq!(text, fs::read_to_string(kept).unwrap());
}
