use aws_config::SdkConfig;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::call::read;
use super::endpoint::{ECR, ECR_PUBLIC, SECRETS_MANAGER, Service, Variant};
use super::http::Received;
use super::place::{Region, Registry};
use super::{AwsError, AwsProblem, secret, token};
use crate::credentials::login;

/// Stands for what must not come back in a message.
const CANARY: &str = "canary-5ecret";

#[test]
fn the_hosts_of_private_registries() {
    for (host, region, fips, dual_stack) in [
        (
            "dkr.ecr.eu-central-1.amazonaws.com",
            "eu-central-1",
            false,
            false,
        ),
        (
            "dkr.ecr.us-gov-west-1.amazonaws.com",
            "us-gov-west-1",
            false,
            false,
        ),
        (
            "dkr.ecr-fips.us-east-1.amazonaws.com",
            "us-east-1",
            true,
            false,
        ),
        (
            "dkr.ecr.cn-north-1.amazonaws.com.cn",
            "cn-north-1",
            false,
            false,
        ),
        (
            "dkr.ecr.eusc-de-east-1.amazonaws.eu",
            "eusc-de-east-1",
            false,
            false,
        ),
        ("dkr-ecr.eu-central-1.on.aws", "eu-central-1", false, true),
        ("dkr-ecr-fips.us-west-2.on.aws", "us-west-2", true, true),
        (
            "dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            "cn-north-1",
            false,
            true,
        ),
    ] {
        let expected = Registry::Private {
            region: Region::parse(region).unwrap(),
            fips,
            dual_stack,
        };
        let parsed = Registry::parse(&format!("123456789012.{host}"));
        assert_eq!(parsed, Some(expected), "{host}");
    }
}

#[test]
fn hosts_that_only_look_like_it() {
    for host in [
        "12345678901.dkr.ecr.eu-central-1.amazonaws.com",
        "1234567890123.dkr.ecr.eu-central-1.amazonaws.com",
        "12345678901x.dkr.ecr.eu-central-1.amazonaws.com",
        "dkr.ecr.eu-central-1.amazonaws.com",
        "evil.123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.test",
        "123456789012.dkr.ecr.evil.test.amazonaws.com",
        "123456789012.dkr.ecr.eu-central-1.evil-amazonaws.com",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com:443",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com.cn",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.eu",
        "123456789012.dkr.ecr.eu-central-1.on.aws",
        "123456789012.dkr-ecr.eu-central-1.amazonaws.com",
        "123456789012.dkr.ecr-beta.eu-central-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-central.amazonaws.com",
        "123456789012.dkr.ecr..amazonaws.com",
        "public.ecr.aws.evil.test",
        "xpublic.ecr.aws",
        "docker.io",
        "",
    ] {
        assert_eq!(Registry::parse(host), None, "{host}");
    }
    assert!(Registry::parse("public.ecr.aws").unwrap().is_public());
    assert!(Registry::parse("ecr-public.aws.com").unwrap().is_public());
}

