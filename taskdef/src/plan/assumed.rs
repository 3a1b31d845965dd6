//! What a recipe takes for granted of an image: warned of, refused, or confirmed by a person.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::intrinsic::Assignment;
use crate::container::{View, shown};
use crate::recipe::Refusal as Assumption;
use crate::report::Code;
use crate::settings::Assumptions;

use super::select::repository;
use super::{Note, Refusal, Task};

/// Says what the recipe takes for granted, or refuses it; nothing where a person has confirmed the image.
pub(crate) fn assumed(
    task: &Task<'_>,
    view: View<'_>,
    given: &Assignment,
    assumptions: &[Assumption],
    notes: &mut Vec<Note>,
) -> Result<(), Vec<Refusal>> {
    if assumptions.is_empty() || is_confirmed(task, view.get("image"), given) {
        return Ok(());
    }
    if task.settings.assumptions == Assumptions::Fail {
        let refusals = assumptions.iter().map(|assumption| Refusal {
            code: Code::AssumptionNotConfirmed,
            message: assumption.message.clone(),
            hint: Some("check the image, and confirm it (`confirmed`)".to_owned()),
        });
        return Err(refusals.collect());
    }
    for assumption in assumptions {
        let code = match assumption.name.as_deref() {
            Some("certificates") => Code::AssumesCertificates,
            Some("libc") => Code::AssumesLibc,
            Some("shell") => Code::AssumesShell,
            Some("sudo") => Code::AssumesSudo,
            _ => Code::AssumesOfImage,
        };
        let note = Note::new(code, assumption.message.clone());
        notes.push(note.with_hint(assumption.hint.clone()));
    }
    Ok(())
}

/// Whether a person has confirmed the image: as the document gives it, or, for every item of the
/// loops around it, as it is evaluated, with tag and digest or without.
fn is_confirmed(task: &Task<'_>, image: Option<&Value>, given: &Assignment) -> bool {
    let confirmed = &task.settings.confirmed;
    let Some(image) = image else { return false };
    if confirmed.is_empty() {
        return false;
    }
    let named = |text: &str| {
        confirmed
            .iter()
            .any(|name| name == text || name == repository(text))
    };
    confirmed.contains(&shown(image))
        || task.evaluations(true, given).all(|evaluation| {
            let known = evaluation.text(image, &mut BTreeSet::new());
            known.is_ok_and(|text| named(&text))
        })
}
