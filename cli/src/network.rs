//! Registries, as the options and the environment describe them.
//!
//! Nothing here is read, built or started before an image has to be asked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use registry::Completed;
use registry::credentials::SecretPolicy;
use registry::credentials::aws::Aws;
use registry::credentials::docker::{DockerConfig, HelperPrograms};
use registry::remote::{
    AllowedRealm, Mirror, Proxies, Registries, RegistryHost, Session, Settings,
};
use taskdef::image::ImageRequest;
use tokio::runtime::{Builder, Runtime};

use crate::console::reason;
use crate::input::{read_file, read_text};
use crate::options::{LockOptions, OfflineOptions};
use crate::{Console, Exit, Failure, Problem, lock};

/// The largest file of certificates or credentials that is read.
const FILE_LIMIT: u64 = 8 << 20;
/// How often somebody who watches is told that the work goes on.
const TICK: Duration = Duration::from_millis(500);

/// Which registries are asked, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Registries")]
pub struct RegistryOptions {
    /// Ask this host in place of a registry; may be repeated
    #[arg(long, value_name = "REGISTRY=HOST[/PREFIX]")]
    pub mirror: Vec<Mirror>,

    /// Ask no registries but this one and others that are named so; may be repeated
    #[arg(long, value_name = "HOST")]
    pub allow_registry: Vec<RegistryHost>,

    /// Token server on another host that may see a registry's credentials; may be repeated
    #[arg(long, value_name = "REGISTRY=HOST")]
    pub allow_realm: Vec<AllowedRealm>,

    /// Registry that may be on this machine, and may be spoken to without TLS; may be repeated
    #[arg(long, value_name = "HOST")]
    pub insecure_registry: Vec<RegistryHost>,

    /// Certificates (PEM) to trust besides those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,

    /// Credentials in the form of docker's config.json; only a container's own secret goes before them [env: DOCKER_AUTH_CONFIG has the text of one]
    #[arg(long, value_name = "FILE")]
    pub auth_file: Option<PathBuf>,

    /// How long all lookups of a run may take together
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = seconds)]
    pub timeout: u64,
}

fn seconds(text: &str) -> Result<u64, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
    seconds.ok_or("a time is a whole number of seconds, at least 1")
}

/// In this order: what was given for this run, what AWS knows, what `docker login` left.
pub type Sources = (
    Arc<(Option<DockerConfig>, Option<DockerConfig>)>,
    (Arc<Aws>, Arc<Option<DockerConfig>>),
);

/// Registries as the options and the environment describe them, for whoever asks AWS about them.
#[derive(Debug)]
pub struct Described {
    settings: Settings,
    given: Arc<(Option<DockerConfig>, Option<DockerConfig>)>,
    login: Arc<Option<DockerConfig>>,
    secrets: SecretPolicy,
    time: Duration,
}

impl Described {
    /// Reads what the options and the environment name. Nothing is contacted yet.
    pub fn read(options: &RegistryOptions, console: &Console<'_>) -> Result<Self, Failure> {
        let settings = settings(options, console)?;
        let (given, login) = sources(options, console)?;
        Ok(Self {
            settings,
            given: Arc::new(given),
            login: Arc::new(login),
            secrets: SecretPolicy::Any,
            time: Duration::from_secs(options.timeout),
        })
    }

    /// The same, where not every secret may be read for every registry: whoever runs the program
    /// has not chosen what names them.
    #[must_use]
    pub fn with_secrets(self, secrets: SecretPolicy) -> Self {
        Self { secrets, ..self }
    }

    /// AWS as the environment describes it.
    pub fn aws(&self) -> Aws {
        Aws::from_environment(self.settings.clone(), self.secrets.clone())
    }

    /// The registries, with AWS as this identity sees it.
    pub fn registries(&self, aws: Arc<Aws>) -> Registries<Sources> {
        let sources = (Arc::clone(&self.given), (aws, Arc::clone(&self.login)));
        Registries::new(self.settings.clone(), sources)
    }

    /// How long all lookups of a run may take together.
    pub fn time(&self) -> Duration {
        self.time
    }
}

/// Registries that can be asked.
#[derive(Debug)]
pub struct Network {
    registries: Registries<Sources>,
    time: Duration,
    runtime: Runtime,
}

