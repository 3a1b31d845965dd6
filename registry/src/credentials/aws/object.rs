//! One object in Amazon S3: a recipe or a lock file that an administrator keeps there, or what a
//! program of ours keeps there itself.
//!
//! [`GetObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html) and
//! [`PutObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html), signed, and
//! nothing else of S3. Writing can depend on what is there, by a
//! [conditional request](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).

use std::fmt::Write;
use std::str::FromStr;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode,
};
use reqwest::{Method, Request};

use super::call::{again, host, signature};
use super::endpoint::{S3, Variant};
use super::http::{Http, Received};
use super::identity::{self, Identity};
use super::place::Region;
use super::{Aws, AwsProblem};

const READ: &str = "GetObject";
const WRITE: &str = "PutObject";
/// The largest object that a program keeps for itself.
const KEPT_MAX: usize = 64 << 20;

/// An object as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Which of its versions this is: its entity tag.
    pub version: String,
}

/// Shows nothing of what it holds.
impl std::fmt::Debug for StoredObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredObject")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What has to be so for an object to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteWhen<'v> {
    /// Whatever is there is replaced.
    Always,
    /// There is none.
    Missing,
    /// It still has this version.
    Unchanged(&'v str),
}

/// Where an object is: `s3://bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectUri {
    bucket: String,
    key: String,
}

/// Why a text names no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form s3://BUCKET/KEY")]
pub struct ObjectUriError;

impl FromStr for ObjectUri {
    type Err = ObjectUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("s3://").ok_or(ObjectUriError)?;
        let (bucket, key) = rest.split_once('/').ok_or(ObjectUriError)?;
        // The bucket becomes part of a host name.
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
        let named = (3..=63).contains(&bucket.len()) && bucket.chars().all(fits);
        let keyed = !key.is_empty() && key.len() <= 1024 && !key.chars().any(char::is_control);
        // A URL parser would take such a part of a path away.
        let plain = key.split('/').all(|part| part != "." && part != "..");
        match named && keyed && plain {
            true => Ok(Self {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }),
            false => Err(ObjectUriError),
        }
    }
}

impl std::fmt::Display for ObjectUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// The object, in the region that is configured.
pub(super) async fn read(aws: &Aws, uri: &ObjectUri) -> Result<Vec<u8>, AwsProblem> {
    let http = aws.http().await?;
    let received = |region: &Region, received: &Received| {
        read_answer(READ, region, received).map(|()| received.body.clone())
    };
    exchange(aws, http, uri, &Call::READ, received).await
}

/// The object and its version; nothing, where there is none.
pub(super) async fn stored(aws: &Aws, uri: &ObjectUri) -> Result<Option<StoredObject>, AwsProblem> {
    let http = aws.http().await?.up_to(KEPT_MAX);
    let object = |region: &Region, received: &Received| {
        read_answer(READ, region, received)?;
        Ok(StoredObject {
            bytes: received.body.clone(),
            version: version(READ, received)?,
        })
    };
    match exchange(aws, &http, uri, &Call::READ, object).await {
        Ok(object) => Ok(Some(object)),
        Err(AwsProblem::NotFound { .. }) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Writes the object and gives its version; nothing, where the condition does not hold.
pub(super) async fn write(
    aws: &Aws,
    uri: &ObjectUri,
    (bytes, when): (&[u8], WriteWhen<'_>),
) -> Result<Option<String>, AwsProblem> {
    let call = Call {
        method: Method::PUT,
        condition: match when {
            WriteWhen::Always => None,
            WriteWhen::Missing => Some(("if-none-match", "*")),
            WriteWhen::Unchanged(version) => Some(("if-match", version)),
        },
        body: bytes,
    };
    let http = aws.http().await?;
    let written = |region: &Region, received: &Received| {
        let is_missing =
            received.status == 404 && error_code(&received.body).as_deref() == Some("NoSuchKey");
        // 409: somebody else writes it at this moment.
        if matches!(received.status, 409 | 412) || is_missing {
            return Ok(None);
        }
        read_answer(WRITE, region, received)?;
        version(WRITE, received).map(Some)
    };
    let written = exchange(aws, http, uri, &call, written).await?;
    if written.is_some() {
        return Ok(written);
    }
    // Of a write without an answer nobody knows whether it has taken effect; the same again would
    // then fail by its own condition.
    let there = stored(aws, uri).await?;
    Ok(there
        .filter(|there| there.bytes == bytes)
        .map(|there| there.version))
}

/// A request for an object.
struct Call<'c> {
    method: Method,
    /// A header.
    condition: Option<(&'static str, &'c str)>,
    body: &'c [u8],
}

impl Call<'_> {
    const READ: Call<'static> = Call {
        method: Method::GET,
        condition: None,
        body: b"",
    };
}

