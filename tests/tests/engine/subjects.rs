//! The images, each with the settings that a task gives its container: the ways in which programs are
//! put into images.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use outrigger_tests::servers::{Engine, not_tested, program};
use serde_json::{Value, json};

use crate::ways::Vendor;

/// Words that shells, templates, formats or careless code would take for something else.
pub(crate) const AWKWARD: [&str; 26] = [
    "two words",
    "",
    "it's",
    "say \"hi\"",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "a && b",
    "a; b | c > /d",
    "100%",
    "%s%n",
    "line\nbreak",
    "tab\there",
    "back\\slash",
    "\\",
    "*",
    "~",
    "größe 日本 🚀",
    "--flag=x y",
    "-",
    "# no comment",
    "{{ inputs.accessToken }}",
    "!",
    "a=b",
    " ",
];

/// An image, and what the task's container says beside entry point and command.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// Instructions of a Dockerfile.
    changes: Vec<String>,
    /// Settings of the container definition.
    pub(crate) settings: Value,
    /// Whether the program runs as another user than root.
    pub(crate) other_user: bool,
}

impl Subject {
    pub(crate) fn image(&self) -> String {
        format!("engine.test/{}:1", self.name)
    }

    fn with_settings(self, settings: Value) -> Self {
        Self { settings, ..self }
    }

    fn of_another_user(self) -> Self {
        Self {
            other_user: true,
            ..self
        }
    }
}

fn subject(name: &'static str, changes: &[&str]) -> Subject {
    Subject {
        name,
        changes: changes.iter().map(|change| (*change).to_owned()).collect(),
        settings: json!({}),
        other_user: false,
    }
}

/// Every image.
pub(crate) fn subjects() -> Vec<Subject> {
    of_root().into_iter().chain(of_other_users()).collect()
}

