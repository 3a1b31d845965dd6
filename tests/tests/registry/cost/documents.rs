//! Manifests and configs.

use serde_json::json;

use super::bomb::bomb;
use super::{Case, MEMORY_AT_ONCE, MEMORY_LARGE};
use crate::hostile::but;
use crate::images::{CONFIG, INDEX, Images, MANIFEST};
use crate::server::{Reply, ReplyBody, Seen};

/// All of them.
pub(super) async fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (place, wrong) in answers() {
        for (name, code, wrong) in wrong {
            let (_, reply) = but(place, wrong);
            cases.push(Case::answer(name, code, reply).await);
        }
    }
    for (name, place, body) in unfinished() {
        let (_, reply) = but(place, move |_| Reply::new(200).body(body()));
        let case = Case::answer(name, "deadline-exceeded", reply).await;
        cases.push(case.seconds(1));
    }
    for (name, code, body) in roots() {
        let reply = move |_: &Seen| Reply::ok("application/json", body.clone());
        cases.push(Case::answer(name, code, reply).await);
    }
    for (name, code, media_type, body) in configs() {
        let images = with_config(media_type, &body);
        let case = Case::answer(name, code, move |seen| images.reply(seen)).await;
        cases.push(case.memory(MEMORY_LARGE));
    }
    let images = many_large();
    let name = "32 configs of 4 MB at once";
    let case = Case::answer(name, "platform-not-found", move |seen| images.reply(seen)).await;
    cases.push(case.memory(MEMORY_AT_ONCE));
    cases
}

/// An index that does not say what its images are for, so that each has to be looked at.
fn many_large() -> Images {
    let mut images = Images::default();
    let entries = (0..32).map(|number| {
        let pad = format!("{}{number}", "x".repeat(4_000_000));
        let config = json!({"os": "linux", "architecture": "s390x", "author": pad});
        (images.image(&config), serde_json::Value::Null)
    });
    let entries = entries.collect();
    let index = images.index(entries);
    images.tag("1", &index);
    images
}

type Wrong = Box<dyn Fn(Reply) -> Reply + Send + Sync>;
/// Name, code, and what is said in place of the right answer.
type Answer = (&'static str, &'static str, Wrong);

fn say(media_type: &'static str, body: Vec<u8>) -> Wrong {
    Box::new(move |_| Reply::ok(media_type, body.clone()))
}

fn blank(media_type: &'static str, count: usize) -> Wrong {
    say(media_type, vec![b' '; count])
}

fn packed(media_type: &'static str) -> Wrong {
    let bomb = say(media_type, bomb());
    Box::new(move |reply| bomb(reply).header("content-encoding", "gzip"))
}

fn endless() -> Wrong {
    Box::new(|_| Reply::new(200).body(ReplyBody::Endless))
}

