//! The journal of an apply: what was begun, and what came of it, one line of JSON each.
//!
//! A line is on the disk before what it announces is done. Whoever begins an apply again reads
//! what was done, looks at what had only been begun, and does the rest. The file is locked as
//! long as an apply writes it; the operating system takes the lock off a program that dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::Applied;
use crate::shard::{Shard, Target};

/// The version of the format: it changes when a program that reads it would have to.
pub const VERSION: u64 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u64,
    /// The digest of the plan's file.
    plan: String,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The account and the region.
    pub shard: Shard,
    /// What was begun or done.
    pub step: Step,
}

/// What was begun or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Step {
    /// A revision is about to be registered.
    Registering {
        /// The planned definition, by ARN.
        definition: String,
    },
    /// There is a revision: registered here, or found.
    Registered {
        /// The planned definition, by ARN.
        definition: String,
        /// The revision's ARN.
        revision: String,
        /// Whether it was there already.
        found: bool,
    },
    /// A revision that did not become steady was made inactive.
    Deregistered {
        /// The planned definition, by ARN.
        definition: String,
    },
    /// A target is about to be updated.
    Updating {
        /// What it is.
        target: Target,
        /// The revision that it is to run.
        to: String,
    },
    /// A service is about to be taken back.
    RollingBack {
        /// What it is.
        target: Target,
        /// Why.
        message: String,
        /// Why its tasks have stopped.
        stopped: Vec<String>,
    },
    /// A target is done with.
    Done(Applied),
}

/// Where a journal is written.
type Sink = Box<dyn Fn(&Entry) -> io::Result<()> + Send + Sync>;

/// A journal that is being written.
pub struct Journal {
    past: Vec<Entry>,
    sink: Sink,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("past", &self.past.len())
            .finish_non_exhaustive()
    }
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("the journal cannot be written: {}", cli::console::reason(.0))]
    Io(#[from] io::Error),
    /// Somebody else writes it.
    #[error("another apply of this plan is at work")]
    Locked,
    /// Another version.
    #[error("a journal of version {0}, and this program reads version {VERSION}")]
    Version(u64),
    /// It is another plan's.
    #[error("the journal is that of another plan")]
    OtherPlan,
    /// Another kind of file.
    #[error("the file is not a journal")]
    Foreign,
    /// Not a journal.
    #[error("line {line} of the journal cannot be read: {reason}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// Why.
        reason: String,
    },
}

impl Journal {
    /// A journal with this past that is written in some other way than to a file.
    pub fn new(past: Vec<Entry>, sink: Sink) -> Journal {
        Journal { past, sink }
    }

    /// Opens the journal of a plan, and begins one where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be used, belongs to another plan, or is in use.
    pub fn open(path: &Path, plan: &str) -> Result<Journal, JournalError> {
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::Locked,
            TryLockError::Error(error) => JournalError::Io(error),
        })?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        // A line without its end was being written when the program died: what it announces was not begun.
        let whole = text.iter().rposition(|byte| *byte == b'\n');
        let whole = whole.map_or(0, |end| end + 1);
        let (lines, rest) = text.split_at(whole);
        let head = line(plan, None)?;
        let past = match lines.is_empty() {
            // Any other file has been named by mistake, and stays as it is.
            true if !head.starts_with(rest) => return Err(JournalError::Foreign),
            true => Vec::new(),
            false => read(lines, plan)?,
        };
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
        file.seek(SeekFrom::End(0))?;
        if lines.is_empty() {
            file.write_all(&head)?;
            file.sync_data()?;
            // The file's name has to be on the disk, too.
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        let file = Mutex::new(file);
        Ok(Journal {
            past,
            sink: Box::new(move |entry| {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                write_line(&mut file, entry)
            }),
        })
    }

    /// What was done before, in this account and region.
    pub(crate) fn past(&self, shard: &Shard) -> impl Iterator<Item = &Step> {
        let of_shard = self.past.iter().filter(move |entry| entry.shard == *shard);
        of_shard.map(|entry| &entry.step)
    }

    /// Everything that was done before.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.past.iter()
    }

    /// Writes a line, and waits until it is on the disk.
    pub(crate) fn write(&self, shard: &Shard, step: Step) -> io::Result<()> {
        (self.sink)(&Entry {
            shard: shard.clone(),
            step,
        })
    }
}

