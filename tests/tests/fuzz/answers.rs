//! What registries and token servers answer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use outrigger_tests::servers::image::digest;
use outrigger_tests::servers::scripted::{Reply, ReplyBody, Seen as Asked, Server};
use registry::remote::{
    Credential, ImageFound, Proxies, Registries, Secret, Session, Settings, StaticCredentials,
};
use serde_json::{Map, Value};
use taskdef::image::{Credentials, ImageRequest, Platform};
use tokio::runtime::{Builder, Runtime};

use crate::driver::{Seen, Target};
use crate::random::hash;
use crate::texts::message;

/// Between two answers.
const BORDER: &str = "\n=====\n";
/// How long a resolution may wait: servers can ask us to.
const TIME: Duration = Duration::from_secs(2);
const PASSWORD: &str = "hunter2hunter2";

const WORDS: &[&str] = &[
    "200",
    "301",
    "307",
    "400",
    "401",
    "403",
    "404",
    "429",
    "500",
    "503",
    "content-type",
    "location",
    "retry-after",
    "docker-content-digest",
    "www-authenticate",
    "Bearer",
    "Basic",
    "realm",
    "service",
    "scope",
    "token",
    "access_token",
    "expires_in",
    "schemaVersion",
    "mediaType",
    "config",
    "manifests",
    "digest",
    "size",
    "platform",
    "os",
    "linux",
    "architecture",
    "amd64",
    "arm64",
    "variant",
    "v8",
    "windows",
    "unknown",
    "Entrypoint",
    "Cmd",
    "User",
    "WorkingDir",
    "Env",
    "Volumes",
    "Healthcheck",
    "rootfs",
    "layers",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.container.image.v1+json",
    "MANIFEST",
    "CONFIG",
    "MANIFEST_SIZE",
    "CONFIG_SIZE",
    "http://HOST/v2/",
    "http://HOST/token",
    "https://HOST/",
    "//HOST/v2/app/blobs/CONFIG",
    "/v2/app/manifests/MANIFEST",
    "=====",
];

/// A registry that asks for a token, one that asks for a password, and one that asks for nothing:
/// challenge, token, index, manifest and config. Digests and sizes are filled in.
const SEEDS: [&str; 4] = [
    r#"401
www-authenticate: Bearer realm="http://HOST/token",service="registry"

{"errors": [{"code": "UNAUTHORIZED"}]}
=====
200
content-type: application/json

{"token": "abc", "expires_in": 300, "issued_at": "2026-01-01T00:00:00Z"}
=====
200
content-type: application/vnd.oci.image.index.v1+json

{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
  {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "MANIFEST", "size": MANIFEST_SIZE, "platform": {"os": "linux", "architecture": "amd64"}},
  {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "MANIFEST", "size": MANIFEST_SIZE, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
  {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "MANIFEST", "size": MANIFEST_SIZE, "platform": {"os": "unknown", "architecture": "unknown"}}]}
=====
200
content-type: application/vnd.oci.image.manifest.v1+json

{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "CONFIG", "size": CONFIG_SIZE}, "layers": []}
=====
200
content-type: application/octet-stream

{"os": "linux", "architecture": "amd64", "config": {"Entrypoint": ["/entry"], "Cmd": ["run", "--it"], "User": "app", "WorkingDir": "/srv", "Env": ["PATH=/bin", "A=b"]}, "rootfs": {"type": "layers", "diff_ids": []}}"#,
    r#"401
www-authenticate: Basic realm="registry"

=====
404


=====
200
content-type: application/vnd.docker.distribution.manifest.list.v2+json

{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json", "manifests": [{"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "digest": "MANIFEST", "size": MANIFEST_SIZE, "platform": {"os": "linux", "architecture": "amd64"}}]}
=====
200
content-type: application/vnd.docker.distribution.manifest.v2+json

