//! A projection in one schema of a Postgres database.
//!
//! Any number of processes share it. Each partition's writer has a connection of its own, so that what it
//! prepared stays prepared; everything else takes one from a pool.

mod bare;
mod batch;
mod columns;
mod commit;
mod costs;
mod encode;
mod failure;
mod ids;
mod lease;
mod names;
mod opening;
mod rows;
mod store;
mod tables;
mod tidy;
mod trail;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger::Instant;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool};
use tokio::sync::Mutex;

pub use bare::Bare;
pub use costs::{CostRow, Costs};

use crate::StoreError;
use failure::of_database;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/projections/postgres");

const READERS: u32 = 8;
/// How long a read may take, or wait for a connection.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// How long a commit may take.
const WRITE_LIMIT: Duration = Duration::from_secs(60);
/// How long the database keeps the locks of a client that says nothing within a transaction.
const SILENCE_LIMIT: Duration = Duration::from_secs(1);

/// A projection in Postgres.
#[derive(Debug)]
pub struct PostgresStore {
    pool: PgPool,
    /// How a writer connects.
    to_write: Box<PgConnectOptions>,
    writers: Mutex<BTreeMap<u32, Arc<Mutex<Writer>>>>,
}

/// The connection that writes a partition.
#[derive(Debug, Default)]
struct Writer {
    /// None until it is needed, and again after anything went wrong with it.
    connection: Option<PgConnection>,
    /// Whether ids or the trail may await sorting.
    untidy: bool,
}

impl PostgresStore {
    /// Opens the projection in a schema of the database that `url` names (`postgres://user@host/database`).
    ///
    /// The user need not be more than a member of the role `<database>_projector`, or of `<database>_reader`
    /// where nothing is written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unmigrated`], [`StoreError::Newer`] or [`StoreError::OtherTables`] if the tables are not
    /// this build's, [`StoreError::Unreachable`] if there is no connection, and whatever the database fails
    /// with.
    pub async fn connect(url: &str, schema: &str) -> Result<Self, StoreError> {
        let options = options(url, schema)?;
        let mut connection = PgConnection::connect_with(&options).await.map_err(of_database)?;
        check_tables(&mut connection).await?;
        connection.close().await.map_err(of_database)?;
        let to_read = options.clone().options([("statement_timeout", millis(READ_LIMIT))]);
        // What is lost in a crash is folded again, so nobody waits for the disk.
        let to_write = options.options([
            ("statement_timeout", millis(WRITE_LIMIT)),
            ("idle_in_transaction_session_timeout", millis(SILENCE_LIMIT)),
            ("synchronous_commit", "off".to_owned()),
        ]);
        let pool = PgPoolOptions::new().max_connections(READERS).acquire_timeout(READ_LIMIT);
        let pool = pool.connect_lazy_with(to_read);
        Ok(Self { pool, to_write: Box::new(to_write), writers: Mutex::default() })
    }

