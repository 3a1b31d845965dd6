//! Real Terraform, on this machine alone: configurations in a temporary folder, and providers from
//! a mirror in another.
//!
//! `TERRAFORM` names it, or `PATH` has it; `TERRAFORM=none` says that there is none, where tools
//! are required otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tempfile::TempDir;

use crate::servers::program;

/// The file of a fixture that is applied before `main.tf` is planned.
const BEFORE: &str = "before.tf.txt";
/// The file of a fixture with more arguments of `terraform plan`, one a line.
const OPTIONS: &str = "plan-options";
/// Where a plan is kept between commands.
pub const PLAN: &str = "plan.bin";

/// One Terraform at a time, with the processes of its providers: the tests share a machine.
static TURN: Mutex<()> = Mutex::new(());

/// Terraform, where there is one.
///
/// # Errors
/// It is nowhere, and tools are required.
pub fn terraform() -> Result<Option<PathBuf>, String> {
    if std::env::var("TERRAFORM").as_deref() == Ok("none") {
        println!("note: TERRAFORM=none: nothing was planned by a real Terraform");
        return Ok(None);
    }
    program("TERRAFORM", "terraform")
}

/// A provider that Terraform finds in the mirror.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// Namespace and type: `hashicorp/aws`.
    pub source: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The program.
    pub program: &'a Path,
}

/// A configuration in a folder of its own.
#[derive(Debug)]
pub struct Workspace {
    terraform: PathBuf,
    root: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code.
    pub exit: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Workspace {
    /// Copies a configuration, and has Terraform initialise it with these providers.
    ///
    /// # Errors
    /// Says what cannot be done.
    pub fn new(
        terraform: &Path,
        configuration: &Path,
        providers: &[Served<'_>],
    ) -> Result<Self, String> {
        let root = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
        let workspace = Self {
            terraform: terraform.to_owned(),
            root,
            variables: Vec::new(),
        };
        let folders = ["home", "tmp"].map(|name| workspace.root.path().join(name));
        for folder in folders {
            fs::create_dir(&folder).map_err(|error| failed(&folder, &error))?;
        }
        copy(configuration, &workspace.folder())?;
        let mirror = workspace.root.path().join("mirror");
        for provider in providers {
            // OpenTofu has a registry of its own.
            for host in ["registry.terraform.io", "registry.opentofu.org"] {
                self::mirror(&mirror, host, *provider)?;
            }
        }
        let settings = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n",
        );
        workspace.write_to(&workspace.root.path().join("terraform.rc"), &settings)?;
        if configuration.join(BEFORE).is_file() {
            workspace.write_to(
                &workspace.folder().join("main.tf"),
                &read(&configuration.join(BEFORE))?,
            )?;
        }
        workspace.expect(&["init", "-input=false"])?;
        Ok(workspace)
    }

    /// Sets a variable of the environment of all commands.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// The folder that holds everything.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The folder of the configuration.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("configuration")
    }

