//! Plans, journals, reports and leases in Amazon S3.
//!
//! ```text
//! PREFIX/runs/RUN/shards.json
//! PREFIX/runs/RUN/ACCOUNT/REGION/plan.json, plan-report.json, apply-report.json, journal.jsonl
//! PREFIX/runs/RUN/plan-summary.json, apply-summary.json
//! PREFIX/leases/ACCOUNT/REGION.json
//! ```

use registry::credentials::aws::{Aws, AwsError, ObjectUri, StoredObject, WriteWhen};
use serde::Serialize;
use serde_json::Value;

use super::refused::Refused;
use crate::shard::Shard;

/// A bucket, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    bucket: String,
    /// Ends with a slash, if it is not empty.
    prefix: String,
}

impl Place {
    /// `s3://BUCKET[/PREFIX]`.
    pub(super) fn parse(text: &str) -> Option<Place> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let place = Place {
            bucket: bucket.to_owned(),
            prefix: match prefix {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
        };
        // A long name is one that fits with everything that comes after it.
        place.uri("x").ok().map(|_| place)
    }

    fn uri(&self, key: &str) -> Result<ObjectUri, Refused> {
        let (bucket, prefix) = (&self.bucket, &self.prefix);
        let uri = format!("s3://{bucket}/{prefix}{key}").parse();
        uri.map_err(|error| {
            Refused::broken(
                format!("`{bucket}` cannot be used: {error}"),
                "see `OUTRIGGER_RESULTS`",
            )
        })
    }
}

/// What a program keeps in S3.
#[derive(Debug)]
pub(super) struct Store {
    aws: Aws,
    place: Place,
}

/// Where the things of an account and region are.
pub(super) fn of_shard(run: &str, shard: &Shard, name: &str) -> String {
    format!("runs/{run}/{}/{}/{name}", shard.account, shard.region)
}

/// Where the things of a run are.
pub(super) fn of_run(run: &str, name: &str) -> String {
    format!("runs/{run}/{name}")
}

impl Store {
    pub(super) fn new(aws: Aws, place: &Place) -> Store {
        Store {
            aws,
            place: place.clone(),
        }
    }

    /// The bucket, and a key's whole text.
    pub(super) fn place_of(&self, key: &str) -> (&str, String) {
        (&self.place.bucket, format!("{}{key}", self.place.prefix))
    }

    /// An object, for whoever reads the answer.
    pub(super) fn shown(&self, key: &str) -> String {
        let (bucket, key) = self.place_of(key);
        format!("s3://{bucket}/{key}")
    }

    /// What is kept at a key; nothing, where there is nothing.
    pub(super) async fn read(&self, key: &str) -> Result<Option<StoredObject>, Refused> {
        let stored = self.aws.stored(&self.place.uri(key)?).await;
        stored.map_err(|error| refused(&error))
    }

    /// What is kept at a key, as JSON.
    pub(super) async fn read_json(&self, key: &str) -> Result<Option<Value>, Refused> {
        let Some(stored) = self.read(key).await? else {
            return Ok(None);
        };
        let value = serde_json::from_slice(&stored.bytes);
        let value = value.map_err(|_| {
            Refused::broken(
                format!("`{}` is no JSON", self.shown(key)),
                "start a new run",
            )
        });
        value.map(Some)
    }

    /// An object that somebody else keeps.
    pub(super) async fn foreign(&self, uri: &ObjectUri) -> Result<Vec<u8>, Refused> {
        self.aws.object(uri).await.map_err(|error| refused(&error))
    }

    /// Writes, whatever was there before.
    pub(super) async fn write(&self, key: &str, value: &impl Serialize) -> Result<(), Refused> {
        // Texts, numbers and lists can always be written.
        let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
        self.write_when(key, text.as_bytes(), WriteWhen::Always)
            .await
            .map(drop)
    }

    /// Writes if the condition holds, and gives the new version; nothing, where it does not.
    pub(super) async fn write_when(
        &self,
        key: &str,
        bytes: &[u8],
        when: WriteWhen<'_>,
    ) -> Result<Option<String>, Refused> {
        let stored = self.aws.store(&self.place.uri(key)?, bytes, when).await;
        stored.map_err(|error| refused(&error))
    }
}

fn refused(error: &AwsError) -> Refused {
    let hint = error.hint().unwrap_or("start the run again later");
    Refused::broken(error.to_string(), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let shown = |text: &str| {
            let place = Place::parse(text)?;
            Some(place.uri("k").ok()?.to_string())
        };
        assert_eq!(shown("s3://results").as_deref(), Some("s3://results/k"));
        assert_eq!(
            shown("s3://results/a/b/").as_deref(),
            Some("s3://results/a/b/k")
        );
        for wrong in ["results", "s3://", "s3://R/x", "s3://results/../x"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
