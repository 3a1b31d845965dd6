//! What carries which recipe.
