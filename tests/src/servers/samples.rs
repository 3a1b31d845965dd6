//! Images as people build them, and as they should not have.

use serde_json::{Value, json};

use super::image::{Artifact, Family, config, image, index, nested};

/// The process of most samples, with its architecture as an argument, so that a test sees which
/// image was read.
pub fn process(architecture: &str) -> Value {
    json!({
        "Entrypoint": ["/entry", architecture],
        "Cmd": ["serve"],
        "Env": ["PATH=/usr/bin"],
        "WorkingDir": "/srv",
    })
}

fn linux(family: Family, architecture: &str) -> Artifact {
    image(
        family,
        &config("linux", architecture, &process(architecture)),
    )
}

fn platform(os: &str, architecture: &str) -> Value {
    json!({"os": os, "architecture": architecture})
}

/// One image for linux/amd64, without an index.
pub fn single(family: Family) -> Artifact {
    linux(family, "amd64")
}

/// One image for linux/amd64, without an index, that runs this.
pub fn running(process: &Value) -> Artifact {
    image(Family::Oci, &config("linux", "amd64", process))
}

/// An index with linux/amd64 and linux/arm64/v8.
pub fn multi_platform(family: Family) -> Artifact {
    let arm = json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
    index(
        family,
        vec![
            (platform("linux", "amd64"), linux(family, "amd64")),
            (arm, linux(family, "arm64")),
        ],
    )
}

/// What `docker buildx build` pushes: two images, and for each a statement how it was built.
pub fn with_attestations() -> Artifact {
    let statement = || {
        let config = json!({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}});
        (platform("unknown", "unknown"), image(Family::Oci, &config))
    };
    index(
        Family::Oci,
        vec![
            (platform("linux", "amd64"), linux(Family::Oci, "amd64")),
            (platform("linux", "arm64"), linux(Family::Oci, "arm64")),
            statement(),
            statement(),
        ],
    )
}

/// An index inside an index.
pub fn nested_index() -> Artifact {
    nested(multi_platform(Family::Oci))
}

/// An index with a hundred platforms, linux/amd64 the last of them.
pub fn hundred_platforms() -> Artifact {
    let mut images: Vec<_> = (1..100)
        .map(|number| {
            let architecture = format!("made-up-{number}");
            let image = linux(Family::Oci, &architecture);
            (platform("linux", &architecture), image)
        })
        .collect();
    images.push((platform("linux", "amd64"), linux(Family::Oci, "amd64")));
    index(Family::Oci, images)
}

/// An index with two builds of Windows, and nothing else.
pub fn windows() -> Artifact {
    let build = |version: &str| {
        let platform = json!({"os": "windows", "architecture": "amd64", "os.version": version});
        let mut config = config(
            "windows",
            "amd64",
            &json!({"Cmd": ["c:\\windows\\system32\\cmd.exe"]}),
        );
        if let Value::Object(members) = &mut config {
            members.insert("os.version".to_owned(), json!(version));
        }
        (platform, image(Family::Docker, &config))
    };
    index(
        Family::Docker,
        vec![build("10.0.17763.1"), build("10.0.20348.1")],
    )
}

/// A config without `rootfs` and with an empty date, as some builders write it.
pub fn without_rootfs() -> Artifact {
    let config = json!({
        "created": "",
        "architecture": "amd64",
        "os": "linux",
        "config": process("amd64"),
    });
    image(Family::Oci, &config)
}

/// An entry point and no command.
pub fn without_command() -> Artifact {
    running(&json!({"Entrypoint": ["/entry"]}))
}

/// Neither: a base image.
pub fn without_process() -> Artifact {
    running(&json!({"Env": ["PATH=/usr/bin"]}))
}

/// `ENTRYPOINT /entry --serve`, which a shell runs.
pub fn shell_form() -> Artifact {
    running(&json!({"Entrypoint": ["/bin/sh", "-c", "/entry --serve"], "Shell": ["/bin/sh", "-c"]}))
}

/// A user other than root.
pub fn not_root() -> Artifact {
    running(&json!({"Entrypoint": ["/entry"], "User": "1000:1000"}))
}
