//! Products' own topics, read into the log: the real process, a real broker.
#![allow(clippy::unwrap_used)]

mod broken_off;
mod copies;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod modes;
#[path = "../process/place.rs"]
mod place;
mod secured;
mod topic;
