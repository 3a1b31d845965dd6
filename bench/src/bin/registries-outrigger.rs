//! `registries-outrigger CA`: reads images with the crate `registry`. Each reference is asked
//! for by itself, as if nobody had put equal ones together.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use registry::remote::{Registries, RegistryHost, Settings, StaticCredentials};
use taskdef::image::{Credentials, ImageRequest, Platform};
use tokio::task::JoinSet;

/// Far longer than it takes.
const TIME: Duration = Duration::from_secs(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ca = std::env::args()
        .nth(1)
        .ok_or("usage: registries-outrigger CA")?;
    let settings = Settings {
        insecure: vec!["127.0.0.1".parse::<RegistryHost>()?],
        ca_bundle: Some(std::fs::read(ca)?),
        ..Settings::default()
    };
    let registries = Registries::new(settings, StaticCredentials::none());
    let session = Arc::new(registries.session(TIME));
    let mut tasks = JoinSet::new();
    for reference in bench::client::references()? {
        let session = Arc::clone(&session);
        let request = ImageRequest {
            reference,
            platform: Platform::LinuxAmd64,
            credentials: Credentials::Unstated,
        };
        tasks.spawn(async move { session.resolve(BTreeSet::from([request])).await });
    }
    let mut found = Vec::new();
    for (request, resolution) in tasks.join_all().await.into_iter().flatten() {
        let config = resolution.outcome?.config;
        let words = [config.entrypoint, config.cmd].concat();
        found.push((request.reference, words.join(" ")));
    }
    bench::client::tell(found)
}
