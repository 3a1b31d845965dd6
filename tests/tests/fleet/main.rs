//! `fleet`, against AWS as moto plays it.

#![cfg(test)]

mod account;
mod faults;
mod kills;
mod organization;
mod rollout;
mod round_trip;
