//! Log and projections in the directory.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::Path;
use std::process::Command;

use eventlog::{Appending, Durability, EventLog, SqliteLog};
use ledger::Partition;

pub(crate) struct Place;

impl Place {
    /// How many histories are asked about at each of their records.
    pub(crate) const HISTORIES: u64 = 6;

    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn without_log() -> Self {
        Self
    }

    /// Tells a command where log and projections are.
    pub(crate) fn tell(&self, command: &mut Command, _: &[&str]) {
        command.env_remove("DRAWDOWN_LOG").env_remove("DRAWDOWN_STORE");
    }

    /// The log is where it was imported.
    pub(crate) fn take_over(&self, _: &Path) {}

    pub(crate) fn append(&self, data: &Path, bytes: Vec<u8>) {
        let appended = async {
            let log = SqliteLog::open(&data.join("log.db"), Durability::Power).await.unwrap().unwrap();
            log.append(vec![Appending { partition: Partition(0), bytes }]).await.unwrap();
            log.close().await.unwrap();
        };
        tokio::runtime::Runtime::new().unwrap().block_on(appended);
    }

    pub(crate) fn is_folded_by(&self, pid: u32, data: &Path) -> bool {
        let holder = std::fs::read_to_string(data.join("projector.lock")).unwrap_or_default();
        holder.trim() == pid.to_string()
    }
}
