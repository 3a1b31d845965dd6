//! Exit codes.

use std::process::{ExitCode, Termination};

/// How a run ended: the exit code of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// Done (0).
    Done,
    /// The job could not be done (1).
    Failed,
    /// Wrong usage (2).
    Usage,
    /// Done, and something changed (2): only with `--detailed-exitcode`, as in Terraform.
    Changed,
    /// A task definition in scope is not instrumented, or a recipe does not do what it has to (3).
    NotInstrumented,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Changed => 2,
            Exit::NotInstrumented => 3,
        }
    }

    /// What the number means.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "the job could not be done; nothing was written",
            Exit::Usage => "wrong usage",
            Exit::Changed => "done, and something changed",
            Exit::NotInstrumented => "a task definition in scope is not instrumented",
        }
    }

    /// The same end under `--detailed-exitcode`, where 2 means "changed", so that
    /// wrong usage is one of the things that went wrong.
    pub fn detailed(self) -> Exit {
        match self {
            Exit::Usage => Exit::Failed,
            other => other,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Changed,
            Exit::NotInstrumented,
        ];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 2, 3]);
        assert_eq!(all.map(|exit| exit.detailed().code()), [0, 1, 1, 2, 3]);
    }
}
