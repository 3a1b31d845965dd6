//! `fleet`, against AWS as moto plays it.

#![cfg(test)]

mod account;
mod faults;
mod filters;
mod function;
mod kills;
mod meanwhile;
mod neighbours;
mod organization;
mod plan_files;
mod revisions;
mod rollout;
mod round_trip;
mod started;
mod state_machine;
mod told;
mod verdicts;
