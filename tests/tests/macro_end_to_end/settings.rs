//! What the administrator decides, and what a template may.

use outrigger_tests::cloudformation::Deployment;
use outrigger_tests::servers::Moto;
use serde_json::{Value, json};

use crate::service::{deployment, failure, lacework, listed, service, task, with_snippet};
use crate::subject::Subject;

/// A task whose program the template states, so that no image is asked about.
fn stated() -> Value {
    task(json!([{
        "Name": "api",
        "Image": "shop/api:1",
        "EntryPoint": ["/entry"],
        "Command": ["serve"],
        "User": "root",
    }]))
}

/// The same with these parameters of the transform.
fn asking(parameters: Value) -> Value {
    let transform = json!({"Name": "Outrigger", "Parameters": parameters});
    listed(stated(), json!([transform]))
}

fn processed(settings: &[(&str, &str)], template: &Value) -> Value {
    let subject = Subject::start(&lacework(settings));
    subject.process(template, &Deployment::default()).unwrap()
}

/// Whether something was done.
fn instruments(settings: &[(&str, &str)], template: &Value) -> bool {
    let mut before = template.clone();
    before.as_object_mut().unwrap().shift_remove("Transform");
    processed(settings, template) != before
}

#[test]
fn parameters_of_the_transform_are_the_administrators_to_allow() {
    let opt_in = asking(json!({"Mode": "opt-in"}));
    let allowed = |names: &'static str| [("OUTRIGGER_ALLOW_TEMPLATE_PARAMS", names)];
    assert!(!instruments(&allowed("Mode"), &opt_in));
    assert!(instruments(&[], &asking(json!({}))));
    let subject = Subject::start(&lacework(&allowed("Input.*, Recipe")));
    insta::assert_snapshot!(failure(&subject, &opt_in), @"the parameter `Mode` of the transform is not allowed here, allowed: `Input.*`, `Recipe`; way out: leave it out, or have the macro's administrator name it in `OUTRIGGER_ALLOW_TEMPLATE_PARAMS`");
    let hidden =
        asking(json!({"Mood": "canary", "Input.accessToken": "canary", "Input.verbos": "canary"}));
    insta::assert_snapshot!(failure(&subject, &hidden), @"the transform has no parameter `Mood`; way out: there are `Recipe`, `Include`, `Exclude`, `Mode` and `Input.<name>`");
    let secret = asking(json!({"Input.accessToken": "canary"}));
    insta::assert_snapshot!(failure(&subject, &secret), @"recipe `lacework`: the input `accessToken` is a secret, and stands in clear text; way out: store it in Secrets Manager, and give its ARN");
    let other = asking(json!({"Recipe": "alert-logic"}));
    let containers = subject.process(&other, &Deployment::default()).unwrap();
    assert_eq!(
        containers["Resources"]["Task"]["Properties"]["ContainerDefinitions"][1]["Name"],
        "al-agent"
    );
}