/// What a good registry says wrong, in one place: index, manifest or config.
fn answers() -> [(&'static str, Vec<Answer>); 3] {
    let (digest, size) = ("digest-mismatch", "size-mismatch");
    let (invalid, encoded) = ("manifest-invalid", "answer-encoded");
    let other = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let other: Wrong =
        Box::new(move |_| Reply::ok(INDEX, "{}").header("docker-content-digest", &other));
    let no_index = br#"{"schemaVersion":2,"config":{}}"#.to_vec();
    let page = b"<html>sign in</html>".to_vec();
    let indexes = vec![
        ("index, wrong digest", digest, other),
        ("index, wrong type", invalid, say(INDEX, no_index)),
        ("index, a web page", invalid, say("text/html", page)),
        ("index, endless", "answer-too-large", endless()),
        ("index, gzip bomb", encoded, packed(INDEX)),
        ("index, hidden gzip bomb", invalid, say(INDEX, bomb())),
    ];
    let manifests = vec![
        ("manifest, wrong digest", digest, blank(MANIFEST, 248)),
        ("manifest, wrong size", size, blank(MANIFEST, 4_000_000)),
        ("manifest, endless", size, endless()),
    ];
    let configs = vec![
        ("config, wrong digest", digest, blank(CONFIG, 105)),
        ("config, too short", size, blank(CONFIG, 2)),
        ("config, too long", size, blank(CONFIG, 8_000_000)),
        ("config, endless", size, endless()),
        ("config, gzip bomb", encoded, packed(CONFIG)),
    ];
    [
        ("/manifests/1", indexes),
        ("/manifests/sha256", manifests),
        ("/blobs/", configs),
    ]
}

type Body = fn() -> ReplyBody;

/// What never ends, or only in a time that nobody has.
fn unfinished() -> [(&'static str, &'static str, Body); 4] {
    let silent = || ReplyBody::Stalled(Some("{\"schema".into()));
    [
        ("index, a part and then nothing", "/manifests/1", silent),
        ("config, a part and then nothing", "/blobs/", silent),
        ("index, drop by drop", "/manifests/1", ReplyBody::dripping),
        ("config, drop by drop", "/blobs/", ReplyBody::dripping),
    ]
}

/// What a tag names.
fn roots() -> [(&'static str, &'static str, String); 7] {
    let (invalid, many) = ("manifest-invalid", "too-many-platforms");
    let both = r#"{"config":{},"manifests":[]}"#.to_owned();
    let truncated = r#"{"schemaVersion":2,"config":{"#.to_owned();
    let deep = "[".repeat(4_000_000);
    let hidden = format!(r#"{{"layers":{deep}"#);
    let image = |number| format!(r#"{{"digest":"sha256:{number:064}","size":1}}"#);
    let index = |entries: Vec<String>| {
        let entries = entries.join(",");
        format!(r#"{{"mediaType":"{INDEX}","manifests":[{entries}]}}"#)
    };
    let empty = index(vec!["{}".to_owned(); 1_300_000]);
    let distinct = index((0..4096).map(image).collect());
    let same = index(vec![image(0); 4096]);
    [
        ("manifest, truncated", invalid, truncated),
        ("manifest, deep", invalid, deep),
        ("manifest, deep where nobody looks", invalid, hidden),
        ("config and manifests", "manifest-ambiguous", both),
        ("index of 1.3 million images", invalid, empty),
        ("index of 4096 images", many, distinct),
        ("index of 4096 times one image", many, same),
    ]
}

/// Name, code, type and config.
fn configs() -> [(&'static str, &'static str, &'static str, String); 7] {
    let invalid = "config-invalid";
    let helm = "application/vnd.cncf.helm.config.v1+json";
    let truncated = r#"{"os":"linux","config":{"Cmd":["#.to_owned();
    let deep = "[".repeat(8_000_000);
    let hidden = format!(r#"{{"history":{deep}"#);
    let with = |words: &str| format!(r#"{{"config":{{"Cmd":[{words}]}}}}"#);
    let empty = |count| with(&vec![r#""""#; count].join(","));
    let (many, most) = (empty(2_700_000), empty(65_536));
    let long = with(&format!(r#""{}""#, "x".repeat(8_000_000)));
    [
        ("config, wrong type", "not-an-image", helm, "{}".to_owned()),
        ("config, truncated", invalid, CONFIG, truncated),
        ("config, deep", invalid, CONFIG, deep),
        ("config, deep where nobody looks", invalid, CONFIG, hidden),
        ("config of 2.7 million words", invalid, CONFIG, many),
        ("config of 65,536 words", "", CONFIG, most),
        ("config of one word of 8 MB", invalid, CONFIG, long),
    ]
}

/// One image, with this config.
fn with_config(media_type: &str, config: &str) -> Images {
    let mut images = Images::default();
    let config = images.add(media_type, config.as_bytes());
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config});
    let manifest = images.add(MANIFEST, manifest.to_string().as_bytes());
    images.tag("1", &manifest);
    images
}
