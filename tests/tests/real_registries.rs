//! What real registries serve, with oci-client and skopeo as witnesses, who know nothing of us.

#![cfg(test)]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use outrigger_tests::servers::image::{Artifact, Family};
use outrigger_tests::servers::{
    Access, Authority, Login, Moto, Registry, TokenServer, program, samples,
};
use registry::credentials::SecretPolicy;
use registry::credentials::aws::Aws;
use registry::remote::{
    Credential, CredentialSource, Registries, Resolution, Secret, Settings, StaticCredentials,
};
use serde_json::Value;
use taskdef::image::{Credentials, ImageRequest, Platform};

/// More time than a test takes.
const LONG: Duration = Duration::from_secs(120);

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(test)
}

fn settings(registry: &Registry) -> Settings {
    Settings {
        insecure: vec![
            registry.host().parse().unwrap(),
            "127.0.0.1".parse().unwrap(),
        ],
        allowed_realms: vec![format!("{}=127.0.0.1", registry.host()).parse().unwrap()],
        ..Settings::default()
    }
}

fn trusting(registry: &Registry) -> Settings {
    let ca = std::fs::read(registry.folder().join("ca.crt")).unwrap();
    Settings {
        ca_bundle: Some(ca),
        ..settings(registry)
    }
}

fn request(reference: &str, platform: Platform) -> ImageRequest {
    ImageRequest {
        reference: reference.to_owned(),
        platform,
        credentials: Credentials::Unstated,
    }
}

/// What became of one image, and how many requests that took.
fn read<C: CredentialSource>(
    settings: Settings,
    source: C,
    reference: &str,
    platform: Platform,
) -> (Resolution, u64) {
    run(async {
        let registries = Registries::new(settings, source);
        let session = registries.session(LONG);
        let asked = BTreeSet::from([request(reference, platform)]);
        let resolved = session.resolve(asked).await;
        let resolution = resolved.into_values().next().unwrap();
        (resolution, registries.counts().requests)
    })
}

fn anna() -> Credential {
    Credential::password(Login::USER, Secret::new(Login::PASSWORD))
}

fn source(registry: &Registry, credential: Credential) -> StaticCredentials {
    StaticCredentials::none().with(&registry.host().parse().unwrap(), credential)
}

/// One line: what runs, or why that is not known.
fn shown(resolution: &Resolution, registry: &Registry) -> String {
    let told = match &resolution.outcome {
        Ok(found) => {
            let config = &found.config;
            let platforms: Vec<_> = found.platforms.iter().map(ToString::to_string).collect();
            format!(
                "{:?} {:?} user `{}` in `{}` for {}",
                config.entrypoint,
                config.cmd,
                config.user,
                config.working_dir,
                platforms.join(", ")
            )
        }
        Err(error) => format!("{}: {error}", error.code()),
    };
    told.replace(&registry.host(), "HOST")
}

fn sample_images() -> Vec<(&'static str, Artifact)> {
    vec![
        ("attestations", samples::with_attestations()),
        ("docker", samples::single(Family::Docker)),
        ("hundred", samples::hundred_platforms()),
        ("index", samples::multi_platform(Family::Oci)),
        ("list", samples::multi_platform(Family::Docker)),
        ("nested", samples::nested_index()),
        ("no-command", samples::without_command()),
        ("no-process", samples::without_process()),
        ("no-rootfs", samples::without_rootfs()),
        ("not-root", samples::not_root()),
        ("oci", samples::single(Family::Oci)),
        ("shell", samples::shell_form()),
        ("windows", samples::windows()),
    ]
}

/// The registry with all samples, each as `NAME:1`.
fn with_samples() -> Option<Registry> {
    let registry = Registry::start(Access::Open, None).unwrap()?;
    for (name, sample) in sample_images() {
        registry.push(name, "1", &sample).unwrap();
    }
    Some(registry)
}

