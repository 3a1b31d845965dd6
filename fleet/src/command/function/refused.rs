//! Why an event is not done what it asks.

use std::fmt;

use cli::{Exit, Failure, Problem};

/// An error of the function: a name for the state machine, a reason and the way out for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    name: &'static str,
    problems: Vec<Problem>,
}

/// The most characters of a message: Step Functions keeps 32,768 of a cause.
const MESSAGE_MAX: usize = 4000;

impl Refused {
    /// The function's environment is wrong: it stays so until somebody changes it.
    pub(super) fn settings(failure: Failure) -> Refused {
        Refused {
            name: match failure.exit {
                Exit::Usage => "Outrigger.Settings",
                _ => "Outrigger.Failed",
            },
            problems: failure.problems,
        }
    }

    /// It cannot be done.
    pub(super) fn failed(failure: Failure) -> Refused {
        Refused {
            name: "Outrigger.Failed",
            problems: failure.problems,
        }
    }

    /// The event is none for this function.
    pub(super) fn event(message: String) -> Refused {
        Refused::of("Outrigger.Event", message, EVENT_HINT)
    }

    /// Somebody else is at work there.
    pub(super) fn busy(message: String, hint: &str) -> Refused {
        Refused::of("Outrigger.Busy", message, hint)
    }

    /// Something is wrong that the program itself has made.
    pub(super) fn broken(message: String, hint: &str) -> Refused {
        Refused::of("Outrigger.Failed", message, hint)
    }

    fn of(name: &'static str, message: String, hint: &str) -> Refused {
        Refused {
            name,
            problems: vec![Problem {
                message,
                hint: Some(hint.to_owned()),
            }],
        }
    }

    /// The name by which a state machine can catch it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What is wrong.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

const EVENT_HINT: &str = "`deploy/fleet.asl.json` has the events that it takes";

/// All that is wrong in one line, each with the way out.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.problems.iter().map(|problem| {
            let shown = match &problem.hint {
                Some(hint) => format!("{}; way out: {hint}", problem.message),
                None => problem.message.clone(),
            };
            super::settings::spelled(&shown)
        });
        let text: Vec<String> = shown.collect();
        let text = text.join(" / ");
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        f.write_str(&plain.take(MESSAGE_MAX).collect::<String>())
    }
}
