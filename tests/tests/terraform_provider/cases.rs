//! The life of a configuration with real Terraform: each folder of `tests/terraform_provider` from
//! its first plan to its end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use outrigger_tests::law::{self, SYSDIG};
use outrigger_tests::plan::TASK_DEFINITION;
use outrigger_tests::run::tf_filter;
use outrigger_tests::terraform::{PLAN, Workspace, copy, fixtures, terraform};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::providers;

const CASES: &str = "terraform_provider";
/// What every case has in its root module.
const SHARED: [&str; 2] = ["outrigger.tf", "outrigger.lock"];
/// The value that no file and no terminal may show.
const SECRET: &str = "hunter2";
/// Where Terraform itself keeps values, sensitive or not.
const KEPT: [&str; 3] = ["terraform.tfstate", "terraform.tfstate.backup", PLAN];
/// A text and the one that replaces it.
type Edit<'t> = (&'t str, &'t str);
/// The call goes: up to its first argument, and from its second one on.
const CALL: &[Edit<'_>] = &[
    ("provider::outrigger::instrument(\n", "(\n"),
    (",\n    local.task,\n    local.outrigger,\n  )", "\n  )"),
];
/// A new version of the application, and one of the agent.
const APPLICATION: Edit<'_> = (":1.25", ":1.26");
const AGENT: Edit<'_> = ("5.2.0", "5.3.0");

/// What `outrigger.tf` gives the recipe besides.
const INPUTS: [&str; 3] = [
    "accessKey=arn:aws:secretsmanager:eu-west-1:123456789012:secret:agent-AbCdEf",
    "orchestratorHost=orchestrator.example.com",
    "orchestratorPort=6667",
];

/// The container definitions of each task definition, by its address.
type Definitions = BTreeMap<String, String>;

struct Case {
    name: String,
    /// The configuration as it was written.
    source: TempDir,
    workspace: Workspace,
}

