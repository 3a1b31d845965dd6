//! The example of `docs/terraform-provider.md`, run in an empty folder as the page says.

use std::fs;
use std::path::Path;

use outrigger_tests::page::Terminal;
use outrigger_tests::servers::not_tested;
use outrigger_tests::terraform::{copy, link, mirror, platform, terraform};
use tempfile::TempDir;

use crate::{OUTRIGGER, providers};

const PAGE: &str = "../docs/terraform-provider.md";
const SAMPLE: &str = "samples/terraform";
const FILTER: &str = env!("CARGO_BIN_EXE_cfn-filter-under-test");

#[test]
fn the_example_runs_as_the_page_says() {
    let Some(terraform) = terraform().unwrap() else {
        return;
    };
    if platform() != "linux_amd64" {
        not_tested("the page is written for another platform").unwrap();
        return;
    }
    let (repository, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    copy(
        &Path::new("..").join(SAMPLE),
        &repository.path().join(SAMPLE),
    )
    .unwrap();
    // What `cargo build` makes.
    let built = repository.path().join("target/provider");
    fs::create_dir_all(&built).unwrap();
    let program = built.join("terraform-provider-outrigger");
    link(Path::new(OUTRIGGER), &program).unwrap();
    // What the registry has.
    let folder = home.path().join(".terraform.d/plugins");
    let [aws, _] = providers();
    mirror(&folder, "registry.terraform.io", aws).unwrap();

    let mut terminal = Terminal::new(FILTER, repository.path()).unwrap();
    terminal.add("terraform", &terraform).unwrap();
    terminal.set("HOME", home.path());
    terminal.set("CHECKPOINT_DISABLE", Path::new("1"));
    terminal.set("TF_CLI_ARGS", Path::new("-no-color"));
    let expected = fs::read_to_string(PAGE).unwrap();
    let (text, done) = terminal.follow(&expected).unwrap();
    assert!(done.commands > 10, "{done:?}");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(PAGE, text).unwrap();
    } else {
        assert_eq!(expected, text);
    }
}