{"schemaVersion": 2, "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "CONFIG", "size": CONFIG_SIZE}}
=====
200
content-type: application/json

{"os": "linux", "architecture": "amd64", "config": {"Cmd": ["sh"], "Entrypoint": null, "User": ""}}"#,
    r#"
=====
=====
200
content-type: application/vnd.oci.image.manifest.v1+json; charset=utf-8

{"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "CONFIG", "size": CONFIG_SIZE}}
=====
=====
200

{"os": "linux", "architecture": "amd64", "config": {"Entrypoint": ["/a"]}}"#,
    r#"
=====
=====
200
content-type: application/vnd.oci.image.index.v1+json

{"schemaVersion": 2, "manifests": [{"digest": "MANIFEST", "size": MANIFEST_SIZE}]}
=====
307
location: http://HOST/v2/other/manifests/MANIFEST
retry-after: 0

{"schemaVersion": 2, "config": {"mediaType": "", "digest": "CONFIG", "size": CONFIG_SIZE}}
=====
200

{"config": {}}"#,
];

pub(crate) fn target() -> Target {
    Target {
        name: "registry_answers",
        inputs: 400,
        words: WORDS,
        seeds: || SEEDS.map(|seed| seed.as_bytes().to_vec()).to_vec(),
        check: || {
            let subject = Subject::new();
            Box::new(move |input: &[u8]| subject.check(input))
        },
    }
}

/// What a registry answers to a request of each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    challenge: Option<Said>,
    token: Said,
    index: Said,
    manifest: Said,
    config: Said,
    /// The blob that was asked for last.
    blob: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Said {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.trim().parse().ok());
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name: HeaderName = name.trim().parse().ok()?;
            // How a body comes is the server's own affair.
            let is_own =
                ["content-length", "transfer-encoding", "connection"].contains(&name.as_str());
            let value = HeaderValue::from_str(value.trim())
                .ok()
                .filter(|_| !is_own)?;
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        Self {
            status: status
                .filter(|status| (200..600).contains(status))
                .unwrap_or(404),
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    /// With the digest and the size of another document in the place of its name.
    fn naming(mut self, name: &str, other: &Said) -> Self {
        let fill = |text: &str| {
            text.replace(&format!("{name}_SIZE"), &other.body.len().to_string())
                .replace(name, &digest(&other.body))
        };
        self.body = fill(&String::from_utf8_lossy(&self.body)).into_bytes();
        self.headers
            .iter_mut()
            .for_each(|(_, value)| *value = fill(value));
        self
    }

    fn reply(&self, host: &str) -> Reply {
        let reply = self
            .headers
            .iter()
            .fold(Reply::new(self.status), |reply, (name, value)| {
                reply.header(name, &value.replace("HOST", host))
            });
        reply.body(ReplyBody::Whole(Some(self.body.clone().into())))
    }
}

impl Script {
    /// As the registry of the first seed, without a challenge.
    pub(crate) fn usual() -> Self {
        Self {
            challenge: None,
            ..Self::parse(SEEDS[0])
        }
    }

    fn parse(text: &str) -> Self {
        let mut parts = text.split(BORDER).map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let challenge =
            Some(next()).filter(|text| text.lines().next().is_some_and(|line| !line.is_empty()));
        let (token, index, manifest, config) = (next(), next(), next(), next());
        let config = Said::parse(&config);
        let manifest = Said::parse(&manifest).naming("CONFIG", &config);
        let index = Said::parse(&index)
            .naming("MANIFEST", &manifest)
            .naming("CONFIG", &config);
        Self {
            challenge: challenge.map(|text| Said::parse(&text)),
            token: Said::parse(&token),
            index,
            manifest,
            config,
            blob: None,
        }
    }

    pub(crate) fn reply(&mut self, asked: &Asked) -> Reply {
        if asked.path.starts_with("/token") {
            return self.token.reply(&asked.host);
        }
        if let Some(challenge) = self
            .challenge
            .as_ref()
            .filter(|_| asked.authorization.is_none())
        {
            return challenge.reply(&asked.host);
        }
        let name = asked.path.rsplit('/').next().unwrap_or_default();
        if asked.path.contains("/blobs/") {
            let all = [&self.config, &self.manifest, &self.index];
            let found = all.into_iter().find(|said| digest(&said.body) == name);
            self.blob = found.map(|said| said.body.clone());
            return found.map_or_else(|| Reply::new(404), |said| said.reply(&asked.host));
        }
        match name == digest(&self.manifest.body) {
            true => self.manifest.reply(&asked.host),
            false => self.index.reply(&asked.host),
        }
    }
}

/// A registry of this process, and a client of it.
struct Subject {
    runtime: Runtime,
    server: Server,
    host: String,
    script: Arc<Mutex<Script>>,
    registries: Registries<StaticCredentials>,
}

/// Nothing leaves this machine: every other host is asked for by a proxy, and there is none.
pub(crate) const NO_PROXY: (&str, &str) = ("http://127.0.0.1:9", "127.0.0.1");

impl Subject {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let told = Arc::clone(&script);
        let server = Server::plain(move |asked| {
            told.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reply(asked)
        });
        let server = runtime.block_on(server);
        let host = server.host();
        let (proxy, direct) = NO_PROXY;
        let settings = Settings {
            insecure: vec![host.parse().unwrap()],
            backoff: Duration::from_millis(1),
            proxies: Proxies {
                https: Some(Secret::new(proxy)),
                http: Some(Secret::new(proxy)),
                no_proxy: Some(direct.to_owned()),
            },
            ..Settings::default()
        };
        let credential = Credential::password("user", Secret::new(PASSWORD));
        let credentials = StaticCredentials::none().with(&host.parse().unwrap(), credential);
        Self {
            registries: Registries::new(settings, credentials),
            runtime,
            server,
            host,
            script,
        }
    }

    fn check(&self, input: &[u8]) -> Result<Seen, String> {
        self.server.forget();
        let script = Script::parse(&String::from_utf8_lossy(input));
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
        let platforms = [
            Platform::LinuxAmd64,
            Platform::LinuxArm64,
            Platform::AnyLinux,
        ];
        let request = ImageRequest {
            reference: format!("{}/app:1", self.host),
            platform: platforms[(hash(input) % 3) as usize].clone(),
            credentials: Credentials::Unstated,
        };
        let session: Session<_> = self.registries.session(TIME);
        let found = self
            .runtime
            .block_on(session.resolve(BTreeSet::from([request])));
        let (_, found) = found.into_iter().next().ok_or("no answer")?;
        for step in &found.steps {
            hidden(&step.to_string())?;
        }
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        match found.outcome {
            Ok(image) => right(&image, &script),
            Err(error) => {
                let text = error.to_string().replace(&self.host, "HOST");
                hidden(&text)?;
                message(&text)
            }
        }
    }
}

