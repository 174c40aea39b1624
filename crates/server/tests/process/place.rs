//! Log and projections in the directory.

use std::path::Path;
use std::process::Command;

pub(crate) struct Place;

impl Place {
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

    pub(crate) fn is_folded_by(&self, pid: u32, data: &Path) -> bool {
        let holder = std::fs::read_to_string(data.join("projector.lock")).unwrap_or_default();
        holder.trim() == pid.to_string()
    }
}
