//! Why a run ends without doing its work.

use crate::{Console, Exit};

/// What became of standard output, where it could not take everything.
pub(crate) const INCOMPLETE: &str = "what was written there is not complete";

/// One thing that is wrong, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: lower case, no full stop, user text in backticks, no values.
    pub message: String,
    /// The way out, where there is one; may have several lines.
    pub hint: Option<String>,
}

/// The end of a run that cannot do its work: every problem, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How the run ends.
    pub exit: Exit,
    /// What is wrong, in the order of discovery.
    pub problems: Vec<Problem>,
}

impl Failure {
    /// A mistake on the command line.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::of(Exit::Usage, message)
    }

    /// Something that keeps the job from being done.
    pub fn failed(message: impl Into<String>) -> Failure {
        Failure::of(Exit::Failed, message)
    }

    fn of(exit: Exit, message: impl Into<String>) -> Failure {
        Failure {
            exit,
            problems: vec![Problem {
                message: message.into(),
                hint: None,
            }],
        }
    }

    /// The same failure, with the way out beside its last problem.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        if let Some(last) = self.problems.last_mut() {
            last.hint = Some(hint.into());
        }
        self
    }

    /// Says what is wrong, and ends the run.
    pub fn tell(&self, console: &mut Console<'_>) -> Exit {
        console.tell(&self.render(console.terminals.stderr));
        self.exit
    }

    /// Says what is wrong and, as its last line, how the run ended: where it was begun, and where the
    /// failure does not say it itself.
    pub fn tell_of_run(&self, ending: &str, console: &mut Console<'_>) -> Exit {
        let exit = self.tell(console);
        let incomplete = |problem: &Problem| problem.hint.as_deref() == Some(INCOMPLETE);
        if exit == Exit::Failed && !self.problems.iter().any(incomplete) {
            let label = console.terminals.stderr.error("error:");
            console.tell(&format!("{label} {ending}\n"));
        }
        exit
    }

    /// The text for a person, one `error:` line for each problem.
    pub fn render(&self, paint: crate::Paint) -> String {
        let mut text = String::new();
        for problem in &self.problems {
            let label = paint.error("error:");
            text.push_str(&format!(
                "{label} {}\n",
                crate::text::lines(&problem.message, "  ")
            ));
            if let Some(hint) = &problem.hint {
                let label = paint.hint("hint:");
                text.push_str(&format!("  {label} {}\n", crate::text::lines(hint, "    ")));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Problem};
    use crate::Paint;

    #[test]
    fn every_problem_is_printed_with_its_hint() {
        let mut failure =
            Failure::usage("unknown input `colour`").hint("did you mean `color`?\nor not");
        failure.problems.push(Problem {
            message: "two\u{1b}[2J".to_owned(),
            hint: None,
        });
        insta::assert_snapshot!(failure.render(Paint::Plain), @r"
        error: unknown input `colour`
          hint: did you mean `color`?
            or not
        error: two\u{1b}[2J
        ");
    }
}
