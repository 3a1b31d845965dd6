//! A case: a folder with an input, a command line, and what has to come out.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The name of an input that `tf-filter` reads.
const PLAN: &str = "plan.json";

/// A folder under `cases/`.
#[derive(Clone, Debug)]
pub struct Case {
    /// `group/case`.
    pub name: String,
    /// The folder, relative to the package.
    pub dir: PathBuf,
    /// The input.
    pub template: PathBuf,
    /// The command line after the template's path, `{case}` replaced.
    pub args: Vec<String>,
    /// The exit code that is expected.
    pub exit: u8,
}

impl Case {
    /// Reads a folder; `None` when it holds no template.
    pub fn load(root: &Path, group: &str, case: &str) -> Option<Case> {
        let dir = root.join(group).join(case);
        let template = ["template.yaml", "template.json", "template.txt", PLAN]
            .map(|file| dir.join(file))
            .into_iter()
            .find(|path| path.exists())?;
        let folder = dir.display().to_string();
        let args = read(&dir.join("args"))?
            .lines()
            .map(|line| line.replace("{case}", &folder))
            .collect();
        let exit = read(&dir.join("exit"))
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0);
        Some(Case {
            name: format!("{group}/{case}"),
            dir,
            template,
            args,
            exit,
        })
    }

    /// Every case under a folder, in order of name.
    pub fn all(root: &Path) -> Vec<Case> {
        folders(root)
            .iter()
            .flat_map(|group| {
                folders(&root.join(group))
                    .into_iter()
                    .filter_map(|case| Case::load(root, group, &case))
            })
            .collect()
    }

    /// A file of the case as text, if it is there.
    pub fn text(&self, file: &str) -> Option<String> {
        read(&self.dir.join(file))
    }

    /// A file of the case as JSON, if it is there.
    pub fn json(&self, file: &str) -> Option<Value> {
        serde_json::from_str(&self.text(file)?).ok()
    }

    /// Whether the command line holds this flag.
    pub fn has(&self, flag: &str) -> bool {
        self.args.iter().any(|arg| arg == flag)
    }

    /// Whether the input is a plan of Terraform's, or stands in the place of one.
    pub fn is_plan(&self) -> bool {
        self.template.ends_with(PLAN)
    }

    /// Whether the case ends with a template on standard output.
    pub fn writes_template(&self) -> bool {
        let written = match self.exit {
            0 | 3 => true,
            2 => self.has("--detailed-exitcode"),
            _ => false,
        };
        written && !self.has("--check") && !self.has("--diff")
    }

    /// The input as it was before a recipe came to it, where the case has that.
    pub fn original(&self) -> Option<PathBuf> {
        let extension = self.template.extension()?;
        let path = self.dir.join("original").with_extension(extension);
        path.exists().then_some(path)
    }

    /// The file that pins standard output.
    pub fn expected(&self) -> PathBuf {
        let extension = if self.has("--diff") {
            "diff".into()
        } else {
            self.template.extension().unwrap_or_default().to_owned()
        };
        self.dir.join("expected").with_extension(extension)
    }
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn folders(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
