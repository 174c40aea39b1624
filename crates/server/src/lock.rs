//! One projector a directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use ledger::Partition;

/// The right to fold into a directory's projections, until it is dropped or the process ends.
///
/// It spares a second projector the work that the store would refuse to commit.
#[derive(Debug)]
pub struct ProjectorLock {
    /// The lock goes when this is closed. None where leases take its place.
    _file: Option<File>,
}

/// Why the right could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "another projector{} runs on {data}: stop it, or leave the folding to it; what only reads, `apply` and `ingest` work beside it",
        .pid.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Held {
        /// The directory.
        data: PathBuf,
        /// The other process, if it has said so.
        pid: Option<String>,
    },
    /// A node has a lease of a partition.
    #[error(
        "partition {partition} is folded by node {owner}: stop it, or leave the folding to it; what only reads, `apply` and `ingest` work beside it"
    )]
    Leased {
        /// The partition.
        partition: Partition,
        /// The node.
        owner: String,
    },
    /// The file that is locked could not be made or written.
    #[error("{path} cannot be locked")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl ProjectorLock {
    /// Takes the right to fold into `data`, which must be there, without waiting for it.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if another process has it, or the file cannot be made.
    pub(crate) fn take(data: &Path) -> Result<Self, LockError> {
        let path = data.join("projector.lock");
        let failed = |source| LockError::File { path: path.clone(), source };
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // It may not have written it yet, and on some systems cannot be read while locked.
                let pid = file.read_to_string(&mut pid).ok().map(|_| pid.trim().to_owned());
                return Err(LockError::Held {
                    data: data.to_owned(),
                    pid: pid.filter(|pid| !pid.is_empty()),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let written = file.set_len(0).and_then(|()| file.rewind());
        written.and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { _file: Some(file) })
    }

    /// Of projections that are no file: leases tell who folds.
    pub(crate) fn none() -> Self {
        Self { _file: None }
    }
}