async fn exchange<T>(
    aws: &Aws,
    http: &Http,
    uri: &ObjectUri,
    call: &Call<'_>,
    read: impl Fn(&Region, &Received) -> Result<T, AwsProblem>,
) -> Result<T, AwsProblem> {
    let config = aws.config().await?;
    let region = config.region();
    let region = region
        .and_then(|region| Region::parse(region.as_ref()))
        .ok_or(AwsProblem::NoBucketRegion)?;
    let variant = Variant::of(config, Variant::default());
    let url = match S3.elsewhere(config) {
        Some(endpoint) => {
            let (endpoint, key) = (endpoint.trim_end_matches('/'), encoded(&uri.key));
            format!("{endpoint}/{}/{key}", uri.bucket)
        }
        None => url(&regional_host(&region, variant), uri),
    };
    let identity = identity::get(aws).await?;
    let sign = || signed(http, &identity, &region, &url, call);
    again(http, &url, sign, |received| read(&region, received)).await
}

/// [Where a region's buckets are](https://docs.aws.amazon.com/general/latest/gr/s3.html).
fn regional_host(region: &Region, variant: Variant) -> String {
    let fips = if variant.fips { "-fips" } else { "" };
    let dual_stack = if variant.dual_stack { ".dualstack" } else { "" };
    let (name, domain) = (&region.name, region.domain());
    format!("s3{fips}{dual_stack}.{name}.{domain}")
}

/// The bucket is a label of the host, unless a dot in it would make it several, for which there is no certificate.
fn url(host: &str, uri: &ObjectUri) -> String {
    let (bucket, key) = (&uri.bucket, encoded(&uri.key));
    match bucket.contains(['.', '_']) {
        true => format!("https://{host}/{bucket}/{key}"),
        false => format!("https://{bucket}.{host}/{key}"),
    }
}

/// A key as [S3 encodes it](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html):
/// everything but unreserved characters and the slash.
fn encoded(key: &str) -> String {
    key.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            byte => {
                // Writing to a text cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
        text
    })
}

