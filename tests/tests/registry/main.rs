//! Registries, good and bad, in this process: what is asked of them, and what becomes of it.
//!
//! Nothing here leaves this machine.

#![cfg(test)]

mod access;
mod chosen;
mod cost;
mod credential_files;
mod documents;
mod hostile;
mod images;
mod kept;
mod limits;
mod network;
mod options;
mod process;
mod program;
mod progress;
mod proxies;
mod requests;
mod unreliable;

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use outrigger_tests::servers::scripted as server;
use registry::remote::{
    CredentialSource, Registries, Resolution, Session, Settings, StaticCredentials,
};
use server::Server;
use taskdef::image::{Credentials, ImageRequest, Platform};

/// Runs a test; its servers end with it.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(test)
}

/// Settings under which a server on this machine is a registry, and waiting is short.
fn settings(servers: &[&Server]) -> Settings {
    let hosts = servers.iter().map(|server| server.host().parse().unwrap());
    Settings {
        insecure: hosts.collect(),
        backoff: Duration::from_millis(2),
        ca_bundle: servers.iter().find_map(|server| server.ca.clone()),
        ..Settings::default()
    }
}

fn query(reference: &str, platform: Platform) -> ImageRequest {
    ImageRequest {
        reference: reference.to_owned(),
        platform,
        credentials: Credentials::Unstated,
    }
}

async fn resolve<C: CredentialSource>(session: &Session<C>, query: ImageRequest) -> Resolution {
    let resolved = session.resolve(BTreeSet::from([query])).await;
    resolved.into_values().next().unwrap()
}

/// Resolves one reference for `linux/amd64`, without credentials.
async fn resolved(settings: Settings, reference: &str) -> Resolution {
    let session = Registries::new(settings, StaticCredentials::none()).session(LONG);
    resolve(&session, query(reference, Platform::LinuxAmd64)).await
}

/// More time than a test takes.
const LONG: Duration = Duration::from_secs(60);

/// What became of a query, for a snapshot.
fn shown(resolution: &Resolution) -> String {
    match &resolution.outcome {
        Ok(found) => {
            let config = &found.config;
            let words = |words: &[String]| words.join(" ");
            let platforms: Vec<String> = found.platforms.iter().map(ToString::to_string).collect();
            format!(
                "[{}] [{}] user `{}` in `{}` for {}",
                words(&config.entrypoint),
                words(&config.cmd),
                config.user,
                config.working_dir,
                platforms.join(", ")
            )
        }
        Err(error) => {
            let hint = error.hint();
            let hint = hint
                .map(|hint| format!("\n  hint: {hint}"))
                .unwrap_or_default();
            format!("{}: {error}{hint}", error.code())
        }
    }
}

/// The same without what differs from run to run: ports, and digests, which are long.
fn stable(text: &str, servers: &[(&str, &Server)]) -> String {
    let mut text = text.to_owned();
    for (name, server) in servers {
        text = text.replace(&server.host(), name);
        text = text.replace(&format!(":{}", server.address.port()), ":PORT");
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("sha256:") {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_hexdigit());
        let (hex, after) = after.split_at(end.unwrap_or(after.len()));
        out.push_str("sha256:");
        out.extend(hex.chars().take(6));
        rest = after;
    }
    out + rest
}