/// Programs of root's, in every way.
fn of_root() -> Vec<Subject> {
    let words = |first: &str| json!([&[first], &AWKWARD[..]].concat()).to_string();
    let awkward = [
        format!("ENTRYPOINT {}", words("/probe")),
        format!("CMD {}", words("/probe")),
    ];
    vec![
        subject("neither", &[]),
        subject("entry-point", &[r#"ENTRYPOINT ["/probe"]"#]),
        subject("command", &[r#"CMD ["/probe", "of the image"]"#]),
        subject(
            "both",
            &[
                r#"ENTRYPOINT ["/probe", "first"]"#,
                r#"CMD ["second", "third"]"#,
            ],
        ),
        subject(
            "shell-entry-point",
            &[
                r#"ENTRYPOINT exec /probe "$HOME" '*' "$0" "$@""#,
                r#"CMD ["a b", "$HOME"]"#,
            ],
        ),
        subject(
            "shell-command",
            &[r#"CMD /probe "$HOME" || exec /probe 'a  b' && true"#],
        ),
        subject(
            "shell-both",
            &["ENTRYPOINT /probe one; /probe two", "CMD /probe three"],
        ),
        subject(
            "empty-command-word",
            &[r#"ENTRYPOINT ["/probe"]"#, r#"CMD [""]"#],
        ),
        subject(
            "empty-entry-point-word",
            &[r#"ENTRYPOINT [""]"#, r#"CMD ["/probe"]"#],
        ),
        subject(
            "relative",
            &[
                "WORKDIR /srv/app",
                r#"ENTRYPOINT ["./bin/probe"]"#,
                r#"CMD ["x"]"#,
            ],
        ),
        subject(
            "by-path",
            &["WORKDIR /srv", r#"ENTRYPOINT ["probe"]"#, r#"CMD ["x"]"#],
        ),
        subject("awkward", &[&awkward[0], &awkward[1]]),
        subject(
            "environment",
            &[
                r#"ENV EMPTY= QUOTED="a \"b\" 'c'" EQUALS=a=b=c GREAT=größe HOME=/srv PATH=/bin:/usr/bin app.name=a"#,
                r#"ENTRYPOINT ["/probe"]"#,
            ],
        ),
    ]
}

/// Programs of other users, of the image or of the task.
fn of_other_users() -> Vec<Subject> {
    let task = json!({
        "User": "1000",
        "WorkingDirectory": "/srv/app",
        "Environment": [{"Name": "STATED", "Value": "$HOME \"a\"\n%s größe"}, {"Name": "EMPTY", "Value": ""}],
        "Secrets": [{"Name": "SECRET", "ValueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:own-AbCdEf"}],
    });
    vec![
        subject(
            "user",
            &["USER 1000:1000", r#"ENTRYPOINT ["/probe"]"#, r#"CMD ["x"]"#],
        )
        .of_another_user(),
        subject(
            "named-user",
            &["USER app", "WORKDIR /home/app", r#"CMD ["/probe", "x"]"#],
        )
        .of_another_user(),
        subject("no-names-of-a-shell", &[r#"ENTRYPOINT ["/probe"]"#, r#"CMD ["x"]"#])
            .with_settings(json!({
                "User": "app",
                "Environment": [{"Name": "app.name", "Value": "a"}],
                "Secrets": [{"Name": "app-key", "ValueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:own-AbCdEf"}],
            }))
            .of_another_user(),
        subject(
            "task-settings",
            &[r#"ENTRYPOINT ["/probe"]"#, r#"CMD ["x"]"#],
        )
        .with_settings(task)
        .of_another_user(),
    ]
}

/// The files of all images: the probe, and a real shell.
pub(crate) struct Files {
    /// For images of programs.
    of_programs: Vec<u8>,
    folder: tempfile::TempDir,
}

impl Files {
    /// Compiles the probe; `None` where a tool is not installed.
    pub(crate) fn new() -> Option<Self> {
        let rustc = program("RUSTC", "rustc").unwrap()?;
        let busybox = program("BUSYBOX", "busybox").unwrap()?;
        // The images have no libraries.
        let libraries = Command::new("ldd").arg(&busybox).output().unwrap();
        if libraries.status.success() {
            not_tested("busybox is not linked statically").unwrap();
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for path in ["bin", "etc", "home/app", "srv/app/bin", "tmp", "usr/bin"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/probe.rs");
        let compiled = Command::new(rustc)
            .args([
                "--edition",
                "2024",
                "-O",
                "-C",
                "panic=abort",
                "-C",
                "strip=symbols",
            ])
            .args(["-C", "target-feature=+crt-static", source, "-o"])
            .arg(root.join("probe"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success() && said.is_empty(), "{said}");
        fs::copy(busybox, root.join("bin/busybox")).unwrap();
        for (link, target) in [
            ("bin/sh", "busybox"),
            ("bin/sleep", "busybox"),
            ("srv/app/bin/probe", "/probe"),
            ("usr/bin/probe", "/probe"),
            ("usr/bin/sudo", "/probe"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let users = "root:x:0:0::/root:/bin/sh\napp:x:1001:1001::/home/app:/bin/sh\n";
        fs::write(root.join("etc/passwd"), users).unwrap();
        fs::write(
            root.join("etc/group"),
            "root:x:0:\napp:x:1001:\nlogs:x:2000:app\n",
        )
        .unwrap();
        let of_programs = archive(&root);
        Some(Self {
            of_programs,
            folder,
        })
    }

    /// Makes the image of a subject; gives its config.
    pub(crate) fn import(&self, engine: &Engine, subject: &Subject) -> Value {
        let image = subject.image();
        engine
            .import(&image, &subject.changes, &self.of_programs)
            .unwrap();
        engine.image_config(&image).unwrap()
    }

    /// Makes the image of a recipe's sidecar, which has the wrapper in a volume.
    pub(crate) fn import_sidecar(&self, engine: &Engine, vendor: &Vendor) {
        let root = tempfile::tempdir_in(self.folder.path()).unwrap();
        let path = root.path().join(vendor.wrapper[0].trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(self.folder.path().join("root/probe"), path).unwrap();
        let changes = [
            format!("VOLUME {}", vendor.volume),
            r#"CMD ["unused"]"#.to_owned(),
        ];
        engine
            .import(vendor.sidecar, &changes, &archive(root.path()))
            .unwrap();
    }
}

/// The files of a folder, for everybody to read, and root's.
fn archive(root: &Path) -> Vec<u8> {
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("tar")
        .args([
            "--create",
            "--numeric-owner",
            "--owner=0",
            "--group=0",
            "--mode=a+rX,u+w",
        ])
        .arg("--directory")
        .arg(root)
        .arg(".")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
