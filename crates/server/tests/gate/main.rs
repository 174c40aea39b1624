//! Decisions over HTTP while servers, the database and clients fail: what was answered is what the log says, in the log's order.
#![allow(clippy::unwrap_used)]

mod asking;
#[path = "../crash/chance.rs"]
mod chance;
mod clients;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod embedded;
mod history;
mod hostile;
mod log_away;
#[allow(dead_code, reason = "the tests of faults use the rest")]
#[path = "../faults/node.rs"]
mod node;
mod nodes;
#[path = "../process/place.rs"]
mod place;
mod servers;
mod standstill;
#[allow(dead_code, reason = "the tests of faults use the rest")]
#[path = "../faults/world.rs"]
mod world;