/// The bytes of a line; the first one of a plan's journal, where there is no entry.
pub(crate) fn line(plan: &str, entry: Option<&Entry>) -> io::Result<Vec<u8>> {
    let mut text = match entry {
        Some(entry) => serde_json::to_vec(entry)?,
        None => serde_json::to_vec(&Head {
            version: VERSION,
            plan: plan.to_owned(),
        })?,
    };
    text.push(b'\n');
    Ok(text)
}

fn write_line(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_data()
}

/// The entries of a plan's journal, from its text.
pub(crate) fn read(text: &[u8], plan: &str) -> Result<Vec<Entry>, JournalError> {
    let mut lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    let syntax = |line: usize, error: &serde_json::Error| JournalError::Syntax {
        line,
        reason: error.to_string(),
    };
    let first = lines.next().map(|(_, line)| line).unwrap_or_default();
    let head: Value = serde_json::from_slice(first).map_err(|_| JournalError::Foreign)?;
    if let Some(version) = head.get("version").and_then(Value::as_u64)
        && version != VERSION
    {
        return Err(JournalError::Version(version));
    }
    let head: Head = serde_json::from_value(head).map_err(|error| syntax(1, &error))?;
    if head.plan != plan {
        return Err(JournalError::OtherPlan);
    }
    let lines = lines.filter(|(_, line)| !line.is_empty());
    lines
        .map(|(place, line)| serde_json::from_slice(line).map_err(|error| syntax(place, &error)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn shard() -> Shard {
        Shard {
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
        }
    }

    fn step(definition: &str) -> Step {
        Step::Registering {
            definition: definition.to_owned(),
        }
    }

    #[test]
    fn what_was_written_is_read_again_but_for_half_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path, "sha256:1").unwrap();
        journal.write(&shard(), step("a:1")).unwrap();
        journal.write(&shard(), step("b:1")).unwrap();
        drop(journal);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.strip_suffix("\"}}}\n").unwrap()).unwrap();
        let journal = Journal::open(&path, "sha256:1").unwrap();
        assert_eq!(journal.past(&shard()).collect::<Vec<_>>(), [&step("a:1")]);
        journal.write(&shard(), step("c:1")).unwrap();
        drop(journal);
        let journal = Journal::open(&path, "sha256:1").unwrap();
        assert_eq!(
            journal.past(&shard()).collect::<Vec<_>>(),
            [&step("a:1"), &step("c:1")]
        );
    }

    #[test]
    fn what_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let error = |text: &str| {
            fs::write(&path, text).unwrap();
            Journal::open(&path, "sha256:1").unwrap_err().to_string()
        };
        let table = [
            error("{\"version\": 2, \"plan\": \"sha256:1\", \"more\": 1}\n"),
            error("{\"version\": 1, \"plan\": \"sha256:2\"}\n"),
            error("{\"version\": 1, \"plan\": \"sha256:1\", \"more\": 1}\n"),
            error("{\"version\": 1, \"plan\": \"sha256:1\"}\n{}\n"),
            error("text\n"),
            error("text"),
            error("one\nline without its end"),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        a journal of version 2, and this program reads version 1
        the journal is that of another plan
        line 1 of the journal cannot be read: unknown field `more`, expected `version` or `plan`
        line 2 of the journal cannot be read: missing field `shard` at line 1 column 2
        the file is not a journal
        the file is not a journal
        the file is not a journal
        ");
    }

    #[test]
    fn a_file_that_is_no_journal_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        let other = String::from_utf8(line("sha256:2", None).unwrap()).unwrap();
        for text in [
            "{\"Resources\": {\"A\": 1}}",
            "one\nline without its end",
            // That of another plan, which died while it wrote its second line.
            &format!("{other}{{\"sha"),
            other.trim_end(),
        ] {
            fs::write(&path, text).unwrap();
            Journal::open(&path, "sha256:1").unwrap_err();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        // A program that dies at once leaves a part of the first line.
        for text in ["", "{", other.trim_end()] {
            fs::write(&path, text).unwrap();
            Journal::open(&path, "sha256:2").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
    }

    #[test]
    fn only_one_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let first = Journal::open(&path, "sha256:1").unwrap();
        let second = Journal::open(&path, "sha256:1");
        assert!(matches!(second, Err(JournalError::Locked)));
        drop(first);
        assert!(Journal::open(&path, "sha256:1").is_ok());
    }
}