#[test]
fn every_kind_of_image() {
    let Some(registry) = with_samples() else {
        return;
    };
    let mut lines = Vec::new();
    for (platform, name) in [
        (Platform::LinuxAmd64, "amd64"),
        (Platform::LinuxArm64, "arm64"),
    ] {
        for (image, _) in sample_images() {
            let reference = format!("{}/{image}:1", registry.host());
            let none = StaticCredentials::none();
            let (found, _) = read(settings(&registry), none, &reference, platform.clone());
            lines.push(format!("{name} {image}: {}", shown(&found, &registry)));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    amd64 attestations: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 docker: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 hundred: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 index: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 list: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 nested: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 no-command: ["/entry"] [] user `` in `` for linux/amd64
    amd64 no-process: [] [] user `` in `` for linux/amd64
    amd64 no-rootfs: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 not-root: ["/entry"] [] user `1000:1000` in `` for linux/amd64
    amd64 oci: ["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64
    amd64 shell: ["/bin/sh", "-c", "/entry --serve"] [] user `` in `` for linux/amd64
    amd64 windows: platform-not-found: image `HOST/windows:1` cannot be read from `HOST`: the image is not for `linux/amd64`, only for `windows/amd64`
    arm64 attestations: ["/entry", "arm64"] ["serve"] user `` in `/srv` for linux/arm64
    arm64 docker: platform-not-found: image `HOST/docker:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
    arm64 hundred: platform-not-found: image `HOST/hundred:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`, `linux/made-up-1`, `linux/made-up-10`, `linux/made-up-11`, `linux/made-up-12`, `linux/made-up-13`, `linux/made-up-14`, `linux/made-up-15`, `linux/made-up-16`, `linux/made-up-17`, `linux/made-up-18`, `linux/made-up-19` and 88 more
    arm64 index: ["/entry", "arm64"] ["serve"] user `` in `/srv` for linux/arm64
    arm64 list: ["/entry", "arm64"] ["serve"] user `` in `/srv` for linux/arm64
    arm64 nested: ["/entry", "arm64"] ["serve"] user `` in `/srv` for linux/arm64
    arm64 no-command: platform-not-found: image `HOST/no-command:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
    arm64 no-process: platform-not-found: image `HOST/no-process:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
    arm64 no-rootfs: platform-not-found: image `HOST/no-rootfs:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
    arm64 not-root: platform-not-found: image `HOST/not-root:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
    arm64 oci: platform-not-found: image `HOST/oci:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
    arm64 shell: platform-not-found: image `HOST/shell:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
    arm64 windows: platform-not-found: image `HOST/windows:1` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `windows/amd64`
    "#);
}

/// The process that skopeo finds in an image's config; `None` where it is not installed.
fn by_skopeo(reference: &str) -> Option<Value> {
    let program = program("SKOPEO", "skopeo").unwrap()?;
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .env("HOME", home.path())
        .env("REGISTRY_AUTH_FILE", home.path().join("auth.json"))
        .args(["--override-os", "linux", "--override-arch", "amd64"])
        .args(["inspect", "--config", "--tls-verify=false"])
        .arg(format!("docker://{reference}"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{reference}: {said}");
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some(config["config"].clone())
}

#[test]
fn skopeo_reads_the_same() {
    let Some(registry) = with_samples() else {
        return;
    };
    for (image, _) in sample_images() {
        // skopeo reads no index in an index, and no empty date; nobody finds Linux in Windows.
        if matches!(image, "nested" | "no-rootfs" | "windows") {
            continue;
        }
        let reference = format!("{}/{image}:1", registry.host());
        let Some(theirs) = by_skopeo(&reference) else {
            return;
        };
        let none = StaticCredentials::none();
        let (ours, _) = read(settings(&registry), none, &reference, Platform::LinuxAmd64);
        let ours = ours.outcome.unwrap().config;
        let words = |key: &str| -> Vec<String> {
            serde_json::from_value(theirs[key].clone()).unwrap_or_default()
        };
        let text = |key: &str| theirs[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(ours.entrypoint, words("Entrypoint"), "{image}");
        assert_eq!(ours.cmd, words("Cmd"), "{image}");
        assert_eq!(ours.user, text("User"), "{image}");
        assert_eq!(ours.working_dir, text("WorkingDir"), "{image}");
    }
}

#[test]
fn oci_client_finds_the_same_digests() {
    let Some(registry) = with_samples() else {
        return;
    };
    // The first test to get here installs it, and the others find it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = oci_client::Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    for (image, sample) in sample_images() {
        let reference = format!("{}/{image}:1", registry.host());
        let parsed = reference.parse().unwrap();
        let theirs = run(client.fetch_manifest_digest(&parsed, &RegistryAuth::Anonymous)).unwrap();
        assert_eq!(theirs, sample.digest(), "{image}");
        let none = StaticCredentials::none();
        let (ours, _) = read(settings(&registry), none, &reference, Platform::LinuxAmd64);
        match ours.outcome {
            Ok(found) => assert_eq!(found.config.digest, Some(theirs), "{image}"),
            Err(error) => assert_eq!((image, error.code()), ("windows", "platform-not-found")),
        }
    }
}

#[test]
fn requests_for_one_image_behind_an_index() {
    let tokens = TokenServer::start(None).unwrap();
    let preemptive = || Some(anna().preemptive());
    for (access, credential, expected, steps) in [
        (Access::Open, None, 3, "anonymous anonymous anonymous"),
        (Access::Password, preemptive(), 3, "basic basic basic"),
        (
            Access::Password,
            Some(anna()),
            4,
            "anonymous basic basic basic",
        ),
        (
            Access::Token(&tokens),
            Some(anna()),
            5,
            "anonymous login token token token",
        ),
    ] {
        let Some(registry) = Registry::start(access, None).unwrap() else {
            return;
        };
        let sample = samples::with_attestations();
        registry.push("team/app", "1", &sample).unwrap();
        let source = match credential {
            Some(credential) => source(&registry, credential),
            None => StaticCredentials::none(),
        };
        let reference = format!("{}/team/app:1", registry.host());
        let (found, requests) = read(
            settings(&registry),
            source,
            &reference,
            Platform::LinuxAmd64,
        );
        assert_eq!(found.outcome.unwrap().config.digest, Some(sample.digest()));
        assert_eq!(requests, expected, "{steps}");
        let shown: Vec<String> = found
            .steps
            .iter()
            .filter_map(|step| match step {
                registry::remote::Step::Request {
                    shows,
                    status: Some(_),
                    ..
                } => Some(shows.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(shown.join(" "), steps);
    }
}

#[test]
fn two_hundred_containers_of_one_image_take_three_requests_over_tls() {
    let authority = Authority::new().unwrap();
    let Some(registry) = Registry::start(Access::Open, Some(&authority)).unwrap() else {
        return;
    };
    let sample = samples::multi_platform(Family::Oci);
    registry.push("app", "1", &sample).unwrap();
    let reference = format!("{}/app:1", registry.host());
    run(async {
        let registries = Registries::new(trusting(&registry), StaticCredentials::none());
        let session = Arc::new(registries.session(LONG));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let session = Arc::clone(&session);
            let asked = BTreeSet::from([request(&reference, Platform::LinuxArm64)]);
            tasks.spawn(async move { session.resolve(asked).await });
        }
        for answers in tasks.join_all().await {
            let found = answers.into_values().next().unwrap().outcome.unwrap();
            assert_eq!(found.config.entrypoint, ["/entry", "arm64"]);
        }
        assert_eq!(registries.counts().requests, 3);
    });
}

#[test]
fn a_certificate_of_an_authority_that_nobody_knows() {
    let authority = Authority::new().unwrap();
    let Some(registry) = Registry::start(Access::Open, Some(&authority)).unwrap() else {
        return;
    };
    registry
        .push("app", "1", &samples::single(Family::Oci))
        .unwrap();
    let reference = format!("{}/app:1", registry.host());
    let read = |settings| {
        let none = StaticCredentials::none();
        let (found, _) = read(settings, none, &reference, Platform::LinuxAmd64);
        shown(&found, &registry)
    };
    insta::assert_snapshot!(read(settings(&registry)), @"certificate-not-trusted: image `HOST/app:1` cannot be read from `HOST`: the certificate of `HOST` is not trusted: nobody here knows its authority");
    insta::assert_snapshot!(read(trusting(&registry)), @r#"["/entry", "amd64"] ["serve"] user `` in `/srv` for linux/amd64"#);
}

#[test]
fn a_repository_of_amazon_ecr() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let Some(registry) = Registry::start(Access::Open, None).unwrap() else {
        return;
    };
    registry
        .push("team/app", "1", &samples::with_attestations())
        .unwrap();
    let host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    let settings = Settings {
        insecure: vec![host.parse().unwrap()],
        hosts: [(host.to_owned(), vec![registry.address()])].into(),
        ..Settings::default()
    };
    let identity =
        aws_credential_types::Credentials::from_keys("AKIDEXAMPLE", "not-a-secret", None);
    let config = aws_config::SdkConfig::builder()
        .endpoint_url(moto.url())
        .region(aws_config::Region::new("eu-central-1"))
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(identity),
        )
        .build();
    let aws = Aws::new(Settings::default(), SecretPolicy::Any, config);
    let reference = format!("{host}/team/app:1");
    let (found, requests) = read(settings, aws, &reference, Platform::LinuxAmd64);
    let found = found.outcome.unwrap();
    assert_eq!(found.config.entrypoint, ["/entry", "amd64"]);
    assert_eq!(requests, 3);
}
