//! Credentials from where people keep them, through the program: which of them count, and how a
//! refusal names them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::images::usual;
use crate::process::{CANARY, folder, install, on, one, program};
use crate::proxies::Proxy;
use crate::server::{Reply, Seen, Server};
use crate::{run, stable};

/// A docker configuration with a user of this name.
fn auths(host: &str, user: &str) -> String {
    json!({"auths": {host: {"username": user, "password": CANARY}}}).to_string()
}

/// Asks for a password, and takes only that of this user.
fn takes(user: &str) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static + use<> {
    let images = usual();
    let login = format!("Basic {}", STANDARD.encode(format!("{user}:{CANARY}")));
    move |seen| match &seen.authorization {
        Some(shown) if *shown == login => images.reply(seen),
        _ => Reply::new(401).header("www-authenticate", "Basic realm=\"shop\""),
    }
}

async fn only(user: &str) -> Server {
    Server::plain(takes(user)).await
}

/// Users that a server was shown, in order, each once.
fn users(server: &Server) -> Vec<String> {
    let mut users: Vec<String> = server
        .authorizations()
        .iter()
        .map(|shown| {
            let pair = STANDARD
                .decode(shown.strip_prefix("Basic ").unwrap())
                .unwrap();
            let pair = String::from_utf8(pair).unwrap();
            pair.split_once(':').unwrap().0.to_owned()
        })
        .collect();
    users.dedup();
    users
}

fn keep_login(home: &Path, text: &str) {
    fs::create_dir_all(home.join(".docker")).unwrap();
    fs::write(home.join(".docker/config.json"), text).unwrap();
}

