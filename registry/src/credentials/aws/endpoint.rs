//! Where a service's API is.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::place::Region;

/// A service that is called, with the names that it has in different places.
#[derive(Debug)]
pub struct Service {
    /// In signatures.
    pub(super) signing: &'static str,
    /// What goes before the action in `X-Amz-Target`.
    pub(super) target: &'static str,
    /// The first label of its host.
    host: &'static str,
    /// The same, where the host has IPv6 addresses as well.
    dual_stack_host: &'static str,
    /// In configuration files and environment variables.
    id: &'static str,
}

pub(super) const ECR: Service = Service {
    signing: "ecr",
    target: "AmazonEC2ContainerRegistry_V20150921",
    host: "api.ecr",
    dual_stack_host: "ecr",
    id: "ECR",
};

pub(super) const ECR_PUBLIC: Service = Service {
    signing: "ecr-public",
    target: "SpencerFrontendService",
    host: "api.ecr-public",
    dual_stack_host: "ecr-public",
    id: "ECR PUBLIC",
};

pub(super) const SECRETS_MANAGER: Service = Service {
    signing: "secretsmanager",
    target: "secretsmanager",
    host: "secretsmanager",
    dual_stack_host: "secretsmanager",
    id: "Secrets Manager",
};

pub(super) const S3: Service = Service {
    signing: "s3",
    target: "",
    host: "s3",
    dual_stack_host: "s3",
    id: "S3",
};

/// Which of a service's hosts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Variant {
    pub(super) fips: bool,
    pub(super) dual_stack: bool,
}

impl Variant {
    /// What is configured (`AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`), and what a
    /// registry's own name asks for.
    pub(super) fn of(config: &SdkConfig, asked: Self) -> Self {
        Self {
            fips: asked.fips || config.use_fips().unwrap_or(false),
            dual_stack: asked.dual_stack || config.use_dual_stack().unwrap_or(false),
        }
    }
}

impl Service {
    /// A service by its name in signatures, which also begins its hosts, by what goes before the
    /// action in `X-Amz-Target` (nothing, where it has no such header), and by its name in
    /// configuration files.
    pub const fn new(signing: &'static str, target: &'static str, id: &'static str) -> Self {
        Self {
            signing,
            target,
            host: signing,
            dual_stack_host: signing,
            id,
        }
    }

    /// Its name in signatures and in the actions of policies.
    pub fn name(&self) -> &'static str {
        self.signing
    }

    /// The URL to post to: the configured one, else that of the region.
    pub(super) fn endpoint(&self, config: &SdkConfig, region: &Region, variant: Variant) -> String {
        self.elsewhere(config)
            .unwrap_or_else(|| self.regional(region, variant))
    }

    /// The URL that is configured (`AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, or the profile).
    pub(super) fn elsewhere(&self, config: &SdkConfig) -> Option<String> {
        self.configured(config)
            .or_else(|| config.endpoint_url().map(str::to_owned))
    }

    fn configured(&self, config: &SdkConfig) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(self.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok()?;
        config.service_config()?.load_config(key)
    }

    fn regional(&self, region: &Region, variant: Variant) -> String {
        let name = &region.name;
        // The host for FIPS has no `api.` before it.
        let host = match (variant.fips, variant.dual_stack) {
            (false, false) => self.host.to_owned(),
            (false, true) => self.dual_stack_host.to_owned(),
            (true, _) => format!("{}-fips", self.dual_stack_host),
        };
        let domain = match variant.dual_stack {
            true => region.dual_stack_domain(),
            false => region.domain(),
        };
        format!("https://{host}.{name}.{domain}/")
    }
}
