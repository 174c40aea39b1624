//! Entries and outcomes in a topic, as engines that analyse them read them: real processes, a real broker, a real database.
#![allow(clippy::unwrap_used)]

#[path = "../crash/chance.rs"]
mod chance;
mod directory;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod fleet;
mod messages;
#[path = "../schemas/misfit.rs"]
mod misfit;
#[path = "../faults/node.rs"]
#[allow(dead_code, reason = "the tests of faults use the rest")]
mod node;
#[path = "../process/place.rs"]
mod place;
mod refused;

#[path = "../faults/world.rs"]
#[allow(dead_code, reason = "the tests of faults use the rest")]
mod world;
