//! [Image configs](https://github.com/opencontainers/image-spec/blob/main/config.md): what
//! decides the process, and nothing else. An image without `rootfs` or with an empty `created`
//! runs, so both are none of our business.

use serde::de::MapAccess;

use super::json::{self, List, Member, Members, Read, set};
use super::platform::Named;

/// Words of a command line, and variables, that are read: as many as a task definition, which
/// holds 64 KiB, has bytes.
const WORDS_MAX: usize = 65_536;

/// Bytes of all texts that are kept of a config. Many configs are kept at once, and what a
/// task definition can hold is far less.
const TEXT_MAX: usize = 256 << 10;

/// The part of an image config that is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    /// Absent where the config does not say.
    pub(super) platform: Option<Named>,
    pub(super) entrypoint: Vec<String>,
    pub(super) cmd: Vec<String>,
    pub(super) user: String,
    pub(super) working_dir: String,
    /// Names of the variables, without their values.
    pub(super) env: Vec<String>,
}

impl Config {
    fn text(&self) -> usize {
        self.words().map(String::len).sum::<usize>() + self.user.len() + self.working_dir.len()
    }

    /// About how many bytes of memory it takes: a word takes some, however short.
    pub(super) fn weight(&self) -> usize {
        self.text() + 64 * self.words().count()
    }

    fn words(&self) -> impl Iterator<Item = &String> {
        let lists = [&self.entrypoint, &self.cmd, &self.env];
        lists.into_iter().flatten()
    }

    /// Whether both run the same process as the same user.
    pub(super) fn runs_like(&self, other: &Self) -> bool {
        (&self.entrypoint, &self.cmd, &self.user) == (&other.entrypoint, &other.cmd, &other.user)
    }
}

#[derive(Debug, Default)]
struct Document {
    os: Member<String>,
    architecture: Member<String>,
    variant: Member<String>,
    config: Member<Read<Process>>,
}

impl Members for Document {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        access: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "os" => set(&mut self.os, access),
            "architecture" => set(&mut self.architecture, access),
            "variant" => set(&mut self.variant, access),
            "config" => set(&mut self.config, access),
            _ => Ok(false),
        }
    }
}

type Words = List<String, WORDS_MAX>;

#[derive(Debug, Default)]
struct Process {
    entrypoint: Member<Words>,
    cmd: Member<Words>,
    user: Member<String>,
    working_dir: Member<String>,
    env: Member<Words>,
}

impl Members for Process {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        access: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "entrypoint" => set(&mut self.entrypoint, access),
            "cmd" => set(&mut self.cmd, access),
            "user" => set(&mut self.user, access),
            "workingdir" => set(&mut self.working_dir, access),
            "env" => set(&mut self.env, access),
            _ => Ok(false),
        }
    }
}

/// Reads an image config.
pub(super) fn read(body: &[u8]) -> Result<Config, String> {
    let document: Document = json::read(body)?;
    let text = |member: Member<String>| member.value.unwrap_or_default();
    let platform = Named::new(
        &text(document.os),
        &text(document.architecture),
        &text(document.variant),
    );
    let Read(process) = document.config.value.unwrap_or_default();
    let words = |member: Member<Words>| member.value.unwrap_or_default().0;
    let config = Config {
        platform,
        entrypoint: words(process.entrypoint),
        cmd: words(process.cmd),
        user: text(process.user),
        working_dir: text(process.working_dir),
        env: words(process.env)
            .iter()
            .map(|variable| variable_name(variable))
            .collect(),
    };
    match config.text() > TEXT_MAX {
        true => Err("its texts are too long".to_owned()),
        false => Ok(config),
    }
}

fn variable_name(variable: &str) -> String {
    let name = variable.split_once('=').map_or(variable, |(name, _)| name);
    name.to_owned()
}