#[test]
fn an_auth_file_opens_a_private_registry() {
    run(async {
        let server = only("anna").await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let entry = STANDARD.encode(format!("anna:{CANARY}"));
        let file = json!({"auths": {server.host(): {"auth": entry}}}).to_string();
        fs::write(folder.path().join("auth.json"), file).unwrap();
        let without = program(folder.path(), &on(&[&server], ""), &[]).await;
        assert!(without.error().contains("(credentials-required)"));
        let with = on(&[&server], "--auth-file auth.json");
        let with = program(folder.path(), &with, &[]).await;
        assert_eq!(with.code, Some(0), "{}", with.stderr);
        let host = server.host();
        let inspect = format!(
            "image inspect {host}/shop/api:1 --insecure-registry {host} --auth-file auth.json"
        );
        let shown = program(folder.path(), &inspect, &[]).await;
        let (_, steps) = shown.stdout.split_once("how it was read\n").unwrap();
        let steps = steps.replace("  ", "");
        insta::assert_snapshot!(stable(&steps, &[("registry", &server)]), @"
        GET https://registry/v2/shop/api/manifests/1 (anonymous): no answer, registry-without-tls
        GET http://registry/v2/shop/api/manifests/1 (anonymous): 401, 0 bytes
        credentials from `auth.json`
        GET http://registry/v2/shop/api/manifests/1 (basic): 200, 712 bytes
        index sha256:537230, 712 bytes
        GET http://registry/v2/shop/api/manifests/sha256:84c36c (basic): 200, 248 bytes
        manifest sha256:84c36c, 248 bytes
        GET http://registry/v2/shop/api/blobs/sha256:5bd855 (basic): 200, 105 bytes
        config sha256:5bd855, 105 bytes

        1 image read in 8 steps
        ");
    });
}

#[test]
fn what_is_nearer_to_the_run_counts_first() {
    run(async {
        let server = only("nobody").await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let home = folder.path();
        let of = |user: &str| auths(&server.host(), user);
        fs::write(home.join("auth.json"), of("file")).unwrap();
        keep_login(home, &of("login"));
        fs::create_dir(home.join("other")).unwrap();
        fs::write(home.join("other/config.json"), of("folder")).unwrap();
        let variable = of("variable");
        let inline = ("DOCKER_AUTH_CONFIG", variable.as_str());
        let args = on(&[&server], "");
        let file = format!("{args} --auth-file auth.json");
        let mut told = Vec::new();
        for (args, variables) in [
            (&file, &[inline][..]),
            (&args, &[inline]),
            (&args, &[]),
            (&args, &[("DOCKER_CONFIG", "other")]),
        ] {
            let ended = program(home, args, variables).await;
            told.push(ended.error());
        }
        assert_eq!(users(&server), ["file", "variable", "login", "folder"]);
        let told = told.join("\n").replace(&home.display().to_string(), "~");
        insta::assert_snapshot!(stable(&told, &[("registry", &server)]), @"
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the credentials from `auth.json` are refused, they are wrong or have expired: GET http://registry/v2/shop/api/manifests/1: 401 (credentials-refused)
        hint: check what `auth.json` holds for `registry`, or state `EntryPoint`, `Command` and `User` in the template
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the credentials from `DOCKER_AUTH_CONFIG` are refused, they are wrong or have expired: GET http://registry/v2/shop/api/manifests/1: 401 (credentials-refused)
        hint: check what `DOCKER_AUTH_CONFIG` holds for `registry`, or state `EntryPoint`, `Command` and `User` in the template
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the credentials from `~/.docker/config.json` are refused, they are wrong or have expired: GET http://registry/v2/shop/api/manifests/1: 401 (credentials-refused)
        hint: log in again: `docker login registry`, or state `EntryPoint`, `Command` and `User` in the template
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the credentials from `other/config.json` are refused, they are wrong or have expired: GET http://registry/v2/shop/api/manifests/1: 401 (credentials-refused)
        hint: log in again: `docker login registry`, or state `EntryPoint`, `Command` and `User` in the template
        ");
    });
}

#[test]
fn a_file_that_makes_no_sense_is_named_and_not_shown() {
    run(async {
        let server = only("anna").await;
        let folder = one(&format!("{}/shop/api:1", server.host()));
        let home = folder.path();
        let args = on(&[&server], "");
        let entry = |fields: &str| format!(r#"{{"auths": {{"{}": {fields}}}}}"#, server.host());
        let mut told = vec![
            program(home, &format!("{args} --auth-file no-such.json"), &[])
                .await
                .error(),
        ];
        let texts = [
            CANARY.to_owned(),
            format!("{{\n  \"auths\": {CANARY}}}"),
            format!("[\"{CANARY}\"]"),
            format!(r#"{{"auths": "{CANARY}"}}"#),
            entry(&format!("\"{CANARY}\"")),
            entry(&format!(r#"{{"auth": "{CANARY}"}}"#)),
            entry(&format!(r#"{{"auth": "{}"}}"#, STANDARD.encode("no colon"))),
        ];
        for text in texts.iter().map(String::as_bytes).chain([&b"\xff"[..]]) {
            fs::write(home.join("auth.json"), text).unwrap();
            let ended = program(home, &format!("{args} --auth-file auth.json"), &[]).await;
            told.push(ended.error());
        }
        let inline = [("DOCKER_AUTH_CONFIG", CANARY)];
        told.push(program(home, &args, &inline).await.error());
        keep_login(home, &texts[5]);
        told.push(program(home, &args, &[]).await.error());
        keep_login(home, CANARY);
        told.push(program(home, &args, &[]).await.error());
        assert_eq!(users(&server), [""; 0]);
        let told = told.join("\n").replace(&home.display().to_string(), "~");
        insta::assert_snapshot!(stable(&told, &[("registry", &server)]), @"
        error: cannot read `no-such.json`: no such file or directory
        error: nothing was written
        error: the docker configuration `auth.json` is not JSON: line 1, column 1
        error: nothing was written
        error: the docker configuration `auth.json` is not JSON: line 2, column 12
        error: nothing was written
        error: the docker configuration `auth.json` is not a JSON object
        error: nothing was written
        error: `auths` in the docker configuration `auth.json` is not a JSON object
        error: nothing was written
        error: `auths.registry` in the docker configuration `auth.json` is not a JSON object
        error: nothing was written
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: `auths.registry.auth` in the docker configuration `auth.json` is not base64 of `user:password` (docker-config)
        hint: write the entry anew, as `docker login` does, or state `EntryPoint`, `Command` and `User` in the template
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: `auths.registry.auth` in the docker configuration `auth.json` is not base64 of `user:password` (docker-config)
        hint: write the entry anew, as `docker login` does, or state `EntryPoint`, `Command` and `User` in the template
        error: `auth.json` is not UTF-8
        error: nothing was written
        error: the docker configuration `DOCKER_AUTH_CONFIG` is not JSON: line 1, column 1
        error: nothing was written
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: `auths.registry.auth` in the docker configuration `~/.docker/config.json` is not base64 of `user:password` (docker-config)
        hint: write the entry anew, as `docker login` does, or state `EntryPoint`, `Command` and `User` in the template
        error: the docker configuration `~/.docker/config.json` is not JSON: line 1, column 1
        error: nothing was written
        ");
    });
}

#[test]
fn a_helper_and_a_secret_are_named_when_they_are_refused() {
    run(async {
        let server = only("nobody").await;
        let host = server.host();
        let login = one(&format!("{host}/shop/api:1"));
        let home = login.path();
        let helper = format!(r#"echo '{{"Username": "helper", "Secret": "{CANARY}"}}'"#);
        install(&home.join("docker-credential-shop"), &helper);
        keep_login(home, r#"{"credsStore": "shop"}"#);
        let path = home.display().to_string();
        let ended = program(home, &on(&[&server], ""), &[("PATH", &path)]).await;
        let mut told = vec![ended.error().replace(&path, "~")];

        let pair = json!({"username": "secret", "password": CANARY}).to_string();
        let aws = aws(&json!({"SecretString": pair})).await;
        let with_secret = with_secret(&format!("{host}/shop/api:1"));
        let endpoint = format!("http://{}", aws.host());
        let variables = identity(&endpoint);
        let ended = program(with_secret.path(), &on(&[&server], ""), &variables).await;
        told.push(ended.error());
        assert_eq!(users(&server), ["helper", "secret"]);
        insta::assert_snapshot!(stable(&told.join("\n"), &[("registry", &server)]), @"
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the credentials from the helper `docker-credential-shop` (named in `~/.docker/config.json`) are refused, they are wrong or have expired: GET http://registry/v2/shop/api/manifests/1: 401 (credentials-refused)
        hint: log in again: `docker login registry`, or as `docker-credential-shop` wants it, or state `EntryPoint`, `Command` and `User` in the template
        error[image-unresolved]: image `registry/shop/api:1` cannot be read from `registry`: the credentials from the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf` are refused, they are wrong or have expired: GET http://registry/v2/shop/api/manifests/1: 401 (credentials-refused)
        hint: check the user name and the password that the secret holds, or state `EntryPoint`, `Command` and `User` in the template
        ");
    });
}

/// A container with a secret of its own.
fn with_secret(image: &str) -> TempDir {
    let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf";
    folder(&json!([{
        "Name": "app",
        "Image": image,
        "RepositoryCredentials": {"CredentialsParameter": secret},
    }]))
}

#[test]
fn a_mirror_is_shown_a_containers_own_secret() {
    run(async {
        let mirror = only("secret").await;
        let pair = json!({"username": "secret", "password": CANARY}).to_string();
        let aws = aws(&json!({"SecretString": pair})).await;
        let endpoint = format!("http://{}", aws.host());
        let args = on(&[&mirror], &format!("--mirror docker.io={}", mirror.host()));
        let folder = with_secret("nginx:1");
        let ended = program(folder.path(), &args, &identity(&endpoint)).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    });
}

/// AWS, which has one answer to everything.
async fn aws(answer: &Value) -> Server {
    let answer = answer.to_string();
    Server::plain(move |_: &Seen| Reply::ok("application/x-amz-json-1.1", answer.clone())).await
}

/// Whoever runs the program, for AWS.
fn identity(endpoint: &str) -> [(&str, &str); 3] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", CANARY),
    ]
}

/// A registry of ECR.
const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

#[test]
fn a_docker_login_to_ecr_counts_when_it_is_an_auth_file() {
    run(async {
        let ecr = Server::tls(&[ECR], &[b"h2"], takes("login")).await;
        let proxy = Proxy::to(&ecr).await;
        let url = proxy.url();
        let variables = [("HTTPS_PROXY", url.as_str())];
        let folder = one(&format!("{ECR}/shop/api:1"));
        fs::write(folder.path().join("ca.pem"), ecr.ca.as_deref().unwrap()).unwrap();
        keep_login(folder.path(), &auths(ECR, "login"));
        let args = on(&[], "--ca-bundle ca.pem");
        let without = program(folder.path(), &args, &variables).await;
        insta::assert_snapshot!(without.error(), @"
        error[image-unresolved]: image `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/api:1` cannot be read from `123456789012.dkr.ecr.eu-central-1.amazonaws.com`: no token for the registry `123456789012.dkr.ecr.eu-central-1.amazonaws.com`: no AWS credentials were found (aws-credentials)
        hint: log in (`aws sso login`, `AWS_PROFILE`); `aws sts get-caller-identity` shows who you are, or state `EntryPoint`, `Command` and `User` in the template
        ");
        let with = format!("{args} --auth-file .docker/config.json");
        let with = program(folder.path(), &with, &variables).await;
        assert_eq!(with.code, Some(0), "{}", with.stderr);
    });
}

#[test]
fn a_token_of_ecr_is_named_when_it_is_refused() {
    run(async {
        let token = STANDARD.encode(format!("AWS:{CANARY}"));
        let token = json!({"authorizationData": [{"authorizationToken": token}]});
        let aws = aws(&token).await;
        let endpoint = format!("http://{}", aws.host());
        let mut told = Vec::new();
        for status in [401, 403] {
            let refuses = move |_: &Seen| Reply::new(status);
            let ecr = Server::tls(&[ECR], &[b"h2"], refuses).await;
            let proxy = Proxy::to(&ecr).await;
            let url = proxy.url();
            let folder = one(&format!("{ECR}/shop/api:1"));
            fs::write(folder.path().join("ca.pem"), ecr.ca.as_deref().unwrap()).unwrap();
            let mut variables = identity(&endpoint).to_vec();
            variables.push(("HTTPS_PROXY", &url));
            let args = on(&[], "--ca-bundle ca.pem");
            let ended = program(folder.path(), &args, &variables).await;
            told.push(ended.error());
            // Once with a token, and once with a new one.
            assert_eq!(ecr.authorizations().len(), 2);
        }
        insta::assert_snapshot!(told.join("\n"), @"
        error[image-unresolved]: image `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/api:1` cannot be read from `123456789012.dkr.ecr.eu-central-1.amazonaws.com`: the credentials from Amazon ECR (a token for your own AWS credentials) are refused, they are wrong or have expired: GET https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/v2/shop/api/manifests/1: 401 (credentials-refused)
        hint: check who you are for AWS (`aws sts get-caller-identity`), and the repository's policy, or state `EntryPoint`, `Command` and `User` in the template
        error[image-unresolved]: image `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/api:1` cannot be read from `123456789012.dkr.ecr.eu-central-1.amazonaws.com`: the credentials from Amazon ECR (a token for your own AWS credentials) do not give access to the image, or it does not exist: GET https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/v2/shop/api/manifests/1: 403 (access-denied)
        hint: check the name, the repository's policy, and that you may `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer`, or state `EntryPoint`, `Command` and `User` in the template
        ");
    });
}
