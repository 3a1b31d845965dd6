//! Which task definitions and containers the command line selects.

use taskdef::dialect::Dialect;
use taskdef::selector::Selector;
use taskdef::settings::{Selection, SelectionTags};

use crate::options::ScopeOptions;
use crate::{Exit, Failure, Problem};

/// Reads the options that select, for documents of this spelling; every query that is wrong is named.
///
/// # Errors
///
/// When a query is not one.
pub fn selection(options: &ScopeOptions, dialect: Dialect) -> Result<Selection, Failure> {
    let mut problems = Vec::new();
    let mut selectors = |option: &str, queries: &[String]| {
        let mut selectors = Vec::new();
        for query in queries {
            match Selector::parse(query) {
                Ok(selector) => selectors.push(selector),
                Err(error) => problems.push(Problem {
                    message: format!("`{option}`: {error}"),
                    hint: Some(error.hint(dialect)),
                }),
            }
        }
        selectors
    };
    let include = selectors("--include", &options.include);
    let exclude = selectors("--exclude", &options.exclude);
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
