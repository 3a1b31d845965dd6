//! Credentials from where people keep them, shown to real registries.

#![cfg(test)]

use std::collections::BTreeSet;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use outrigger_tests::servers::image::Family;
use outrigger_tests::servers::{Access, Login, Moto, Registry, TokenServer, samples};
use registry::credentials::SecretPolicy;
use registry::credentials::aws::Aws;
use registry::credentials::docker::{DockerConfig, HelperPrograms};
use registry::remote::{CredentialSource, Registries, Settings};
use serde_json::{Value, json};
use taskdef::image::{Credentials, ImageRequest, Platform};

/// A wrong password; it must not come back in a message.
const CANARY: &str = "canary-5ecret";
const LONG: Duration = Duration::from_secs(60);
const REGION: &str = "eu-central-1";

fn aws(url: &str, policy: SecretPolicy) -> Aws {
    let identity = AwsCredentials::from_keys("AKIDEXAMPLE", CANARY, None);
    let config = SdkConfig::builder()
        .endpoint_url(url)
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(identity))
        .build();
    Aws::new(Settings::default(), policy, config)
}

/// Nobody is there, and nobody is asked.
fn no_aws() -> Aws {
    aws("http://127.0.0.1:9", SecretPolicy::Any)
}

fn docker(registry: &Registry, entry: &Value) -> Option<DockerConfig> {
    let text = json!({"auths": {registry.host(): entry}}).to_string();
    Some(DockerConfig::parse("config.json", &text, HelperPrograms::default()).unwrap())
}

/// The registry, without TLS; its tokens come from another port of its host.
fn settings(registry: &Registry) -> Settings {
    let host = registry.host();
    Settings {
        insecure: vec![host.parse().unwrap(), "127.0.0.1".parse().unwrap()],
        allowed_realms: vec![format!("{host}=127.0.0.1").parse().unwrap()],
        ..Settings::default()
    }
}

/// What becomes of each image: the entry point, or code and message.
fn resolve(
    settings: Settings,
    source: impl CredentialSource,
    images: &[(String, Credentials)],
) -> Vec<String> {
    let requests: BTreeSet<_> = images
        .iter()
        .map(|(reference, credentials)| ImageRequest {
            reference: reference.clone(),
            platform: Platform::LinuxAmd64,
            credentials: credentials.clone(),
        })
        .collect();
    let session = async {
        Registries::new(settings, source)
            .session(LONG)
            .resolve(requests)
            .await
    };
    let resolved = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(session);
    let told = resolved
        .into_values()
        .map(|resolution| match resolution.outcome {
            Ok(found) => found.config.entrypoint.join(" "),
            Err(error) => {
                let hint = error.hint().unwrap_or_default();
                assert!(!format!("{error:?}{error}{hint}").contains(CANARY));
                format!("{}: {error}", error.code())
            }
        });
    told.collect()
}

fn secret(name: &str) -> Credentials {
    Credentials::Secret(name.to_owned())
}

#[test]
fn containers_of_one_registry_have_their_own_secrets() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let Some(registry) = Registry::start(Access::Password, None).unwrap() else {
        return;
    };
    registry
        .push("app", "1", &samples::single(Family::Oci))
        .unwrap();
    for (name, password) in [("1-right", Login::PASSWORD), ("2-wrong", CANARY)] {
        let value = json!({"username": Login::USER, "password": password}).to_string();
        let input = json!({"Name": name, "SecretString": value});
        moto.secrets_manager(REGION, "CreateSecret", &input)
            .unwrap();
    }
    let reference = format!("{}/app:1", registry.host());
    let images = ["1-right", "2-wrong", "3-missing"].map(|name| (reference.clone(), secret(name)));
    let source = (aws(&moto.url(), SecretPolicy::Any), None::<DockerConfig>);
    let told = resolve(settings(&registry), source, &images).join("\n");
    insta::assert_snapshot!(told.replace(&registry.host(), "HOST"), @"
    /entry amd64
    credentials-refused: image `HOST/app:1` cannot be read from `HOST`: the credentials from the secret `2-wrong` are refused, they are wrong or have expired: GET http://HOST/v2/app/manifests/1: 401
    secret-not-found: image `HOST/app:1` cannot be read from `HOST`: the secret `3-missing` cannot be used: there is none of this name in `eu-central-1`
    ");
}

