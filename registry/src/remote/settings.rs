//! What may be contacted, how, and for how long.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use super::secret::Secret;
use crate::reference::{ReferenceError, canonical_registry, check_bare, check_repository};

/// Everything that a user or an administrator can set about registries.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Registries that may be on this machine, and that may be spoken to without TLS.
    pub insecure: Vec<RegistryHost>,
    /// The only registries that may be asked; `None` allows all.
    pub allowed_registries: Option<Vec<RegistryHost>>,
    /// Token servers, besides the registry's own host, that may see its credentials.
    pub allowed_realms: Vec<AllowedRealm>,
    /// Hosts that are asked in place of a registry.
    pub mirrors: Vec<Mirror>,
    /// Certificates (PEM) that are trusted besides those of the system.
    pub ca_bundle: Option<Vec<u8>>,
    /// Proxies.
    pub proxies: Proxies,
    /// Addresses of names that are not looked up; port 0 is the usual one.
    pub hosts: BTreeMap<String, Vec<SocketAddr>>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one request may take, its answer included.
    pub request_timeout: Duration,
    /// How often a request is sent before its failure counts.
    pub attempts: u32,
    /// How long to wait before the second attempt, at most; doubled for each one after.
    pub backoff: Duration,
    /// How much of an answer is read, and how much is asked at once.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            insecure: Vec::new(),
            allowed_registries: None,
            allowed_realms: Vec::new(),
            mirrors: Vec::new(),
            ca_bundle: None,
            proxies: Proxies::default(),
            hosts: BTreeMap::new(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            attempts: 4,
            backoff: Duration::from_millis(250),
            limits: Limits::default(),
        }
    }
}

/// Bounds on what others can make us do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an index or a manifest.
    pub manifest: u64,
    /// Bytes of an image config.
    pub config: u64,
    /// Bytes of a token server's answer.
    pub token: u64,
    /// Redirects of one request.
    pub redirects: usize,
    /// Indexes inside indexes.
    pub nesting: usize,
    /// Images of one index that are looked at.
    pub platforms: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// Requests in flight to one host without HTTP/2.
    pub per_host: usize,
    /// Bytes of manifests and configs that are kept from one session to the next.
    pub kept: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 << 20,
            config: 8 << 20,
            token: 64 << 10,
            redirects: 5,
            nesting: 4,
            platforms: 128,
            in_flight: 64,
            per_host: 32,
            kept: 0,
        }
    }
}

/// Host of a registry, with its port where one is given, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryHost(String);

impl RegistryHost {
    /// Whether this names `host`, which has a port unless it is the usual one. Without a port
    /// of its own it names every port.
    pub(super) fn covers(&self, host: &str) -> bool {
        self.0 == host || (split_port(&self.0).1.is_none() && split_port(host).0 == self.0)
    }

    /// The host without its port.
    pub(super) fn name(&self) -> &str {
        split_port(&self.0).0
    }
}

/// A canonical host, and its port.
pub(super) fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

impl FromStr for RegistryHost {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        canonical_registry(text).map(Self)
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a setting is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// No `=` between the two sides.
    #[error("not of the form {form}")]
    Form {
        /// What is expected.
        form: &'static str,
    },
    /// One side is no host, or no name.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

/// A token server that may see a registry's credentials: `REGISTRY=HOST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedRealm {
    pub(super) registry: RegistryHost,
    pub(super) realm: RegistryHost,
}

impl FromStr for AllowedRealm {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = "REGISTRY=HOST";
        let (registry, realm) = text.split_once('=').ok_or(SettingError::Form { form })?;
        Ok(Self {
            registry: registry.parse()?,
            realm: realm.parse()?,
        })
    }
}

/// A host that is asked in place of a registry: `REGISTRY=HOST`, or `REGISTRY=HOST/PREFIX`
/// where the mirror keeps the registry's repositories below a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    pub(super) registry: RegistryHost,
    pub(super) host: RegistryHost,
    pub(super) prefix: Option<String>,
}

