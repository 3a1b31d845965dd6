//! The JSON Schema of recipes, held against the program that reads them: what loads is valid, and what is
//! wrong in form is valid for neither.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use outrigger_tests::document::parse;
use serde_json::Value;
use taskdef::recipe::{Recipe, builtin};

struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

fn schema() -> Schema {
    let text = fs::read_to_string("../templates/recipe.schema.json").unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["$schema"], "http://json-schema.org/draft-07/schema#");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let name = "file:///recipe.schema.json";
    compiler.add_resource(name, value).unwrap();
    let index = compiler.compile(name, &mut schemas).unwrap();
    Schema { schemas, index }
}

impl Schema {
    /// What is wrong with a recipe, if anything.
    fn refuses(&self, text: &str) -> Option<String> {
        let value = parse(text.as_bytes()).unwrap();
        let wrong = self.schemas.validate(&value, self.index).err()?;
        Some(wrong.to_string())
    }
}

/// Every `recipe*.yaml` under a folder.
fn recipes_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(recipes_under(&path));
        } else if name.starts_with("recipe") && name.ends_with(".yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_recipe_that_loads_is_valid() {
    let schema = schema();
    for (name, text) in builtin() {
        assert_eq!(schema.refuses(text), None, "{name}");
        let first = text.lines().next().unwrap();
        assert_eq!(first, "# yaml-language-server: $schema=recipe.schema.json");
    }
    let mut loaded = 0;
    for path in recipes_under(Path::new("cases")) {
        let text = fs::read_to_string(&path).unwrap();
        if Recipe::parse("recipe.yaml", &text).is_ok() {
            assert_eq!(schema.refuses(&text), None, "{}", path.display());
            loaded += 1;
        }
    }
    assert!(loaded > 50, "only {loaded} recipes");
}

#[test]
fn the_schema_is_no_recipe() {
    let names = builtin().iter().map(|(name, _)| *name);
    let mut files: Vec<String> = fs::read_dir("../templates")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "recipe.schema.json")
        .collect();
    files.sort();
    let expected: Vec<String> = names.map(|name| format!("{name}.yaml")).collect();
    assert_eq!(files, expected);
}

/// A recipe with this text after its head.
fn with_head(body: &str) -> String {
    format!("recipe: 1\nname: x\ndescription: a test\n{body}\n")
}

/// A recipe with this as the settings of its workload.
fn workload(settings: &str) -> String {
    with_head(&format!("workload:\n  - settings: {settings}"))
}

/// A recipe with this as the settings of its sidecar.
fn sidecar(settings: &str) -> String {
    with_head(&format!("sidecars:\n  - name: a\n    settings: {settings}"))
}

/// Whole files that are wrong in form.
const FILES: &[&str] = &[
    "[]",
    "recipe: 1\nname: x\n",
    "recipe: 2\nname: x\ndescription: d\n",
    "recipe: one\nname: x\ndescription: d\n",
    "recipe: 1\nname: [x]\ndescription: d\n",
    "recipe: 1\nname: My recipe\ndescription: d\n",
];

/// What is wrong in form after a good head.
const BODIES: &[&str] = &[
    "sidecar: []",
    "inputs: []",
    "inputs: {a: {}}",
    "inputs: {a: {descripton: x}}",
    "inputs: {a-b: {description: d}}",
    "inputs: {A: {description: d}}",
    "inputs: {a: {description: d, type: number}}",
    "inputs: {a: {description: d, required: maybe}}",
    "inputs: {a: {description: d, default: {b: c}}}",
    "inputs: {a: {description: d, names: volumes}}",
    "inputs: {a: {description: d, allowed: x}}",
    "requires: [{that: 'true'}]",
    "requires: [{message: m}]",
    "requires: [{that: {a: b}, message: m}]",
    "requires: [{that: '{{ inputs.image }}', message: m}]",
    "assumes: [{message: m}]",
    "workload: {}",
    "workload: [{wen: x}]",
    "workload: [{when: {a: b}}]",
    "workload: [{process: {}}]",
    "workload: [{process: {wrapper: /wrap}}]",
    "workload: [{process: {wrapper: [/wrap], arrangement: around}}]",
    "workload: [{process: {wrapper: [/wrap], script: x}}]",
    "workload: [{process: {wrapper: [/wrap], suffix: [x]}}]",
    "workload: [{process: {arrangement: shell-join}}]",
    "workload: [{process: {arrangement: shell-join, script: [x]}}]",
    "sidecars: [{name: a}]",
    "sidecars: [{settings: {essential: true, image: x}}]",
    "sidecars: [{name: a, position: first, settings: {essential: true, image: x}}]",
    "sidecars: [{name: a, mutableImage: fail, settings: {essential: true, image: x}}]",
    "sidecars: [{name: a, settings: {essential: true, image: x}, blocks: [{each: task, settings: {}}]}]",
    "sidecars: [{name: a, settings: {essential: true, image: x}, blocks: [{when: 'true'}]}]",
    "task: [{settings: {cpu: 256}}]",
    "task: [{settings: {volumes: [{nam: v}]}}]",
    "task: [{settings: {ephemeralStorage: 21}}]",
    "permissions: {role: []}",
    "permissions: {taskRole: [{link: l}]}",
    "prerequisites: [{text: t, url: u}]",
    "network: {text: t}",
    "compatibility: [{inputs: [a, b]}]",
    "compatibility: [{inputs: [a, b], versions: [\"1\"]}]",
];

