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
mod costs;
#[path = "../process/drawdown.rs"]
mod drawdown;
#[path = "../reading/estimate.rs"]
mod estimate;
#[path = "../reading/explain.rs"]
mod explain;
#[path = "../process/fold_version.rs"]
mod fold_version;
#[path = "../process/folding.rs"]
mod folding;
#[path = "../process/ingest.rs"]
mod ingest;
#[path = "../process/keys.rs"]
mod keys;
#[path = "../reading/ledger.rs"]
mod ledger;
#[path = "../reading/monthly.rs"]
mod monthly;
#[path = "../reading/past.rs"]
mod past;
mod place;
#[path = "../reading/raw.rs"]
mod raw;
#[path = "../process/rerating.rs"]
mod rerating;
#[path = "../reading/usage.rs"]
mod usage;
#[path = "../reading/wallets.rs"]
mod wallets;
#[path = "../reading/what_if.rs"]
mod what_if;
#[path = "../reading/world.rs"]
mod world;