#[test]
fn parameters_of_a_snippet_are_read_too() {
    let mut template = stated();
    template.as_object_mut().unwrap().shift_remove("Transform");
    let place = "/Resources/Task/Properties";
    let mut template = with_snippet(template, place);
    let server = json!({"Fn::Sub": "https://${AWS::Region}.example.com"});
    template.pointer_mut(place).unwrap()["Fn::Transform"]["Parameters"] = json!({"Input.serverUrl": {"valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/url"}, "Input.config": server});
    let allowed = [("OUTRIGGER_ALLOW_TEMPLATE_PARAMS", "Input.*")];
    let processed = processed(&allowed, &template);
    let secrets =
        &processed["Resources"]["Task"]["Properties"]["ContainerDefinitions"][0]["Secrets"];
    insta::assert_snapshot!(secrets, @r#"[{"Name":"LaceworkAccessToken","ValueFrom":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf"},{"Name":"LaceworkServerUrl","ValueFrom":"arn:aws:ssm:eu-central-1:123456789012:parameter/url"},{"Name":"LaceworkConfig","ValueFrom":{"Fn::Sub":"https://${AWS::Region}.example.com"}}]"#);
}

#[test]
fn a_tag_may_opt_out_unless_the_administrator_says_otherwise() {
    let mut template = stated();
    template["Resources"]["Task"]["Properties"]["Tags"] =
        json!([{"Key": "outrigger:instrument", "Value": "false"}]);
    assert!(!instruments(&[], &template));
    assert!(instruments(
        &[("OUTRIGGER_ALLOW_OPT_OUT_TAGS", "false")],
        &template
    ));
}

#[test]
fn wrong_settings_are_told_on_every_invocation() {
    let subject = Subject::start(&[
        ("OUTRIGGER_RECIPES", "lacework"),
        ("OUTRIGGER_INPUTS", "canary"),
        ("OUTRIGGER_MODE", "on"),
    ]);
    let told = failure(&subject, &stated());
    insta::assert_snapshot!(told, @"4 problems: [1] the macro is not set up, and its administrator has to mend this: there is no setting `OUTRIGGER_RECIPES`; way out: did you mean `OUTRIGGER_RECIPE`? [2] the setting `OUTRIGGER_RECIPE` is missing; way out: there are: alert-logic, deepfence, lacework, prisma-cloud, sysdig [3] the setting `OUTRIGGER_INPUTS` is not a JSON object [4] the setting `OUTRIGGER_MODE` has to be `opt-out` or `opt-in`");
    for _ in 0..2 {
        assert_eq!(failure(&subject, &stated()), told);
    }
    let at_start = subject
        .log()
        .lines()
        .take_while(|line| !line.contains("request_id"))
        .count();
    assert_eq!(at_start, 4);
}

#[test]
fn values_that_only_a_deployment_knows_are_neither_resolved_nor_shown() {
    let image = |image: Value| {
        let mut template = service();
        let task = &mut template["Resources"]["Task"]["Properties"]["ContainerDefinitions"];
        task[0]["Image"] = image;
        task.as_array_mut().unwrap().pop();
        listed(template, json!("Outrigger"))
    };
    let mut told = Vec::new();
    for settings in [vec![], vec![("OUTRIGGER_PARAMETERIZED_IMAGES", "resolve")]] {
        let subject = Subject::start(&lacework(&settings));
        for name in ["Tag", "Log", "Password"] {
            // Resolved, the tag is the name of an image on a registry that is down.
            let image = image(json!({"Fn::Sub": format!("127.0.0.1:9/shop/api:${{{name}}}")}));
            let result = subject.process(&image, &deployment());
            told.push(format!("{}: {}", settings.len(), result.unwrap_err()));
        }
    }
    insta::assert_snapshot!(told.join("\n"), @"
    0: Transform 123456789012::Outrigger failed with: `Task`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Tag}`: the image depends on the template parameter `Tag`, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or set `OUTRIGGER_PARAMETERIZED_IMAGES` to `resolve`
    0: Transform 123456789012::Outrigger failed with: `Task`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Log}`: the image depends on the parameter `Log`, whose value is the name of an SSM parameter, so what it runs is not known (unknown-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`
    0: Transform 123456789012::Outrigger failed with: `Task`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Password}`: the image depends on the parameter `Password`, which is `NoEcho` and never evaluated, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`
    1: Transform 123456789012::Outrigger failed with: `Task`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Tag}`: the image cannot be read (address-not-allowed); which image, or which secret opens it, depends on `Tag` (image-unresolved); way out: check the values of `Tag`, or state `EntryPoint`, `Command` and `User` in the template
    1: Transform 123456789012::Outrigger failed with: `Task`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Log}`: the image depends on the parameter `Log`, whose value is the name of an SSM parameter, so what it runs is not known (unknown-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`
    1: Transform 123456789012::Outrigger failed with: `Task`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Password}`: the image depends on the parameter `Password`, which is `NoEcho` and never evaluated, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`
    ");
}

