//! From a manifest to the config of the image that a task runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use taskdef::image::Platform;
use tokio::task::JoinSet;

use super::config::Config;
use super::credentials::CredentialSource;
use super::error::Cause;
use super::manifest::{Descriptor, IndexEntry, Manifest};
use super::place::Place;
use super::platform::{Named, listed};
use super::session::{Found, Inner, all};
use super::trace::Trace;

/// The config that answers, and the platforms that it was read for.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) config: Arc<Config>,
    pub(super) platforms: Vec<Named>,
}

/// What an entry of an index turned out to be.
enum Part {
    Image(Option<Named>, Arc<Config>),
    Index(Arc<Found>),
}

impl<C: CredentialSource> Inner<C> {
    /// The image for one platform, as [containerd](https://github.com/containerd/containerd)
    /// chooses it: the first entry that names the platform, else the first without a platform
    /// whose config names it, also in indexes inside the index.
    pub(super) async fn one(
        self: &Arc<Self>,
        place: &Place,
        root: Arc<Found>,
        platform: &Platform,
        trace: &Trace,
    ) -> Result<Chosen, Cause> {
        let mut offered = Vec::new();
        let mut level = vec![root];
        for _ in 0..=self.nesting() {
            let mut entries = Vec::new();
            for found in &level {
                match &found.manifest {
                    Manifest::Index(index) => entries.extend(index.iter().cloned()),
                    Manifest::Image(descriptor) => {
                        return self.single(place, descriptor, platform, trace).await;
                    }
                }
            }
            let suits = |entry: &&IndexEntry| {
                let named = entry.platform.as_ref();
                named.is_some_and(|named| named.suits(platform))
            };
            offered.extend(entries.iter().filter_map(|entry| entry.platform.clone()));
            let named: Vec<IndexEntry> = entries.iter().find(suits).cloned().into_iter().collect();
            let unnamed = || {
                entries
                    .iter()
                    .filter(|entry| entry.platform.is_none())
                    .cloned()
            };
            let wanted = if named.is_empty() {
                unnamed().collect()
            } else {
                named
            };
            level = Vec::new();
            for part in self.parts(place, wanted, trace).await? {
                match part {
                    Part::Index(found) => level.push(found),
                    Part::Image(named, config) if fits(named.as_ref(), platform) => {
                        let platforms = named.into_iter().collect();
                        return Ok(Chosen { config, platforms });
                    }
                    Part::Image(named, _) => offered.extend(named),
                }
            }
            if level.is_empty() {
                return Err(not_offered(platform, &offered));
            }
        }
        Err(self.too_deep())
    }

    /// The config that all Linux images of an index share.
    pub(super) async fn any_linux(
        self: &Arc<Self>,
        place: &Place,
        root: Arc<Found>,
        trace: &Trace,
    ) -> Result<Chosen, Cause> {
        let platform = Platform::AnyLinux;
        if let Manifest::Image(descriptor) = &root.manifest {
            return self.single(place, descriptor, &platform, trace).await;
        }
        let mut offered = Vec::new();
        let mut images: Vec<(Option<Named>, Arc<Config>)> = Vec::new();
        let mut level = vec![root];
        for _ in 0..=self.nesting() {
            let mut wanted = Vec::new();
            for found in level.drain(..) {
                if let Manifest::Index(index) = &found.manifest {
                    offered.extend(index.iter().filter_map(|entry| entry.platform.clone()));
                    let linux = |entry: &&IndexEntry| fits(entry.platform.as_ref(), &platform);
                    wanted.extend(index.iter().filter(linux).cloned());
                }
            }
            for part in self.parts(place, wanted, trace).await? {
                match part {
                    Part::Index(found) => level.push(found),
                    Part::Image(named, config) if fits(named.as_ref(), &platform) => {
                        images.push((named, config));
                    }
                    Part::Image(named, _) => offered.extend(named),
                }
            }
            if level.is_empty() {
                return agreed(images).unwrap_or_else(|| Err(not_offered(&platform, &offered)));
            }
        }
        Err(self.too_deep())
    }

    /// An image that is for one platform only, which its config names.
    async fn single(
        &self,
        place: &Place,
        descriptor: &Descriptor,
        platform: &Platform,
        trace: &Trace,
    ) -> Result<Chosen, Cause> {
        let config = self.config(place, descriptor, trace).await?;
        if !fits(config.platform.as_ref(), platform) {
            let offered: Vec<Named> = config.platform.iter().cloned().collect();
            return Err(not_offered(platform, &offered));
        }
        let platforms = config.platform.iter().cloned().collect();
        Ok(Chosen { config, platforms })
    }

    /// Reads entries of an index, all at once, and gives them in their order.
    async fn parts(
        self: &Arc<Self>,
        place: &Place,
        entries: Vec<IndexEntry>,
        trace: &Trace,
    ) -> Result<Vec<Part>, Cause> {
        let limit = self.line.transport.settings.limits.platforms;
        if entries.len() > limit {
            return Err(Cause::TooManyPlatforms { limit });
        }
        let mut tasks = JoinSet::new();
        for (position, entry) in entries.into_iter().enumerate() {
            let (inner, place, trace) = (Arc::clone(self), place.clone(), trace.clone());
            tasks.spawn(async move { (position, inner.part(&place, entry, &trace).await) });
        }
        let parts: BTreeMap<usize, Result<Part, Cause>> = all(tasks).await.into_iter().collect();
        parts.into_values().collect()
    }

    async fn part(&self, place: &Place, entry: IndexEntry, trace: &Trace) -> Result<Part, Cause> {
        let Descriptor { digest, size } = &entry.descriptor;
        let found = self.manifest(place, digest, Some(*size), trace).await?;
        let Manifest::Image(descriptor) = &found.manifest else {
            return Ok(Part::Index(found));
        };
        let config = self.config(place, descriptor, trace).await?;
        // Runtimes believe the index before the config.
        let platform = entry.platform.or_else(|| config.platform.clone());
        Ok(Part::Image(platform, config))
    }

    fn nesting(&self) -> usize {
        self.line.transport.settings.limits.nesting
    }

    fn too_deep(&self) -> Cause {
        let limit = self.nesting();
        Cause::TooDeep { limit }
    }
}

/// Whether an image is for a platform, or does not say.
fn fits(named: Option<&Named>, platform: &Platform) -> bool {
    named.is_none_or(|named| named.suits(platform))
}

fn not_offered(platform: &Platform, offered: &[Named]) -> Cause {
    Cause::PlatformNotFound {
        platform: platform.clone(),
        offered: match offered {
            [] => "and names none".to_owned(),
            offered => format!("only for {}", listed(offered.iter())),
        },
    }
}

/// The first config, if there is one, and if all others run the same.
fn agreed(images: Vec<(Option<Named>, Arc<Config>)>) -> Option<Result<Chosen, Cause>> {
    let (_, first) = images.first()?;
    let platforms = || images.iter().filter_map(|(named, _)| named.as_ref());
    if images.iter().any(|(_, config)| !config.runs_like(first)) {
        let platforms = listed(platforms());
        return Some(Err(Cause::PlatformsDiffer { platforms }));
    }
    Some(Ok(Chosen {
        config: Arc::clone(first),
        platforms: platforms().cloned().collect(),
    }))
}
