use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::disk::Disk;
use crate::place::Place;
use crate::script;

/// A Kafka of a test's own, to be killed, frozen and replaced. It is gone when this is dropped.
#[derive(Debug)]
pub struct Broker {
    place: Place,
    address: String,
}

/// Where a broker listens with TLS.
#[derive(Debug)]
pub struct Secured {
    /// As `host:port`.
    pub address: String,
    /// The file of the certificate by which it is known.
    pub certificate: PathBuf,
}

impl Broker {
    /// Starts one; it is ready when this returns.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start() -> Self {
        Self::at(Place::new())
    }

    /// Starts one that waits for a heartbeat of its own for as long as Kafka's brokers do where nobody says otherwise. Ours wait for a
    /// second, so that one that was killed comes back soon; on a machine that is busy with other things such a one takes itself for dead.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_patient() -> Self {
        let place = Place::new();
        let kafka = place.path().join("kafka");
        fs::create_dir_all(&kafka).expect("the place can be written");
        let properties = "broker.session.timeout.ms=9000\nbroker.heartbeat.interval.ms=2000\n";
        fs::write(kafka.join("more.properties"), properties).expect("the place can be written");
        Self::at(place)
    }

    /// Starts one whose data is on a disk that can be filled.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn on(disk: Disk) -> Self {
        Self::at(Place::Disk(disk))
    }

    /// Starts one that listens with TLS too: [`secured`](Self::secured).
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_secured() -> Self {
        let place = Place::new();
        place.up_with(&["kafka", "--kafka-secured"]);
        Self::at(place)
    }

    pub(crate) fn at(place: Place) -> Self {
        place.up("kafka");
        let address = script::kafka(&["--dir", place.text()]);
        Self { place, address }
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

    /// Its address, as `host:port`, which stays.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens with TLS, and lets the user `drawdown` in with the password `drawdown`, by PLAIN and by SCRAM-SHA-512.
    ///
    /// # Panics
    ///
    /// If it was not started so.
    pub fn secured(&self) -> Secured {
        let ports = fs::read_to_string(self.place.path().join("ports")).expect("the script keeps the ports");
        let port = ports.lines().find_map(|line| line.strip_prefix("secured=")).expect("it has one of each");
        let certificate = self.place.path().join("kafka/ca.pem");
        assert!(certificate.exists(), "it listens without TLS alone: start it secured");
        Secured { address: format!("127.0.0.1:{port}"), certificate }
    }

    /// It has not ended.
    pub fn is_there(&self) -> bool {
        let sent = Command::new("kill").args(["-0", self.pid().trim()]).output();
        sent.is_ok_and(|sent| sent.status.success())
    }

    /// Ends it without warning; what it has on disk stays.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    /// Starts it again after [`kill`](Self::kill), with what is on disk.
    pub fn restart(&self) {
        self.place.up("kafka");
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
        script::run(&["down", "--dir", self.place.text()]);
        script::run(&["up", "kafka", "--dir", self.place.text(), "--kafka-port", port]);
    }

    fn pid(&self) -> String {
        fs::read_to_string(self.place.path().join("kafka.pid")).expect("the script keeps the pid")
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid();
        let sent = Command::new("kill").args([signal, pid.trim()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {signal} {pid}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        script::run(&["down", "--dir", self.place.text()]);
    }
}
