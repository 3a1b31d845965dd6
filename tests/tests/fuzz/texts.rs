//! Lock files and image references: what is read and written again.

use registry::lock::LockedPlatform;
use registry::{ImageReference, LockFile};
use taskdef::image::Platform;

use crate::driver::{Seen, Target};
use crate::random::hash;
use crate::seeds;

const LOCK_WORDS: &[&str] = &[
    "version",
    "1",
    "2",
    "images",
    "docker.io/library/nginx:1.27",
    "linux/amd64",
    "linux/arm64",
    "linux/arm64/v8",
    "linux/*",
    "windows/amd64",
    "digest",
    "entrypoint",
    "cmd",
    "user",
    "workingDir",
    "sha256:",
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

const REFERENCE_WORDS: &[&str] = &[
    "docker.io",
    "index.docker.io",
    "library",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[fe80::1%25eth0]",
    ":65535",
    ":65536",
    ":0",
    ":00080",
    "sha256:",
    "sha512:",
    "@",
    "/",
    "//",
    "..",
    "__",
    "--",
    "xn--",
    "A",
    "a.b",
    "tag",
    "latest",
    "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "https://",
    "user:pw@",
    "?a=b",
    "#f",
    " ",
];

/// Beside those of the cases' lock files.
const REFERENCES: &[&str] = &[
    "nginx",
    "nginx:1.27",
    "team/app",
    "registry.example.com:5000/team/app:1",
    "localhost/app",
    "[::1]:5000/a/b/c:t",
    "127.0.0.1:80/app",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1",
    "public.ecr.aws/a/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "index.docker.io/library/nginx",
    "registry-1.docker.io/app:v1",
    "a__b/c.d/e--f/g_h:_",
    "0x7f000001:80/app",
    "2130706433:80/app",
    "xn--bcher-kva.example/app",
];

pub(crate) fn lock_file() -> Target {
    Target {
        name: "lock_file",
        inputs: 1_500,
        words: LOCK_WORDS,
        seeds: || seeds::files(&["cases", "../samples"], |name| name == "outrigger.lock"),
        check: || Box::new(check_lock),
    }
}

fn check_lock(input: &[u8]) -> Result<Seen, String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(0);
    };
    let lock = match LockFile::parse("outrigger.lock", text) {
        Ok(lock) => lock,
        Err(error) => return message(&error.to_string()),
    };
    let written = lock.to_text();
    let again = LockFile::parse("outrigger.lock", &written)
        .map_err(|error| format!("what is written is not read: {error}"))?;
    if again != lock || again.to_text() != written {
        return Err("what is written is read as something else".to_owned());
    }
    let value: serde_json::Value = serde_json::from_str(&written)
        .map_err(|error| format!("what is written is no JSON: {error}"))?;
    let mut sight = vec![1];
    for image in value["images"]
        .as_object()
        .into_iter()
        .flat_map(|images| images.keys())
    {
        let reference = ImageReference::parse(image)
            .map_err(|error| format!("a reference that is kept is none: {error}"))?;
        for platform in [
            Platform::LinuxAmd64,
            Platform::LinuxArm64,
            Platform::AnyLinux,
        ] {
            let answer = lock.lookup(&reference, &platform);
            let recorded = lock.recorded(&reference, &LockedPlatform::from(&platform));
            if let (Some(recorded), Ok(answer)) = (recorded, &answer)
                && (&recorded.entrypoint, &recorded.cmd, &recorded.user)
                    != (&answer.entrypoint, &answer.cmd, &answer.user)
            {
                return Err(format!("an answer is not what is recorded: {image}"));
            }
            sight.push(u8::from(answer.is_ok()));
        }
    }
    sight.truncate(8);
    Ok(hash(&sight))
}

pub(crate) fn image_reference() -> Target {
    Target {
        name: "image_reference",
        inputs: 3_000,
        words: REFERENCE_WORDS,
        seeds: || {
            let lock = seeds::lock();
            let locked = lock["images"]
                .as_object()
                .into_iter()
                .flat_map(|images| images.keys().cloned());
            let more = REFERENCES.iter().map(|text| (*text).to_owned());
            locked.chain(more).map(String::into_bytes).collect()
        },
        check: || Box::new(check_reference),
    }
}

fn check_reference(input: &[u8]) -> Result<Seen, String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(0);
    };
    let reference = match ImageReference::parse(text) {
        Ok(reference) => reference,
        Err(error) => return message(&error.to_string()),
    };
    let written = reference.to_string();
    let again = ImageReference::parse(&written)
        .map_err(|error| format!("`{written}`, which is written, is not read: {error}"))?;
    if again != reference || again.to_string() != written {
        return Err(format!(
            "`{written}`, which is written, is read as `{again}`"
        ));
    }
    let clean = |letter: char| letter.is_ascii_graphic();
    if !written.chars().all(clean) || written.len() > 1_000 {
        return Err(format!("an odd reference is taken: {written:?}"));
    }
    let parts = [
        reference.tag().is_some(),
        reference.digest().is_some(),
        written.contains('['),
        reference.registry().contains(':'),
    ];
    Ok(hash(&parts.map(u8::from)))
}

/// A message is one line, and no longer than a person reads.
pub(crate) fn message(text: &str) -> Result<Seen, String> {
    if text.contains(|letter: char| letter.is_control()) || text.is_empty() {
        return Err(format!("a message is no line: {text:?}"));
    }
    if text.chars().count() > 2_000 {
        return Err(format!(
            "a message is long: {} letters: {text}",
            text.chars().count()
        ));
    }
    let mut quoted = false;
    let words: Vec<u8> = text
        .bytes()
        .filter(|byte| {
            quoted ^= *byte == b'`';
            !quoted && byte.is_ascii_alphabetic()
        })
        .collect();
    Ok(hash(&words))
}
