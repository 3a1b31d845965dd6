use taskdef::settings::Selection;

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()));
    let others = [
        ("PATH", "/usr/bin"),
        ("HTTPS_PROXY", "http://proxy.example"),
    ];
    let others = others.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Settings::read(variables.chain(others)).map_err(|problems| {
        let told = problems.iter().map(|problem| match &problem.hint {
            Some(hint) => format!("{}\n  hint: {hint}", problem.message),
            None => problem.message.clone(),
        });
        told.collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn a_recipe_is_enough() {
    let settings = read(&[("RECIPE", "alert-logic"), ("MODE", "  "), ("INPUTS", "")]).unwrap();
    assert!(matches!(
        settings.recipes[..],
        [RecipeSource::Builtin("alert-logic", _)]
    ));
    assert_eq!(settings.run.selection.mode, Mode::OptOut);
    assert_eq!(settings.run.selection.tags, SelectionTags::Followed);
    assert_eq!(settings.run.on_unresolved, OnUnresolved::Fail);
    assert_eq!(settings.allowed_params, AllowedParams::default());
    assert!(settings.registries.allowed_registries.is_none());
    assert!(settings.registries.proxies.https.is_some());
    assert!(!settings.locked && settings.lock.is_none() && settings.inputs.is_empty());
}

#[test]
fn every_setting_is_read() {
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf";
    let credentials = format!("{{\"docker.io\": [\"{arn}\"], \"b.example\": \"{arn}\"}}");
    let inputs = format!("{{\"accessToken\": \"{arn}\", \"sysdig.collectorPort\": 6443}}");
    let all = [
        ("ALLOWED_REALMS", "a.example=auth.example"),
        (
            "ALLOWED_REGISTRIES",
            "docker.io, 123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        ),
        ("ALLOW_OPT_OUT_TAGS", "false"),
        ("ALLOW_TEMPLATE_PARAMS", "Mode,Input.*"),
        ("ASSUMPTIONS", "fail"),
        ("CA_BUNDLE", "/opt/ca.pem"),
        ("CONFIRMED_IMAGES", "nginx app:1"),
        ("EXCLUDE", "$.Resources.A\n$.Resources.B"),
        ("INCLUDE", "$.Resources[?@.Properties.Family == 'a, b']"),
        ("INPUTS", inputs.as_str()),
        ("INSECURE_REGISTRIES", "localhost:5000"),
        ("LAUNCH_TYPES", "any"),
        ("LOCK", "s3://recipes/outrigger.lock"),
        ("LOCKED", "true"),
        ("MIRRORS", "docker.io=mirror.example/hub"),
        ("MODE", "opt-in"),
        ("ON_UNRESOLVED", "skip"),
        ("PARAMETERIZED_IMAGES", "resolve"),
        ("PIN_DIGESTS", "keep-tag"),
        ("RECIPE", "lacework s3://recipes/own.yaml"),
        ("REGISTRY_CREDENTIALS", credentials.as_str()),
        ("TASK_SIZE", "grow"),
    ];
    assert_eq!(all.map(|(name, _)| name), VARIABLES);
    let settings = read(&all).unwrap();
    all_of_registries(&settings.registries);
    all_of_selection(&settings.run.selection);
    assert_ne!(settings.allowed_params, AllowedParams::default());
    assert_eq!(settings.run.assumptions, Assumptions::Fail);
    assert_eq!(settings.ca_bundle.unwrap().to_str(), Some("/opt/ca.pem"));
    assert_eq!(settings.run.confirmed, ["nginx", "app:1"]);
    let keys: Vec<&str> = settings
        .inputs
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys, ["accessToken", "sysdig.collectorPort"]);
    assert_eq!(settings.run.launch_types, LaunchTypes::Any);
    assert_eq!(
        settings.lock.unwrap().to_string(),
        "s3://recipes/outrigger.lock"
    );
    assert!(settings.locked);
    assert_eq!(settings.run.on_unresolved, OnUnresolved::Skip);
    assert_eq!(
        settings.run.parameterized_images,
        ParameterizedImages::Resolve
    );
    assert_eq!(settings.run.pin_digests, PinDigests::KeepTag);
    assert_eq!(settings.recipes.len(), 2);
    assert!(settings.secrets.check("docker.io", arn).is_ok());
    assert!(settings.secrets.check("a.example", arn).is_err());
    assert_eq!(settings.run.task_size, TaskSize::Grow);
}

fn all_of_selection(selection: &Selection) {
    assert_eq!((selection.include.len(), selection.exclude.len()), (1, 2));
    assert_eq!(selection.mode, Mode::OptIn);
    assert_eq!(selection.tags, SelectionTags::Ignored);
}

fn all_of_registries(registries: &remote::Settings) {
    assert_eq!(registries.allowed_realms.len(), 1);
    assert_eq!(registries.allowed_registries.as_ref().unwrap().len(), 2);
    assert_eq!(
        (registries.insecure.len(), registries.mirrors.len()),
        (1, 1)
    );
}

#[test]
fn everything_that_is_wrong_is_named_without_a_value_that_may_be_secret() {
    let told = read(&[
        ("ALLOWED_REGISTRIES", "docker.io, user:hunter2@a.example"),
        ("ALLOWED_REALMS", ","),
        ("ALLOW_OPT_OUT_TAGS", "no"),
        ("ALLOW_TEMPLATE_PARAMS", "Mode Colour"),
        ("EXCLUDE", "Resources"),
        ("INPUTS", "{\"accessToken\": hunter2}"),
        ("LOCK", "outrigger.lock"),
        ("LOCKED", "true"),
        ("MIRROR", "x"),
        ("MODE", "optin"),
        (
            "REGISTRY_CREDENTIALS",
            "{\"a.example\": [\"hunter2\"], \"https://b.example\": []}",
        ),
        ("RECIPE", "laceworks s3://own"),
    ])
    .unwrap_err();
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told, @"
    there is no setting `OUTRIGGER_MIRROR`
      hint: did you mean `OUTRIGGER_MIRRORS`?
    there is no recipe `laceworks`
      hint: did you mean `lacework`?
    the setting `OUTRIGGER_RECIPE` is wrong: `s3://own`: not of the form s3://BUCKET/KEY
    the setting `OUTRIGGER_INPUTS` is not a JSON object
    the setting `OUTRIGGER_MODE` has to be `opt-out` or `opt-in`
    the setting `OUTRIGGER_EXCLUDE` is wrong: `Resources` is not a JSONPath query
      hint: a query begins with `$`, as in `$.Resources[?@.Properties.Family == 'api']`
    the setting `OUTRIGGER_ALLOW_OPT_OUT_TAGS` has to be `true` or `false`
    the setting `OUTRIGGER_ALLOWED_REGISTRIES` is wrong: value 2: a host holds no user name and no password
    the setting `OUTRIGGER_ALLOWED_REALMS` holds no value
    the setting `OUTRIGGER_REGISTRY_CREDENTIALS` is wrong: `a.example` needs a list of ARNs of secrets
    `https://b.example` in `registry-credentials` is not the host of a registry: a host does not begin with a scheme such as `https://`
    the setting `OUTRIGGER_LOCK` is wrong: not of the form s3://BUCKET/KEY
    the setting `OUTRIGGER_ALLOW_TEMPLATE_PARAMS` is wrong: there is no parameter `Colour`: there are `Recipe`, `Include`, `Exclude`, `Mode`, `Input.<name>`, `Input.*` and `*`
    the setting `OUTRIGGER_LOCKED` needs the setting `OUTRIGGER_LOCK`
    ");
    let told = read(&[(
        "INPUTS",
        "{\"a\": {\"value\": \"hunter2\", \"valueFrom\": \"x\"}}",
    )]);
    let told = told.unwrap_err();
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told, @"
    the setting `OUTRIGGER_RECIPE` is missing
      hint: there are: alert-logic, deepfence, lacework, prisma-cloud, sysdig
    the setting `OUTRIGGER_INPUTS` is wrong: input `a`: an input is given as `value` or as `valueFrom`, not as both
    ");
}
