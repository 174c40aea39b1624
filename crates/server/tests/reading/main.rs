//! What each command that reads shows: the real process, on a real directory.
#![allow(clippy::unwrap_used)]

mod balance;
mod demo;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod estimate;
mod explain;
mod ledger;
mod log;
mod monthly;
mod past;
#[path = "../process/place.rs"]
mod place;
mod proof;
mod raw;
mod step;
mod tampering;
mod usage;
mod wallets;
mod what_if;
mod world;
