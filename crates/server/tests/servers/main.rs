//! The same on real servers as in a directory: what commands write and show, with the log on Kafka and the projections in Postgres.
#![allow(clippy::unwrap_used)]

#[path = "../process/apply.rs"]
mod apply;
#[path = "../reading/balance.rs"]
mod balance;
#[path = "../process/changes.rs"]
mod changes;
#[path = "../process/corrections.rs"]
mod corrections;
#[path = "../process/drawdown.rs"]
mod drawdown;
#[path = "../reading/estimate.rs"]
mod estimate;
#[path = "../reading/ledger.rs"]
mod ledger;
mod place;
#[path = "../process/rerating.rs"]
mod rerating;
#[path = "../reading/wallets.rs"]
mod wallets;
#[path = "../reading/world.rs"]
mod world;
