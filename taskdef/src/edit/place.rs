//! Where an edit works: how the document spells it, and which branches of `Fn::If` are taken there.

use crate::cloudformation::conditions::{By, can_occur};
use crate::cloudformation::intrinsic::Assignment;
use crate::cloudformation::template::Template;
use crate::dialect::Dialect;
use crate::plan::slots::assumed;

/// How the object to edit is spelled, and the conditions that it stands under.
#[derive(Clone, Copy)]
pub(crate) struct Where<'w> {
    pub(crate) dialect: Dialect,
    pub(crate) given: &'w Assignment,
}

/// The same in a template, where the definitions of conditions say which branches can be taken.
#[derive(Clone, Copy)]
pub(crate) struct Place<'w> {
    pub(super) dialect: Dialect,
    pub(super) given: &'w Assignment,
    pub(super) template: Option<&'w Template<'w>>,
}

impl<'w> From<Where<'w>> for Place<'w> {
    fn from(place: Where<'w>) -> Self {
        Place {
            dialect: place.dialect,
            given: place.given,
            template: None,
        }
    }
}

impl<'w> Where<'w> {
    /// This place in a template.
    pub(crate) fn of(self, template: &'w Template<'w>) -> Place<'w> {
        // What stands under conditions that cannot be is edited like anything else.
        let narrows = can_occur(template, self.given, By::Logic);
        Place {
            template: narrows.then_some(template),
            ..self.into()
        }
    }
}

impl Place<'_> {
    /// The conditions of a branch below; none where it is never taken.
    pub(super) fn branch(&self, condition: &str, truth: bool) -> Option<Assignment> {
        let given = assumed(self.given, condition, truth)?;
        let occurs = |template: &Template<'_>| can_occur(template, &given, By::Logic);
        self.template.is_none_or(occurs).then_some(given)
    }
}
