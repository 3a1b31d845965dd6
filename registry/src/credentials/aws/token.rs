//! Tokens for the registries of Amazon ECR.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::call::call;
use super::endpoint::{ECR, ECR_PUBLIC, Variant};
use super::place::{Region, Registry};
use super::{Aws, AwsProblem};
use crate::credentials::kept::Answer;
use crate::credentials::login_from_base64;
use crate::remote::Credential;

const ACTION: &str = "GetAuthorizationToken";
/// The public gallery's only region.
const PUBLIC_REGION: &str = "us-east-1";
/// A token is renewed when it has less than this left. They are made for twelve hours.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// A token, kept until shortly before it expires.
pub(super) async fn ask(aws: &Aws, registry: &Registry) -> Answer<Result<Credential, AwsProblem>> {
    let answer = match registry {
        Registry::Private {
            region,
            fips,
            dual_stack,
            ..
        } => {
            let variant = Variant {
                fips: *fips,
                dual_stack: *dual_stack,
            };
            let input = json!({});
            call(aws, &ECR, region, variant, (ACTION, &input)).await
        }
        Registry::Public { dual_stack } => public(aws, *dual_stack).await,
    };
    let answer = answer.and_then(|answer| read(&answer));
    // A token that has expired on arrival, and a failure, serve the question that brought them.
    let expiry = answer.as_ref().ok().and_then(|(_, expiry)| *expiry);
    Answer {
        until: Some(Instant::now() + left(expiry).saturating_sub(MARGIN)),
        value: answer.map(|(credential, _)| credential),
    }
}

async fn public(aws: &Aws, dual_stack: bool) -> Result<Value, AwsProblem> {
    let region = Region::parse(PUBLIC_REGION).ok_or(AwsProblem::NoRegion)?;
    let variant = Variant {
        fips: false,
        dual_stack,
    };
    call(aws, &ECR_PUBLIC, &region, variant, (ACTION, &json!({}))).await
}

/// The token, and when it expires. Private ECR answers with a list of one, public ECR without.
pub(super) fn read(answer: &Value) -> Result<(Credential, Option<f64>), AwsProblem> {
    let data = answer.get("authorizationData");
    let data = data.map(|data| data.get(0).unwrap_or(data));
    let field = |key: &str| data.and_then(|data| data.get(key));
    let credential = field("authorizationToken")
        .and_then(Value::as_str)
        .and_then(login_from_base64)
        .ok_or(AwsProblem::Answer { action: ACTION })?;
    Ok((credential, field("expiresAt").and_then(Value::as_f64)))
}

/// The time until then, given in seconds since 1970.
pub(super) fn left(expiry: Option<f64>) -> Duration {
    expiry
        .and_then(|expiry| Duration::try_from_secs_f64(expiry).ok())
        .and_then(|expiry| UNIX_EPOCH.checked_add(expiry))
        .and_then(|expiry| expiry.duration_since(SystemTime::now()).ok())
        .unwrap_or_default()
}
