//! What is wrong with a file, and where.

use super::*;

fn error(text: &str) -> String {
    let error = Recipe::parse("templates/x.yaml", text).unwrap_err();
    shown(&error, error.hint.as_deref())
}

fn errors(bodies: &[&str]) -> String {
    let errors = bodies.iter().map(|body| error(&with_head(body)));
    errors.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_file_itself() {
    let texts = [
        "",
        "[]",
        "recipe: 1\nname: x\n",
        "recipe: 2\nname: x\ndescription: d\n",
        "recipe: one\nname: x\ndescription: d\n",
        "recipe: 1\nname: [x]\ndescription: d\n",
        "recipe: 1\nname: My recipe\ndescription: d\n",
        "recipe: 1\nname: x\nname: y\ndescription: d\n",
        "recipe: 1\nname: x\ndescription: d\n---\na: b\n",
        "recipe: 1\nname: x\ndescription: d\nsidecar: []\n",
        "recipe: 1\nname: x\ndescription: d\nimageSecrets: [a*/b, key_]\n",
    ];
    let errors: Vec<_> = texts.iter().map(|text| error(text)).collect();
    insta::assert_snapshot!(errors.join("\n"), @"
    templates/x.yaml:1:1: the file is empty
    templates/x.yaml:1:1: expected a map
    templates/x.yaml:2:1: the key `description` is missing
    templates/x.yaml:1:9: this program reads version 1 of the format
    templates/x.yaml:1:9: expected a whole number
    templates/x.yaml:2:7: expected a text
    templates/x.yaml:2:7: a recipe's name has lower-case letters, digits and hyphens only
    templates/x.yaml:3:1: the key `name` stands here twice
    templates/x.yaml:5:1: a file holds one recipe
    templates/x.yaml:4:1: unknown key `sidecar`
    did you mean `sidecars`?
    templates/x.yaml:4:22: an entry of `imageSecrets` is some text, and one `*` where the credential stands
    ");
    assert!(error(&"[".repeat(100_000)).starts_with("templates/x.yaml:1:"));
}

#[test]
fn inputs() {
    insta::assert_snapshot!(errors(&[
        "inputs:\n  a: {descripton: x}\n",
        "inputs:\n  a: {}\n",
        "inputs:\n  a-b: {description: d}\n",
        "inputs:\n  a: {description: d, type: number}\n",
        "inputs:\n  a: {description: d, type: integer, default: x}\n",
        "inputs:\n  a: {description: d, type: port, default: 65536}\n",
        "inputs:\n  a: {description: d, allowed: [b], default: c}\n",
        "inputs:\n  arrangement: {default: sideways}\nworkload:\n  - process: {wrapper: [/w]}\n",
        "inputs:\n  a: {description: d, allowed: [b], mayBeEmpty: true}\n",
        "inputs:\n  a: {description: d, type: list, mayBeEmpty: true}\n",
        "inputs:\n  a: {description: d, required: true, default: c}\n",
        "inputs:\n  a: {description: d, required: yes}\n",
        "inputs:\n  a: {description: d, requiredWhen: inputs.c == 'd'}\n",
        "inputs:\n  a: {description: d, requiredWhen: container.user == 'd'}\n",
    ]), @"
    templates/x.yaml:6:7: unknown key `descripton`
    did you mean `description`?
    templates/x.yaml:6:3: the key `description` is missing
    templates/x.yaml:6:3: an input's name is written in camelCase
    templates/x.yaml:6:29: `number` is not one of `text`, `integer`, `size`, `port`, `boolean`, `list`
    templates/x.yaml:6:47: the default does not have the input's type
    templates/x.yaml:6:44: the default does not have the input's type
    templates/x.yaml:6:3: the default is not one of the allowed values
    templates/x.yaml:6:3: the default is not one of the allowed values
    templates/x.yaml:6:3: `mayBeEmpty` belongs to a text without `allowed` values
    templates/x.yaml:6:3: `mayBeEmpty` belongs to a text without `allowed` values
    templates/x.yaml:6:3: an input with a default is not required
    templates/x.yaml:6:33: expected `true` or `false`
    templates/x.yaml:6:37: unknown input `c`
    templates/x.yaml:6:37: `container` is not known here
    ");
}

#[test]
fn what_is_said_about_inputs() {
    let two =
        "inputs:\n  a: {description: d}\n  b: {description: d, type: integer}\ncompatibility:\n";
    insta::assert_snapshot!(errors(&[
        "inputs:\n  a: {description: d, secretKey: k}\n",
        "inputs:\n  a: {description: d, names: container}\n",
        "inputs:\n  a: {description: d, names: containers, type: integer}\n",
        "sidecars:\n  - {name: a, mutableImage: refuse, settings: {essential: true, image: b}}\n",
        &format!("{two}  - {{inputs: [a], versions: []}}\n"),
        &format!("{two}  - {{inputs: [a, c], versions: []}}\n"),
        &format!("{two}  - {{inputs: [a, b], versions: []}}\n"),
        &format!("{two}  - {{inputs: [a, image], versions: [['1']]}}\nsidecars:\n  - {{name: a, settings: {{essential: true, image: b}}}}\n"),
    ]), @"
    templates/x.yaml:6:3: `secretKey` belongs to an input that is `secret`
    templates/x.yaml:6:30: `container` is not one of `containers`
    templates/x.yaml:6:3: names of containers are a text or a list, and no secret
    templates/x.yaml:6:29: `refuse` is not one of `warn`
    templates/x.yaml:9:14: `inputs` names two or more inputs whose versions have to fit
    templates/x.yaml:9:14: unknown input `c`
    templates/x.yaml:9:14: the input `b` holds no version: it is not a plain text
    templates/x.yaml:9:36: each row of `versions` has a version for each of the `inputs`
    ");
}

#[test]
fn settings_have_the_names_and_types_of_the_ecs_api() {
    insta::assert_snapshot!(errors(&[
        "workload:\n  - setings: {}\n",
        "workload:\n  - settings:\n      environement: []\n",
        "workload:\n  - settings:\n      environment:\n        - {name: A, vale: b}\n",
        "workload:\n  - settings:\n      environment:\n        - {name: A, value: 1}\n",
        "workload:\n  - settings: {volumesFrom: [{sourceContainer: a, readonly: true}]}\n",
        "workload:\n  - settings: {command: [a]}\n",
        "workload:\n  - settings: {workingDirectory: /}\n",
        "sidecars:\n  - name: a\n    settings: {image: b}\n",
        "sidecars:\n  - name: a\n    settings: {essential: true}\n",
        "sidecars:\n  - name: a\n    settings: {essential: yes, image: b}\n",
        "sidecars:\n  - name: a\n    settings: {essential: true, image: b, cpu: 1.5}\n",
        "sidecars:\n  - name: a\n    settings: {essential: true, image: b, cpu: '10'}\n",
        "sidecars:\n  - name: a\n    settings: {essential: true, image: b, entryPoint: c}\n",
        "sidecars:\n  - name: a\n    settings: {essential: true, image: b, logConfiguration: c}\n",
        "sidecars:\n  - name: a\n    settings: {essential: true, image: !Ref b}\n",
        "sidecars:\n  - {name: a, settings: {essential: true, image: b}}\n  - {name: a, settings: {essential: true, image: b}}\n",
        "task:\n  - settings: {networkMode: host}\n",
        "task:\n  - settings: [a]\n",
    ]), @"
    templates/x.yaml:6:5: unknown key `setings`
    did you mean `settings`?
    templates/x.yaml:7:7: unknown key `environement`
    did you mean `environment`?
    templates/x.yaml:8:21: unknown key `vale`
    did you mean `value`?
    templates/x.yaml:8:28: `value` has to be a text; put numbers, `true` and `false` in quotes
    templates/x.yaml:6:51: unknown key `readonly`
    did you mean `readOnly`?
    templates/x.yaml:6:16: a recipe cannot set `command` of a workload
    use `process`
    templates/x.yaml:6:16: a recipe cannot set `workingDirectory` of a workload
    templates/x.yaml:6:11: the setting `essential` has to be stated
    templates/x.yaml:6:11: the sidecar has no image: state it, or give the input `image` a default
    templates/x.yaml:7:27: `essential` has to be `true` or `false`
    templates/x.yaml:7:48: a number with a fraction or an exponent: put it in quotes
    templates/x.yaml:7:48: `cpu` has to be a whole number
    templates/x.yaml:7:55: `entryPoint` has to be a list
    templates/x.yaml:7:61: `logConfiguration` has to be a map, or `inherit`
    templates/x.yaml:7:45: unsupported tag `!Ref`
    templates/x.yaml:7:12: two sidecars have the same name
    templates/x.yaml:6:16: unknown key `networkMode`
    templates/x.yaml:6:15: `settings` has to be a map
    ");
}

#[test]
fn processes() {
    insta::assert_snapshot!(errors(&[
        "workload:\n  - process: {arrangement: prefx, wrapper: [a]}\n",
        "workload:\n  - process: {}\n",
        "workload:\n  - process: {arrangement: shell-join}\n",
        "workload:\n  - process: {wrapper: [a], script: b}\n",
        "workload:\n  - process: {wrapper: [a], suffix: [b]}\n",
        "workload:\n  - process: {wrapper: ['{{ container.name }}']}\n",
    ]), @"
    templates/x.yaml:6:28: `prefx` is not one of `prefix`, `command`, `entry-point`, `prefix-suffix`, `shell-join`, `none`
    templates/x.yaml:6:14: the key `wrapper` is missing
    templates/x.yaml:6:14: `script` belongs to the arrangement `shell-join`, and has to be there
    templates/x.yaml:6:14: `script` belongs to the arrangement `shell-join`, and has to be there
    templates/x.yaml:6:14: `suffix` and `command` belong to the arrangement `prefix-suffix`
    templates/x.yaml:6:25: `container` is not known here
    ");
}

#[test]
fn expressions() {
    let value = |source: &str| {
        error(&with_head(&format!(
            "workload:\n  - settings: {{user: {source:?}}}\n"
        )))
    };
    let sources = [
        "{{ inputs.b }}",
        "{{ inputs }}",
        "{{ container.nme }}",
        "{{ contaner.name }}",
        "{{ task. }}",
        "{{ task.family",
        "{{ task.family | uper }}",
        "x{{ task.family is nne }}",
        "{{ 'a' * 100 }}",
        "{{ task.family[:3] }}",
        "{{ range(5) }}",
        "{% set x = 1 %}a",
        "{% for c in containers %}{{ c.name }}{% endfor %}",
        "{% if true %}a",
    ];
    let long = format!("{{{{ '{}' }}}}", "a".repeat(1100));
    let errors: Vec<_> = sources
        .into_iter()
        .chain([long.as_str()])
        .map(value)
        .collect();
    insta::assert_snapshot!(errors.join("\n"), @"
    templates/x.yaml:6:22: unknown input `b`
    templates/x.yaml:6:22: `inputs` needs a name after it, with a dot
    templates/x.yaml:6:22: unknown name `container.nme`
    did you mean `name`?
    templates/x.yaml:6:22: `contaner` is not known here
    did you mean `container`?
    templates/x.yaml:6:22: the expression is not valid: unexpected end of input, expected identifier or integer
    templates/x.yaml:6:22: `{{` is not closed
    templates/x.yaml:6:22: unknown filter `uper`; there are `join`, `json`, `length`, `lower`, `replace`, `split`, `upper`
    templates/x.yaml:6:22: unknown test `nne`; there are `endingwith`, `none`, `startingwith`
    templates/x.yaml:6:22: `*` is not part of the recipe language
    templates/x.yaml:6:22: slices and maps are not part of the recipe language
    templates/x.yaml:6:22: `range` is not known here
    templates/x.yaml:6:22: the statement `set` is not part of the recipe language
    templates/x.yaml:6:22: `containers` is not known here
    did you mean `container`?
    templates/x.yaml:6:22: the expression is not valid: unexpected end of input, expected end of block
    templates/x.yaml:6:22: the expression is longer than 1024 characters
    ");
}

#[test]
fn entries_that_nothing_tells_apart() {
    insta::assert_snapshot!(errors(&[
        "workload:\n  - settings: {dependsOn: [{}]}\n",
        "workload:\n  - settings:\n      environment:\n        - {name: A, value: b}\n        - {value: c}\n",
        "task:\n  - settings: {volumes: [{host: {sourcePath: /x}}]}\n",
    ]), @"
    templates/x.yaml:6:28: an entry of `dependsOn` needs `containerName`
    templates/x.yaml:9:11: an entry of `environment` needs `name`
    templates/x.yaml:6:26: an entry of `volumes` needs `name`
    ");
    let range = "workload:\n  - settings: {portMappings: [{containerPortRange: 1-2}]}\n";
    assert!(Recipe::parse("x.yaml", &with_head(range)).is_ok());
}

#[test]
fn conditions() {
    insta::assert_snapshot!(errors(&[
        "workload:\n  - when: container.user = 'root'\n",
        "workload:\n  - when: true\n",
        "workload:\n  - when: '{{ container.user }}'\n",
        "workload:\n  - when: [container.usr == 'root']\n",
        "workload:\n  - when: [task.famly == 'shop']\n",
        "task:\n  - {when: container.user == 'root', settings: {}}\n",
        "requires:\n  - {that: container.user == 'root'}\n",
        "requires:\n  - {that: container.user == 'root', message: 'not {{ container.usr }}'}\n",
    ]), @"
    templates/x.yaml:6:11: the expression is not valid: unexpected input after expression
    templates/x.yaml:6:11: expected a condition, or a list of conditions
    templates/x.yaml:6:11: a condition is written without `{{` and `}}`
    templates/x.yaml:6:12: unknown name `container.usr`
    did you mean `user`?
    templates/x.yaml:6:12: unknown name `task.famly`
    did you mean `family`?
    templates/x.yaml:6:12: `container` is not known here
    did you mean `containers`?
    templates/x.yaml:6:6: the key `message` is missing
    templates/x.yaml:6:47: unknown name `container.usr`
    did you mean `user`?
    ");
}

#[test]
fn a_recipe_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) -> bool {
        true
    }
    let recipe = recipe("");
    assert!(shared(&bind(&recipe, &[])) && shared(&recipe));
}
