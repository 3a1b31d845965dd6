//! `registries-bare CA`: gets URLs that are known beforehand, 64 at once, and looks at nothing:
//! how fast the registry is.

use std::error::Error;
use std::sync::Arc;

use reqwest::Client;
use reqwest::header::ACCEPT;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// All kinds of manifests.
const KINDS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ca = std::env::args().nth(1).ok_or("usage: registries-bare CA")?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&std::fs::read(ca)?) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .build()?;
    let mut urls = bench::client::references()?;
    let first = urls.pop().ok_or("no URL")?;
    // Opens the one connection.
    get(&client, &first).await?;
    let at_once = Arc::new(Semaphore::new(64));
    let mut tasks = JoinSet::new();
    for url in urls {
        let (client, at_once) = (client.clone(), Arc::clone(&at_once));
        tasks.spawn(async move {
            let _turn = at_once.acquire().await;
            get(&client, &url).await
        });
    }
    for got in tasks.join_all().await {
        got?;
    }
    bench::client::tell([])
}

async fn get(client: &Client, url: &str) -> reqwest::Result<()> {
    let response = client.get(url).header(ACCEPT, KINDS).send().await?;
    response.error_for_status()?.bytes().await.map(|_| ())
}
