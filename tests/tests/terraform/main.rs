//! Plans of real Terraform: those of the corpus, and those that Terraform makes here.

#![cfg(test)]

mod corpus;
mod library;
mod real;
