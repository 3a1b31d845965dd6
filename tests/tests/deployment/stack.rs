//! `sam.yaml`, held against the macro that it deploys.

use macro_lambda::VARIABLES;
use serde_json::{Value, json};

use crate::{answer, object, read, template, variable};

/// The parameter of `sam.yaml` for a setting.
fn parameter(setting: &str) -> String {
    let words = setting.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_owned() + &rest.to_lowercase()
    });
    words.collect()
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

#[test]
fn the_stack_runs_what_the_script_builds() {
    let script = String::from_utf8(read("scripts/build-lambda")).unwrap();
    let function = &template("sam.yaml")["Resources"]["Function"]["Properties"];
    for property in ["CodeUri", "Runtime"] {
        let value = function[property].as_str().unwrap();
        assert!(script.contains(value), "{property}: {value}");
    }
}
