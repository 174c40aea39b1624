use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::preload::{Preload, open_directory};

/// What takes the room that is left.
const FILLER: &str = "full";

/// A disk that a service has for itself, and that can be filled. It is gone when this is dropped.
///
/// It is a small file system in memory. Where none can be mounted, the service's own writes fail as on a full disk as soon as they
/// would make a file longer.
#[derive(Debug)]
pub struct Disk {
    directory: TempDir,
    /// Where it is not mounted.
    preload: Option<Preload>,
}

impl Disk {
    /// A disk of so many megabytes.
    ///
    /// # Panics
    ///
    /// If there can be none.
    pub fn new(megabytes: u32) -> Self {
        let directory = open_directory();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("mode=755,size={megabytes}m"), "tmpfs"]);
        let mounted = mount.arg(directory.path()).output();
        let preload = if mounted.is_ok_and(|ran| ran.status.success()) { None } else { Some(Preload::new()) };
        Self { directory, preload }
    }

    /// Whether it is a file system of its own.
    pub fn is_mounted(&self) -> bool {
        self.preload.is_none()
    }

    /// Leaves no room.
    pub fn fill(&self) {
        let mut filler = fs::File::create(self.path().join(FILLER)).expect("the disk is ours");
        let mut length = if self.is_mounted() { 1 << 20 } else { 0 };
        while length > 0 {
            // What is left in the end is less than a page.
            if filler.write_all(&vec![0; length]).is_err() {
                length /= 16;
            }
        }
    }

    /// Gives the room back.
    pub fn free(&self) {
        fs::remove_file(self.path().join(FILLER)).expect("it was filled");
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// By which a service finds it full.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        self.preload.iter().flat_map(|preload| preload.disk(self.path())).collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted() {
            // Lazily: something may have it open for a moment longer.
            let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        }
    }
}
