//! Which parts of a recipe take part, and which inputs are read.

use super::*;

/// What is named at a place, or the line it begins in.
fn lines(blocks: &[Block]) -> String {
    let one = |block: &Block| format!("{:?} {}", block.kind, block.place.line);
    blocks.iter().map(one).collect::<Vec<_>>().join(", ")
}

const PARTS: &str = r#"inputs: {image: {description: d, default: i}}
requires:
  - {that: container.user != "bad", message: m}
  - {that: container.user != "worse", message: m}
assumes:
  - {name: shell, when: container.user == "root", message: m}
workload:
  - settings: {user: u}
  - when: container.user == "web"
    settings: {user: u}
sidecars:
  - name: a
    when: container.user == "web"
    settings: {essential: false}
    blocks:
      - settings: {user: u}
      - {each: container, when: container.name == "app", settings: {user: u}}
      - {when: "false", settings: {user: u}}
  - name: b
    settings: {image: i, essential: false}
task:
  - settings: {pidMode: task}
  - {each: container, when: container.user == "root", settings: {pidMode: task}}
  - {when: task.family != "shop", settings: {pidMode: task}}
"#;

#[test]
fn parts_that_take_part() {
    let recipe = recipe(PARTS);
    let bound = bind(&recipe, &[]);
    let reached = |users: &[&str]| {
        let containers: Vec<_> = users.iter().map(|user| container(user)).collect();
        lines(&bound.reached(&task(), &containers).unwrap())
    };
    let table = [
        lines(&recipe.blocks()),
        reached(&["root"]),
        reached(&["web"]),
        reached(&["other", "web"]),
        reached(&["bad"]),
        reached(&["root", "worse", "bad"]),
        reached(&[]),
    ];
    insta::assert_snapshot!(table.join("\n"), @"
    Requirement 7, Requirement 8, Assumption 10, Workload 12, Workload 13, Sidecar 16, SidecarBlock 20, SidecarBlock 21, SidecarBlock 22, Sidecar 23, Task 26, Task 27, Task 28
    Assumption 10, Workload 12, Sidecar 23, Task 26, Task 27
    Workload 12, Workload 13, Sidecar 16, SidecarBlock 20, SidecarBlock 21, Sidecar 23, Task 26
    Workload 12, Workload 12, Workload 13, Sidecar 16, SidecarBlock 20, SidecarBlock 21, Sidecar 23, Task 26
    Requirement 7
    Requirement 8, Requirement 7
    Task 26
    ");
}

#[test]
fn inputs_that_nothing_reads() {
    let unused = |body: &str| {
        let recipe = recipe(&format!(
            "inputs: {{a: {{description: d}}, ab: {{description: d}}, image: {{description: d, default: i}}}}\n{body}"
        ));
        let unused = recipe.unused_inputs();
        let names: Vec<_> = unused
            .iter()
            .map(|(name, place)| format!("{name}:{}", place.line))
            .collect();
        format!(
            "{} {} {}",
            names.join(" "),
            recipe.declares("a"),
            recipe.declares("sidecarCpu")
        )
    };
    let table = [
        unused(""),
        unused("sidecars: [{name: s, settings: {essential: false}}]\n"),
        unused("workload: [{settings: {user: \"{{ inputs.ab }}\"}}]\n"),
        unused("workload: [{settings: {user: \"{{ inputs.a.b }}\"}}]\n"),
        unused("workload: [{when: inputs.a is none, settings: {user: u}}]\n"),
        unused("workload: [{process: {wrapper: [\"{{ inputs.a }}\", \"-{{ inputs.ab }}\"]}}]\n"),
        unused(
            "workload: [{process: {arrangement: prefix-suffix, wrapper: [/w], suffix: [\"{{ inputs.a }}\"], command: [\"{{ inputs.ab }}\"]}}]\n",
        ),
        unused("requires: [{that: inputs.a is none, message: m}]\n"),
        unused(
            "requires: [{when: inputs.a is none, that: \"true\", message: \"{{ inputs.ab }}\"}]\n",
        ),
        unused(
            "assumes: [{name: shell, when: inputs.a is none, message: m, hint: \"{{ inputs.ab }}\"}]\n",
        ),
        unused("task: [{when: inputs.a is none, settings: {pidMode: \"{{ inputs.ab }}\"}}]\n"),
        unused(
            "sidecars: [{name: s, when: inputs.a is none, settings: {essential: false, image: \"{{ inputs.ab }}\"}}]\n",
        ),
        unused(
            "sidecars: [{name: s, settings: {essential: false, image: \"{{ inputs.image }}\"}, blocks: [{when: inputs.a is none, settings: {user: \"{{ inputs.ab }}\"}}]}]\n",
        ),
        unused("sidecars: [{name: s, settings: {essential: false, image: j}}]\n"),
        unused("compatibility: [{inputs: [a, ab], versions: [['1', '1']], link: l}]\n"),
    ];
    insta::assert_snapshot!(table.join("\n"), @"
    a:5 ab:5 image:5 true false
    a:5 ab:5 true false
    a:5 image:5 true false
    ab:5 image:5 true false
    ab:5 image:5 true false
    image:5 true false
    image:5 true false
    ab:5 image:5 true false
    image:5 true false
    image:5 true false
    image:5 true false
    image:5 true false
     true false
    a:5 ab:5 image:5 true false
    image:5 true false
    ");
}
