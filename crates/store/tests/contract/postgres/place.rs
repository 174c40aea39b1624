//! Databases for tests: each test has one of its own, copied from one that is migrated already.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row, TypeInfo, ValueRef};
use store::{PostgresStore, StoreError};
use tokio::sync::OnceCell;

pub(crate) const SCHEMA: &str = "drawdown";
const TEMPLATE: &str = "drawdown_store_tests";

/// A database that is dropped with the value.
pub(crate) struct Place {
    pub(crate) name: String,
}

impl Place {
    /// One whose tables are there.
    pub(crate) async fn new() -> Self {
        static MADE: OnceCell<()> = OnceCell::const_new();
        MADE.get_or_init(make_template).await;
        Self::make(&format!("template {TEMPLATE}")).await
    }

    /// One with nothing in it.
    pub(crate) async fn empty() -> Self {
        Self::make("").await
    }

    async fn make(how: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("drawdown_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut server = PgConnection::connect(services::postgres()).await.unwrap();
        server.execute(format!("drop database if exists {name}").as_str()).await.unwrap();
        server.execute(format!("create database {name} {how}").as_str()).await.unwrap();
        server.close().await.unwrap();
        Self { name }
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.name)
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.url(), SCHEMA).await.unwrap()
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        connect(&self.url()).await
    }

    /// The rows of a query, each value as people would see it.
    pub(crate) async fn sql(&self, statement: &str) -> Vec<Vec<Option<String>>> {
        let mut connection = self.connection().await;
        // The simple protocol answers in text.
        let rows =
            connection.fetch_all(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        rows.iter().map(texts).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut server = PgConnection::connect(services::postgres()).await.unwrap();
                server.execute(format!("drop database {name} with (force)").as_str()).await.unwrap();
                for role in ["projector", "reader"] {
                    server.execute(format!("drop role if exists {name}_{role}").as_str()).await.unwrap();
                }
            });
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking(), "a test's database stays behind");
    }
}

fn texts(row: &PgRow) -> Vec<Option<String>> {
    let value = |at| {
        let raw = row.try_get_raw(at).unwrap();
        let name = raw.type_info().name().to_owned();
        (!raw.is_null()).then(|| raw.as_str().unwrap_or_else(|e| panic!("{name}: {e}")).to_owned())
    };
    (0..row.len()).map(value).collect()
}

/// A connection that sees the projection's names.
pub(crate) async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    options.options([("search_path", SCHEMA), ("timezone", "UTC")]).connect().await.unwrap()
}

/// The server's URL with another database.
pub(crate) fn url_of(database: &str) -> String {
    let url = services::postgres();
    let (before, after) = url.split_once("://").unwrap();
    let server = after.split('/').next().unwrap();
    let options = after.split_once('?').map(|(_, options)| format!("?{options}")).unwrap_or_default();
    format!("{before}://{server}/{database}{options}")
}

/// Makes the database that the others are copied from, or brings it up to date.
async fn make_template() {
    let mut server = PgConnection::connect(services::postgres()).await.unwrap();
    // One process at a time.
    server.execute("select pg_advisory_lock(7305)").await.unwrap();
    let there = sqlx::query("select 1 from pg_database where datname = $1").bind(TEMPLATE);
    if there.fetch_optional(&mut server).await.unwrap().is_none() {
        server.execute(format!("create database {TEMPLATE}").as_str()).await.unwrap();
    }
    if let Err(error) = PostgresStore::migrate(&url_of(TEMPLATE), SCHEMA).await {
        // Migrations change until they are released: the template of another state is made anew.
        assert!(matches!(error, StoreError::OtherTables { .. } | StoreError::Newer { .. }), "{error:?}");
        server.execute(format!("drop database {TEMPLATE} with (force)").as_str()).await.unwrap();
        server.execute(format!("create database {TEMPLATE}").as_str()).await.unwrap();
        PostgresStore::migrate(&url_of(TEMPLATE), SCHEMA).await.unwrap();
    }
    server.close().await.unwrap();
}
