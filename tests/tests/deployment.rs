//! What a person deploys: `sam.yaml`, and the samples of the macro, processed as CloudFormation
//! would and without a network.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use macro_lambda::{Macro, VARIABLES};
use outrigger_tests::document::parse;
use outrigger_tests::law::{self, LACEWORK};
use outrigger_tests::run::cfn_filter;
use serde_json::{Map, Value, json};

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "123456789012";

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}

fn read(file: &str) -> Vec<u8> {
    let path = path(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn template(file: &str) -> Value {
    parse(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
}

/// The parameter of `sam.yaml` for a setting.
fn parameter(setting: &str) -> String {
    let words = setting.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_owned() + &rest.to_lowercase()
    });
    words.collect()
}

/// The macro's response to a fragment. No registry is asked, whatever the fragment holds.
fn answer(variables: &[(String, String)], fragment: &Value, params: &Value) -> Value {
    let event = json!({
        "region": REGION,
        "accountId": ACCOUNT,
        "fragment": fragment,
        "transformId": format!("{ACCOUNT}::Outrigger"),
        "params": params,
        "requestId": "r-1",
        "templateParameterValues": {"Image": "nginx:1.27"},
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let nowhere = variable("ALLOWED_REGISTRIES", "registry.invalid");
    let variables = std::iter::once(nowhere).chain(variables.iter().cloned());
    let outrigger = Arc::new(Macro::new(variables));
    let answered = runtime.block_on(outrigger.answer(event.to_string(), Duration::from_secs(60)));
    assert_eq!(answered.metrics.registry_requests, 0);
    serde_json::to_value(&answered.response).unwrap()
}

fn variable(setting: &str, value: &str) -> (String, String) {
    (format!("OUTRIGGER_{setting}"), value.to_owned())
}

#[test]
fn every_setting_is_a_parameter_and_a_variable_of_the_function() {
    let sam = template("sam.yaml");
    let parameters = object(&sam["Parameters"]);
    let function = &sam["Resources"]["Function"]["Properties"];
    let variables = object(&function["Environment"]["Variables"]);
    let settings: Vec<&str> = variables
        .keys()
        .filter_map(|name| name.strip_prefix("OUTRIGGER_"))
        .collect();
    assert_eq!(settings, VARIABLES);
    for setting in VARIABLES {
        let name = parameter(setting);
        assert_eq!(
            variables[&format!("OUTRIGGER_{setting}")],
            json!({"Ref": name})
        );
        assert_eq!(parameters[&name]["Type"], "String", "{name}");
        let is_required = parameters[&name].get("Default").is_none();
        assert_eq!(is_required, setting == "RECIPE", "{name}");
    }
    let others = variables
        .keys()
        .filter(|name| !name.starts_with("OUTRIGGER_"));
    assert_eq!(others.collect::<Vec<_>>(), ["HTTPS_PROXY", "NO_PROXY"]);
}

#[test]
fn every_parameter_is_described_and_stands_in_one_group() {
    let sam = template("sam.yaml");
    let mut names: Vec<&str> = object(&sam["Parameters"])
        .iter()
        .map(|(name, parameter)| {
            assert!(parameter["Description"].is_string(), "{name}");
            name.as_str()
        })
        .collect();
    let groups = &sam["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let groups = groups.as_array().unwrap().iter();
    let mut grouped: Vec<&str> = groups
        .flat_map(|group| group["Parameters"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    names.sort_unstable();
    grouped.sort_unstable();
    assert_eq!(grouped, names);
}

#[test]
fn the_macro_takes_every_value_that_a_parameter_may_have_and_no_other() {
    let sam = template("sam.yaml");
    let told = |setting: &str, value: &str| {
        let variables = [variable("RECIPE", "alert-logic"), variable(setting, value)];
        let answer = answer(&variables, &json!({"Resources": {}}), &json!({}));
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        (text("status"), text("errorMessage"))
    };
    let mut taken = 0;
    for setting in VARIABLES {
        let parameter = &sam["Parameters"][&parameter(setting)];
        let Some(values) = parameter.get("AllowedValues") else {
            continue;
        };
        let values: Vec<&str> = values
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_str().unwrap())
            .collect();
        let known = values.iter().map(|value| format!("`{value}`"));
        let known = known.collect::<Vec<_>>().join(" or ");
        let (status, message) = told(setting, "neither");
        assert_eq!(status, "failure", "{setting}");
        for part in known.split(" or ") {
            assert!(message.contains(part), "{setting}: {message}");
        }
        for value in values {
            let (status, message) = told(setting, value);
            // It is taken, but for the lock file that is not given here.
            let lacks_lock = (setting, value) == ("LOCKED", "true");
            assert_eq!(status == "success", !lacks_lock, "{setting}: {message}");
            assert_eq!(message.contains("needs the setting"), lacks_lock);
            taken += 1;
        }
    }
    assert!(taken > 15, "only {taken} values");
}

/// Who may do what, one statement a line.
fn allowed(policies: &Value) -> String {
    let mut lines = Vec::new();
    for policy in policies.as_array().unwrap() {
        let (condition, policy) = match policy.get("Fn::If") {
            Some(branches) => (branches[0].as_str().unwrap(), &branches[1]),
            None => ("always", policy),
        };
        for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
            assert_eq!(statement["Effect"], "Allow");
            let (action, resource) = (&statement["Action"], &statement["Resource"]);
            lines.push(format!("{condition}: {action} on {resource}"));
        }
    }
    lines.join("\n")
}

#[test]
fn the_function_may_do_what_it_needs_and_nothing_else() {
    let sam = template("sam.yaml");
    let role = &sam["Resources"]["Role"]["Properties"];
    insta::assert_snapshot!(allowed(&role["Policies"]), @r#"
    always: ["logs:CreateLogStream","logs:PutLogEvents"] on {"Fn::GetAtt":["LogGroup","Arn"]}
    HasEcrRepositories: "ecr:GetAuthorizationToken" on "*"
    HasEcrRepositories: ["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"] on {"Ref":"EcrRepositories"}
    HasRegistrySecrets: "secretsmanager:GetSecretValue" on {"Ref":"RegistrySecrets"}
    HasObjects: "s3:GetObject" on {"Ref":"Objects"}
    HasKmsKeys: "kms:Decrypt" on {"Ref":"KmsKeys"}
    HasNetwork: ["ec2:AssignPrivateIpAddresses","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets","ec2:UnassignPrivateIpAddresses"] on "*"
    "#);
    assert!(role.get("ManagedPolicyArns").is_none());
}

#[test]
fn the_sample_of_parameters_is_one_for_the_template() {
    let sam = template("sam.yaml");
    let values = template("samples/macro-parameters.yaml");
    let mut variables = Vec::new();
    for (name, value) in object(&values) {
        let parameter_of = &sam["Parameters"][name];
        assert!(parameter_of.is_object(), "there is no parameter {name}");
        // SAM joins lists with commas.
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let items: Vec<&str> = items.iter().map(|item| item.as_str().unwrap()).collect();
                items.join(",")
            }
            other => panic!("{name}: neither a text nor a list: {other}"),
        };
        if let Some(setting) = VARIABLES.iter().find(|setting| parameter(setting) == *name) {
            variables.push(variable(setting, &value));
        }
    }
    let answer = answer(&variables, &json!({"Resources": {}}), &json!({}));
    assert_eq!(answer["status"], "success", "{answer}");
    let bound: Value =
        serde_json::from_str(values["RegistryCredentials"].as_str().unwrap()).unwrap();
    let bound: Vec<&Value> = object(&bound)
        .values()
        .flat_map(|arns| arns.as_array().unwrap())
        .collect();
    let readable: Vec<&Value> = values["RegistrySecrets"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(bound, readable);
}

/// The variables of a sample: `NAME=value` a line.
fn environment(sample: &str) -> Vec<(String, String)> {
    let text = String::from_utf8(read(&format!("samples/{sample}/environment"))).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// What CloudFormation does with the macro's transforms: parts from the deepest outward, then the
/// whole. Transforms of AWS stay.
fn processed(variables: &[(String, String)], mut document: Value) -> Value {
    parts(variables, &mut document);
    let Some(transforms) = object(&document).get("Transform").cloned() else {
        return document;
    };
    let mut transforms = match transforms {
        Value::Array(transforms) => transforms,
        one => vec![one],
    };
    assert_eq!(
        transforms.first(),
        Some(&json!("Outrigger")),
        "AWS's own come last"
    );
    transforms.remove(0);
    document.as_object_mut().unwrap().shift_remove("Transform");
    let mut document = fragment(variables, &document, &json!({}));
    if !transforms.is_empty() {
        document["Transform"] = json!(transforms);
    }
    document
}

fn parts(variables: &[(String, String)], value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|item| parts(variables, item)),
        Value::Array(items) => items.iter_mut().for_each(|item| parts(variables, item)),
        _ => return,
    }
    let transform = value
        .as_object_mut()
        .and_then(|map| map.shift_remove("Fn::Transform"));
    if let Some(transform) = transform {
        assert_eq!(transform["Name"], "Outrigger");
        *value = fragment(variables, value, &transform["Parameters"]);
    }
}

fn fragment(variables: &[(String, String)], given: &Value, params: &Value) -> Value {
    let answer = answer(variables, given, params);
    assert_eq!(answer["status"], "success", "{answer}");
    answer["fragment"].clone()
}

/// The samples of the macro: those with an `environment`.
fn samples() -> BTreeMap<String, Value> {
    let folders = fs::read_dir(path("samples")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let samples: BTreeMap<String, Value> = folders
        .filter(|folder| folder.join("environment").is_file())
        .map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let document = template(&format!("samples/{name}/template.yaml"));
            let processed = processed(&environment(&name), document);
            (name, processed)
        })
        .collect();
    assert!(samples.len() >= 2);
    samples
}

#[test]
fn every_sample_of_the_macro_gives_what_is_expected() {
    for (name, after) in samples() {
        let file = format!("samples/{name}.processed.json");
        let text = serde_json::to_string_pretty(&after).unwrap() + "\n";
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&file, &text).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(expected, text, "{file}");
        let before = template(&format!("samples/{name}/template.yaml"));
        let lock = serde_json::from_str("{\"version\": 1, \"images\": {}}").unwrap();
        let verdict = law::judge(&before, &after, &lock, &LACEWORK);
        assert!(verdict.broken.is_empty(), "{name}: {:#?}", verdict.broken);
        assert!(verdict.wrapped > 0, "{name}: nothing was done");
    }
}

#[test]
fn processing_again_changes_nothing() {
    let once = &samples()["macro-service"];
    let mut again = once.clone();
    again["Transform"] = json!(["Outrigger", "AWS::LanguageExtensions"]);
    assert_eq!(processed(&environment("macro-service"), again), *once);
}

/// The way round a macro that is down: `cfn-filter` with the same settings.
#[test]
fn the_filter_gives_what_the_macro_gives() {
    let sample = "samples/macro-service/template.yaml";
    let inputs: Value = environment("macro-service")
        .iter()
        .find(|(name, _)| name == "OUTRIGGER_INPUTS")
        .map(|(_, value)| serde_json::from_str(value).unwrap())
        .unwrap();
    let token = inputs["accessToken"].as_str().unwrap();
    let file = format!("../{sample}");
    let token = format!("accessToken={token}");
    let args = [
        &file,
        "--recipe",
        "lacework",
        "--set",
        &token,
        "--region",
        REGION,
        "--account-id",
        ACCOUNT,
    ];
    let args = args.map(str::to_owned);
    let ran = cfn_filter(&args, b"");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let mut filtered = parse(&ran.stdout).unwrap();
    filtered["Transform"] = json!(["AWS::LanguageExtensions"]);
    assert_eq!(filtered, samples()["macro-service"]);
}

#[test]
fn the_message_in_the_document_is_the_one_that_is_given() {
    let page = String::from_utf8(read("docs/macro.md")).unwrap();
    let prefix = format!("Transform {ACCOUNT}::Outrigger failed with: ");
    let shown = page.lines().find_map(|line| line.strip_prefix(&prefix));
    let document = json!({
        "Parameters": {"Image": {"Type": "String"}},
        "Resources": {"ApiTask": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
            "RequiresCompatibilities": ["FARGATE"],
            "ContainerDefinitions": [{"Name": "api", "Image": {"Ref": "Image"}}],
        }}},
    });
    let refused = answer(&environment("macro-service"), &document, &json!({}));
    assert_eq!(shown, refused["errorMessage"].as_str());
}