/// No password stands where a person reads.
fn hidden(text: &str) -> Result<(), String> {
    match text.contains(PASSWORD) {
        true => Err(format!("a password is shown: {text}")),
        false => Ok(()),
    }
}

/// What was found is what another reader finds in the blob that was served.
fn right(image: &ImageFound, script: &Script) -> Result<Seen, String> {
    let config = &image.config;
    named(config.digest.as_deref(), script)?;
    let blob = script
        .blob
        .as_deref()
        .ok_or("a config, and none was served")?;
    let blob: Value =
        serde_json::from_slice(blob).map_err(|error| format!("a config of no JSON: {error}"))?;
    let none = Map::new();
    let Some(root) = blob.as_object() else {
        return Err("a config that is no object".to_owned());
    };
    let (Some(process), true) = (member(root, "config"), is_plain(root)) else {
        return Ok(2);
    };
    let process = process.and_then(Value::as_object).unwrap_or(&none);
    if !is_plain(process) {
        return Ok(3);
    }
    let words = |name: &str| {
        let items = member(process, name).flatten().and_then(Value::as_array);
        let items = items.into_iter().flatten().filter_map(Value::as_str);
        items.map(str::to_owned).collect::<Vec<_>>()
    };
    let text = |name: &str| {
        let text = member(process, name).flatten().and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let expected = (
        words("entrypoint"),
        words("cmd"),
        text("user"),
        text("workingdir"),
    );
    let got = (
        config.entrypoint.clone(),
        config.cmd.clone(),
        config.user.clone(),
        config.working_dir.clone(),
    );
    if expected != got {
        return Err(format!(
            "a wrong config: {got:?}, and the registry has {expected:?}"
        ));
    }
    Ok(hash(&[
        u8::from(got.0.is_empty()),
        u8::from(got.1.is_empty()),
        u8::from(got.2.is_empty()),
    ]))
}

/// The digest is that of what has the tag.
fn named(found: Option<&str>, script: &Script) -> Result<(), String> {
    let index = digest(&script.index.body);
    // A redirect may lead from the tag to the manifest.
    let other = (script.index.status != 200).then(|| digest(&script.manifest.body));
    match found == Some(&index) || (found.is_some() && found == other.as_deref()) {
        true => Ok(()),
        false => Err(format!("the digest: {found:?}, and the tag's is {index}")),
    }
}

/// A member in any letters, as Go reads it; the outer `None` where there are several.
fn member<'v>(map: &'v Map<String, Value>, name: &str) -> Option<Option<&'v Value>> {
    let mut found = map.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let first = found.next().map(|(_, value)| value);
    found.next().is_none().then_some(first)
}

/// Whether no two keys differ in their letters' case alone: of those, the order decides.
fn is_plain(map: &Map<String, Value>) -> bool {
    let keys: BTreeSet<String> = map.keys().map(|key| key.to_lowercase()).collect();
    keys.len() == map.len()
}
