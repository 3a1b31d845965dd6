//! `registries-oci-client CA`: reads images with oci-client, all at once, with one client.

use std::error::Error;
use std::sync::Arc;

use oci_client::Reference;
use oci_client::client::{
    Certificate, CertificateEncoding, Client, ClientConfig, linux_amd64_resolver,
};
use oci_client::secrets::RegistryAuth;
use tokio::task::JoinSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ca = std::env::args()
        .nth(1)
        .ok_or("usage: registries-oci-client CA")?;
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "another provider of cryptography is there already")?;
    let client = Arc::new(Client::new(ClientConfig {
        extra_root_certificates: vec![Certificate {
            encoding: CertificateEncoding::Pem,
            data: std::fs::read(ca)?,
        }],
        platform_resolver: Some(Box::new(linux_amd64_resolver)),
        ..ClientConfig::default()
    }));
    let mut tasks = JoinSet::new();
    for reference in bench::client::references()? {
        let client = Arc::clone(&client);
        let image: Reference = reference.parse()?;
        tasks.spawn(async move {
            let pulled = client.pull_manifest_and_config(&image, &RegistryAuth::Anonymous);
            (reference, pulled.await)
        });
    }
    let mut found = Vec::new();
    for (reference, pulled) in tasks.join_all().await {
        let (_, _, config) = pulled?;
        found.push((
            reference,
            bench::client::program(&serde_json::from_str(&config)?),
        ));
    }
    bench::client::tell(found)
}
