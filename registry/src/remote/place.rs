//! Where a repository is, and on whose behalf it is read.

use reqwest::Url;

use super::error::Cause;
use super::guard::Guard;
use super::settings::Settings;
use crate::reference::{DEFAULT_REGISTRY, ImageReference};

/// The host that serves Docker Hub.
const DEFAULT_REGISTRY_HOST: &str = "registry-1.docker.io";

/// Token servers of well-known registries, which are theirs under another name.
const KNOWN_REALMS: [(&str, &str); 2] = [
    ("docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
];

/// A repository on a registry, and whose credentials open it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The registry whose credentials are used: the mirror, where there is one.
    pub(super) registry: String,
    pub(super) repository: String,
    /// The container's own secret.
    pub(super) secret: Option<String>,
    /// Whether the registry may be spoken to without TLS.
    pub(super) insecure: bool,
}

impl Place {
    /// Where a reference is read, if it may be.
    pub(super) fn of(
        reference: &ImageReference,
        secret: Option<String>,
        settings: &Settings,
        guard: &Guard,
    ) -> Result<Self, Cause> {
        let named = reference.registry();
        if let Some(allowed) = &settings.allowed_registries
            && !allowed.iter().any(|allowed| allowed.covers(named))
        {
            return Err(Cause::RegistryNotAllowed);
        }
        let mirrors = &settings.mirrors;
        let mirror = mirrors.iter().find(|mirror| mirror.registry.covers(named));
        let repository = reference.repository();
        let (registry, repository) = match mirror {
            None => (named.to_owned(), repository.to_owned()),
            Some(mirror) => match &mirror.prefix {
                None => (mirror.host.to_string(), repository.to_owned()),
                Some(prefix) => (mirror.host.to_string(), format!("{prefix}/{repository}")),
            },
        };
        Ok(Self {
            insecure: guard.is_insecure(&registry),
            registry,
            repository,
            secret,
        })
    }

    /// The host that serves the registry.
    pub(super) fn host(&self) -> &str {
        match self.registry.as_str() {
            DEFAULT_REGISTRY => DEFAULT_REGISTRY_HOST,
            registry => registry,
        }
    }

    /// URL of a manifest or a blob, by a name that a reference or a descriptor gave.
    pub(super) fn url(&self, scheme: &str, kind: &str, name: &str) -> Result<Url, Cause> {
        let (host, repository) = (self.host(), &self.repository);
        let url = format!("{scheme}://{host}/v2/{repository}/{kind}/{name}");
        url.parse().map_err(|_| Cause::HostUnknown {
            host: host.to_owned(),
        })
    }

    /// Whether a token server may see the registry's credentials: it runs on the same host,
    /// is known to be the registry's, or is allowed by the user.
    pub(super) fn trusts(&self, realm: &Url, settings: &Settings) -> bool {
        let host = super::guard::host_of(realm);
        let name = |host: &str| super::settings::split_port(host).0.to_owned();
        let known = KNOWN_REALMS.contains(&(self.registry.as_str(), host.as_str()));
        let own = name(&host) == name(self.host());
        let allowed = settings
            .allowed_realms
            .iter()
            .any(|allowed| allowed.registry.covers(&self.registry) && allowed.realm.covers(&host));
        known || own || allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(registry: &str, realm: &str, allowed: &[&str]) -> bool {
        let settings = Settings {
            allowed_realms: allowed.iter().map(|text| text.parse().unwrap()).collect(),
            ..Settings::default()
        };
        let guard = Guard::new(&settings, Vec::new());
        let reference = ImageReference::parse(&format!("{registry}/app")).unwrap();
        let place = Place::of(&reference, None, &settings, &guard).unwrap();
        place.trusts(&realm.parse().unwrap(), &settings)
    }

    #[test]
    fn credentials_are_for_the_registry_and_its_token_servers() {
        let all = [
            ("docker.io", "https://auth.docker.io/token", true),
            (
                "docker.io",
                "https://auth.docker.io.evil.example/token",
                false,
            ),
            ("docker.io", "https://auth.docker.io:8443/token", false),
            ("other.example", "https://auth.docker.io/token", false),
            ("registry.gitlab.com", "https://gitlab.com/jwt/auth", true),
            ("git.example:5050", "https://git.example/jwt/auth", true),
            ("git.example", "https://auth.git.example/", false),
        ];
        for (registry, realm, expected) in all {
            assert_eq!(trusts(registry, realm, &[]), expected, "{registry} {realm}");
        }
        let allowed = ["git.example=auth.example:8443"];
        assert!(trusts(
            "git.example",
            "https://auth.example:8443/",
            &allowed
        ));
        assert!(!trusts("git.example", "https://auth.example/", &allowed));
        assert!(!trusts(
            "other.example",
            "https://auth.example:8443/",
            &allowed
        ));
    }

    fn url(reference: &str, mirror: Option<&str>) -> String {
        let settings = Settings {
            mirrors: mirror.iter().map(|text| text.parse().unwrap()).collect(),
            ..Settings::default()
        };
        let guard = Guard::new(&settings, Vec::new());
        let reference = ImageReference::parse(reference).unwrap();
        let place = Place::of(&reference, None, &settings, &guard).unwrap();
        place.url("https", "manifests", "1").unwrap().to_string()
    }

    #[test]
    fn where_references_are_read() {
        insta::assert_snapshot!([
            url("nginx:1", None),
            url("docker.io/acme/api:1", None),
            url("[2001:db8::1]:5000/acme/api:1", None),
            url("nginx:1", Some("docker.io=mirror.example:5000")),
            url("nginx:1", Some("docker.io=mirror.example/hub/cache")),
            url("ghcr.io/acme/api:1", Some("docker.io=mirror.example")),
        ].join("\n"), @"
    https://registry-1.docker.io/v2/library/nginx/manifests/1
    https://registry-1.docker.io/v2/acme/api/manifests/1
    https://[2001:db8::1]:5000/v2/acme/api/manifests/1
    https://mirror.example:5000/v2/library/nginx/manifests/1
    https://mirror.example/v2/hub/cache/library/nginx/manifests/1
    https://ghcr.io/v2/acme/api/manifests/1
    ");
    }
}
