//! The macro's world, played by real programs: Debian's `docker-registry`, and AWS as moto plays it.

use outrigger_tests::servers::image::Artifact;
use outrigger_tests::servers::{Access, Moto, Registry};

use crate::service::lacework;
use crate::subject::Subject;

/// The account's own registry, as templates name it.
pub(crate) const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
/// Another one.
pub(crate) const EXAMPLE: &str = "registry.example.com";

/// A registry that stands for several, and AWS.
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) moto: Moto,
    mirrors: String,
}

impl World {
    /// Starts both; `None` where one of them is not installed.
    pub(crate) fn start(access: Access<'_>) -> Option<Self> {
        let registry = Registry::start(access, None).unwrap()?;
        let moto = Moto::start().unwrap()?;
        let host = registry.host();
        let mirrors = [ECR, EXAMPLE, "docker.io", "public.ecr.aws"];
        Some(Self {
            mirrors: mirrors.map(|name| format!("{name}={host}")).join(","),
            registry,
            moto,
        })
    }

    /// Uploads an image as `name:1`.
    pub(crate) fn push(&self, name: &str, artifact: &Artifact) {
        self.registry.push(name, "1", artifact).unwrap();
    }

    /// The function in this world, with Lacework's recipe and these settings more.
    pub(crate) fn subject(&self, settings: &[(&str, &str)]) -> Subject {
        let (host, url) = (self.registry.host(), self.moto.url());
        let own = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("OUTRIGGER_INSECURE_REGISTRIES", host.as_str()),
            ("OUTRIGGER_MIRRORS", self.mirrors.as_str()),
        ];
        Subject::start(&lacework(&[&own, settings].concat()))
    }
}
