//! AWS as the environment's variables describe it, and nothing else: what AWS Lambda gives its
//! functions. The SDK's own chain looks in more places, and is three megabytes of a program.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// What the endpoints of all services, and of single ones, are called.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Endpoints by the names of their variables.
#[derive(Debug)]
struct Endpoints(BTreeMap<String, String>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        self.0.get(&format!("{}_{service}", key.env())).cloned()
    }
}

/// Keys, region and endpoints, by the
/// [variables](https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html#EVarSettings)
/// that all AWS SDKs read. A variable that is empty is not set.
pub fn config_of_variables<'v>(
    variables: impl IntoIterator<Item = (&'v str, &'v str)>,
) -> SdkConfig {
    let set = variables.into_iter().filter(|(_, value)| !value.is_empty());
    let set: BTreeMap<&str, &str> = set.filter(|(name, _)| name.starts_with("AWS_")).collect();
    let text = |name: &str| set.get(name).map(|value| (*value).to_owned());
    let flag = |name: &str| {
        let value = set.get(name)?;
        Some(value.eq_ignore_ascii_case("true"))
    };
    let mut config = SdkConfig::builder();
    config.set_region(
        text("AWS_REGION")
            .or_else(|| text("AWS_DEFAULT_REGION"))
            .map(Region::new),
    );
    config.set_endpoint_url(text(ENDPOINT));
    config.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    if let (Some(id), Some(key)) = (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY")) {
        let token = text("AWS_SESSION_TOKEN");
        let keys = Credentials::new(id, key, token, None, "environment");
        config.set_credentials_provider(Some(SharedCredentialsProvider::new(keys)));
    }
    let endpoints = set.iter().filter(|(name, _)| name.starts_with(ENDPOINT));
    let endpoints = endpoints.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    config.set_service_config(Some(Endpoints(endpoints.collect())));
    config.build()
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::{ECR, ECR_PUBLIC, SECRETS_MANAGER, Variant};
    use super::super::place::Region;
    use super::*;

    #[test]
    fn variables_say_whose_rights_count_and_where_services_are() {
        let config = config_of_variables([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_SESSION_TOKEN", "hunter2"),
            ("AWS_ENDPOINT_URL", ""),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets.example"),
            ("AWS_ENDPOINT_URL_ECR_PUBLIC", "http://gallery.example"),
            ("AWS_USE_FIPS_ENDPOINT", "true"),
        ]);
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(config.credentials_provider().is_some());
        assert_eq!(config.region().unwrap().as_ref(), "eu-central-1");
        let region = Region::parse("eu-central-1").unwrap();
        let endpoint = |service: &super::super::endpoint::Service| {
            let variant = Variant::of(&config, Variant::default());
            service.endpoint(&config, &region, variant)
        };
        let found = [&ECR, &ECR_PUBLIC, &SECRETS_MANAGER].map(endpoint);
        insta::assert_snapshot!(found.join("\n"), @"
        https://ecr-fips.eu-central-1.amazonaws.com/
        http://gallery.example
        http://secrets.example
        ");
    }

    #[test]
    fn half_of_the_keys_are_none() {
        let config = config_of_variables([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")]);
        assert!(config.credentials_provider().is_none());
        assert!(config.region().is_none());
    }
}
