//! Writing the lock file, and comparing it with what registries say.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use registry::lock::LockedPlatform;
use registry::{ImageConfigs, ImageReference, LockFile};
use taskdef::image::{Answers, ImageConfig, ImageRequest};
use taskdef::settings::OnUnresolved;

use crate::network::{Network, RegistryOptions};
use crate::options::LockOptions;
use crate::output::unwritable;
use crate::replace::replace_file;
use crate::{Console, Exit, Failure, Problem, lock, text};

/// What `lock` is to do.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct UpdateOptions {
    /// Write nothing; exit code 3 when the lock file does not say what the registries say
    #[arg(long)]
    pub check: bool,

    /// Print errors only
    #[arg(short, long)]
    pub quiet: bool,
}

/// One image, before and now.
struct Entry<'a> {
    reference: ImageReference,
    platform: LockedPlatform,
    before: Option<ImageConfig>,
    now: &'a ImageConfig,
}

/// Asks registries for every image, and writes what they say into the document's lock file, or
/// compares. Entries for other images stay: several documents may share the file.
pub fn update(
    requests: &BTreeSet<ImageRequest>,
    document: Option<&Path>,
    (images, options): (&LockOptions, &UpdateOptions),
    (registries, on_unresolved): (&RegistryOptions, OnUnresolved),
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let path = lock::path(images, document);
    let (mut file, before) = lock::read(&path)?;
    let answers = if requests.is_empty() {
        Answers::new()
    } else {
        let network = Network::open(registries, console)?;
        network.ask(requests.len(), console, async |session| {
            session.resolve_all(requests).await
        })
    };
    let failure = failure(&answers);
    if let (Some(failure), OnUnresolved::Fail) = (&failure, on_unresolved) {
        return Err(failure.clone());
    }
    let entries = entries(&answers, &file);
    for entry in &entries {
        file.insert(&entry.reference, entry.platform.clone(), entry.now.clone());
    }
    let differ = entries.iter().filter(|entry| entry.differs()).count();
    let after = file.to_text();
    let written =
        before.as_deref() == Some(after.as_str()) || (before.is_none() && file.is_empty());
    if !options.check && !written {
        replace_file(&path, after.as_bytes()).map_err(|error| unwritable(&path, &error))?;
    }
    if let Some(failure) = &failure {
        console.tell(&failure.render(console.terminals.stderr));
    }
    let not_read = answers.values().filter(|answer| answer.is_err()).count();
    if !options.quiet {
        console.tell(&told(&entries, not_read, &path, options.check));
    }
    Ok(match failure.is_some() || (options.check && differ > 0) {
        true => Exit::NotInstrumented,
        false => Exit::Done,
    })
}

impl Entry<'_> {
    fn differs(&self) -> bool {
        self.before.as_ref() != Some(self.now)
    }
}

/// Every image that could not be read.
fn failure(answers: &Answers) -> Option<Failure> {
    let failed = answers.values().filter_map(|answer| answer.as_ref().err());
    let mut problems: Vec<Problem> = Vec::new();
    for failed in failed {
        let problem = Problem {
            message: failed.message.clone(),
            hint: failed.hint.clone(),
        };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    (!problems.is_empty()).then_some(Failure {
        exit: Exit::Failed,
        problems,
    })
}

/// What was read, each image and platform once.
fn entries<'a>(answers: &'a Answers, file: &LockFile) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for (request, answer) in answers {
        let (Ok(now), Ok(reference)) = (answer, ImageReference::parse(&request.reference)) else {
            continue;
        };
        let platform = LockedPlatform::from(&request.platform);
        let same = |entry: &Entry<'_>| entry.reference == reference && entry.platform == platform;
        if !entries.iter().any(same) {
            let before = file.recorded(&reference, &platform).cloned();
            entries.push(Entry {
                reference,
                platform,
                before,
                now,
            });
        }
    }
    entries
}

/// What became of each image, and at the end of all.
fn told(entries: &[Entry<'_>], not_read: usize, path: &Path, check: bool) -> String {
    if entries.is_empty() && not_read == 0 {
        return format!("{}: no image has to be read\n", shown(path));
    }
    let mut told = String::new();
    let (mut new, mut changed) = (0, 0);
    for entry in entries.iter().filter(|entry| entry.differs()) {
        let digest = |config: &ImageConfig| config.digest.clone().unwrap_or_default();
        let now = digest(entry.now);
        let what = match &entry.before {
            None => format!("new, {now}"),
            Some(before) if digest(before) == now => "recorded otherwise".to_owned(),
            Some(before) => format!("moved from {} to {now}", digest(before)),
        };
        match entry.before {
            None => new += 1,
            Some(_) => changed += 1,
        }
        told.push_str(&format!(
            "{} for {}: {what}\n",
            entry.reference, entry.platform
        ));
    }
    let same = entries.len() - new - changed;
    let not_read = match not_read {
        0 => String::new(),
        not_read => format!(", {not_read} not read"),
    };
    let compared = if check { " (nothing was written)" } else { "" };
    let path = shown(path);
    told.push_str(&format!(
        "{path}: {new} new, {changed} changed, {same} unchanged{not_read}{compared}\n"
    ));
    told
}

fn shown(path: &Path) -> String {
    text::line(&path.to_string_lossy())
}
