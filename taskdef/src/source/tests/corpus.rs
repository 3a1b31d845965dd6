//! The laws of splicing on real templates, if `OUTRIGGER_CORPUS` says where they are.

use std::path::Path;

use super::super::Source;
use super::laws::{check, check_outside};
use super::random::Dice;

#[expect(
    clippy::disallowed_methods,
    reason = "a test may read the environment and files"
)]
fn templates() -> Option<Vec<(String, String)>> {
    let corpus = std::env::var("OUTRIGGER_CORPUS").ok()?;
    let folder = Path::new(&corpus).join("cloudformation");
    let files = folder
        .read_dir()
        .expect("the corpus has a folder of templates");
    let mut templates = vec![];
    for file in files {
        let path = file.expect("a file").path();
        let name = path.display().to_string();
        if [".json", ".yaml", ".yml", ".template"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            templates.push((name, std::fs::read_to_string(path).expect("a text")));
        }
    }
    templates.sort();
    Some(templates)
}

#[test]
#[expect(
    clippy::disallowed_macros,
    reason = "says that the test had nothing to do"
)]
fn the_laws_hold_for_real_templates() {
    let Some(templates) = templates() else {
        return println!("OUTRIGGER_CORPUS is not set: no real templates were tested");
    };
    assert!(!templates.is_empty());
    for (name, text) in templates {
        let parsed = Source::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(parsed.value().get("Resources").is_some(), "{name}");
        let windows = text.replace("\r\n", "\n").replace('\n', "\r\n");
        for text in [text, windows] {
            for seed in 0..20 {
                check(&mut Dice::new(seed), &text);
                check_outside(&mut Dice::new(seed), &text);
            }
        }
    }
}