/// What `docs/macro.md` says of parts of templates.
#[test]
fn a_part_knows_neither_the_parameters_nor_the_conditions_of_its_template() {
    let variables = [
        environment("macro-snippet"),
        vec![variable("PARAMETERIZED_IMAGES", "resolve")],
    ];
    let variables = variables.concat();
    let part = |container: Value| {
        json!({
            "RequiresCompatibilities": ["FARGATE"],
            "ExecutionRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/api-execution"),
            "ContainerDefinitions": [container],
        })
    };
    let container = part(json!({"Name": "api", "Image": {"Ref": "Image"}}));
    let refused = answer(&variables, &container, &json!({}));
    insta::assert_snapshot!(refused["errorMessage"].as_str().unwrap(), @"`snippet`, container `api`, image `!Ref Image`: the image depends on the template parameter `Image`, whose declaration a snippet does not hold, so what it runs is not known (parameterized-image); way out: write the image reference as text, or state `EntryPoint`, `Command` and `User`, or put the transform at the top of the template");

    let container = |command: &str| {
        json!({"Name": "api", "Image": "api:1", "User": "root",
            "EntryPoint": ["/api"], "Command": [command]})
    };
    let both = json!({"Fn::If": ["IsProduction", container("serve"), container("try")]});
    let after = fragment(&variables, &part(both), &json!({}));
    let branches = &after["ContainerDefinitions"][0]["Fn::If"];
    for index in [1, 2] {
        assert_eq!(
            branches[index]["EntryPoint"][0], LACEWORK.prefix[0],
            "{after}"
        );
    }
}

#[test]
fn cfn_lint_finds_nothing() {
    let Some(program) = std::env::var_os("CFN_LINT") else {
        assert!(
            std::env::var("OUTRIGGER_TOOLS").as_deref() != Ok("required"),
            "CFN_LINT does not say where cfn-lint is"
        );
        println!("note: CFN_LINT is not set: nothing was linted");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![path("sam.yaml"), path("samples/share-macro.yaml")];
    for (name, processed) in samples() {
        let file = folder.path().join(format!("{name}.json"));
        fs::write(&file, processed.to_string()).unwrap();
        files.extend([file, path(&format!("samples/{name}/template.yaml"))]);
    }
    let run = Command::new(program)
        .arg("--")
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
