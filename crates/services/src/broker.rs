use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::script;

/// A Kafka of a test's own, to be killed, frozen and replaced. It is gone when this is dropped.
#[derive(Debug)]
pub struct Broker {
    directory: TempDir,
    address: String,
}

impl Broker {
    /// Starts one; it is ready when this returns.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the broker can be made");
        let place = directory.path().to_str().expect("temporary directories have names of UTF-8").to_owned();
        script::run(&["up", "kafka", "--dir", &place]);
        let address = script::kafka(&["--dir", &place]);
        Self { directory, address }
    }

    /// Its address, as `host:port`, which stays.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends it without warning; what it has on disk stays.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    /// Starts it again after [`kill`](Self::kill), with what is on disk.
    pub fn restart(&self) {
        script::run(&["up", "kafka", "--dir", self.place()]);
    }

    /// Lets it do nothing any more; its connections stay.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Ends it for good, and starts another cluster at the same address.
    pub fn replace(&self) {
        let port = self.address.rsplit(':').next().expect("an address has a port");
        script::run(&["down", "--dir", self.place()]);
        script::run(&["up", "kafka", "--dir", self.place(), "--kafka-port", port]);
    }

    fn place(&self) -> &str {
        self.directory.path().to_str().expect("it was text when the broker was started")
    }

    fn signal(&self, signal: &str) {
        let pid =
            fs::read_to_string(self.directory.path().join("kafka.pid")).expect("the script keeps the pid");
        let sent = Command::new("kill").args([signal, pid.trim()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {signal} {pid}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        script::run(&["down", "--dir", self.place()]);
    }
}