impl FromStr for Mirror {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = "REGISTRY=HOST or REGISTRY=HOST/PREFIX";
        let (registry, place) = text.split_once('=').ok_or(SettingError::Form { form })?;
        // A URL would be torn apart at its first slash.
        check_bare(place)?;
        let (host, prefix) = match place.split_once('/') {
            Some((host, prefix)) => (host, Some(prefix)),
            None => (place, None),
        };
        prefix.map_or(Ok(()), check_repository)?;
        Ok(Self {
            registry: registry.parse()?,
            host: host.parse()?,
            prefix: prefix.map(str::to_owned),
        })
    }
}

/// Proxies, as the usual variables of the environment name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// URL of the proxy for `https`, with its password where it needs one.
    pub https: Option<Secret>,
    /// The same for `http`.
    pub http: Option<Secret>,
    /// Hosts that are reached directly, separated by commas.
    pub no_proxy: Option<String>,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, with the
    /// function that knows the environment's variables.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let set = |name: &str| variable(name).filter(|value| !value.is_empty());
            set(&name.to_ascii_lowercase()).or_else(|| set(name))
        };
        let proxy = |name: &str| either(name).or_else(|| either("ALL_PROXY"));
        Self {
            https: proxy("HTTPS_PROXY").map(Secret::new),
            http: proxy("HTTP_PROXY").map(Secret::new),
            no_proxy: either("NO_PROXY"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_not_understood() {
        let mirror = |text: &str| text.parse::<Mirror>().map_err(|error| error.to_string());
        let realm = |text: &str| {
            let parsed = text.parse::<AllowedRealm>();
            parsed.map_err(|error| error.to_string())
        };
        assert!(mirror("docker.io=mirror.example:5000/a/b").is_ok());
        assert!(realm("index.docker.io=auth.example").is_ok());
        insta::assert_snapshot!(mirror("docker.io").unwrap_err(), @"not of the form REGISTRY=HOST or REGISTRY=HOST/PREFIX");
        insta::assert_snapshot!(mirror("docker.io=a.example/").unwrap_err(), @"the repository name is missing");
        insta::assert_snapshot!(mirror("docker.io=https://a.example").unwrap_err(), @"a host does not begin with a scheme such as `https://`");
        insta::assert_snapshot!(mirror("docker.io=https://user:hunter2@a.example").unwrap_err(), @"a host holds no user name and no password");
        insta::assert_snapshot!(realm("https://a.example=b.example").unwrap_err(), @"a host does not begin with a scheme such as `https://`");
        insta::assert_snapshot!(realm("a.example=user:hunter2@b.example").unwrap_err(), @"a host holds no user name and no password");
        insta::assert_snapshot!(realm("a.example").unwrap_err(), @"not of the form REGISTRY=HOST");
        insta::assert_snapshot!(realm("a.example=b.example:99999").unwrap_err(), @"the port `99999` of the host `b.example` is not a number from 1 to 65535");
    }

    #[test]
    fn a_host_without_a_port_is_all_its_ports() {
        let host = |text: &str| text.parse::<RegistryHost>().unwrap();
        assert!(host("a.example").covers("a.example:5000"));
        assert!(host("A.Example:5000").covers("a.example:5000"));
        assert!(!host("a.example:5000").covers("a.example"));
        assert!(!host("a.example").covers("b.a.example"));
        assert!(host("[::1]").covers("[::1]:5000"));
        assert!(!host("[::1]:5000").covers("[::1]"));
        assert!(host("registry-1.docker.io").covers("docker.io"));
    }

    #[test]
    fn a_proxys_password_is_not_printed() {
        let proxies = Proxies::from_variables(|name| {
            (name == "ALL_PROXY").then(|| "http://user:hunter2@proxy.example".to_owned())
        });
        assert!(proxies.https.is_some() && proxies.https == proxies.http);
        insta::assert_snapshot!(format!("{proxies:?}"), @"Proxies { https: Some(Secret(..)), http: Some(Secret(..)), no_proxy: None }");
    }
}
