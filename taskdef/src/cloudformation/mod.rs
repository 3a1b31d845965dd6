//! CloudFormation: finds task definitions in a template or a snippet, and what their values are.

pub(crate) mod conditions;
pub(crate) mod find;
pub(crate) mod intrinsic;
pub(crate) mod launch;
pub(crate) mod template;
