//! cfn-lint, before and after.

use std::collections::BTreeMap;
use std::path::Path;

use outrigger_tests::cfn_lint::{Problem, findings};

use crate::table::Row;
use crate::{RECIPES, templates};

/// cfn-lint finds nothing new, but that a parameter is not used any more where the report says so.
pub(crate) fn lint(inputs: &Path, outputs: &Path, rows: &[Row]) {
    let Some(before) = findings(&templates(inputs)).unwrap() else {
        return;
    };
    for (recipe, _) in RECIPES {
        for settings in ["default", "all answered"] {
            let said = |file: &str, message: &str| {
                let row = rows
                    .iter()
                    .find(|row| {
                        row.file == file && row.recipe == recipe && row.settings == settings
                    })
                    .unwrap();
                row.resolved
                    .iter()
                    .any(|name| message == format!("Parameter {name} not used."))
            };
            let outputs = templates(&outputs.join(recipe).join(settings));
            let after = findings(&outputs).unwrap().unwrap();
            let more = after.iter().filter(|(problem, count)| {
                before.get(*problem).is_none_or(|before| before < count)
            });
            let (unused, more): (Vec<_>, Vec<_>) =
                more.partition(|((file, rule, message), _)| rule == "W2001" && said(file, message));
            let (repeated, new): (Vec<_>, Vec<_>) = more
                .into_iter()
                .partition(|(problem, _)| inherits(recipe) && is_repeated(problem, &before));
            assert!(
                new.is_empty(),
                "cfn-lint finds something new in what {recipe} made ({settings}): {new:#?}"
            );
            println!(
                "cfn-lint, {recipe}, {settings}: nothing new; {} parameters that no longer choose an image, {} findings about a log configuration that is inherited",
                unused.len(),
                repeated.len()
            );
        }
    }
}

/// Whether the recipe's sidecar takes over a log configuration of the template, and what is wrong with it.
fn inherits(recipe: &str) -> bool {
    matches!(recipe, "deepfence" | "sysdig")
}

/// Whether the template had the same finding before, about another container.
fn is_repeated((file, rule, message): &Problem, before: &BTreeMap<Problem, usize>) -> bool {
    let about_any = |message: &str| -> String {
        let parts = message.split('/');
        let kept = parts.filter(|part| part.parse::<usize>().is_err());
        kept.collect::<Vec<_>>().join("/")
    };
    before.keys().any(|(known_file, known_rule, known)| {
        (known_file, known_rule) == (file, rule) && about_any(known) == about_any(message)
    })
}
