//! A log on Kafka and projections in Postgres of a test's own, and real processes on them.

use std::future::Future;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use eventlog::{Appending, EventLog, KafkaConfig, KafkaLog};
use ledger::Partition;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, Row};
use store::PostgresStore;

use crate::chance::since_1970;
use crate::drawdown::{Drawdown, Ran};
use crate::node::Node;

/// The schema that the program uses when none is named.
pub(crate) const SCHEMA: &str = "drawdown";

/// How long a service is waited for that may be gone.
const GONE: Duration = Duration::from_secs(10);

/// A topic and a database, which are gone when this is dropped.
pub(crate) struct World {
    pub(crate) drawdown: Drawdown,
    broker: String,
    server: String,
    /// Of the topic and of the database.
    name: String,
    runtime: tokio::runtime::Runtime,
    /// Each test needs the processors for itself: leases are a matter of time.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl World {
    /// On the services that tests share.
    pub(crate) fn new(partitions: u32) -> Self {
        Self::on(services::kafka(), services::postgres(), partitions)
    }

    /// On a broker and on the server of the database that this URL names.
    pub(crate) fn on(broker: &str, server: &str, partitions: u32) -> Self {
        // A test that failed has said so itself.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("faults_{}_{}", since_1970().as_micros(), std::process::id());
        let world = Self {
            drawdown: Drawdown::new(),
            broker: broker.to_owned(),
            server: server.to_owned(),
            name,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            _alone: alone,
        };
        world.on_server(&format!("create database {}", world.name));
        world.json(&["init", "--partitions", &partitions.to_string()]);
        world.json(&["migrate"]);
        world
    }

    pub(crate) fn wait_for<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    pub(crate) fn database(&self) -> &str {
        &self.name
    }

    fn database_url(&self) -> String {
        let (before, _) = self.server.rsplit_once('/').unwrap();
        format!("{before}/{}", self.name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.drawdown.command(args);
        command.env("DRAWDOWN_LOG", format!("kafka://{}/{}", self.broker, self.name));
        command.env("DRAWDOWN_STORE", self.database_url());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Runs with `--json`, which must go well; answers the object it prints.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{args:?}: {}{}", ran.out, ran.err);
        ran.json()
    }

    /// Starts a process that folds its share, and sees to what is due.
    pub(crate) fn node(&self, name: &str) -> Node {
        self.node_with(name, "projector,scheduler")
    }

    pub(crate) fn node_with(&self, name: &str, roles: &str) -> Node {
        self.node_by(name, roles, |_| {})
    }

    /// Starts one of which more is told.
    pub(crate) fn node_by(&self, name: &str, roles: &str, tell: impl FnOnce(&mut Command)) -> Node {
        let file = format!("{name}.log");
        let path = self.drawdown.data().with_file_name(&file);
        let said = std::fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let mut command = self.command(&["run", "--roles", roles, "--node", name]);
        tell(&mut command);
        Node::start(name, path, command.stdout(Stdio::null()).stderr(said))
    }

    /// How often all nodes together said that they took a partition over.
    pub(crate) fn taken_over(&self) -> u64 {
        let data = self.drawdown.data();
        let files = std::fs::read_dir(data.parent().unwrap()).unwrap().map(|file| file.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|end| end == "log"));
        let times =
            |path| std::fs::read_to_string(path).unwrap().matches("taken over partition").count() as u64;
        logs.map(times).sum()
    }

    /// What `status` says of the partitions; its exit code says whether one stands still.
    pub(crate) fn partitions(&self) -> Vec<Value> {
        let ran = self.run(&["status", "--json"]);
        let partitions = ran.json()["partitions"].as_array().unwrap().clone();
        let is_halted = partitions.iter().any(|part| part["halted"].is_string());
        assert_eq!(ran.code, Some(if is_halted { 6 } else { 0 }), "{}", ran.err);
        partitions
    }

