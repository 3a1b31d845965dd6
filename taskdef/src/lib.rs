//! Finds every ECS task definition in a document and rewrites its container definitions by a recipe.

pub mod image;
pub mod recipe;
pub mod report;
pub mod settings;
pub mod source;