fn signed(
    http: &Http,
    identity: &Identity,
    region: &Region,
    url: &str,
    call: &Call<'_>,
) -> Result<Request, AwsProblem> {
    let unusable = || AwsProblem::Endpoint {
        endpoint: host(url),
    };
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let body = SignableBody::Bytes(call.body);
    let headers = call.condition.into_iter();
    let signable = SignableRequest::new(call.method.as_str(), url, headers.clone(), body)
        .map_err(|_| unusable())?;
    let signature = signature(signable, identity, (S3.signing, region), settings);
    let mut request = http.request(call.method.clone(), url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    for (name, value) in signature.ok_or_else(unusable)? {
        request = request.header(name, value);
    }
    if call.method == Method::PUT {
        request = request.body(call.body.to_vec());
    }
    request.build().map_err(|_| unusable())
}

/// The entity tag.
fn version(action: &'static str, received: &Received) -> Result<String, AwsProblem> {
    let tag = received.headers.get("etag");
    let tag = tag.and_then(|value| value.to_str().ok());
    tag.map(str::to_owned).ok_or(AwsProblem::Answer { action })
}

fn read_answer(
    action: &'static str,
    region: &Region,
    received: &Received,
) -> Result<(), AwsProblem> {
    let code = error_code(&received.body);
    match received.status {
        200 => Ok(()),
        404 => Err(AwsProblem::NotFound {
            region: region.name.clone(),
        }),
        // S3 says what it does not let see: without `s3:ListBucket` a missing object is forbidden.
        403 if code.as_deref().is_none_or(|code| code == "AccessDenied") => {
            Err(AwsProblem::Denied { action, said: None })
        }
        301 | 307 | 400 if received.headers.contains_key("x-amz-bucket-region") => {
            let elsewhere = received.headers.get("x-amz-bucket-region");
            let elsewhere = elsewhere.and_then(|value| value.to_str().ok());
            let elsewhere = elsewhere.and_then(Region::parse);
            Err(AwsProblem::BucketElsewhere {
                region: elsewhere.map(|region| region.name),
            })
        }
        status => Err(AwsProblem::Refused {
            action,
            status,
            code,
        }),
    }
}

/// `<Error><Code>NoSuchKey</Code>...`
fn error_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_object() {
        let shown = |text: &str| {
            text.parse::<ObjectUri>()
                .map(|uri| url("s3.eu-central-1.amazonaws.com", &uri))
                .map_err(|error| error.to_string())
        };
        let cases = [
            "s3://recipes/lacework.yaml",
            "s3://recipes.example/a b/ü.yaml",
            "https://recipes/x",
            "s3://recipes",
            "s3://recipes/",
            "s3://re/x",
            "s3://Recipes@evil.example/x",
            "s3://recipes/a/../b",
        ];
        let table = cases.map(|case| format!("{case}: {:?}", shown(case)));
        insta::assert_snapshot!(table.join("\n"), @r#"
        s3://recipes/lacework.yaml: Ok("https://recipes.s3.eu-central-1.amazonaws.com/lacework.yaml")
        s3://recipes.example/a b/ü.yaml: Ok("https://s3.eu-central-1.amazonaws.com/recipes.example/a%20b/%C3%BC.yaml")
        https://recipes/x: Err("not of the form s3://BUCKET/KEY")
        s3://recipes: Err("not of the form s3://BUCKET/KEY")
        s3://recipes/: Err("not of the form s3://BUCKET/KEY")
        s3://re/x: Err("not of the form s3://BUCKET/KEY")
        s3://Recipes@evil.example/x: Err("not of the form s3://BUCKET/KEY")
        s3://recipes/a/../b: Err("not of the form s3://BUCKET/KEY")
        "#);
    }

    #[test]
    fn what_s3_answers() {
        let region = Region::parse("eu-central-1").unwrap();
        let answer = |status, region_header: Option<&str>, code: &str| {
            let mut headers = reqwest::header::HeaderMap::new();
            if let Some(region) = region_header {
                headers.insert("x-amz-bucket-region", region.parse().unwrap());
            }
            let body = match status {
                200 => code.into(),
                _ => format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>").into(),
            };
            let received = Received {
                status,
                headers,
                body,
            };
            match read_answer(READ, &region, &received) {
                Ok(()) => "read".to_owned(),
                Err(problem) => problem.to_string(),
            }
        };
        let table = [
            answer(200, None, "recipe: 1"),
            answer(404, None, "NoSuchKey"),
            answer(403, None, "AccessDenied"),
            answer(403, None, "InvalidAccessKeyId"),
            answer(301, Some("us-east-1"), "PermanentRedirect"),
            answer(400, None, "<b>"),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        read
        there is none of this name in `eu-central-1`
        `GetObject` is not allowed
        `GetObject` was refused with status 403, `InvalidAccessKeyId`
        the bucket is in another region, `us-east-1`
        `GetObject` was refused with status 400
        ");
    }
}
