//! The HTTP client: TLS, proxies, and who resolves names.

use std::sync::Arc;

use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Url};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use super::error::Cause;
use super::guard::Guard;
use super::secret::Secret;
use super::settings::Settings;

/// The client for registries, which asks the guard before it connects.
pub(super) fn build(settings: &Settings, guard: Guard) -> Result<Client, Cause> {
    builder(settings)?
        .dns_resolver(guard)
        .pool_max_idle_per_host(settings.limits.per_host)
        .build()
        .map_err(|_| setup("the HTTP client does not start"))
}

/// The client for services that no template chooses: those of AWS, some of which are on
/// link-local addresses.
pub(super) fn unguarded(settings: &Settings) -> Result<Client, Cause> {
    builder(settings)?
        .build()
        .map_err(|_| setup("the HTTP client does not start"))
}

/// A client that follows nothing, decodes nothing, repeats nothing and reads no environment:
/// all that is ours to decide.
fn builder(settings: &Settings) -> Result<ClientBuilder, Cause> {
    let mut builder = Client::builder()
        .user_agent(concat!("outrigger/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls(settings)?)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(settings.connect_timeout);
    for proxy in proxies(settings)? {
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

/// rustls on ring, with the system's roots and those of the user.
fn tls(settings: &Settings) -> Result<ClientConfig, Cause> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let own: Vec<CertificateDer<'static>> = settings
        .ca_bundle
        .as_deref()
        .map(|pem| CertificateDer::pem_slice_iter(pem).collect())
        .transpose()
        .map_err(|_| setup("the CA file is no PEM"))?
        .unwrap_or_default();
    if settings.ca_bundle.is_some() && own.is_empty() {
        return Err(setup("the CA file holds no certificate"));
    }
    let verifier = Verifier::new_with_extra_roots(own, Arc::clone(&provider))
        .map_err(|_| setup("the system has no CA certificates, or the CA file's are not valid"))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| setup("TLS does not start"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn proxies(settings: &Settings) -> Result<Vec<Proxy>, Cause> {
    let proxies = &settings.proxies;
    let direct = || proxies.no_proxy.as_deref().and_then(NoProxy::from_string);
    [("https", &proxies.https), ("http", &proxies.http)]
        .into_iter()
        .filter_map(|(scheme, proxy)| Some((scheme, proxy.as_ref()?)))
        .map(|(scheme, proxy)| {
            // What was given is not repeated: a password may stand in it.
            let reason = format!("the proxy for {scheme} is no http or https URL");
            let proxy = proxy_url(proxy).map(|url| match scheme {
                "https" => Proxy::https(url),
                _ => Proxy::http(url),
            });
            let proxy = proxy.and_then(Result::ok).ok_or_else(|| setup(&reason))?;
            Ok(proxy.no_proxy(direct()))
        })
        .collect()
}

/// The URL of a proxy, which may be given without its scheme.
fn proxy_url(proxy: &Secret) -> Option<Url> {
    let text = proxy.expose();
    let url = match text.contains("://") {
        true => Url::parse(text),
        false => Url::parse(&format!("http://{text}")),
    };
    url.ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Hosts of the proxies, which the user chose: they may be on this machine.
pub(super) fn proxy_hosts(settings: &Settings) -> Vec<String> {
    let proxies = &settings.proxies;
    [&proxies.https, &proxies.http]
        .into_iter()
        .flatten()
        .filter_map(|proxy| Some(proxy_url(proxy)?.host_str()?.to_owned()))
        .collect()
}

fn setup(reason: &str) -> Cause {
    Cause::Setup {
        reason: reason.to_owned(),
    }
}
