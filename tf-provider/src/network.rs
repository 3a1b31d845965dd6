//! The provider's own configuration: which registries are asked, and how.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use registry::credentials::SecretPolicy;
use registry::credentials::aws::Aws;
use registry::credentials::docker::{DockerConfig, HelperPrograms};
use registry::remote::{Proxies, Registries, Settings};

use crate::protocol::{Diagnostic, Severity, Step, Value};

/// How long all lookups of a data source may take together.
const TIME: u64 = 120;

/// Which registries are asked, and how. Nothing has been contacted yet.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    settings: Settings,
    ca_bundle: Option<PathBuf>,
    auth_file: Option<PathBuf>,
    pub(crate) time: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            ca_bundle: None,
            auth_file: None,
            time: Duration::from_secs(TIME),
        }
    }
}

/// In this order: what was given to the provider, what AWS knows, what `docker login` left.
pub(crate) type Sources = (
    (Option<DockerConfig>, Option<DockerConfig>),
    (Aws, Option<DockerConfig>),
);

impl Network {
    /// Reads the configuration; what is unknown is checked when it is known.
    pub(crate) fn read(config: &Value) -> Result<Self, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let allowed = hosts(config, "allowed_registries", &mut found);
        let settings = Settings {
            mirrors: hosts(config, "mirrors", &mut found),
            allowed_registries: (!config.get("allowed_registries").is_null()).then_some(allowed),
            allowed_realms: hosts(config, "allowed_realms", &mut found),
            insecure: hosts(config, "insecure_registries", &mut found),
            ..Settings::default()
        };
        let seconds = match config.get("timeout") {
            Value::Number(number) => number.as_u64().filter(|seconds| *seconds > 0),
            _ => Some(TIME),
        };
        if seconds.is_none() {
            found.push(Diagnostic::error(
                "timeout",
                "not a time".to_owned(),
                "A time is a whole number of seconds, at least 1.".to_owned(),
            ));
        }
        let path = |name| config.get(name).as_str().map(PathBuf::from);
        match found.is_empty() {
            true => Ok(Self {
                settings,
                ca_bundle: path("ca_bundle"),
                auth_file: path("auth_file"),
                time: Duration::from_secs(seconds.unwrap_or(TIME)),
            }),
            false => Err(found),
        }
    }

    /// The registries, with the credentials that this process finds.
    pub(crate) fn open(&self) -> Result<Registries<Sources>, Vec<Diagnostic>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut settings = self.settings.clone();
        settings.proxies = Proxies::from_variables(variable);
        if let Some(path) = &self.ca_bundle {
            let bundle = fs::read(path).map_err(|error| cannot_read(path, &error));
            settings.ca_bundle = Some(bundle?);
        }
        let programs = || HelperPrograms {
            search_path: variable("PATH").map(Into::into),
            ..HelperPrograms::default()
        };
        let parse = |name: &str, text: &str| {
            DockerConfig::parse(name, text, programs())
                .map_err(|error| vec![Diagnostic::general(error.to_string())])
        };
        let file = match &self.auth_file {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|error| cannot_read(path, &error))?;
                Some(parse(&path.to_string_lossy(), &text)?)
            }
            None => None,
        };
        let inline = variable("DOCKER_AUTH_CONFIG");
        let inline = inline
            .map(|text| parse("DOCKER_AUTH_CONFIG", &text))
            .transpose()?;
        let folder = variable("DOCKER_CONFIG").map(PathBuf::from);
        let home = || variable("HOME").map(|home| Path::new(&home).join(".docker"));
        let login = match folder.or_else(home) {
            Some(folder) => DockerConfig::read(&folder.join("config.json"), programs())
                .map_err(|error| vec![Diagnostic::general(error.to_string())])?,
            None => None,
        };
        let aws = Aws::from_environment(settings.clone(), SecretPolicy::Any);
        Ok(Registries::new(settings, ((file, inline), (aws, login))))
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Vec<Diagnostic> {
    vec![Diagnostic::general(format!(
        "cannot read `{}`: {error}",
        path.display()
    ))]
}

/// The elements of an attribute, each parsed; those that are unknown are left out.
fn hosts<T: FromStr>(config: &Value, name: &str, found: &mut Vec<Diagnostic>) -> Vec<T>
where
    T::Err: std::fmt::Display,
{
    let Value::List(elements) = config.get(name) else {
        return Vec::new();
    };
    let mut hosts = Vec::new();
    for (index, text) in elements.iter().enumerate() {
        match text.as_str().map(str::parse) {
            Some(Ok(host)) => hosts.push(host),
            Some(Err(error)) => found.push(Diagnostic {
                severity: Severity::Error,
                summary: "not a registry".to_owned(),
                detail: format!("{error}"),
                path: vec![Step::Attribute(name.to_owned()), Step::Index(index)],
            }),
            None => {}
        }
    }
    hosts
}
