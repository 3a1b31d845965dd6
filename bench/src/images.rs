//! A real registry with images, for what reads them.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use outrigger_tests::servers::image::{Artifact, Family, config, digest, image, index};
use outrigger_tests::servers::{Access, Authority, Registry};
use serde_json::json;

use crate::client::{beside, run};

/// Distinct images that the registry has.
pub const IMAGES: usize = 200;
/// What is delayed is delayed by this.
pub const ROUND_TRIP: Duration = Duration::from_millis(50);
/// Round trips that nobody can do without: TCP, TLS 1.3, index, manifest, config.
pub const ROUND_TRIPS: u32 = 5;

/// Starts a registry with TLS, and fills it.
///
/// # Errors
/// It is not installed, or does not start.
pub fn filled() -> Result<(Registry, Vec<Artifact>), Box<dyn Error>> {
    let authority = Authority::new()?;
    let registry = Registry::start(Access::Open, Some(&authority))?
        .ok_or("docker-registry is missing: apt install docker-registry")?;
    let images: Vec<Artifact> = (0..IMAGES).map(artifact).collect();
    for (number, artifact) in images.iter().enumerate() {
        registry.push(&repository(number), "1", artifact)?;
    }
    Ok((registry, images))
}

/// The certificate of the registry's authority.
pub fn ca(registry: &Registry) -> PathBuf {
    registry.folder().join("ca.crt")
}

/// Requests a second that the registry answers at `address`, when nobody does more than ask: the
/// best of several runs.
///
/// # Errors
/// The client fails.
pub fn rate(
    registry: &Registry,
    images: &[Artifact],
    address: SocketAddr,
    runs: usize,
) -> Result<f64, Box<dyn Error>> {
    let mut urls = Vec::new();
    for (number, index) in images.iter().enumerate() {
        let image = index.children.first().ok_or("an index without images")?;
        let config = digest(image.blobs.first().ok_or("an image without a config")?);
        let base = format!("https://{address}/v2/{}", repository(number));
        urls.push(format!("{base}/manifests/1"));
        urls.push(format!("{base}/manifests/{}", image.digest()));
        urls.push(format!("{base}/blobs/{config}"));
    }
    let mut rates = Vec::new();
    for _ in 0..=runs {
        let started = Instant::now();
        run(
            Command::new(beside("registries-bare")?).arg(ca(registry)),
            &urls,
        )?;
        rates.push(urls.len() as f64 / started.elapsed().as_secs_f64());
    }
    Ok(rates.into_iter().fold(0.0, f64::max))
}

/// The name of an image, whose tag is `1`.
pub fn repository(number: usize) -> String {
    format!("shop/service-{number:03}")
}

/// An index of two images, whose configs no other index has.
fn artifact(number: usize) -> Artifact {
    let one = |architecture: &str| {
        let process = json!({"Entrypoint": ["/entry", architecture], "Cmd": [number.to_string()]});
        let platform = json!({"os": "linux", "architecture": architecture});
        (
            platform,
            image(Family::Oci, &config("linux", architecture, &process)),
        )
    };
    index(Family::Oci, vec![one("amd64"), one("arm64")])
}