impl Network {
    /// Reads what the options and the environment name. Nothing is contacted yet.
    pub fn open(options: &RegistryOptions, console: &Console<'_>) -> Result<Self, Failure> {
        let described = Described::read(options, console)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::failed(format!("the network cannot be used: {}", reason(&error)))
        })?;
        Ok(Self {
            registries: described.registries(Arc::new(described.aws())),
            time: described.time(),
            runtime,
        })
    }

    /// Waits for an answer about so many images, and shows a person who has to wait, too, that the
    /// work goes on.
    pub fn ask<T>(
        &self,
        images: usize,
        console: &mut Console<'_>,
        question: impl AsyncFnOnce(Session<Sources>) -> T,
    ) -> T {
        self.runtime.block_on(async {
            let mut answer = pin!(question(self.registries.session(self.time)));
            if !console.terminals.progress {
                return answer.await;
            }
            let mut line = "";
            loop {
                match tokio::time::timeout(TICK, answer.as_mut()).await {
                    Ok(answer) => {
                        console.tell(line);
                        return answer;
                    }
                    Err(_) => {
                        let done = self.registries.counts().images;
                        console.tell(&format!("\rreading image configs: {done} of {images}"));
                        // Back to the start of an empty line, when it is over.
                        line = "\r\u{1b}[2K";
                    }
                }
            }
        })
    }
}

/// Answers for a document: from its lock file, and from registries unless that is forbidden.
pub fn answer(
    requests: &BTreeSet<ImageRequest>,
    document: Option<&Path>,
    (images, offline): (&LockOptions, &OfflineOptions),
    options: &RegistryOptions,
    console: &mut Console<'_>,
) -> Result<Completed, Failure> {
    let locked = lock::load(images, offline.locked, document)?;
    if offline.locked || offline.offline {
        return Ok(locked.alone(requests));
    }
    let division = locked.divide(requests);
    let questions = division.questions();
    if questions == 0 {
        return Ok(division.alone());
    }
    let network = Network::open(options, console)?;
    let completed = network.ask(questions, console, async |session| {
        division.complete(&session).await
    });
    if completed.errors.is_empty() {
        return Ok(completed);
    }
    let problems = completed.errors.iter().map(|error| Problem {
        message: error.to_string(),
        hint: Some(error.hint()),
    });
    Err(Failure {
        exit: Exit::Failed,
        problems: problems.collect(),
    })
}

fn settings(options: &RegistryOptions, console: &Console<'_>) -> Result<Settings, Failure> {
    let allowed = &options.allow_registry;
    let ca_bundle = options.ca_bundle.as_deref();
    Ok(Settings {
        insecure: options.insecure_registry.clone(),
        allowed_registries: (!allowed.is_empty()).then(|| allowed.clone()),
        allowed_realms: options.allow_realm.clone(),
        mirrors: options.mirror.clone(),
        ca_bundle: ca_bundle
            .map(|path| read_file(path, FILE_LIMIT))
            .transpose()?,
        proxies: Proxies::from_variables(|name| console.variables.get(name).map(str::to_owned)),
        ..Settings::default()
    })
}

/// Docker's configurations: those given for this run, and the one that `docker login` left.
type Dockers = (
    (Option<DockerConfig>, Option<DockerConfig>),
    Option<DockerConfig>,
);

fn sources(options: &RegistryOptions, console: &Console<'_>) -> Result<Dockers, Failure> {
    let variable = |name: &str| {
        console
            .variables
            .get(name)
            .filter(|value| !value.is_empty())
    };
    let programs = || HelperPrograms {
        search_path: variable("PATH").map(Into::into),
        ..HelperPrograms::default()
    };
    let parse = |name: &str, text: &str| {
        DockerConfig::parse(name, text, programs())
            .map_err(|error| Failure::failed(error.to_string()))
    };
    let file = match &options.auth_file {
        Some(path) => {
            let text = read_text(path, FILE_LIMIT)?;
            Some(parse(&path.to_string_lossy(), &text)?)
        }
        None => None,
    };
    let inline = variable("DOCKER_AUTH_CONFIG")
        .map(|text| parse("DOCKER_AUTH_CONFIG", text))
        .transpose()?;
    let folder = variable("DOCKER_CONFIG").map(PathBuf::from);
    let home = || variable("HOME").map(|home| Path::new(&home).join(".docker"));
    let login = match folder.or_else(home) {
        Some(folder) => DockerConfig::read(&folder.join("config.json"), programs())
            .map_err(|error| Failure::failed(error.to_string()))?,
        None => None,
    };
    Ok(((file, inline), login))
}
