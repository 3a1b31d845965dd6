//! `fleet`, against AWS as moto plays it.

#![cfg(test)]

mod account;
mod faults;
mod function;
mod kills;
mod meanwhile;
mod neighbours;
mod organization;
mod revisions;
mod rollout;
mod round_trip;
mod started;
mod state_machine;
mod verdicts;