#[test]
fn the_endpoints_of_a_region() {
    let config = SdkConfig::builder().build();
    let url = |service: &Service, region: &str, [fips, dual_stack]: [bool; 2]| {
        let variant = Variant { fips, dual_stack };
        let region = Region::parse(region).unwrap();
        service.endpoint(&config, &region, Variant::of(&config, variant))
    };
    let urls = [
        url(&ECR, "eu-central-1", [false, false]),
        url(&ECR, "us-east-1", [true, false]),
        url(&ECR, "eu-central-1", [false, true]),
        url(&ECR, "us-east-1", [true, true]),
        url(&ECR, "cn-north-1", [false, false]),
        url(&ECR, "cn-north-1", [false, true]),
        url(&ECR, "eusc-de-east-1", [false, false]),
        url(&ECR_PUBLIC, "us-east-1", [false, false]),
        url(&ECR_PUBLIC, "us-east-1", [false, true]),
        url(&SECRETS_MANAGER, "eu-west-1", [false, false]),
        url(&SECRETS_MANAGER, "us-west-2", [true, false]),
    ];
    insta::assert_snapshot!(urls.join("\n"), @"
    https://api.ecr.eu-central-1.amazonaws.com/
    https://ecr-fips.us-east-1.amazonaws.com/
    https://ecr.eu-central-1.api.aws/
    https://ecr-fips.us-east-1.api.aws/
    https://api.ecr.cn-north-1.amazonaws.com.cn/
    https://ecr.cn-north-1.api.amazonwebservices.com.cn/
    https://api.ecr.eusc-de-east-1.amazonaws.eu/
    https://api.ecr-public.us-east-1.amazonaws.com/
    https://ecr-public.us-east-1.api.aws/
    https://secretsmanager.eu-west-1.amazonaws.com/
    https://secretsmanager-fips.us-west-2.amazonaws.com/
    ");
}

#[test]
fn a_configured_endpoint_goes_before_that_of_the_region() {
    let config = SdkConfig::builder()
        .endpoint_url("http://127.0.0.1:5000")
        .build();
    let region = Region::parse("eu-central-1").unwrap();
    let url = ECR.endpoint(&config, &region, Variant::default());
    assert_eq!(url, "http://127.0.0.1:5000");
}

fn frankfurt() -> Region {
    Region::parse("eu-central-1").unwrap()
}

fn received(status: u16, body: &Value) -> Received {
    Received {
        status,
        headers: HeaderMap::new(),
        body: body.to_string().into_bytes(),
    }
}

fn refused(status: u16, body: &Value) -> String {
    let problem = read("GetSecretValue", &frankfurt(), &received(status, body)).unwrap_err();
    let error = AwsError::secret("arn:x", problem);
    let hint = error.hint().unwrap_or("-");
    assert!(!format!("{error:?}{error}{hint}").contains(CANARY));
    format!("{error}\n{hint}")
}

#[test]
fn refusals_name_what_is_missing() {
    let denied = json!({
        "__type": "AccessDeniedException",
        "Message": "User: arn:aws:sts::123456789012:assumed-role/ci/me is not authorized to perform: secretsmanager:GetSecretValue\nbecause no policy allows it",
    });
    insta::assert_snapshot!(refused(400, &denied), @r"
    the secret `arn:x` cannot be used: `GetSecretValue` is not allowed: User: arn:aws:sts::123456789012:assumed-role/ci/me is not authorized to perform: secretsmanager:GetSecretValue\nbecause no policy allows it
    allow `secretsmanager:GetSecretValue`, and `kms:Decrypt` for a key of your own
    ");
    let missing = json!({"__type": "com.amazonaws.secretsmanager#ResourceNotFoundException"});
    insta::assert_snapshot!(refused(400, &missing), @"
    the secret `arn:x` cannot be used: there is none of this name in `eu-central-1`
    check its name, its account, and the region
    ");
    let expired = json!({"__type": "ExpiredTokenException", "message": CANARY});
    insta::assert_snapshot!(refused(400, &expired), @"
    the secret `arn:x` cannot be used: `GetSecretValue` was refused with status 400, `ExpiredTokenException`
    the AWS login has expired: log in again
    ");
}

#[test]
fn a_refusal_that_quotes_the_request_is_not_repeated() {
    let signature = json!({
        "__type": "InvalidSignatureException",
        "message": format!("The Canonical String should have been 'x-amz-security-token:{CANARY}'"),
    });
    insta::assert_snapshot!(refused(403, &signature), @"
    the secret `arn:x` cannot be used: `GetSecretValue` was refused with status 403, `InvalidSignatureException`
    the secret key is wrong, or this machine's clock
    ");
    insta::assert_snapshot!(refused(500, &json!(CANARY)), @"
    the secret `arn:x` cannot be used: `GetSecretValue` was refused with status 500
    -
    ");
    insta::assert_snapshot!(refused(400, &json!({"__type": format!("A<{CANARY}>")})), @"
    the secret `arn:x` cannot be used: `GetSecretValue` was refused with status 400, `A`
    -
    ");
}

#[test]
fn an_answer_that_is_no_json() {
    let mut answer = received(200, &json!(null));
    answer.body = CANARY.as_bytes().to_vec();
    let problem = read("GetAuthorizationToken", &frankfurt(), &answer).unwrap_err();
    insta::assert_snapshot!(problem, @"the answer to `GetAuthorizationToken` cannot be read");
}

#[test]
fn what_a_secret_may_hold() {
    let content = |text: &str| {
        let answer = json!({"SecretString": text});
        secret::credential(answer.as_object().unwrap()).map_err(|problem| {
            let error = AwsError::secret("hub", problem);
            assert!(!format!("{error:?}{error}").contains(CANARY));
            error.to_string()
        })
    };
    let good = format!(r#"{{"username": "anna", "password": "{CANARY}", "note": 1}}"#);
    assert_eq!(content(&good), Ok(login("anna", CANARY)));
    assert!(!format!("{:?}", content(&good)).contains(CANARY));
    insta::assert_snapshot!(content(CANARY).unwrap_err(), @"the secret `hub` cannot be used: its value is not a JSON object");
    insta::assert_snapshot!(content(&format!("[\"{CANARY}\"]")).unwrap_err(), @"the secret `hub` cannot be used: its value is not a JSON object");
    insta::assert_snapshot!(content(&format!(r#"{{"user": "{CANARY}"}}"#)).unwrap_err(), @"the secret `hub` cannot be used: its value has no text `username`");
    insta::assert_snapshot!(content(r#"{"username": "a", "password": ""}"#).unwrap_err(), @"the secret `hub` cannot be used: its value has no text `password`");
    let binary = json!({"SecretBinary": CANARY});
    let problem = secret::credential(binary.as_object().unwrap()).unwrap_err();
    assert_eq!(
        problem,
        AwsProblem::Content {
            problem: "is binary"
        }
    );
}

#[test]
fn how_a_secret_is_named() {
    let region = |name: &str| match secret::Name::parse(name) {
        Ok(secret::Name::InRegion(region)) => region.name,
        Ok(secret::Name::Plain) => "plain".to_owned(),
        Err(problem) => problem.to_string(),
    };
    assert_eq!(region("hub"), "plain");
    assert_eq!(region("team/hub"), "plain");
    let arn = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:hub-AbCdEf";
    assert_eq!(region(arn), "us-gov-west-1");
    for other in [
        "",
        "arn:aws:ssm:eu-central-1:123456789012:parameter/hub",
        "arn:aws:secretsmanager:evil.test/:123456789012:secret:hub",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
        "arn:aws:secretsmanager:eu-central-1",
    ] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(region(other), @"this is neither the ARN of a secret in Secrets Manager nor a name of one");
        }
    }
}

#[test]
fn the_token_of_either_registry() {
    let data = json!({"authorizationToken": "QVdTOnQwa2Vu", "expiresAt": 1.7e9});
    let one = token::read(&json!({"authorizationData": data})).unwrap();
    let list = token::read(&json!({"authorizationData": [data]})).unwrap();
    assert_eq!(one, list);
    assert_eq!(one, (login("AWS", "t0ken"), Some(1.7e9)));
    for other in [
        json!({}),
        json!({"authorizationData": []}),
        json!({"authorizationData": [{"authorizationToken": "%"}]}),
    ] {
        let problem = token::read(&other).unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(problem, @"the answer to `GetAuthorizationToken` cannot be read");
        }
    }
}

#[test]
fn nothing_is_left_of_a_time_that_is_over_or_none() {
    for expiry in [
        None,
        Some(1.45e9),
        Some(-1.0),
        Some(f64::NAN),
        Some(f64::MAX),
    ] {
        assert_eq!(token::left(expiry), std::time::Duration::ZERO, "{expiry:?}");
    }
    assert!(token::left(Some(9.9e9)) > std::time::Duration::from_secs(3600));
}
