use std::path::Path;

use tempfile::TempDir;

use crate::disk::Disk;
use crate::script;

/// Where a service of a test's own has its data.
#[derive(Debug)]
pub(crate) enum Place {
    Directory(TempDir),
    Disk(Disk),
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::Directory(tempfile::tempdir().expect("a directory for the service can be made"))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Directory(directory) => directory.path(),
            Self::Disk(disk) => disk.path(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        self.path().to_str().expect("temporary directories have names of UTF-8")
    }

    /// Starts the service there.
    pub(crate) fn up(&self, service: &str) {
        self.up_with(&[service]);
    }

    /// Starts a service there as it is told to.
    pub(crate) fn up_with(&self, options: &[&str]) {
        let variables = match self {
            Self::Directory(_) => Vec::new(),
            Self::Disk(disk) => disk.variables(),
        };
        script::run_with(&[&["up", "--dir", self.text()], options].concat(), &variables);
    }
}
