//! The pages that show a terminal: each command in a `console` block is run, and what it prints is
//! what the page shows. `UPDATE_EXPECTED=1` writes it anew, and the tutorial's case with it.

#![cfg(test)]

use std::fs;
use std::path::Path;

use outrigger_tests::page::{Done, Terminal};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cfn-filter-under-test");

fn is_update() -> bool {
    std::env::var_os("UPDATE_EXPECTED").is_some()
}

/// Follows a page in a folder, and compares it with what it has become.
fn followed(page: &str, folder: &Path) -> Done {
    let file = format!("../docs/{page}");
    let expected = fs::read_to_string(&file).unwrap();
    let mut terminal = Terminal::new(PROGRAM, folder).unwrap();
    let (text, done) = terminal.follow(&expected).unwrap();
    assert!(!text.contains("command not found"), "{page}: {text}");
    if is_update() {
        fs::write(&file, &text).unwrap();
    } else {
        assert_eq!(expected, text, "{page}");
    }
    done
}

#[test]
fn every_terminal_shows_what_the_commands_print() {
    let done = followed("tour.md", Path::new(".."));
    assert!(done.commands > 0 && done.files == 0, "{done:?}");
}

/// The folder of the tutorial's case, in a repository.
const CASE: &str = "tests/cases/tidewatch/nginx";

#[test]
fn the_tutorial_about_recipes_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("outrigger/samples/nginx");
    fs::create_dir_all(&sample).unwrap();
    for entry in fs::read_dir("../samples/nginx").unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), sample.join(entry.file_name())).unwrap();
    }
    let done = followed("recipes.md", folder.path());
    assert!(done.commands >= 12 && done.files >= 7, "{done:?}");

    // What it makes is the case that `cases.rs` runs; what its last commands write stays there.
    let kept = Path::new("..").join(CASE);
    let mut files: Vec<String> = fs::read_dir(folder.path().join("outrigger").join(CASE))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "args",
            "outrigger.lock",
            "recipe.yaml",
            "says",
            "template.yaml"
        ]
    );
    for file in files {
        let made = fs::read_to_string(folder.path().join("outrigger").join(CASE).join(&file));
        let made = made.unwrap();
        if is_update() {
            fs::create_dir_all(&kept).unwrap();
            fs::write(kept.join(&file), &made).unwrap();
        }
        let kept = fs::read_to_string(kept.join(&file)).unwrap_or_default();
        assert_eq!(kept, made, "{CASE}/{file}");
    }
    assert!(kept.join("expected.yaml").is_file() || is_update());
    let page = fs::read_to_string("../docs/recipes.md").unwrap();
    let command = "cargo test -p outrigger-tests --test cases tidewatch";
    assert!(page.contains(&format!(
        "\nUPDATE_EXPECTED=1 {command}\ngit diff\n{command}\n"
    )));
}

#[test]
fn commands_are_run_and_files_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::new("/bin/true", folder.path()).unwrap();
    let page = "text\n```yaml a/b.yaml\nx\n```\n";
    assert!(terminal.follow(page).is_err(), "there is no folder `a`");
    let page = "\
```yaml b.yaml
a: 1
```
```yaml >> b.yaml
b: 2
```
```yaml
c: 3
```
```console
$ cat b.yaml
old
$ cfn-filter; false
$ echo $? >&2
```
";
    let (text, done) = terminal.follow(page).unwrap();
    let (commands, files) = (3, 2);
    assert_eq!(done, Done { commands, files });
    assert_eq!(
        text,
        page.replace("old\n", "a: 1\nb: 2\n")
            .replace(">&2\n", ">&2\n1\n")
    );
}
