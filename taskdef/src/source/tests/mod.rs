//! Parsing and splicing, by examples and by laws.

mod aliases;
mod corpus;
mod emit;
mod laws;
mod parse;
mod random;
mod splice;
mod style;
