use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use clap::Parser;
use taskdef::dialect::Dialect;

use super::table::{INPUTS, SETTINGS};
use super::{Documents, Layers, Origin, SettingsOptions, parse};
use crate::network::RegistryOptions;
use crate::options::{
    AssumptionOptions, LockOptions, OfflineOptions, RecipeOptions, ScopeOptions, WhenUnresolved,
    WhichMode,
};
use crate::{Console, Exit, Terminals, settings_command};

#[derive(Parser, Clone, Debug)]
#[command(name = "some-filter", no_binary_name = true)]
struct Arguments {
    document: Option<PathBuf>,
    #[command(flatten)]
    recipe: RecipeOptions,
    #[command(flatten)]
    scope: ScopeOptions,
    #[command(flatten)]
    assumptions: AssumptionOptions,
    #[command(flatten)]
    images: LockOptions,
    #[command(flatten)]
    offline: OfflineOptions,
    #[command(flatten)]
    registries: RegistryOptions,
    #[command(flatten)]
    settings: SettingsOptions,
}

/// A folder with a settings file and, in the arguments' first place, a document.
struct Folder(tempfile::TempDir);

/// The end of a run, with what it printed.
type Ended<T> = (Result<T, Exit>, String);

impl Folder {
    fn with(settings: &str) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("outrigger.yaml"), settings).unwrap();
        Folder(folder)
    }

    fn run<T>(
        &self,
        (args, variables): (&[&str], &[(&str, &str)]),
        work: impl FnOnce(Arguments, &Layers, &mut Console<'_>) -> T,
    ) -> Ended<T> {
        let document = self.0.path().join("t.yaml").into_os_string();
        let args: Vec<OsString> = [document]
            .into_iter()
            .chain(args.iter().map(OsString::from))
            .collect();
        let (mut stdin, mut stdout, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
        let variables = variables.iter().copied();
        let mut console = Console {
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals: Terminals::default(),
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        let ended = parse::<Arguments>(
            &args,
            Documents::new("document", Dialect::CloudFormation),
            &mut console,
        )
        .map(|(arguments, layers)| work(arguments, &layers, &mut console));
        let printed = [stdout, stderr].concat();
        let path = self.0.path().to_string_lossy().into_owned();
        (
            ended,
            String::from_utf8(printed).unwrap().replace(&path, "DIR"),
        )
    }

    fn arguments(&self, args: &[&str], variables: &[(&str, &str)]) -> Arguments {
        let (ended, printed) = self.run((args, variables), |arguments, _, _| arguments);
        ended.unwrap_or_else(|exit| panic!("{exit:?}: {printed}"))
    }

    fn wrong(&self, args: &[&str], variables: &[(&str, &str)]) -> String {
        let (ended, printed) = self.run((args, variables), |_, _, _| ());
        assert_eq!(ended, Err(Exit::Usage), "{printed}");
        printed
    }

    /// What `settings` shows, in the columns' own width, but for what nobody gave.
    fn shown(&self, args: &[&str], variables: &[(&str, &str)]) -> String {
        let (ended, printed) = self.run((args, variables), |arguments, layers, console| {
            settings_command::run(layers, &arguments.recipe, console)
        });
        assert_eq!(ended.unwrap(), Ok(Exit::Done));
        let lines = printed.lines().filter(|line| !line.ends_with("  default"));
        lines
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect()
    }
}

const FILE: &str = "\
recipe: lacework
recipes:
  lacework:
    inputs:
      accessToken: {valueFrom: !Ref TokenArn}
      serverUrl: https://file.example
  sysdig:
    inputs: {accessKey: hunter2, noSuchInput: 1}
policies: {onUnresolved: skip, confirmedImages: [a, b], offline: true}
selection: {mode: opt-in, include: ['$.a', '$.b']}
registries: {caBundle: certificates/ca.pem, timeout: 7, mirrors: [docker.io=m.example/x]}
";

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let folder = Folder::with(FILE);
    let file = folder.arguments(&[], &[]);
    assert_eq!(file.scope.on_unresolved, WhenUnresolved::Skip);
    assert_eq!(file.scope.mode, WhichMode::OptIn);
    assert_eq!(file.scope.include, ["$.a", "$.b"]);
    assert_eq!(file.assumptions.confirmed, ["a", "b"]);
    assert_eq!(file.registries.timeout, 7);
    assert_eq!(
        file.registries.ca_bundle,
        Some(folder.0.path().join("certificates/ca.pem"))
    );
    assert!(file.offline.offline && !file.offline.locked);

    let variables = [
        ("OUTRIGGER_MODE", "opt-out"),
        ("OUTRIGGER_CONFIRMED_IMAGES", "c, d\ne"),
        ("OUTRIGGER_INCLUDE", "$.c[?@.x == 'a, b']\n\n $.d "),
        ("OUTRIGGER_OFFLINE", "false"),
        ("OUTRIGGER_TIMEOUT", " "),
    ];
    let environment = folder.arguments(&[], &variables);
    assert_eq!(environment.scope.mode, WhichMode::OptOut);
    assert_eq!(environment.assumptions.confirmed, ["c", "d", "e"]);
    assert_eq!(environment.scope.include, ["$.c[?@.x == 'a, b']", "$.d"]);
    assert_eq!(environment.registries.timeout, 7);
    assert!(!environment.offline.offline);

    let args = ["--mode=opt-in", "--confirmed", "f", "--offline"];
    let typed = folder.arguments(&args, &variables);
    assert_eq!(typed.scope.mode, WhichMode::OptIn);
    assert_eq!(typed.assumptions.confirmed, ["f"]);
    assert!(typed.offline.offline);
}

#[test]
fn inputs_are_merged_one_by_one() {
    let folder = Folder::with(FILE);
    let set =
        |args: &[&str], variables: &[(&str, &str)]| folder.arguments(args, variables).recipe.set;
    assert_eq!(
        set(&[], &[]),
        [
            r#"lacework.accessToken={"valueFrom":{"Ref":"TokenArn"}}"#,
            r#"lacework.serverUrl={"value":"https://file.example"}"#
        ]
    );
    let inputs = (
        "OUTRIGGER_INPUTS",
        r#"{"serverUrl": "https://variable.example", "verbose": true}"#,
    );
    let set = set(&["--set", "serverUrl=https://typed.example"], &[inputs]);
    assert_eq!(set.len(), 5);
    assert_eq!(
        set[2..4],
        [
            "serverUrl=https://variable.example",
            r#"verbose={"value":true}"#
        ]
    );
    assert_eq!(set[4], "serverUrl=https://typed.example");
    // Those of a recipe that is not in use say nothing.
    assert_eq!(
        folder
            .arguments(&["--recipe", "alert-logic"], &[])
            .recipe
            .set,
        [""; 0]
    );
}

#[test]
fn what_is_in_force_is_shown_without_secrets() {
    let folder = Folder::with(FILE);
    insta::assert_snapshot!(folder.shown(&["--mode", "opt-out"], &[("OUTRIGGER_TIMEOUT", "9")]), @r#"
    settings file: DIR/outrigger.yaml

    recipe lacework DIR/outrigger.yaml:1:1
    recipes.lacework.inputs.accessToken valueFrom: {"Ref":"TokenArn"} DIR/outrigger.yaml:5:7
    recipes.lacework.inputs.serverUrl https://file.example DIR/outrigger.yaml:6:7
    policies.onUnresolved skip DIR/outrigger.yaml:9:12
    policies.confirmedImages a, b DIR/outrigger.yaml:9:32
    policies.offline true DIR/outrigger.yaml:9:57
    selection.mode opt-out --mode
    selection.include $.a, $.b DIR/outrigger.yaml:10:27
    registries.mirrors docker.io=m.example/x DIR/outrigger.yaml:11:57
    registries.caBundle DIR/certificates/ca.pem DIR/outrigger.yaml:11:14
    registries.timeout 9 OUTRIGGER_TIMEOUT
    "#);
    let secret = ["--set", "accessToken=hunter2"];
    assert!(
        folder
            .shown(&secret, &[])
            .contains("accessToken (not shown) --set")
    );
    let arn = ["--set", "accessToken=arn:aws:secretsmanager:x"];
    assert!(
        folder
            .shown(&arn, &[])
            .contains("accessToken valueFrom: arn:aws:secretsmanager:x --set")
    );
}

#[test]
fn a_file_by_another_name_and_none_at_all() {
    let folder = Folder::with(FILE);
    let other = folder.0.path().join("other.yaml");
    fs::write(&other, "policies: {taskSize: grow}\n").unwrap();
    let other = other.to_string_lossy().into_owned();
    let (ended, _) = folder.run((&["--settings", &other], &[]), |_, layers, _| {
        let given = |setting: &&super::InForce| setting.origin != Origin::Default;
        layers
            .settings
            .iter()
            .filter(given)
            .map(|setting| setting.key)
            .collect::<Vec<_>>()
    });
    assert_eq!(ended, Ok(vec!["policies.taskSize"]));
    let none = folder.arguments(&["--no-settings"], &[]);
    assert_eq!(none.scope.mode, WhichMode::OptOut);
    assert_eq!(
        Folder::with("# nothing yet\n")
            .arguments(&[], &[])
            .scope
            .mode,
        WhichMode::OptOut
    );
}

#[test]
fn a_recipe_beside_the_file_is_found() {
    let folder = Folder::with("recipe: [own.yaml, ./deeper/other.yaml, lacework]\n");
    fs::write(folder.0.path().join("lacework"), "").unwrap();
    let path = |name: &str| folder.0.path().join(name).to_string_lossy().into_owned();
    assert_eq!(
        folder.arguments(&[], &[]).recipe.recipe,
        [
            path("own.yaml"),
            path("./deeper/other.yaml"),
            "lacework".to_owned()
        ]
    );
}

#[test]
fn everything_wrong_in_the_file_is_named_with_its_place() {
    let wrong = |text: &str| Folder::with(text).wrong(&[], &[]);
    insta::assert_snapshot!(wrong("recipe: lacework\npolicies:\n  onUnresolvd: skip\nregistry: {}\nlock: []\npolicy: 1\n"), @"
    error: DIR/outrigger.yaml:3:3: unknown key `onUnresolvd`
      hint: did you mean `onUnresolved`?
    error: DIR/outrigger.yaml:4:1: unknown key `registry`
      hint: did you mean `registries`?
    error: DIR/outrigger.yaml:5:1: `lock` has to be a text
    error: DIR/outrigger.yaml:6:1: unknown key `policy`
      hint: there are: recipe, lock, policies, selection, plan, registries, deployment, recipes
    ");
    insta::assert_snapshot!(wrong("policies: {onUnresolved: skp, offline: on, locked: 1}\nregistries: [a]\n"), @"
    error: DIR/outrigger.yaml:1:31: `policies.offline` has to be `true` or `false`
    error: DIR/outrigger.yaml:1:44: `policies.locked` has to be `true` or `false`
    error: DIR/outrigger.yaml:2:1: `registries` has to be a map
    ");
    insta::assert_snapshot!(wrong("policies: {onUnresolved: skp, assumptions: warn}\nregistries: {timeout: -1, mirrors: [x]}\n"), @"
    error: DIR/outrigger.yaml:1:12: `policies.onUnresolved` has to be `fail` or `skip`
      hint: did you mean `skip`?
    error: DIR/outrigger.yaml:2:27: `registries.mirrors` is not valid: not of the form REGISTRY=HOST or REGISTRY=HOST/PREFIX
    error: DIR/outrigger.yaml:2:14: `registries.timeout` is not valid: a time is a whole number of seconds, at least 1
    ");
    insta::assert_snapshot!(wrong("recipe: [lacewrk]\nselection:\n  exclude:\n    - $..[\n"), @"
    error: DIR/outrigger.yaml:1:1: `recipe` is not valid: there is no recipe `lacewrk`
      hint: did you mean `lacework`? There are: alert-logic, deepfence, lacework, prisma-cloud, sysdig; or name a file
    error: DIR/outrigger.yaml:3:3: `selection.exclude` is not valid: `$..[` is not a JSONPath query
      hint: RFC 9535 has the grammar; an example is `$.Resources[?@.Properties.Family == 'api']`
    ");
    insta::assert_snapshot!(wrong("recipe: lacework\nrecipes:\n  lacewrok: {}\n  own: {inputs: {x: 1}}\n  lacework:\n    inputs: {acessToken: hunter2, colour: hunter2}\n"), @"
    error: DIR/outrigger.yaml:3:3: there is no recipe `lacewrok`
      hint: did you mean `lacework`?
    error: DIR/outrigger.yaml:6:14: the recipe `lacework` has no input `acessToken`
      hint: did you mean `accessToken`?
    error: DIR/outrigger.yaml:6:35: the recipe `lacework` has no input `colour`
      hint: `recipes show lacework` lists its inputs
    ");
    insta::assert_snapshot!(wrong("recipes:\n  lacework:\n    input: {}\n    inputs:\n      image: {value: hunter2, valueFrom: hunter2}\n"), @"
    error: DIR/outrigger.yaml:3:5: unknown key `input`
      hint: did you mean `inputs`?
    error: DIR/outrigger.yaml:5:7: input `image`: an input is given as `value` or as `valueFrom`, not as both
    ");
    insta::assert_snapshot!(wrong("- a\n"), @"error: DIR/outrigger.yaml:1:1: the settings have to be a map");
}

#[test]
fn a_file_that_cannot_be_read_ends_the_run() {
    let folder = Folder::with("a: [\n");
    let (ended, printed) = folder.run((&[], &[]), |_, _, _| ());
    assert_eq!(ended, Err(Exit::Failed));
    insta::assert_snapshot!(printed, @"error: DIR/outrigger.yaml:1:4: unclosed bracket '['");
    let (ended, printed) = folder.run((&["--settings", "no/such.yaml"], &[]), |_, _, _| ());
    assert_eq!(ended, Err(Exit::Failed));
    insta::assert_snapshot!(printed, @"error: cannot read `no/such.yaml`: no such file or directory");
}

#[test]
fn variables_that_are_wrong_or_misspelt() {
    let wrong = |variables: &[(&str, &str)]| Folder::with("").wrong(&[], variables);
    insta::assert_snapshot!(wrong(&[("OUTRIGGER_MOED", "x"), ("OUTRIGGER_SOMETHING", "x"), ("MODE", "x")]), @"
    error: there is no setting `OUTRIGGER_MOED`
      hint: did you mean `OUTRIGGER_MODE`?
    ");
    insta::assert_snapshot!(wrong(&[("OUTRIGGER_MODE", "opt"), ("OUTRIGGER_MIRRORS", "hunter2"), ("OUTRIGGER_LOCKED", "yes")]), @"
    error: the variable `OUTRIGGER_LOCKED` has to be `true` or `false`
    error: the variable `OUTRIGGER_MODE` has to be `opt-out` or `opt-in`
    error: the variable `OUTRIGGER_MIRRORS` is not valid: not of the form REGISTRY=HOST or REGISTRY=HOST/PREFIX
    ");
    insta::assert_snapshot!(wrong(&[("OUTRIGGER_INPUTS", "hunter2")]), @r#"
    error: the variable `OUTRIGGER_INPUTS` is not a JSON object
      hint: it takes `{"KEY": VALUE, ...}`, with the keys of `--set`
    "#);
    insta::assert_snapshot!(wrong(&[("OUTRIGGER_INPUTS", r#"{"a": {"value": "hunter2", "valueFrom": "hunter2"}}"#)]), @r#"
    error: the variable `OUTRIGGER_INPUTS` is wrong: input `a`: an input is given as `value` or as `valueFrom`, not as both
      hint: it takes `{"KEY": VALUE, ...}`, with the keys of `--set`
    "#);
    let others = [
        ("OUTRIGGER_TOOLS", "x"),
        ("OUTRIGGER_REGISTRY_CREDENTIALS", "{}"),
    ];
    Folder::with("").arguments(&[], &others);
}

#[test]
fn the_page_names_every_setting() {
    let page = fs::read_to_string("../docs/settings.md").unwrap();
    for setting in &SETTINGS {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` ", setting.key)));
        let row = row.unwrap_or_else(|| panic!("no row for {}", setting.key));
        for name in [setting.variable(), format!("--{}", setting.option)] {
            assert!(row.contains(&format!("`{name}`")), "{row}: {name}");
        }
    }
    assert!(page.contains(&format!("`OUTRIGGER_{INPUTS}`")));
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains("`OUTRIGGER_"));
    assert_eq!(rows.count(), SETTINGS.len() + 1);
}
