//! Lock files in Amazon S3.

use outrigger_tests::cloudformation::Deployment;
use outrigger_tests::servers::Moto;
use serde_json::{Value, json};

use crate::hosts::Hosts;
use crate::images::{Images, config_of};
use crate::service::{failure, lacework, program_of, task};
use crate::subject::Subject;

const LOCK: &str = "s3://outrigger/outrigger.lock";

/// What is in the bucket.
fn keep(moto: &Moto, lock: &str) {
    moto.s3_put("/outrigger", b"").unwrap();
    moto.s3_put("/outrigger/outrigger.lock", lock.as_bytes())
        .unwrap();
}

/// A lock file with this digest for the image.
fn lock(image: &str, digest: &str) -> String {
    let entry = json!({
        "digest": digest, "entrypoint": ["/recorded"], "cmd": ["run"], "user": "", "workingDir": "",
    });
    json!({"version": 1, "images": {image: {"linux/amd64": entry}}}).to_string()
}

fn of_image(image: &str) -> Value {
    task(json!([{"Name": "api", "Image": image}]))
}

#[test]
fn a_lock_file_answers_and_its_tags_are_compared() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let hosts = Hosts::new();
    let mut images = Images::default();
    let image = images.image(&config_of("amd64", "server"));
    images.tag("1", &image);
    let digest = image["digest"].as_str().unwrap();
    let registry = hosts.plain(move |seen| images.reply(seen));
    let (host, url) = (registry.host(), moto.url());
    let image = format!("{host}/shop/api:1");
    let settings = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("OUTRIGGER_INSECURE_REGISTRIES", &host),
        ("OUTRIGGER_LOCK", LOCK),
    ];
    let subject = Subject::start(&lacework(&settings));
    keep(&moto, &lock(&image, digest));
    let processed = subject.process(&of_image(&image), &Deployment::default());
    let recorded = json!(["/recorded", "run"]);
    assert_eq!(program_of(&processed.unwrap(), 0), recorded);
    let asked: Vec<String> = registry
        .seen()
        .into_iter()
        .map(|seen| seen.method)
        .collect();
    assert_eq!(asked, ["HEAD"]);
    let other = format!("sha256:{}", "0".repeat(64));
    // The file is read again for each invocation.
    keep(&moto, &lock(&image, &other));
    let told = failure(&subject, &of_image(&image));
    assert!(told.contains("(lock-outdated)"), "{told}");
    let locked = [settings.as_slice(), &[("OUTRIGGER_LOCKED", "true")]].concat();
    let locked = Subject::start(&lacework(&locked));
    let asked = registry.seen().len();
    let processed = locked.process(&of_image(&image), &Deployment::default());
    assert_eq!(program_of(&processed.unwrap(), 0), recorded);
    assert!(locked.log().contains("mutable-tag"), "{}", locked.log());
    let pinned = [
        settings.as_slice(),
        &[
            ("OUTRIGGER_LOCKED", "true"),
            ("OUTRIGGER_PIN_DIGESTS", "digest"),
        ],
    ];
    let pinned = Subject::start(&lacework(&pinned.concat()));
    let processed = pinned.process(&of_image(&image), &Deployment::default());
    assert_eq!(program_of(&processed.unwrap(), 0), recorded);
    assert!(!pinned.log().contains("mutable-tag"), "{}", pinned.log());
    let mut told = vec![failure(&locked, &of_image(&format!("{host}/shop/other:1")))];
    assert_eq!(registry.seen().len(), asked);
    keep(&moto, "{\"version\": 9}");
    told.push(failure(&locked, &of_image(&image)));
    keep(&moto, "{");
    told.push(failure(&locked, &of_image(&image)));
    insta::assert_snapshot!(told.join("\n").replace(&host, "HOST"), @"
    `Task`, container `api`, image `HOST/shop/other:1`: image `HOST/shop/other:1` for `linux/amd64` is not in the lock file `s3://outrigger/outrigger.lock` (image-unresolved); way out: add it with the command `lock`, or state `EntryPoint`, `Command` and `User` in the template
    s3://outrigger/outrigger.lock:1:13: version 9 of the lock file's format is not known: known is 1
    s3://outrigger/outrigger.lock:1:1: EOF while parsing an object
    ");
}
