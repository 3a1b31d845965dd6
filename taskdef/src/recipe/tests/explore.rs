use super::*;
fn e(text: &str) {
    match Recipe::parse("x.yaml", text) {
        Ok(_) => println!("OK   {text:?}"),
        Err(e) => println!("{e} | {:?}", e.hint),
    }
}
#[test]
fn explore() {
    let head = "recipe: 1\nname: x\ndescription: d\n";
    e("");
    e("recipe: 1\nname: x\n");
    e("recipe: 2\nname: x\ndescription: d\n");
    e("[]");
    e("recipe: 1\nname: [x]\ndescription: d\n");
    e("recipe: one\nname: x\ndescription: d\n");
    e("recipe: 1\nname: X\ndescription: d\n");
    e(&format!("{head}sidecar: []\n"));
    e(&format!("{head}name: y\n"));
    e(&format!("{head}inputs:\n  a:\n    descripton: x\n"));
    e(&format!("{head}inputs:\n  a: {{}}\n"));
    e(&format!("{head}inputs:\n  a: {{description: d, type: number}}\n"));
    e(&format!("{head}inputs:\n  a: {{description: d, type: integer, default: x}}\n"));
    e(&format!("{head}inputs:\n  a: {{description: d, required: yes}}\n"));
    e(&format!("{head}workload:\n  - setings: {{}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environement: []\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, vale: b}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: 1}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{{{ inputs.b }}}}'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{{{ container.nme }}}}'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{{{ contaner.name }}}}'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{{{ task. }}}}'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{{{ task.family'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{{{ task.family|uper }}}}'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{{{ task.family is nne }}}}'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{% set x = 1 %}}a'}}\n"));
    e(&format!("{head}workload:\n  - settings:\n      environment:\n        - {{name: A, value: '{{% for c in containers %}}{{{{ c.name }}}}{{% endfor %}}'}}\n"));
    e(&format!("{head}workload:\n  - when: container.user = \"root\"\n    settings: {{}}\n"));
    e(&format!("{head}workload:\n  - when: true\n    settings: {{}}\n"));
    e(&format!("{head}workload:\n  - when: '{{{{ container.user }}}}'\n    settings: {{}}\n"));
    e(&format!("{head}workload:\n  - process: {{arrangement: prefx, wrapper: [a]}}\n"));
    e(&format!("{head}workload:\n  - process: {{}}\n"));
    e(&format!("{head}workload:\n  - process: {{wrapper: ['{{{{ container.name }}}}']}}\n"));
    e(&format!("{head}workload:\n  - settings: {{command: [a]}}\n"));
    e(&format!("{head}workload:\n  - settings: {{image: a}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{image: b}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: true}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: true, image: !Ref x}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: true, image: x, cpu: 1.5}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: true, image: x, cpu: '10'}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: yes, image: x}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: true, image: x, logConfiguration: inherit}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: true, image: x, logConfiguration: inhert}}\n"));
    e(&format!("{head}sidecars:\n  - name: a\n    settings: {{essential: true, image: x, entryPoint: a}}\n"));
    e(&format!("{head}task:\n  - settings: {{networkMode: x}}\n"));
    e(&format!("{head}task:\n  - settings: [a]\n"));
    e(&format!("{head}task:\n  - settings:\n  - x\n"));
    e(&format!("{head}task: \t\n - a: 'x\n"));
    e(&format!("{head}---\na: b\n"));
    e(&format!("{head}task: &a\n  - *a\n"));
    e("recipe: 1\nname: x\ndescription: \"\\u0000\"\n");
    e(&"[".repeat(100000));
}
