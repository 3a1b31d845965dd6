//! What helps at a command line: completions in real shells, manual pages, help.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use cli::Variables;
use outrigger_tests::run::{Ran, cfn_filter_online};
use outrigger_tests::servers::program;

fn ran(args: &[&str]) -> Ran {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    cfn_filter_online(&args, b"", Variables::default())
}

fn answer(args: &[&str]) -> String {
    let ran = ran(args);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{args:?}");
    String::from_utf8(ran.stdout).unwrap()
}

fn text(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What bash offers for the last of these words, as its own completion would ask.
fn bash_offers(script: &Path, words: &[&str]) -> Vec<String> {
    let ask = r#"
        source "$1" && shift
        function=$(complete -p cfn-filter | sed 's/.* -F \([^ ]*\) .*/\1/')
        COMP_WORDS=(cfn-filter "$@")
        COMP_CWORD=$#
        "$function" cfn-filter "${@: -1}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["--norc", "-c", ask, "bash"])
        .arg(script)
        .args(words)
        .output()
        .unwrap();
    let offers = text(&output);
    let offers = offers.lines().filter(|line| !line.is_empty());
    offers.map(str::to_owned).collect()
}

#[test]
fn bash_completes_options_commands_recipes_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script.bash");
    fs::write(&script, answer(&["completions", "bash"])).unwrap();
    let checked = Command::new("bash").arg("-n").arg(&script).output();
    assert_eq!(text(&checked.unwrap()), "");
    let offers = |words: &[&str]| bash_offers(&script, words);
    assert_eq!(offers(&["--on-un"]), ["--on-unresolved"]);
    assert_eq!(offers(&["t.yaml", "--on-unresolved", "s"]), ["skip"]);
    assert_eq!(offers(&["loc"]), ["lock"]);
    assert_eq!(offers(&["image", "ins"]), ["inspect"]);
    assert_eq!(offers(&["t.yaml", "--recipe", "lac"]), ["lacework"]);
    assert_eq!(offers(&["recipes", "show", "sys"]), ["sysdig"]);
    assert_eq!(offers(&["completions", "po"]), ["powershell"]);
    let file = script.to_str().unwrap();
    assert_eq!(
        offers(&["--lock", file.strip_suffix(".bash").unwrap()]),
        [file]
    );
    // A recipe's file, as the template's: nothing of ours is offered, and bash looks for files itself.
    assert!(offers(&["t.yaml", "--recipe", file]).is_empty());
    assert!(offers(&[file]).is_empty());
    let registered = "complete -p cfn-filter";
    let source = format!("source '{file}'; {registered}");
    let registered = Command::new("bash").args(["-c", &source]).output();
    assert!(text(&registered.unwrap()).contains("-o default"));
}

#[test]
fn fish_completes_behind_a_document_too() {
    let Some(fish) = program("FISH", "fish").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("cfn-filter.fish");
    fs::write(&script, answer(&["completions", "fish"])).unwrap();
    let offers = |line: &str| {
        let output = Command::new(&fish)
            .args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"])
            .arg(&script)
            .arg(line)
            .env("HOME", folder.path())
            .output();
        text(&output.unwrap())
    };
    assert!(offers("cfn-filter --on-un").starts_with("--on-unresolved\t"));
    assert!(offers("cfn-filter loc").starts_with("lock\t"));
    assert!(offers("cfn-filter lock --ch").starts_with("--check\t"));
    assert!(offers("cfn-filter t.yaml --che").starts_with("--check\t"));
    assert_eq!(offers("cfn-filter t.yaml --recipe lac"), "lacework\n");
}

