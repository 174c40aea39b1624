//! How the process ends.

use std::process::ExitCode;

use eventlog::LogError;
use projector::ProjectorError;
use store::StoreError;

use crate::lock::LockError;

/// How the process ends; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// It failed, and the message says what to do.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Some of the input was refused, and each refusal was told.
    Refused = 3,
    /// What is stored is not what the log says.
    Diverged = 4,
    /// Another projector runs on the directory.
    Locked = 5,
    /// The log or the projection cannot be folded by this build, is damaged, or is another one.
    Halted = 6,
}

impl Exit {
    /// The codes, as `--help` shows them.
    pub(crate) const HELP: &str = "Exit codes:
  0  all went well
  1  it failed; the message says what to do
  2  the command line is wrong
  3  some of the input was refused; each refusal is told
  4  verify found a divergence
  5  another projector runs on the directory
  6  the log or the projection is of a newer build, damaged, or another one";

    /// The exit that a failure stands for: the first of its causes that has one of its own, else [`Self::Failed`].
    pub fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(of_cause).unwrap_or(Self::Failed)
    }
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(LockError::Held { .. }) = cause.downcast_ref() {
        return Some(Exit::Locked);
    }
    if let Some(StoreError::Fenced { .. }) = cause.downcast_ref() {
        return Some(Exit::Locked);
    }
    let halted = cause.downcast_ref().is_some_and(ProjectorError::halts)
        || cause.downcast_ref().is_some_and(StoreError::halts)
        || cause.downcast_ref().is_some_and(LogError::halts);
    halted.then_some(Exit::Halted)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