#[test]
fn a_secret_that_is_not_bound_is_not_read() {
    let Some(registry) = Registry::start(Access::Password, None).unwrap() else {
        return;
    };
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf";
    let policy = SecretPolicy::bound([("docker.io", [arn])]).unwrap();
    let reference = format!("{}/app:1", registry.host());
    // Nobody is at this address: an attempt to read it would have another message.
    let source = (aws("http://127.0.0.1:9", policy), None::<DockerConfig>);
    let told = resolve(settings(&registry), source, &[(reference, secret(arn))]).join("\n");
    insta::assert_snapshot!(told.replace(&registry.host(), "HOST"), @"credentials-not-allowed: image `HOST/app:1` cannot be read from `HOST`: the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf` is not bound to the registry `HOST`, and was not read");
}

#[test]
fn the_password_that_docker_keeps() {
    let Some(registry) = Registry::start(Access::Password, None).unwrap() else {
        return;
    };
    registry
        .push("app", "1", &samples::single(Family::Oci))
        .unwrap();
    let image = [(format!("{}/app:1", registry.host()), Credentials::Unstated)];
    let resolved = |entry: &Value| {
        let source = (no_aws(), docker(&registry, entry));
        resolve(settings(&registry), source, &image)
            .join("\n")
            .replace(&registry.host(), "HOST")
    };
    let right = json!({"username": Login::USER, "password": Login::PASSWORD});
    assert_eq!(resolved(&right), "/entry amd64");
    let wrong = json!({"username": Login::USER, "password": CANARY});
    insta::assert_snapshot!(resolved(&wrong), @"credentials-refused: image `HOST/app:1` cannot be read from `HOST`: the credentials from `config.json` are refused, they are wrong or have expired: GET http://HOST/v2/app/manifests/1: 401");
    insta::assert_snapshot!(resolved(&json!({})), @"credentials-required: image `HOST/app:1` cannot be read from `HOST`: the image does not exist, or is private and no credentials were found: GET http://HOST/v2/app/manifests/1: 401");
}

#[test]
fn the_identity_token_that_docker_keeps() {
    let tokens = TokenServer::start(None).unwrap();
    let Some(registry) = Registry::start(Access::Token(&tokens), None).unwrap() else {
        return;
    };
    registry
        .push("team/app", "1", &samples::with_attestations())
        .unwrap();
    let image = [(
        format!("{}/team/app:1", registry.host()),
        Credentials::Unstated,
    )];
    for entry in [
        json!({"identitytoken": TokenServer::IDENTITY_TOKEN}),
        json!({"username": Login::USER, "password": Login::PASSWORD}),
    ] {
        let source = (no_aws(), docker(&registry, &entry));
        assert_eq!(
            resolve(settings(&registry), source, &image),
            ["/entry amd64"]
        );
    }
    let asked: Vec<_> = tokens
        .seen()
        .into_iter()
        .map(|seen| (seen.method, seen.granted))
        .collect();
    assert_eq!(asked, [("POST".to_owned(), true), ("GET".to_owned(), true)]);
}

#[test]
fn each_repository_has_a_token_of_its_own() {
    let tokens = TokenServer::start(None).unwrap();
    let Some(registry) = Registry::start(Access::Token(&tokens), None).unwrap() else {
        return;
    };
    let repositories: BTreeSet<String> =
        (0..20).map(|number| format!("team/app-{number}")).collect();
    for repository in &repositories {
        let image = samples::single(Family::Oci);
        registry.push(repository, "1", &image).unwrap();
    }
    let images: Vec<_> = repositories
        .iter()
        .map(|repository| {
            let reference = format!("{}/{repository}:1", registry.host());
            (reference, Credentials::Unstated)
        })
        .collect();
    let login = json!({"username": Login::USER, "password": Login::PASSWORD});
    let source = (no_aws(), docker(&registry, &login));
    let told = resolve(settings(&registry), source, &images);
    assert_eq!(told, vec!["/entry amd64"; 20]);
    // None opens more than one repository.
    let asked: Vec<Vec<String>> = tokens.seen().into_iter().map(|seen| seen.scopes).collect();
    let scopes = repositories
        .iter()
        .map(|name| vec![format!("repository:{name}:pull")]);
    assert_eq!(asked.len(), 20);
    assert_eq!(asked.into_iter().collect::<BTreeSet<_>>(), scopes.collect());
}