    /// Opens the projection as it stands now: what is committed later is not seen, however long this is open. To write fails.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub async fn snapshot(url: &str, schema: &str) -> Result<Self, StoreError> {
        let options = options(url, schema)?;
        let mut connection = PgConnection::connect_with(&options).await.map_err(of_database)?;
        check_tables(&mut connection).await?;
        connection.close().await.map_err(of_database)?;
        // One connection, and one transaction that ends with it: a lost one is an error, not a later snapshot.
        let opened = Arc::new(AtomicBool::new(false));
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| {
                let again = opened.swap(true, Ordering::SeqCst);
                Box::pin(async move {
                    if again {
                        return Err(sqlx::Error::PoolClosed);
                    }
                    // The snapshot is taken by the first statement.
                    connection.execute("begin isolation level repeatable read read only; select 1").await?;
                    Ok(())
                })
            });
        Ok(Self {
            pool: pool.connect_with(options.clone()).await.map_err(of_database)?,
            to_write: Box::new(options),
            writers: Mutex::default(),
        })
    }

    /// Makes the schema and its tables, or brings them up to date, with the roles that may use them. Its user becomes
    /// their owner, and must be allowed to make schemas and roles.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] or [`StoreError::OtherTables`] if another build made the tables, and whatever
    /// the database fails with.
    pub async fn migrate(url: &str, schema: &str) -> Result<(), StoreError> {
        let mut connection = PgConnection::connect_with(&options(url, schema)?).await.map_err(of_database)?;
        let make = format!("create schema if not exists {schema}");
        sqlx::query(&make).execute(&mut connection).await.map_err(of_database)?;
        let about = format!(
            "comment on schema {schema} is 'Drawdown: credits, projected from the log. Read the views.'"
        );
        sqlx::query(&about).execute(&mut connection).await.map_err(of_database)?;
        MIGRATIONS.run(&mut connection).await?;
        connection.close().await.map_err(of_database)
    }

    /// Drops a projection with its schema, if it is there. Only its owner can.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn remove(url: &str, schema: &str) -> Result<(), StoreError> {
        let mut connection = PgConnection::connect_with(&options(url, schema)?).await.map_err(of_database)?;
        let drop = format!("drop schema if exists {schema} cascade");
        sqlx::query(&drop).execute(&mut connection).await.map_err(of_database)?;
        connection.close().await.map_err(of_database)
    }

    /// What time it is on the clock of the database that `url` names, whether or not the tables are there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreachable`] if there is no connection, and whatever the database fails with.
    pub async fn time(url: &str) -> Result<Instant, StoreError> {
        let options = PgConnectOptions::from_str(url).map_err(of_database)?;
        let mut connection = PgConnection::connect_with(&options).await.map_err(of_database)?;
        let sql = "select (extract(epoch from clock_timestamp()) * 1000000)::int8 * 1000";
        let now = sqlx::query_scalar(sql).fetch_one(&mut connection).await.map_err(of_database)?;
        connection.close().await.map_err(of_database)?;
        Ok(Instant(now))
    }

    /// Waits for what is running, then closes all connections.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn close(self) -> Result<(), StoreError> {
        for writer in self.writers.into_inner().into_values() {
            if let Some(connection) = writer.lock().await.connection.take() {
                connection.close().await.map_err(of_database)?;
            }
        }
        self.pool.close().await;
        Ok(())
    }

    async fn writer(&self, partition: u32) -> Arc<Mutex<Writer>> {
        self.writers.lock().await.entry(partition).or_default().clone()
    }
}

fn options(url: &str, schema: &str) -> Result<PgConnectOptions, StoreError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !schema.bytes().all(plain)
        || !schema.starts_with(|c: char| c.is_ascii_lowercase())
        || schema.len() > 40
    {
        return Err(StoreError::SchemaName { name: schema.to_owned() });
    }
    Ok(PgConnectOptions::from_str(url)
        .map_err(of_database)?
        .options([("search_path", schema)])
        .statement_cache_capacity(STATEMENTS)
        // A statement of many rows would fill the log by itself.
        .disable_statement_logging())
}

/// Enough for the statements of every set of tables that batches write together.
const STATEMENTS: usize = 256;

fn millis(limit: Duration) -> String {
    limit.as_millis().to_string()
}

/// Refuses tables that are not exactly this build's.
async fn check_tables(connection: &mut PgConnection) -> Result<(), StoreError> {
    let known: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut *connection)
        .await
        .map_err(of_database)?;
    let applied = if known { connection.list_applied_migrations().await? } else { Vec::new() };
    if let Some(unknown) = applied.iter().find(|one| !MIGRATIONS.version_exists(one.version)) {
        return Err(StoreError::Newer { version: unknown.version });
    }
    for ours in MIGRATIONS.iter() {
        match applied.iter().find(|one| one.version == ours.version) {
            None => return Err(StoreError::Unmigrated { version: ours.version }),
            Some(one) if one.checksum != ours.checksum => {
                return Err(StoreError::OtherTables { version: ours.version });
            }
            Some(_) => {}
        }
    }
    Ok(())
}
