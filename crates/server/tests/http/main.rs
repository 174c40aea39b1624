//! The HTTP API: the real process on a directory of its own, asked as a product asks it.
#![allow(clippy::unwrap_used)]

mod catalogue;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod events;
mod forecast;
mod grants;
mod holds;
mod keys;
mod matrix;
mod meter;
mod openmeter;
mod operations;
#[path = "../process/place.rs"]
mod place;
mod server;
mod settings;
mod stream;
mod tls;
mod usage;
mod wallets;
