//! `fleet`, against AWS as moto plays it.

#![cfg(test)]

mod account;
mod kills;
mod rollout;
mod round_trip;
