use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::script;

/// A server of Postgres of a test's own, to be killed and frozen. It is gone when this is dropped.
#[derive(Debug)]
pub struct Database {
    directory: TempDir,
    url: String,
}

impl Database {
    /// Starts one; it is ready when this returns.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the database can be made");
        let place = directory.path().to_str().expect("temporary directories have names of UTF-8").to_owned();
        script::run(&["up", "postgres", "--dir", &place]);
        let url = script::postgres(&["--dir", &place]);
        Self { directory, url }
    }

    /// The URL of a database whose user may make others, which stays.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends its first process without warning, at which all others end too; what it has on disk stays.
    pub fn kill(&self) {
        signal("-KILL", &self.pid());
    }

    /// Starts it again after [`kill`](Self::kill), with what is on disk.
    pub fn restart(&self) {
        script::run(&["up", "postgres", "--dir", self.place()]);
    }

    /// Lets none of its processes do anything any more; their connections stay.
    pub fn freeze(&self) {
        // The first one first: it would start others.
        signal("-STOP", &self.pid());
        self.signal_all("-STOP");
    }

    /// Lets them go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.signal_all("-CONT");
        signal("-CONT", &self.pid());
    }

    fn signal_all(&self, name: &str) {
        let first = self.pid();
        for entry in fs::read_dir("/proc").expect("the system shows its processes").flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            // One may end meanwhile.
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            if status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|of| of.trim() == first)) {
                let _ = Command::new("kill").args([name, &pid]).status();
            }
        }
    }

    fn pid(&self) -> String {
        let file = self.directory.path().join("postgres.pid");
        fs::read_to_string(file).expect("the script keeps the pid").trim().to_owned()
    }

    fn place(&self) -> &str {
        self.directory.path().to_str().expect("it was text when the database was started")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        script::run(&["down", "--dir", self.place()]);
    }
}

fn signal(name: &str, pid: &str) {
    let sent = Command::new("kill").args([name, pid]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill {name} {pid}");
}
