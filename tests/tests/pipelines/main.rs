//! The pipelines of `docs/pipelines.md`: the GitHub action's own steps, the hooks under the real
//! pre-commit, the GitLab job's own script, all of them without a network.

#![cfg(test)]

mod action;
mod files;
mod gitlab;
mod hooks;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use outrigger_tests::document::parse;
use outrigger_tests::servers::scripted::{Seen, Server};
use serde_json::Value;
use tempfile::TempDir;

/// The first line of a report.
const MARKER: &str = "<!-- outrigger report -->";

/// The repository's root.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

/// The examples of the page, each with the file that its first line names.
fn examples() -> Vec<(String, Value)> {
    let page = fs::read_to_string(root().join("docs/pipelines.md")).unwrap();
    let blocks = page.split("\n```yaml\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("\n```").unwrap().0);
    blocks
        .map(|block| {
            let file = block.lines().next().unwrap().trim_start_matches("# ");
            (file.to_owned(), parse(block.as_bytes()).unwrap())
        })
        .collect()
}

/// A working copy with templates, and a folder of programs in which `cfn-filter` is.
struct Workspace {
    folder: TempDir,
}

impl Workspace {
    /// With copies of these samples, of which the first has no settings of its own.
    fn new(samples: &[&str]) -> Self {
        let workspace = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(workspace.path("bin")).unwrap();
        let program = env!("CARGO_BIN_EXE_cfn-filter-under-test");
        symlink(program, workspace.path("bin/cfn-filter")).unwrap();
        for sample in samples {
            let to = workspace.path(&format!("work/stacks/{sample}"));
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(root().join("samples").join(sample)).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A command in the working copy, in an environment of its own.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.folder.path());
        command
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs blocking work while a server of this runtime answers.
fn beside<T: Send + 'static>(
    server: impl Future<Output = Server>,
    work: impl FnOnce(&str) -> T + Send + 'static,
) -> (T, Vec<Seen>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let server = server.await;
        let url = format!("http://{}", server.host());
        let done = tokio::task::spawn_blocking(move || work(&url))
            .await
            .unwrap();
        (done, server.seen())
    })
}