    /// Waits until everything is folded; fails after so long.
    pub(crate) fn settle(&self, within: Duration) {
        let began = Instant::now();
        loop {
            let ran = self.run(&["status", "--json"]);
            let is_done = ran.code == Some(0)
                && ran.json()["partitions"].as_array().unwrap().iter().all(|part| part["lag"] == 0);
            if is_done {
                return;
            }
            assert!(began.elapsed() < within, "not folded within {within:?}: {}{}", ran.out, ran.err);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until these nodes fold all partitions between them.
    pub(crate) fn until_owned_by(&self, names: &[&str]) {
        let began = Instant::now();
        loop {
            let owners = self.owners();
            let all = owners.iter().all(|owner| names.contains(&owner.as_str()));
            if all && names.iter().all(|name| owners.iter().any(|owner| owner == name)) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{names:?} should own them: {owners:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The name of who folds each partition; nobody's is empty.
    pub(crate) fn owners(&self) -> Vec<String> {
        let fleet = self.wait_for(async {
            let store = self.store().await;
            let fleet = store::Store::fleet(&store).await.unwrap();
            store.close().await.unwrap();
            fleet
        });
        let owner = |partition| {
            let lease = fleet.leases.iter().find(|lease| lease.partition == partition && lease.lives_ms > 0);
            lease.map_or(String::new(), |lease| name(&lease.owner).to_owned())
        };
        (0..self.count()).map(Partition).map(owner).collect()
    }

    /// How many partitions the log has.
    pub(crate) fn count(&self) -> u32 {
        self.wait_for(async { self.log().await.partitions() })
    }

    /// The projections, as a process opens them.
    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.database_url(), SCHEMA).await.unwrap()
    }

    pub(crate) fn config(&self) -> KafkaConfig {
        KafkaConfig::parse(&format!("kafka://{}/{}", self.broker, self.name)).unwrap()
    }

    /// The log, as a process opens it.
    pub(crate) async fn log(&self) -> KafkaLog {
        KafkaLog::open(self.config()).await.unwrap()
    }

    /// Appends bytes that no check has seen.
    pub(crate) fn append(&self, records: Vec<Appending>) {
        self.wait_for(async {
            let log = self.log().await;
            log.append(records).await.unwrap();
            log.close().await.unwrap();
        });
    }

    /// The rows of a query of text columns.
    pub(crate) fn sql(&self, statement: &str) -> Vec<Vec<String>> {
        self.wait_for(async {
            let mut connection = PgConnection::connect(&self.database_url()).await.unwrap();
            connection.execute(format!("set search_path to {SCHEMA}").as_str()).await.unwrap();
            let rows = sqlx::query(statement).fetch_all(&mut connection).await;
            let rows = rows.unwrap_or_else(|error| panic!("{statement}: {error}"));
            rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()).collect()
        })
    }

    /// Runs a statement on the server that is about databases.
    pub(crate) fn on_server(&self, statement: &str) {
        self.wait_for(async {
            let mut server = PgConnection::connect(&self.server).await.unwrap();
            let done = server.execute(statement).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        });
    }
}

/// The name of a node that also says where it is reached.
fn name(owner: &str) -> &str {
    owner.split_once('@').map_or(owner, |(name, _)| name)
}

impl Drop for World {
    fn drop(&mut self) {
        // Where the service was the test's own, or the test failed, it may be gone.
        let name = self.name.clone();
        let server = self.server.clone();
        let dropping = async {
            let Ok(mut server) = PgConnection::connect(&server).await else { return };
            let _ = server.execute(format!("drop database if exists {name} with (force)").as_str()).await;
            for role in ["projector", "reader"] {
                let _ = server.execute(format!("drop role if exists {name}_{role}").as_str()).await;
            }
        };
        // It may be frozen, too.
        let _ = self.runtime.block_on(async { tokio::time::timeout(GONE, dropping).await });
        let _ = self.runtime.block_on(KafkaLog::delete(&self.config()));
    }
}