    /// The folder where the processes of this workspace have their temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    /// Writes a file of the configuration.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), String> {
        self.write_to(&self.folder().join(name), text)
    }

    fn write_to(&self, path: &Path, text: &str) -> Result<(), String> {
        fs::write(path, text).map_err(|error| failed(path, &error))
    }

    /// A command that runs Terraform in the folder of the configuration, with nothing of this
    /// process's environment but the search path.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.terraform);
        command
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path().join("home"))
            .env("TMPDIR", self.temporary())
            .env("TF_CLI_CONFIG_FILE", self.root.path().join("terraform.rc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs Terraform; how it ended is for the caller to judge.
    ///
    /// # Errors
    /// It does not start.
    pub fn run(&self, arguments: &[&str]) -> Result<Ran, String> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let output = self.command(arguments).output();
        let output = output.map_err(|error| failed(&self.terraform, &error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ran {
            exit: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }

    /// Runs Terraform, and gives its standard output.
    ///
    /// # Errors
    /// It does not end well: with all that it said.
    pub fn expect(&self, arguments: &[&str]) -> Result<String, String> {
        let ran = self.run(arguments)?;
        match ran.exit {
            Some(0) => Ok(ran.stdout),
            exit => Err(format!(
                "`terraform {}` ended with {exit:?}\n{}\n{}",
                arguments.join(" "),
                ran.stdout,
                ran.stderr
            )),
        }
    }

    /// Plans, and gives what `terraform show -json` says of the plan: its very text.
    ///
    /// # Errors
    /// There is no plan.
    pub fn plan(&self, options: &[&str]) -> Result<String, String> {
        let mut arguments = vec!["plan", "-input=false", "-no-color", "-out", PLAN];
        arguments.extend(options);
        self.expect(&arguments)?;
        self.expect(&["show", "-json", PLAN])
    }

    /// Applies what [`plan`](Self::plan) has planned.
    ///
    /// # Errors
    /// It could not be applied.
    pub fn apply(&self) -> Result<String, String> {
        self.expect(&["apply", "-input=false", "-no-color", PLAN])
    }

    /// Plans and applies the configuration as it is.
    ///
    /// # Errors
    /// It could not be applied.
    pub fn converge(&self) -> Result<String, String> {
        self.plan(&[])?;
        self.apply()
    }

    /// Whether a plan finds nothing to do.
    ///
    /// # Errors
    /// There is no plan.
    pub fn is_clean(&self) -> Result<bool, String> {
        let ran = self.run(&["plan", "-input=false", "-no-color", "-detailed-exitcode"])?;
        match ran.exit {
            Some(0) => Ok(true),
            Some(2) => Ok(false),
            _ => Err(format!("{}\n{}", ran.stdout, ran.stderr)),
        }
    }

    /// Removes all that was applied.
    ///
    /// # Errors
    /// It could not be removed.
    pub fn destroy(&self) -> Result<String, String> {
        self.expect(&["destroy", "-auto-approve", "-input=false", "-no-color"])
    }

    /// The state, as `terraform show -json` says it.
    ///
    /// # Errors
    /// There is none.
    pub fn state(&self) -> Result<Value, String> {
        parse(&self.expect(&["show", "-json"])?)
    }
}

/// Puts a provider into a mirror, under the host of a registry.
///
/// # Errors
/// It cannot be written.
pub fn mirror(mirror: &Path, host: &str, provider: Served<'_>) -> Result<(), String> {
    let (_, kind) = provider.source.split_once('/').unwrap_or_default();
    let folder = mirror.join(host).join(provider.source);
    let folder = folder.join(provider.version).join(platform());
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    let file = folder.join(format!("terraform-provider-{kind}_v{}", provider.version));
    link(provider.program, &file)
}

/// Gives a program a second name, which costs nothing; on another file system it takes a copy.
///
/// # Errors
/// It cannot be written.
pub fn link(program: &Path, file: &Path) -> Result<(), String> {
    fs::hard_link(program, file)
        .or_else(|_| fs::copy(program, file).map(|_| ()))
        .map_err(|error| failed(program, &error))
}

/// What Terraform plans for a fixture: after its `before.tf.txt` was applied, where there is one.
///
/// # Errors
/// Says what Terraform said.
pub fn planned(
    terraform: &Path,
    fixture: &Path,
    providers: &[Served<'_>],
) -> Result<String, String> {
    let workspace = Workspace::new(terraform, fixture, providers)?;
    if fixture.join(BEFORE).is_file() {
        workspace.converge()?;
        workspace.write("main.tf", &read(&fixture.join("main.tf"))?)?;
    }
    let options = fs::read_to_string(fixture.join(OPTIONS)).unwrap_or_default();
    workspace.plan(&options.lines().collect::<Vec<_>>())
}

/// The fixtures below a folder, in order: the folders with a `main.tf`.
pub fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut fixtures: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join("main.tf").is_file())
        .collect();
    fixtures.sort();
    fixtures
}

/// Reads JSON.
///
/// # Errors
/// It is none.
pub fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
}

/// How Terraform names this machine.
pub fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    format!("{system}_{architecture}")
}

/// Copies a folder, over what is there.
///
/// # Errors
/// Something cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| failed(to, &error))?;
    let entries = fs::read_dir(from).map_err(|error| failed(from, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| failed(from, &error))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        match path.is_dir() {
            true => copy(&path, &target)?,
            false => {
                fs::copy(&path, &target).map_err(|error| failed(&path, &error))?;
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
