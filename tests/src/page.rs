//! Pages that show a terminal: the commands of their `console` blocks are run, and what they print is
//! what the page shows. A block may also be a file, named after its language (```` ```yaml recipe.yaml ````;
//! `>> recipe.yaml` adds to it).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A terminal in a folder, which finds this build's `cfn-filter`.
pub struct Terminal {
    programs: TempDir,
    folder: PathBuf,
    variables: Vec<(String, PathBuf)>,
    /// The exit code of the last command.
    last: i32,
}

/// What a page did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Commands that were run.
    pub commands: usize,
    /// Files that were written.
    pub files: usize,
}

impl Terminal {
    /// A terminal with this program as `cfn-filter`.
    ///
    /// # Errors
    /// The program cannot be linked to.
    pub fn new(program: &str, folder: &Path) -> std::io::Result<Terminal> {
        let terminal = Terminal {
            programs: tempfile::tempdir()?,
            folder: folder.to_owned(),
            variables: Vec::new(),
            last: 0,
        };
        terminal.add("cfn-filter", Path::new(program))?;
        Ok(terminal)
    }

    /// Another program that it finds.
    ///
    /// # Errors
    /// The program cannot be linked to.
    pub fn add(&self, name: &str, program: &Path) -> std::io::Result<()> {
        symlink(program, self.programs.path().join(name))
    }

    /// A variable of its environment.
    pub fn set(&mut self, name: &str, value: &Path) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// What a command prints, standard error between standard output as on a terminal.
    ///
    /// # Errors
    /// There is no shell.
    fn printed(&mut self, command: &str) -> std::io::Result<String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let last = self.last;
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n(exit {last})\n{command}")])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{}:{path}", self.programs.path().display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()?;
        self.last = output.status.code().unwrap_or(-1);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Does what a page says: the page with everything that its commands print, and what was done.
    ///
    /// # Errors
    /// A file cannot be written, or there is no shell.
    pub fn follow(&mut self, page: &str) -> std::io::Result<(String, Done)> {
        let (mut text, mut done) = (String::new(), Done::default());
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            text.push_str(&format!("{line}\n"));
            let Some((language, file)) = opening(line) else {
                continue;
            };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let content: String = block.iter().map(|line| format!("{line}\n")).collect();
            if language == "console" {
                for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                    let shown = self.printed(command)?;
                    text.push_str(&format!("$ {command}\n{shown}"));
                    done.commands += 1;
                }
            } else {
                if let Some(file) = file {
                    self.write(file, &content)?;
                    done.files += 1;
                }
                text.push_str(&content);
            }
            text.push_str("```\n");
        }
        Ok((text, done))
    }

    fn write(&self, file: &str, content: &str) -> std::io::Result<()> {
        match file.strip_prefix(">> ") {
            None => fs::write(self.folder.join(file), content),
            Some(file) => {
                let path = self.folder.join(file);
                let before = fs::read_to_string(&path)?;
                fs::write(path, before + content)
            }
        }
    }
}

/// Language and file of a block that begins.
fn opening(line: &str) -> Option<(&str, Option<&str>)> {
    let rest = line.strip_prefix("```")?;
    Some(match rest.split_once(' ') {
        Some((language, file)) => (language, Some(file)),
        None => (rest, None),
    })
}
