use std::fs;
use std::process::Command;

use crate::disk::Disk;
use crate::place::Place;
use crate::script;

/// A server of Postgres of a test's own, to be killed and frozen. It is gone when this is dropped.
#[derive(Debug)]
pub struct Database {
    place: Place,
    url: String,
}

impl Database {
    /// Starts one; it is ready when this returns.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start() -> Self {
        Self::at(Place::new())
    }

    /// Starts one whose data is on a disk that can be filled.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn on(disk: Disk) -> Self {
        Self::at(Place::Disk(disk))
    }

    fn at(place: Place) -> Self {
        place.up("postgres");
        let url = script::postgres(&["--dir", place.text()]);
        Self { place, url }
    }

    /// The disk it is on.
    ///
    /// # Panics
    ///
    /// If it was not started on one.
    pub fn disk(&self) -> &Disk {
        match &self.place {
            Place::Disk(disk) => disk,
            Place::Directory(_) => panic!("it is on the disk of all: start it on one of its own"),
        }
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
        self.place.up("postgres");
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
        let file = self.place.path().join("postgres.pid");
        fs::read_to_string(file).expect("the script keeps the pid").trim().to_owned()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        script::run(&["down", "--dir", self.place.text()]);
    }
}

fn signal(name: &str, pid: &str) {
    let sent = Command::new("kill").args([name, pid]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill {name} {pid}");
}
