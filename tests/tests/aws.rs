//! Credentials from AWS, as moto plays it.

#![cfg(test)]

use std::process::Command;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use outrigger_tests::servers::Moto;
use registry::credentials::SecretPolicy;
use registry::credentials::aws::{Aws, AwsError};
use registry::remote::{Credential, Origin, Secret, Settings};
use serde_json::{Value, json};

/// Stands for every secret here; it must not come back in a message.
const CANARY: &str = "canary-5ecret";
const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
/// Set for the child that a test starts of itself, since only a new process has another environment.
const CHILD: &str = "OUTRIGGER_TEST_CHILD";

/// AWS at this URL, with `eu-central-1` as the default region.
fn aws(url: &str) -> Aws {
    let identity = Credentials::from_keys("AKIDEXAMPLE", CANARY, Some(CANARY.to_owned()));
    let config = SdkConfig::builder()
        .endpoint_url(url)
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(identity))
        .build();
    Aws::new(Settings::default(), SecretPolicy::Any, config)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Message and way out, without a secret in either.
fn told(error: &AwsError) -> String {
    let told = format!("{error}\n{}", error.hint().unwrap_or("-"));
    assert!(!format!("{told}{error:?}").contains(CANARY));
    told
}

fn create(moto: &Moto, region: &str, name: &str, value: &Value) -> String {
    let mut input = value.clone();
    input["Name"] = json!(name);
    let created = moto
        .secrets_manager(region, "CreateSecret", &input)
        .unwrap();
    created["ARN"].as_str().unwrap().to_owned()
}

/// What moto gives out for the account of [`ECR`].
fn token() -> Credential {
    let password = Secret::new("123456789012-auth-token");
    Credential::password("AWS", password)
        .found_in(Origin::Ecr)
        .preemptive()
        .renewable()
}

#[test]
fn a_token_for_ecr() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    run(async {
        let aws = aws(&moto.url());
        // Moto's token expired in 2015, and serves all the same.
        for renew in [false, false, true] {
            let found = aws.registry(ECR, renew).await.unwrap();
            assert_eq!(found, Some(token()));
        }
        let other = aws.registry("registry.example.com", false).await.unwrap();
        assert_eq!(other, None);
    });
}

#[test]
fn public_ecr_without_a_token_is_anonymous() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    // Moto has no public registry, and fails.
    assert_eq!(
        run(aws(&moto.url()).registry("public.ecr.aws", false)).unwrap(),
        None
    );
}

#[test]
fn a_secret_by_arn_and_by_name() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let value = |user: &str| json!({"SecretString": json!({"username": user, "password": CANARY}).to_string()});
    let here = create(&moto, "eu-central-1", "team/hub", &value("here"));
    let there = create(&moto, "us-west-2", "team/hub", &value("there"));
    run(async {
        let aws = aws(&moto.url());
        for (secret, user) in [
            (here.as_str(), "here"),
            ("team/hub", "here"),
            (&there, "there"),
        ] {
            let credential = aws.secret(secret).await.unwrap();
            let secret = secret.to_owned();
            let expected = Credential::password(user, Secret::new(CANARY))
                .found_in(Origin::Secret { secret })
                .preemptive();
            assert_eq!(credential, expected);
            assert!(!format!("{credential:?}").contains(CANARY));
        }
        assert!(!format!("{aws:?}").contains(CANARY));
    });
}