/// Settings that a workload cannot have.
const OF_WORKLOAD: &[&str] = &[
    "[]",
    "{entryPoint: [x]}",
    "{command: [x]}",
    "{image: x}",
    "{name: x}",
    "{essential: true}",
    "{volumeFrom: []}",
    "{VolumesFrom: []}",
    "{volumesFrom: [{sourceContainers: a}]}",
    "{volumesFrom: [{sourceContainer: a, readOnly: sometimes}]}",
    "{environment: {A: b}}",
    "{environment: [{name: A, value: 5}]}",
    "{environment: [{name: A, value: true}]}",
    "{environment: [A]}",
    "{cpu: many}",
    "{cpu: \"1\"}",
    "{user: 0}",
    "{privileged: \"true\"}",
    "{dockerLabels: {a: 1}}",
    "{logConfiguration: own}",
    "{linuxParameters: {capabilities: [SYS_PTRACE]}}",
    "{linuxParameters: {capabilities: {add: SYS_PTRACE}}}",
    "{healthCheck: {command: [CMD], interval: often}}",
    "{dependsOn: [{name: a, condition: START}]}",
    "{memory: }",
];

/// Settings that a sidecar cannot have.
const OF_SIDECAR: &[&str] = &[
    "{image: x}",
    "{image: x, essential: no-thing}",
    "{image: x, essential: true, name: b}",
    "{image: x, essential: true, portMappings: [{containerPort: http}]}",
];

/// Each is wrong in form.
fn broken() -> Vec<String> {
    let files = FILES.iter().map(|text| (*text).to_owned());
    files
        .chain(BODIES.iter().map(|body| with_head(body)))
        .chain(OF_WORKLOAD.iter().map(|settings| workload(settings)))
        .chain(OF_SIDECAR.iter().map(|settings| sidecar(settings)))
        .collect()
}

#[test]
fn what_is_wrong_in_form_is_refused_by_both() {
    let schema = schema();
    for text in broken() {
        assert!(Recipe::parse("x.yaml", &text).is_err(), "it loads:\n{text}");
        assert!(schema.refuses(&text).is_some(), "it is valid:\n{text}");
    }
}

#[test]
fn what_is_unusual_in_form_is_taken_by_both() {
    let texts = [
        with_head("inputs: {a: {description: d, allowed: [1, true], default: 1}}"),
        with_head("inputs: {a: {description: d, type: list, default: [1, b]}}"),
        with_head("inputs: {executionRole: {required: true}}"),
        with_head("requires: [{that: ['true', ['true']], message: m}]"),
        with_head("workload: [{process: {wrapper: '{{ inputs.executionRole }}'}}]"),
        workload(
            "{cpu: '{{ 5 }}', privileged: '{{ true }}', environment: '{{ inputs.executionRole }}'}",
        ),
        workload("{environment: ['{{ inputs.executionRole }}', {name: A, value: '5'}]}"),
        workload("{logConfiguration: inherit, dockerLabels: {any.key: x}}"),
        workload(
            "{logConfiguration: '{{ inputs.executionRole }}', healthCheck: '{% if true %}x{% endif %}'}",
        ),
        sidecar("{image: x, essential: '{{ true }}'}"),
    ];
    let schema = schema();
    for text in texts {
        let loaded = Recipe::parse("x.yaml", &text).map_err(|error| error.to_string());
        assert!(loaded.is_ok(), "{loaded:?}\n{text}");
        assert_eq!(schema.refuses(&text), None, "{text}");
    }
}

#[test]
fn every_key_says_what_it_is() {
    let text = fs::read_to_string("../templates/recipe.schema.json").unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let definitions = schema["definitions"].as_object().unwrap();
    // Keys of ECS have a link in their place, and inputs are described as a person sees them.
    let own = definitions.iter().filter(|(name, _)| {
        !name.contains('.') && !name.ends_with("Settings") && *name != "Inputs"
    });
    let objects = own.map(|(_, definition)| definition).chain([&schema]);
    let mut keys = 0;
    for object in objects {
        let properties = object["properties"].as_object().into_iter().flatten();
        for (key, property) in properties {
            let described = property["description"].as_str();
            assert!(
                described.is_some_and(|text| text.ends_with('.') && !text.contains('\n')),
                "{key}"
            );
            keys += 1;
        }
    }
    assert!(keys > 40, "{keys}");
    let volumes = definitions["container.volumesFrom"]["description"].as_str();
    assert!(volumes.unwrap().ends_with("-volumesFrom"));
}
