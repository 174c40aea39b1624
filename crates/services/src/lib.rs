//! The real Kafka and Postgres that tests run against, started by `scripts/services` where they do not run yet.
//!
//! It is for tests alone: a failure panics with what the script said, so that no test passes by being skipped.

mod broker;
mod cluster;
mod database;
mod disk;
mod place;
mod preload;
mod script;

use std::env;
use std::sync::OnceLock;

pub use broker::{Broker, Secured};
pub use cluster::Cluster;
pub use database::Database;
pub use disk::Disk;
pub use preload::Preload;

/// The broker's address, as `host:port`: `DRAWDOWN_TEST_KAFKA`, or that of the one `scripts/services up kafka` starts.
///
/// # Panics
///
/// If there is none and it cannot be started.
pub fn kafka() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        given("DRAWDOWN_TEST_KAFKA").unwrap_or_else(|| {
            script::run(&["up", "kafka"]);
            script::kafka(&[])
        })
    })
}

/// The URL of a database whose user may make others: `DRAWDOWN_TEST_POSTGRES`, or that of the one
/// `scripts/services up postgres` starts.
///
/// # Panics
///
/// If there is none and it cannot be started.
pub fn postgres() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        given("DRAWDOWN_TEST_POSTGRES").unwrap_or_else(|| {
            script::run(&["up", "postgres"]);
            script::postgres(&[])
        })
    })
}

fn given(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
