//! The streams of a run.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal, Read, Write};

use anstream::{AutoStream, ColorChoice};

use crate::failure::INCOMPLETE;
use crate::{ColorWhen, Failure, Paint};

/// What is known about the streams of a run. The default fits pipes and files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Whether standard input is a terminal, so that nobody pipes a document in.
    pub stdin: bool,
    /// Whether standard output takes colours.
    pub stdout: Paint,
    /// Whether standard error takes colours.
    pub stderr: Paint,
    /// Whether somebody watches standard error, so that a line may come and go there.
    pub progress: bool,
}

impl Terminals {
    /// What this process is connected to. `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM` decide
    /// about colours, as anstream reads them.
    pub fn of_process() -> Terminals {
        Terminals {
            stdin: io::stdin().is_terminal(),
            stdout: paint(AutoStream::choice(&io::stdout())),
            stderr: paint(AutoStream::choice(&io::stderr())),
            progress: io::stderr().is_terminal(),
        }
    }

    /// The same, with `--color` taken into account.
    #[must_use]
    pub fn with_color(self, when: ColorWhen) -> Terminals {
        match when {
            ColorWhen::Auto => self,
            ColorWhen::Always => Terminals {
                stdout: Paint::Colored,
                stderr: Paint::Colored,
                ..self
            },
            ColorWhen::Never => Terminals {
                stdout: Paint::Plain,
                stderr: Paint::Plain,
                ..self
            },
        }
    }
}

fn paint(choice: ColorChoice) -> Paint {
    match choice {
        ColorChoice::Never => Paint::Plain,
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => Paint::Colored,
    }
}

/// The variables of the environment. The default has none.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process; what is not Unicode is no variable.
    pub fn of_process() -> Variables {
        let all = env::vars_os();
        all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of all, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Variables {
        Variables(variables.into_iter().collect())
    }
}

/// The streams of a run, and what is known about them.
pub struct Console<'s> {
    /// Where a document is read from, when no file is named.
    pub stdin: &'s mut dyn Read,
    /// Where a document, a diff or an answer goes.
    pub stdout: &'s mut dyn Write,
    /// Where reports and errors go.
    pub stderr: &'s mut dyn Write,
    /// What the streams are connected to.
    pub terminals: Terminals,
    /// The environment.
    pub variables: Variables,
}

impl Console<'_> {
    /// Writes to standard output, all at once. A reader that has gone away is no error.
    pub fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self
            .stdout
            .write_all(bytes)
            .and_then(|()| self.stdout.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(
                format!("cannot write to standard output: {}", reason(&error)),
            )
            .hint(INCOMPLETE)),
            _ => Ok(()),
        }
    }

    /// Writes to standard error, all at once. Nobody could be told of a failure.
    pub fn tell(&mut self, text: &str) {
        let _ = self
            .stderr
            .write_all(text.as_bytes())
            .and_then(|()| self.stderr.flush());
    }
}

/// What the operating system says, as part of a message: without its number, in lower case.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        // "No such file", but not "I/O error" or "EOF".
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain([second]).chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind, Write};

    use super::{Console, Terminals, Variables, reason};
    use crate::{ColorWhen, Exit, Paint};

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn print_to(kind: ErrorKind) -> Result<(), crate::Failure> {
        let (mut stdin, mut stdout, mut stderr) = (io::empty(), Broken(kind), Broken(kind));
        let mut console = Console {
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals: Terminals::default(),
            variables: Variables::default(),
        };
        console.tell("lost");
        console.print(b"text")
    }

    #[test]
    fn only_a_closed_pipe_is_no_error() {
        assert_eq!(print_to(ErrorKind::BrokenPipe), Ok(()));
        let failure = print_to(ErrorKind::StorageFull).unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        insta::assert_snapshot!(failure.render(Paint::Plain), @"
        error: cannot write to standard output: no storage space
          hint: what was written there is not complete
        ");
    }

    #[test]
    fn reasons_read_as_part_of_a_message() {
        assert_eq!(
            reason(&io::Error::from_raw_os_error(2)),
            "no such file or directory"
        );
        assert_eq!(
            reason(&io::Error::other("EOF while reading")),
            "EOF while reading"
        );
    }

    #[test]
    fn color_can_be_forced_and_forbidden() {
        let terminals = Terminals {
            stdin: true,
            stdout: Paint::Colored,
            stderr: Paint::Plain,
            progress: false,
        };
        assert_eq!(terminals.with_color(ColorWhen::Auto), terminals);
        assert_eq!(
            terminals.with_color(ColorWhen::Always).stderr,
            Paint::Colored
        );
        assert_eq!(terminals.with_color(ColorWhen::Never).stdout, Paint::Plain);
    }
}
