//! The documents say what is true: every finding is explained, every command of the README works.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use cli::Variables;
use macro_lambda::VARIABLES;
use outrigger_tests::case::Case;
use outrigger_tests::document::parse;
use outrigger_tests::run::{cfn_filter, cfn_filter_online};
use taskdef::report::Code;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn codes_are_unique_kebab_case_and_each_is_explained_once() {
    let page = text("docs/findings.md");
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code)
        .collect();
    let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(explained, codes);
    codes.dedup();
    assert_eq!(codes.len(), Code::ALL.len());
    let is_kebab = |code: &&str| {
        code.chars()
            .all(|char| char.is_ascii_lowercase() || char == '-')
    };
    assert!(codes.iter().all(is_kebab));
}

/// Codes that no case can show, each with the reason; they have tests beside the code.
const WITHOUT_A_CASE: [(Code, &str); 2] = [
    (
        Code::PidModeOnWindows,
        "a Windows task is left alone before it is held against rules, because no recipe supports Windows",
    ),
    (
        Code::SnippetTooSmall,
        "snippets come from transforms, which `macro_end_to_end` plays, and cfn-filter reads whole templates",
    ),
];

#[test]
fn every_code_has_a_case_that_shows_it_and_one_that_does_not() {
    let reports: Vec<String> = Case::all(Path::new("cases"))
        .iter()
        .filter_map(|case| case.text("report.txt"))
        .collect();
    assert!(!reports.is_empty());
    for code in Code::ALL {
        let label = format!("[{code}]: ");
        let shown = reports.iter().filter(|report| report.contains(&label));
        let is_exempt = WITHOUT_A_CASE.iter().any(|(exempt, _)| exempt == code);
        let shown = shown.count();
        assert_eq!(shown == 0, is_exempt, "`{code}` is shown by {shown} cases");
        assert!(shown < reports.len(), "`{code}` is shown by every case");
    }
}

/// The variables of the macro, as the table of its page has them: without the common prefix, with
/// the other cells of the row.
fn settings(page: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = page.lines().filter_map(|line| {
        let row = line.strip_prefix("| `OUTRIGGER_")?.strip_suffix(" |")?;
        let (name, cells) = row.split_once("` | ")?;
        Some((name, cells.split('|').map(str::trim).collect()))
    });
    rows.collect()
}

#[test]
fn the_table_of_settings_says_what_the_macro_and_its_template_say() {
    let page = text("docs/macro.md");
    let settings = settings(&page);
    let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, VARIABLES);
    let sam = parse(text("sam.yaml").as_bytes()).unwrap();
    let variables = &sam["Resources"]["Function"]["Properties"]["Environment"]["Variables"];
    for (name, cells) in settings {
        let [parameter, values, default, meaning] = cells[..] else {
            panic!("{name}: {cells:?}");
        };
        let parameter = parameter.trim_matches('`');
        assert_eq!(variables[format!("OUTRIGGER_{name}")]["Ref"], parameter);
        let declared = &sam["Parameters"][parameter];
        let declared_default = declared["Default"].as_str().unwrap_or_default();
        assert_eq!(default.trim_matches('`'), declared_default, "{name}");
        if let Some(allowed) = declared["AllowedValues"].as_array() {
            let allowed = allowed.iter().map(|value| value.as_str().unwrap());
            let allowed: Vec<String> = allowed.map(|value| format!("`{value}`")).collect();
            assert_eq!(values, allowed.join(" or "), "{name}");
        }
        assert!(!values.is_empty() && meaning.ends_with('.'), "{name}");
    }
}

/// The arguments for cfn-filter in a command line of a document.
fn arguments(line: &str) -> Option<Vec<String>> {
    let rest = line
        .strip_prefix("cargo run --release -p cfn-filter -- ")
        .or_else(|| line.strip_prefix("cfn-filter "))?;
    let words = rest.split_whitespace().take_while(|word| *word != ">");
    Some(words.map(str::to_owned).collect())
}

#[test]
fn the_commands_of_the_readme_work() {
    let readme = text("README.md");
    let commands: Vec<Vec<String>> = readme.lines().filter_map(arguments).collect();
    assert!(!commands.is_empty());
    for arguments in commands {
        let arguments: Vec<String> = arguments
            .into_iter()
            .map(|word| match word.as_str() {
                // A reader's own.
                "template.yaml" => "../samples/nginx/template.yaml".to_owned(),
                sample if sample.starts_with("samples/") => format!("../{sample}"),
                _ => word,
            })
            .collect();
        let ran = match arguments.first().map(String::as_str) {
            // It asks no registry, and has no option that says so.
            Some("recipes") => cfn_filter_online(&arguments, b"", Variables::default()),
            _ => cfn_filter(&arguments, b""),
        };
        assert_eq!(ran.exit, 0, "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stdout.is_empty());
    }
    assert!(readme.contains("\nscripts/test\n"));
    assert!(root().join("scripts/test").is_file());
}

#[test]
fn links_between_documents_lead_somewhere() {
    let pages = fs::read_dir(root().join("docs")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = pages.filter(|name| name.ends_with(".md"));
    let pages = pages.map(|name| format!("docs/{name}"));
    let pages: Vec<String> = pages
        .chain(["README.md", "CONTRIBUTING.md"].map(str::to_owned))
        .collect();
    let mut followed = 0;
    for page in &pages {
        let folder = root().join(page).parent().map(Path::to_owned).unwrap();
        for rest in text(page).split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                assert!(folder.join(target).exists(), "{page}: {target}");
                followed += 1;
            }
        }
    }
    assert!(followed > 0);
}
