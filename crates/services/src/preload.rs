use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const SOURCE: &str = include_str!("preload.c");

/// A library that comes between a process and its system: it makes a clock wrong, or a disk full. It is gone when this is dropped.
#[derive(Debug)]
pub struct Preload {
    directory: TempDir,
}

impl Preload {
    /// Compiles it: whoever builds this has a C compiler.
    ///
    /// # Panics
    ///
    /// If it cannot be compiled.
    #[expect(clippy::new_without_default, reason = "it runs a compiler")]
    pub fn new() -> Self {
        let directory = open_directory();
        let source = directory.path().join("preload.c");
        fs::write(&source, SOURCE).expect("a temporary directory can be written to");
        let preload = Self { directory };
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut command = Command::new(&compiler);
        command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(preload.path());
        let ran = command.arg(&source).arg("-ldl").output();
        let ran = ran.unwrap_or_else(|error| panic!("{compiler} cannot be run, set CC: {error}"));
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        preload
    }

    /// By which a process has a time of day that is wrong by so many seconds.
    pub fn clock(&self, wrong_by: i64) -> [(&'static str, String); 2] {
        [self.variable(), ("DRAWDOWN_TEST_CLOCK", wrong_by.to_string())]
    }

    /// By which no file grows in a directory as long as it has one called `full`.
    pub(crate) fn disk(&self, directory: &Path) -> [(&'static str, String); 2] {
        let directory = directory.canonicalize().expect("it is there");
        [self.variable(), ("DRAWDOWN_TEST_DISK", text(directory))]
    }

    fn variable(&self) -> (&'static str, String) {
        ("LD_PRELOAD", text(self.path()))
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("preload.so")
    }
}

/// A directory that other users may look into, as Postgres must.
pub(crate) fn open_directory() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    directory
}

pub(crate) fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("temporary directories have names of UTF-8")
}
