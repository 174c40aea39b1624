//! Nothing acknowledged is lost and nothing counts twice on real servers, whatever fails: processes, leases, records, the
//! broker, the database, their disks, clocks.
#![allow(clippy::unwrap_used)]

#[path = "../crash/chance.rs"]
mod chance;
mod clocks;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod full;
mod handed_over;
mod killed;
mod leases;
mod load;
mod node;
#[path = "../process/place.rs"]
mod place;
mod poison;
mod proof;
mod replaced;
mod servers;
mod world;