#[test]
fn a_secret_that_is_of_no_use() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let name = |name: &str, value: Value| {
        create(&moto, "eu-central-1", name, &value);
        told(&run(aws(&moto.url()).secret(name)).unwrap_err())
    };
    insta::assert_snapshot!(name("binary", json!({"SecretBinary": "Y2FuYXJ5"})), @r#"
    the secret `binary` cannot be used: its value is binary
    it has to be `{"username": "...", "password": "..."}`
    "#);
    insta::assert_snapshot!(name("text", json!({"SecretString": CANARY})), @r#"
    the secret `text` cannot be used: its value is not a JSON object
    it has to be `{"username": "...", "password": "..."}`
    "#);
    insta::assert_snapshot!(name("list", json!({"SecretString": format!("[\"{CANARY}\"]")})), @r#"
    the secret `list` cannot be used: its value is not a JSON object
    it has to be `{"username": "...", "password": "..."}`
    "#);
    insta::assert_snapshot!(name("user", json!({"SecretString": format!("{{\"username\": \"{CANARY}\"}}")})), @r#"
    the secret `user` cannot be used: its value has no text `password`
    it has to be `{"username": "...", "password": "..."}`
    "#);
    insta::assert_snapshot!(name("empty", json!({})), @"
    the secret `empty` cannot be used: there is none of this name in `eu-central-1`
    check its name, its account, and the region
    ");
}

#[test]
fn a_secret_that_is_not_there() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let error = |secret: &str| told(&run(aws(&moto.url()).secret(secret)).unwrap_err());
    insta::assert_snapshot!(error("none"), @"
    the secret `none` cannot be used: there is none of this name in `eu-central-1`
    check its name, its account, and the region
    ");
    insta::assert_snapshot!(error("arn:aws:secretsmanager:eu-central-1:123456789012:secret:none-AbCdEf"), @"
    the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:none-AbCdEf` cannot be used: there is none of this name in `eu-central-1`
    check its name, its account, and the region
    ");
    insta::assert_snapshot!(error("arn:aws:ssm:eu-central-1:123456789012:parameter/hub"), @"
    the secret `arn:aws:ssm:eu-central-1:123456789012:parameter/hub` cannot be used: this is neither the ARN of a secret in Secrets Manager nor a name of one
    an ARN begins with `arn:aws:secretsmanager:`
    ");
    let value = json!({"SecretString": CANARY});
    create(&moto, "eu-central-1", "deleted", &value);
    let delete = json!({"SecretId": "deleted"});
    moto.secrets_manager("eu-central-1", "DeleteSecret", &delete)
        .unwrap();
    insta::assert_snapshot!(error("deleted"), @"
    the secret `deleted` cannot be used: `GetSecretValue` was refused with status 400, `InvalidRequestException`
    the secret may be marked for deletion
    ");
}

#[test]
fn nobody_answers() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let url = moto.url();
    drop(moto);
    let error = run(aws(&url).registry(ECR, false)).unwrap_err();
    insta::assert_snapshot!(told(&error), @"
    no token for the registry `123456789012.dkr.ecr.eu-central-1.amazonaws.com`: `127.0.0.1` cannot be reached
    -
    ");
    let error = run(aws("no URL").registry(ECR, false)).unwrap_err();
    insta::assert_snapshot!(told(&error), @"
    no token for the registry `123456789012.dkr.ecr.eu-central-1.amazonaws.com`: the endpoint `no URL` cannot be used
    see `AWS_ENDPOINT_URL` and `endpoint_url` in the profile
    ");
}

/// Runs a test of this file again, in a process with this environment and nothing else of AWS.
fn again(test: &str, environment: &[(&str, &str)]) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["--exact", test, "--nocapture"])
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn the_environment_is_read() {
    if std::env::var_os(CHILD).is_some() {
        let aws = Aws::from_environment(Settings::default(), SecretPolicy::Any);
        assert_eq!(run(aws.registry(ECR, false)).unwrap(), Some(token()));
        return;
    }
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", CANARY),
    ];
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR"] {
        let url = moto.url();
        again(
            "the_environment_is_read",
            &[keys[0], keys[1], (variable, &url)],
        );
    }
}

#[test]
fn no_credentials_anywhere() {
    if std::env::var_os(CHILD).is_none() {
        // An endpoint where nobody is: it is not asked.
        again(
            "no_credentials_anywhere",
            &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")],
        );
        return;
    }
    let aws = Aws::from_environment(Settings::default(), SecretPolicy::Any);
    let error = run(aws.registry(ECR, false)).unwrap_err();
    insta::assert_snapshot!(told(&error), @"
    no token for the registry `123456789012.dkr.ecr.eu-central-1.amazonaws.com`: no AWS credentials were found
    log in (`aws sso login`, `AWS_PROFILE`); `aws sts get-caller-identity` shows who you are
    ");
    let error = run(aws.secret("hub")).unwrap_err();
    insta::assert_snapshot!(told(&error), @"
    the secret `hub` cannot be used: its name is no ARN, and no AWS region is configured
    name the secret by its ARN, or set `AWS_REGION`
    ");
    assert_eq!(run(aws.registry("public.ecr.aws", false)).unwrap(), None);
}
