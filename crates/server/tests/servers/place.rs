//! The log in a topic of the real broker, the projections in a schema of the real database.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use eventlog::{Appending, EventLog, KafkaConfig, KafkaLog};
use ledger::Partition;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, query_scalar};
use store::PostgresStore;

pub(crate) struct Place {
    log: String,
    schema: String,
    /// Whether there is a log: a topic is made by `init` alone.
    made: Cell<bool>,
}

static PLACES: AtomicU32 = AtomicU32::new(0);

/// Waits for something, also where a test has a runtime of its own.
fn wait<T: Send, F: Future<Output = T>>(what: impl FnOnce() -> F + Send) -> T {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| scope.spawn(|| runtime().block_on(what())).join().unwrap())
}

impl Place {
    /// Fewer than in a directory: each question takes half a second here.
    pub(crate) const HISTORIES: u64 = 2;

    pub(crate) fn new() -> Self {
        let name = format!("t{}_{}", std::process::id(), PLACES.fetch_add(1, Ordering::Relaxed));
        let place = Self {
            log: format!("kafka://{}/{name}", services::kafka()),
            schema: name,
            made: Cell::new(false),
        };
        wait(|| PostgresStore::migrate(services::postgres(), &place.schema)).unwrap();
        place
    }

    /// One that never has a log.
    pub(crate) fn without_log() -> Self {
        let place = Self::new();
        place.made.set(true);
        place
    }

    fn address(&self, command: &mut Command) {
        command.env("DRAWDOWN_LOG", &self.log);
        command.env("DRAWDOWN_STORE", format!("{}?schema={}", services::postgres(), self.schema));
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
        self.address(&mut command);
        command
    }

    /// Tells a command where log and projections are, and has the log made before the first that needs one.
    pub(crate) fn tell(&self, command: &mut Command, args: &[&str]) {
        self.address(command);
        let makes_one = args.first() == Some(&"init");
        if !self.made.replace(true) && !makes_one {
            let made = self.program().arg("init").output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
    }

    /// Copies the log that was imported into a directory to the broker.
    pub(crate) fn take_over(&self, data: &Path) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
        command.arg("--data").arg(data).args(["log", "copy", "--to", &self.log]);
        let copied = command.env_remove("DRAWDOWN_LOG").env_remove("DRAWDOWN_STORE").output().unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        self.made.set(true);
    }

    /// The first column of what a query of the projections brings, texts.
    pub(crate) fn sql(&self, statement: &str) -> Vec<String> {
        let schema = self.schema.clone();
        wait(|| async {
            let mut connection = PgConnection::connect(services::postgres()).await.unwrap();
            connection.execute(format!("set search_path = {schema}").as_str()).await.unwrap();
            query_scalar(statement).fetch_all(&mut connection).await.unwrap()
        })
    }

    pub(crate) fn append(&self, _: &Path, bytes: Vec<u8>) {
        let config = KafkaConfig::parse(&self.log).unwrap();
        wait(|| async {
            let log = KafkaLog::open(config).await.unwrap();
            log.append(vec![Appending { partition: Partition(0), bytes }]).await.unwrap();
            log.close().await.unwrap();
        });
    }

    pub(crate) fn is_folded_by(&self, _: u32, _: &Path) -> bool {
        let status = self.program().args(["status", "--json"]).output().unwrap();
        let status: Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
        let partitions = status["partitions"].as_array().cloned().unwrap_or_default();
        !partitions.is_empty() && partitions.iter().all(|partition| partition["owner"].is_string())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let config = KafkaConfig::parse(&self.log).unwrap();
        // A test that failed may have left none.
        let _ = wait(|| KafkaLog::delete(&config));
        let _ = wait(|| PostgresStore::remove(services::postgres(), &self.schema));
    }
}
