//! `image inspect`: what is learnt about one image, and how.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use registry::ImageReference;
use registry::remote::{ImageFound, Resolution};
use taskdef::image::{Credentials, ImageRequest, Platform};

use crate::network::{Network, RegistryOptions};
use crate::settings::SettingsOptions;
use crate::{ColorWhen, Console, Exit, Failure, Paint, text};

/// What can be asked about images.
#[derive(Subcommand, Clone, Debug)]
pub enum ImageCommand {
    /// Read an image's config from its registry, and show it with every request
    Inspect(InspectOptions),
}

/// What `image inspect` takes.
#[derive(Args, Clone, Debug)]
pub struct InspectOptions {
    /// The image, as a task definition names it
    #[arg(value_name = "IMAGE")]
    pub image: String,

    /// The platform that the task runs on
    #[arg(long, value_enum, default_value_t)]
    pub platform: WhichPlatform,

    /// Secret with the credentials, as a container's repositoryCredentials name it
    #[arg(long, value_name = "ARN|NAME")]
    pub secret: Option<String>,

    /// Options about registries.
    #[command(flatten)]
    pub registries: RegistryOptions,

    /// The options about the settings file.
    #[command(flatten)]
    pub settings: SettingsOptions,

    /// When to use colours
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub color: ColorWhen,
}

/// `--platform`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WhichPlatform {
    /// `X86_64`, and Fargate's default.
    #[default]
    #[value(name = "linux/amd64")]
    LinuxAmd64,
    /// `ARM64`.
    #[value(name = "linux/arm64")]
    LinuxArm64,
    /// Not known: every Linux platform of the image has to agree.
    #[value(name = "linux/*")]
    AnyLinux,
}

impl From<WhichPlatform> for Platform {
    fn from(which: WhichPlatform) -> Platform {
        match which {
            WhichPlatform::LinuxAmd64 => Platform::LinuxAmd64,
            WhichPlatform::LinuxArm64 => Platform::LinuxArm64,
            WhichPlatform::AnyLinux => Platform::AnyLinux,
        }
    }
}

/// Answers on standard output; the lock file plays no part.
pub fn run(command: &ImageCommand, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let ImageCommand::Inspect(options) = command;
    console.terminals = console.terminals.with_color(options.color);
    let reference = ImageReference::parse(&options.image)
        .map_err(|error| {
            Failure::usage(format!("not an image reference: {error}"))
                .hint("an image is named as in a task definition: `nginx:1.27`, `registry.example/shop/api:1`")
        })?;
    let request = ImageRequest {
        reference: options.image.clone(),
        platform: options.platform.into(),
        credentials: match &options.secret {
            Some(secret) => Credentials::Secret(secret.clone()),
            None => Credentials::Unstated,
        },
    };
    let network = Network::open(&options.registries, console)?;
    let requests = BTreeSet::from([request.clone()]);
    let resolved = network.ask(1, console, async |session| session.resolve(requests).await);
    for resolution in resolved.values() {
        let shown = shown(
            &reference,
            &request.platform,
            resolution,
            console.terminals.stdout,
        );
        console.print(shown.as_bytes())?;
        if let Err(error) = &resolution.outcome {
            let failure = Failure::failed(format!("{error} ({})", error.code()));
            return Err(match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            });
        }
    }
    Ok(Exit::Done)
}

fn shown(
    reference: &ImageReference,
    platform: &Platform,
    resolution: &Resolution,
    paint: Paint,
) -> String {
    let mut shown = format!("{}\n", paint.strong(format!("{reference} for {platform}")));
    if let Ok(found) = &resolution.outcome {
        for (name, value) in rows(found) {
            let row = format!("  {name:<12} {}", text::line(&value));
            shown.push_str(&format!("{}\n", row.trim_end()));
        }
    }
    shown.push_str(&format!("\n{}\n", paint.strong("how it was read")));
    let mut known = None;
    for step in &resolution.steps {
        if let Some(origin) = step.origin().filter(|origin| known != Some(*origin)) {
            let line = format!("credentials from {origin}");
            shown.push_str(&format!("  {}\n", text::line(&line)));
            known = Some(origin);
        }
        shown.push_str(&format!("  {}\n", text::line(&step.to_string())));
    }
    if resolution.steps.is_empty() {
        shown.push_str("  nothing was sent\n");
    }
    let steps = text::count(resolution.steps.len(), "step", "steps");
    shown.push_str(&match resolution.outcome {
        Ok(_) => format!("\n1 image read in {steps}\n"),
        Err(_) => format!("\nno image read, after {steps}\n"),
    });
    shown
}

fn rows(found: &ImageFound) -> Vec<(&'static str, String)> {
    let config = &found.config;
    let or_none = |text: &str| match text {
        "" => "(none)".to_owned(),
        text => text.to_owned(),
    };
    let words = |words: &[String]| or_none(&text::command_line(words));
    let platforms: Vec<String> = found.platforms.iter().map(ToString::to_string).collect();
    vec![
        ("digest", config.digest.clone().unwrap_or_default()),
        ("config of", or_none(&platforms.join(", "))),
        ("entry point", words(&config.entrypoint)),
        ("command", words(&config.cmd)),
        ("user", or_none(&config.user)),
        ("directory", or_none(&config.working_dir)),
        // Their values may be secrets.
        ("variables", or_none(&found.env.join(", "))),
    ]
}
