//! Decisions over HTTP while the server fails: what was answered is what the log says, in the log's order.
#![allow(clippy::unwrap_used)]

#[path = "../crash/chance.rs"]
mod chance;
mod clients;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod embedded;
mod history;
#[path = "../process/place.rs"]
mod place;
mod servers;