#[test]
fn zsh_accepts_its_script() {
    let Some(zsh) = program("ZSH", "zsh").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("_cfn-filter");
    let text_of = answer(&["completions", "zsh"]);
    assert!(text_of.starts_with("#compdef cfn-filter\n"));
    fs::write(&script, text_of).unwrap();
    let loads = "fpath=($1 $fpath); autoload -Uz compinit; compinit -u -d $1/dump; print -r -- $_comps[cfn-filter]";
    let checked = Command::new(&zsh).arg("-n").arg(&script).output();
    assert_eq!(text(&checked.unwrap()), "");
    let loaded = Command::new(&zsh)
        .args(["-f", "-c", loads, "zsh"])
        .arg(folder.path())
        .output();
    assert_eq!(text(&loaded.unwrap()), "_cfn-filter\n");
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = answer(&["completions", shell]);
        assert!(script.contains("on-unresolved"), "{shell}");
    }
    let unknown = ran(&["completions", "csh"]);
    assert_eq!(unknown.exit, 2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for args in [&["completions", "zsh"][..], &["man"], &["--help"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cfn-filter-under-test"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output), "");
        assert!(output.stderr.is_empty(), "{args:?}");
    }
}

/// What mandoc's linter says of every page made by `clap_mangen`, and no reader sees: its lines are
/// long, it has no date, so that the same source gives the same bytes, and it breaks a line twice.
const LINT_ACCEPTED: [&str; 5] = [
    "STYLE: input text line longer than 80 bytes",
    "STYLE: whitespace at end of input line",
    "WARNING: missing date",
    "WARNING: skipping paragraph macro: br before sp",
    "WARNING: skipping paragraph macro: br after sp",
];

#[test]
fn a_manual_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let written = ran(&["man", "--directory", pages.to_str().unwrap()]);
    assert_eq!(written.exit, 0, "{}", written.stderr);
    let mut names: Vec<String> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let told = format!("{} pages written to `{}`\n", names.len(), pages.display());
    assert_eq!(written.stderr, told);
    for name in [
        "cfn-filter.1",
        "cfn-filter-lock.1",
        "cfn-filter-image-inspect.1",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    let main = fs::read_to_string(pages.join("cfn-filter.1")).unwrap();
    assert_eq!(main, answer(&["man"]));
    for section in ["EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
        let heading = [format!(".SH {section}\n"), format!(".SH \"{section}\"\n")];
        assert!(heading.iter().any(|line| main.contains(line)), "{section}");
    }
    let Some(mandoc) = program("MANDOC", "mandoc").unwrap() else {
        return;
    };
    for name in names {
        let page = pages.join(&name);
        let lint = Command::new(&mandoc).arg("-Tlint").arg(&page).output();
        let said = String::from_utf8(lint.unwrap().stdout).unwrap();
        let wrong: Vec<&str> = said
            .lines()
            .filter(|line| !LINT_ACCEPTED.iter().any(|known| line.contains(known)))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        let shown = Command::new(&mandoc)
            .args(["-Tutf8", "-O", "width=80"])
            .arg(&page)
            .output();
        let shown = text(&shown.unwrap()).replace('\u{8}', "");
        // Bold letters are printed twice.
        assert!(shown.contains("EEXXAAMMPPLLEESS"), "{name}");
    }
}

/// Every command, by its words.
const COMMANDS: [&[&str]; 11] = [
    &[],
    &["lock"],
    &["settings"],
    &["image"],
    &["image", "inspect"],
    &["recipes"],
    &["recipes", "list"],
    &["recipes", "show"],
    &["completions"],
    &["man"],
    &["man", "--directory", "x"],
];

#[test]
fn help_fits_80_columns_and_shows_examples() {
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let help = answer(&[command, &[flag]].concat());
            let wide: Vec<&str> = help
                .lines()
                .filter(|line| line.chars().count() > 80)
                .collect();
            assert!(wide.is_empty(), "{command:?} {flag}: {wide:#?}");
            let leads_on = help.contains("\nCommands:\n") && !command.is_empty();
            assert!(
                leads_on || help.contains("\nExamples:\n"),
                "{command:?} {flag}"
            );
        }
    }
    let (short, long) = (answer(&["-h"]), answer(&["--help"]));
    assert!(short.lines().count() < long.lines().count() / 2);
    assert!(!short.contains("--ca-bundle") && long.contains("--ca-bundle"));
}

/// Runs the program at a terminal of its own, with this variable besides.
fn at_a_terminal(command: &str, variable: Option<&str>) -> Option<String> {
    let script = program("SCRIPT", "script").unwrap()?;
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_cfn-filter-under-test"));
    let mut run = Command::new(script);
    run.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
    run.env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .env_remove("CI");
    if let Some(variable) = variable {
        run.env(variable, "1");
    }
    Some(String::from_utf8(run.output().unwrap().stdout).unwrap())
}

#[test]
fn no_color_is_heard_everywhere() {
    for command in [
        "--help",
        "lock --help",
        "--no-such",
        "recipes list",
        "recipes show lacework",
        "no/such.yaml --recipe alert-logic",
        "samples --recipe nobody",
    ] {
        let Some(colored) = at_a_terminal(command, None) else {
            return;
        };
        assert!(colored.contains("\u{1b}["), "{command}: {colored}");
        let plain = at_a_terminal(command, Some("NO_COLOR")).unwrap();
        assert!(!plain.contains('\u{1b}'), "{command}: {plain}");
        assert!(plain.len() > 20, "{command}");
    }
}

#[test]
fn a_full_disk_is_no_success() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("note: there is no /dev/full: not tested");
        return;
    };
    let output = Command::new(env!("CARGO_BIN_EXE_cfn-filter-under-test"))
        .args(["recipes", "list"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"
    error: cannot write to standard output: no space left on device
      hint: what was written there is not complete
    ");
}