/// Moto with a bucket for recipes and lock files, and what is in it.
fn bucket(objects: &[(&str, &str)]) -> Option<Moto> {
    let moto = Moto::start().unwrap()?;
    moto.s3_put("/outrigger-recipes", b"").unwrap();
    for (key, text) in objects {
        let path = format!("/outrigger-recipes/{key}");
        moto.s3_put(&path, text.as_bytes()).unwrap();
    }
    Some(moto)
}

const RECIPE: &str = "
recipe: 1
name: watcher
description: a sidecar of our own
documentation: [https://watcher.example.com]
inputs:
  image: {default: 'registry.example.com/watcher:1'}
sidecars:
  - name: watcher
    settings: {essential: false}
";

#[test]
fn a_recipe_may_be_kept_in_s3() {
    let objects = [
        ("good.yaml", RECIPE),
        ("broken.yaml", "recipe: 1\nname: [\n"),
        ("denied/watcher.yaml", RECIPE),
    ];
    let Some(moto) = bucket(&objects) else {
        return;
    };
    let policy = json!({"Statement": [{
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::outrigger-recipes/denied/*",
    }]});
    let policy = policy.to_string();
    moto.s3_put("/outrigger-recipes?policy", policy.as_bytes())
        .unwrap();
    let url = moto.url();
    let subject = |recipe: &str| {
        let recipe = format!("s3://outrigger-recipes/{recipe}");
        Subject::start(&[("AWS_ENDPOINT_URL", &url), ("OUTRIGGER_RECIPE", &recipe)])
    };
    let good = subject("good.yaml");
    let processed = good.process(&stated(), &Deployment::default()).unwrap();
    let containers = &processed["Resources"]["Task"]["Properties"]["ContainerDefinitions"];
    assert_eq!(containers[1]["Name"], "watcher");
    let told = ["missing.yaml", "broken.yaml", "denied/watcher.yaml"]
        .map(|recipe| failure(&subject(recipe), &stated()));
    insta::assert_snapshot!(told.join("\n"), @"
    `s3://outrigger-recipes/missing.yaml` cannot be read: there is none of this name in `eu-central-1`; way out: check its name, its account, and the region
    the recipe cannot be used: s3://outrigger-recipes/broken.yaml:2:7: expected a text
    `s3://outrigger-recipes/denied/watcher.yaml` cannot be read: `GetObject` is not allowed; way out: allow `s3:GetObject` on it, and `kms:Decrypt` for a key of your own, and check that it exists
    ");
}

#[test]
fn a_snippet_does_not_say_what_its_parameters_are() {
    let settings = [("OUTRIGGER_PARAMETERIZED_IMAGES", "resolve")];
    let subject = Subject::start(&lacework(&settings));
    let mut told = Vec::new();
    for name in ["Tag", "Log", "Password"] {
        let mut template = service();
        let image = json!({"Fn::Sub": format!("127.0.0.1:9/shop/api:${{{name}}}")});
        let containers = "/Resources/Task/Properties/ContainerDefinitions";
        let containers = template.pointer_mut(containers).unwrap();
        containers.as_array_mut().unwrap().pop();
        containers[0]["Image"] = image;
        let template = with_snippet(template, "/Resources/Task");
        let result = subject.process(&template, &deployment());
        told.push(result.unwrap_err());
    }
    insta::assert_snapshot!(told.join("\n"), @"
    Transform 123456789012::Outrigger failed with: `snippet`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Tag}`: the image depends on the template parameter `Tag`, whose declaration a snippet does not hold, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or put the transform at the top of the template
    Transform 123456789012::Outrigger failed with: `snippet`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Log}`: the image depends on the template parameter `Log`, whose declaration a snippet does not hold, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or put the transform at the top of the template
    Transform 123456789012::Outrigger failed with: `snippet`, container `api`, image `!Sub 127.0.0.1:9/shop/api:${Password}`: the image depends on the template parameter `Password`, whose declaration a snippet does not hold, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or put the transform at the top of the template
    ");
}
