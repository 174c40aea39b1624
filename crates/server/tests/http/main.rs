//! The HTTP API: the real process on a directory of its own, asked as a product asks it.
#![allow(clippy::unwrap_used)]

#[path = "../process/drawdown.rs"]
mod drawdown;
mod events;
mod forecast;
mod holds;
mod keys;
mod meter;
mod openmeter;
mod operations;
#[path = "../process/place.rs"]
mod place;
mod server;
mod stream;
mod wallets;
