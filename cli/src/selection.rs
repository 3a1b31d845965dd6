//! Which task definitions and containers the command line selects.

use taskdef::selector::Selector;
use taskdef::settings::{Selection, SelectionTags};

use crate::options::ScopeOptions;
use crate::{Exit, Failure, Problem};

/// Reads the options that select; every query that is wrong is named.
///
/// # Errors
///
/// When a query is not one.
pub fn selection(options: &ScopeOptions) -> Result<Selection, Failure> {
    let mut problems = Vec::new();
    let include = selectors("--include", &options.include, &mut problems);
    let exclude = selectors("--exclude", &options.exclude, &mut problems);
    if !problems.is_empty() {
        return Err(Failure {
            exit: Exit::Usage,
            problems,
        });
    }
    Ok(Selection {
        mode: options.mode.into(),
        include,
        exclude,
        tags: match options.ignore_tags {
            true => SelectionTags::Ignored,
            false => SelectionTags::Followed,
        },
    })
}

fn selectors(option: &str, queries: &[String], problems: &mut Vec<Problem>) -> Vec<Selector> {
    let mut selectors = Vec::new();
    for query in queries {
        match Selector::parse(query) {
            Ok(selector) => selectors.push(selector),
            Err(error) => problems.push(Problem {
                message: format!("`{option}`: {error}"),
                hint: Some(error.hint().to_owned()),
            }),
        }
    }
    selectors
}
