//! Why a partition stops.

use eventlog::LogError;
use ledger::{Instant, Partition, Position};
use store::StoreError;

/// Why a partition cannot be folded on. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The log could not be read.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// The projections could not be read or written.
    #[error("the projections cannot be read or written")]
    Store(#[from] StoreError),
    /// A record of a type or version that this build does not know.
    #[error("the record at {at} cannot be folded by this build, {what}: run the newer build that wrote it")]
    NewerBuild {
        /// Where it stands.
        at: Position,
        /// What is unknown.
        what: String,
    },
    /// The first record of a partition is no genesis, or another log's.
    #[error("partition {partition} does not begin with the genesis of log {log}: {found}")]
    Genesis {
        /// The partition.
        partition: Partition,
        /// The log's id, from partition 0.
        log: String,
        /// What stands there.
        found: String,
    },
    /// The log is not the one that was folded here.
    #[error(
        "the log is not the one that was folded before: {what}. Restore the log, or rebuild the projections from this one"
    )]
    AnotherLog {
        /// How that shows.
        what: String,
    },
    /// A record that was recorded more than a minute from now.
    #[error(
        "the record at {at} was recorded at {recorded_at}, ahead of this machine's clock: it is folded when that time has come"
    )]
    Ahead {
        /// Where it stands.
        at: Position,
        /// Its stamp.
        recorded_at: Instant,
    },
    /// A stored wallet or catalogue cannot be read.
    #[error("the stored {what} cannot be read, rebuild the projections: {why}")]
    Corrupt {
        /// What it is.
        what: String,
        /// Why not.
        why: String,
    },
}

impl ProjectorError {
    /// Whether the partition stands still until somebody mends what it met: to try again does not help.
    pub fn halts(&self) -> bool {
        match self {
            Self::NewerBuild { .. }
            | Self::Genesis { .. }
            | Self::AnotherLog { .. }
            | Self::Corrupt { .. } => true,
            Self::Log(error) => error.halts(),
            Self::Store(error) => error.halts(),
            Self::Ahead { .. } => false,
        }
    }
}
