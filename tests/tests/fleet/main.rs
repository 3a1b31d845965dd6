//! `fleet`, against AWS as moto plays it.

#![cfg(test)]

mod account;
mod round_trip;