impl Case {
    fn new(terraform: &Path, folder: &Path) -> Self {
        let source = TempDir::new().unwrap();
        copy(folder, source.path()).unwrap();
        for file in SHARED {
            fs::copy(Path::new(CASES).join(file), source.path().join(file)).unwrap();
        }
        let mut workspace = Workspace::new(terraform, source.path(), &providers()).unwrap();
        workspace.set("TF_VAR_password", SECRET);
        Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            source,
            workspace,
        }
    }

    /// Runs Terraform as a person does at a terminal, and gives the exit code.
    fn run(&self, arguments: &[&str]) -> Option<i32> {
        let ran = self.workspace.run(arguments).unwrap();
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            !said.contains(SECRET),
            "{}: {arguments:?}: {said}",
            self.name
        );
        let is_well = matches!(ran.exit, Some(0 | 2));
        assert!(is_well, "{}: {arguments:?}: {said}", self.name);
        ran.exit
    }

    /// Plans and applies: what the plan does to the task definitions, and what the gate says to it.
    fn converge(&self, agent: &str) -> String {
        self.run(&["plan", "-input=false", "-no-color", "-out", PLAN]);
        let plan = self.workspace.expect(&["show", "-json", PLAN]).unwrap();
        self.run(&["apply", "-input=false", "-no-color", PLAN]);
        self.no_secret_in_files();
        let outcome = outcome(&serde_json::from_str(&plan).unwrap());
        format!("{outcome}, {}", self.gate(&plan, agent))
    }

    /// What `tf-filter --check` says to a plan.
    fn gate(&self, plan: &str, agent: &str) -> &'static str {
        let lock = format!("{CASES}/outrigger.lock");
        let version = format!("agentVersion={agent}");
        let mut arguments = vec!["--check", "--recipe", "sysdig", "--lock", &lock];
        for input in INPUTS.into_iter().chain([version.as_str()]) {
            arguments.extend(["--set", input]);
        }
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        let ran = tf_filter(&arguments, plan.as_bytes());
        assert!(
            !ran.stderr.contains(SECRET),
            "{}: {}",
            self.name,
            ran.stderr
        );
        match ran.exit {
            0 => "gate: passes",
            3 => "gate: stops",
            _ => panic!("{}: {}", self.name, ran.stderr),
        }
    }

    fn second_plan(&self) -> &'static str {
        match self.run(&["plan", "-input=false", "-no-color", "-detailed-exitcode"]) {
            Some(0) => "no changes",
            _ => "changes",
        }
    }

    fn destroy(&self) -> &'static str {
        self.run(&["destroy", "-auto-approve", "-input=false", "-no-color"]);
        match self.state().is_empty() {
            true => "nothing left",
            false => "something left",
        }
    }

    /// Every file of the workspace but those in which Terraform keeps values.
    fn no_secret_in_files(&self) {
        let mut files = Vec::new();
        below(self.workspace.root(), &mut files);
        files.retain(|file| !KEPT.contains(&file.file_name().unwrap().to_str().unwrap()));
        assert!(!files.is_empty());
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(SECRET), "{}: {}", self.name, file.display());
        }
    }

    /// Edits the files that a person writes.
    fn edit(&self, edits: &[Edit<'_>]) {
        let mut files = Vec::new();
        below(&self.workspace.folder(), &mut files);
        let is_source = |file: &PathBuf| {
            let kind = file.extension().unwrap_or_default();
            kind == "tf" || kind == "json"
        };
        files.retain(is_source);
        for (from, to) in edits {
            let mut is_there = false;
            for file in &files {
                let text = fs::read_to_string(file).unwrap();
                is_there |= text.contains(from);
                fs::write(file, text.replace(from, to)).unwrap();
            }
            assert!(is_there, "{}: nothing says `{from}`", self.name);
        }
    }

    /// What is there, as the state on disk has it.
    fn state(&self) -> Definitions {
        let file = self.workspace.folder().join("terraform.tfstate");
        let state: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let resources = state["resources"].as_array().unwrap().iter();
        let tasks = resources.filter(|resource| resource["type"] == TASK_DEFINITION);
        tasks
            .flat_map(|resource| {
                let instances = resource["instances"].as_array().unwrap().iter();
                instances.map(|instance| {
                    let address = format!(
                        "{} {} {}",
                        resource["module"], resource["name"], instance["index_key"]
                    );
                    let definitions = &instance["attributes"]["container_definitions"];
                    (address, definitions.as_str().unwrap().to_owned())
                })
            })
            .collect()
    }

    /// All task definitions run the wrapper, and then what they would run without.
    fn keeps_the_law(&self, without: &Definitions, with: &Definitions, agent: &str) {
        let lock = fs::read_to_string(Path::new(CASES).join("outrigger.lock")).unwrap();
        let lock = serde_json::from_str(&lock).unwrap();
        let verdict = law::judge(&template(without), &template(with), &lock, &SYSDIG);
        assert_eq!(verdict.broken, [""; 0], "{}", self.name);
        let counted = (
            verdict.task_definitions,
            verdict.wrapped,
            verdict.not_judged,
        );
        assert_eq!(
            counted,
            (without.len(), verdict.containers, 0),
            "{}",
            self.name
        );
        for definitions in with.values() {
            let image = format!("\"quay.io/sysdig/workload-agent:{agent}\"");
            assert!(definitions.contains(&image), "{}: {definitions}", self.name);
        }
    }
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The programs of the providers are no text, and links lead to them.
        match path.symlink_metadata().unwrap().file_type() {
            kind if kind.is_dir() && !path.ends_with("mirror") => below(&path, files),
            kind if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}

/// Definitions as a template of CloudFormation, by which the law is judged.
fn template(definitions: &Definitions) -> Value {
    let resources = definitions.iter().map(|(address, text)| {
        let containers: Value = serde_json::from_str(text).unwrap();
        let properties = json!({"ContainerDefinitions": containers});
        let resource = json!({"Type": "AWS::ECS::TaskDefinition", "Properties": properties});
        (address.clone(), resource)
    });
    json!({"Resources": resources.collect::<Map<_, _>>()})
}

/// What a plan does to task definitions, and what it hides of them.
fn outcome(plan: &Value) -> String {
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let tasks: Vec<&Value> = changes
        .filter(|change| change["type"] == TASK_DEFINITION)
        .map(|change| &change["change"])
        .collect();
    let mut words = Vec::new();
    for (actions, word) in [
        (json!(["create"]), "created"),
        (json!(["delete", "create"]), "replaced"),
        (json!(["update"]), "updated"),
        (json!(["no-op"]), "unchanged"),
    ] {
        let count = tasks
            .iter()
            .filter(|task| task["actions"] == actions)
            .count();
        if count > 0 {
            words.push(format!("{count} {word}"));
        }
    }
    for (mark, word) in [
        ("after_unknown", "known after apply"),
        ("after_sensitive", "sensitive"),
    ] {
        if tasks
            .iter()
            .any(|task| task[mark]["container_definitions"] == true)
        {
            words.push(word.to_owned());
        }
    }
    words.join(", ")
}

fn replaced(definitions: &Definitions, (from, to): Edit<'_>) -> Definitions {
    let replaced = definitions.iter();
    replaced
        .map(|(address, text)| (address.clone(), text.replace(from, to)))
        .collect()
}

/// Lives through a case; its row of the table.
fn live(case: &Case) -> String {
    case.run(&["validate", "-no-color"]);
    // What there is without the function, to compare with.
    case.edit(CALL);
    case.run(&["apply", "-auto-approve", "-input=false", "-no-color"]);
    let original = case.state();
    case.destroy();
    copy(case.source.path(), &case.workspace.folder()).unwrap();

    let mut row = vec![case.name.clone(), case.converge(AGENT.0)];
    let first = case.state();
    case.keeps_the_law(&original, &first, AGENT.0);
    let holds_it = first.values().any(|text| text.contains(SECRET));
    assert_eq!(row[1].contains("sensitive"), holds_it, "{row:?}");
    row.push(case.second_plan().to_owned());

    case.edit(&[APPLICATION]);
    row.push(case.converge(AGENT.0));
    let original = replaced(&original, APPLICATION);
    let changed = case.state();
    case.keeps_the_law(&original, &changed, AGENT.0);

    case.edit(&[AGENT]);
    row.push(case.converge(AGENT.1));
    // Nothing else has changed.
    assert_eq!(case.state(), replaced(&changed, AGENT), "{}", case.name);

    case.edit(CALL);
    row.push(case.converge(AGENT.1));
    assert_eq!(case.state(), original, "{}", case.name);
    row.push(case.second_plan().to_owned());
    row.push(case.destroy().to_owned());
    let left: Vec<_> = fs::read_dir(case.workspace.temporary()).unwrap().collect();
    assert!(left.is_empty(), "{}: {left:?}", case.name);
    format!("| {} |\n", row.join(" | "))
}

#[test]
fn every_configuration_lives_from_its_first_plan_to_its_end() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let mut table = String::from(
        "| case | first plan | second plan | another image | another agent | without the call | second plan | destroyed |\n|---|---|---|---|---|---|---|---|\n",
    );
    for folder in fixtures(Path::new(CASES)) {
        table.push_str(&live(&Case::new(&terraform, &folder)));
    }
    println!("{table}");
    insta::assert_snapshot!(table, @"
    | case | first plan | second plan | another image | another agent | without the call | second plan | destroyed |
    |---|---|---|---|---|---|---|---|
    | child_module | 1 created, gate: passes | no changes | 1 replaced, gate: passes | 1 replaced, gate: passes | 1 replaced, gate: stops | no changes | nothing left |
    | count | 2 created, gate: passes | no changes | 2 replaced, gate: passes | 2 replaced, gate: passes | 2 replaced, gate: stops | no changes | nothing left |
    | for_each | 2 created, gate: passes | no changes | 1 replaced, 1 unchanged, gate: passes | 2 replaced, gate: passes | 2 replaced, gate: stops | no changes | nothing left |
    | heredoc | 3 created, gate: passes | no changes | 3 replaced, gate: passes | 3 replaced, gate: passes | 3 replaced, gate: stops | no changes | nothing left |
    | module_for_each | 2 created, gate: passes | no changes | 1 replaced, 1 unchanged, gate: passes | 2 replaced, gate: passes | 2 replaced, gate: stops | no changes | nothing left |
    | nested_module | 1 created, gate: passes | no changes | 1 replaced, gate: passes | 1 replaced, gate: passes | 1 replaced, gate: stops | no changes | nothing left |
    | root | 1 created, gate: passes | no changes | 1 replaced, gate: passes | 1 replaced, gate: passes | 1 replaced, gate: stops | no changes | nothing left |
    | sensitive | 1 created, sensitive, gate: passes | no changes | 1 replaced, sensitive, gate: passes | 1 replaced, sensitive, gate: passes | 1 replaced, sensitive, gate: stops | no changes | nothing left |
    | unknown | 1 created, known after apply, gate: stops | no changes | 1 replaced, gate: passes | 1 replaced, gate: passes | 1 replaced, gate: stops | no changes | nothing left |
    ");
}

#[test]
fn a_refusal_shows_no_value() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    let case = Case::new(&terraform, &Path::new(CASES).join("sensitive"));
    case.edit(&[(":1.25", ":1.27")]);
    let ran = case
        .workspace
        .run(&["plan", "-input=false", "-no-color"])
        .unwrap();
    assert_eq!(ran.exit, Some(1));
    assert!(ran.stderr.contains("(image-unresolved)"), "{}", ran.stderr);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!said.contains(SECRET), "{said}");
    case.no_secret_in_files();
}

#[test]
fn configurations_are_formatted_as_terraform_does() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    for folder in [CASES, "../samples/terraform"] {
        let mut command = Command::new(&terraform);
        command.args(["fmt", "-check", "-recursive", folder]);
        let output = command.env_remove("TF_CLI_CONFIG_FILE").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "not formatted: {said}");
    }
}
