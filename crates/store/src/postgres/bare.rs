//! What the bare database takes for the same rows: the limit beside which benchmarks put the projection.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use sqlx::{ConnectOptions, Connection, Executor, FromRow, PgConnection};

use super::failure::of_database;
use super::options;
use crate::StoreError;

/// Rows that are copied together.
const BATCH: i64 = 32_768;

/// A partition's rows as they are in a projection, ready to be copied into a table of the same columns and key, with an update of
/// the same wallets; nothing else.
pub struct Bare {
    connection: PgConnection,
    partition: i32,
    batches: Vec<Prepared>,
}

struct Prepared {
    /// Rows as the binary copy has them.
    rows: Vec<u8>,
    wallets: Vec<Wallet>,
}

#[derive(FromRow)]
struct Wallet {
    no: i64,
    as_of: i64,
    clock: i64,
    next_due_at: Option<i64>,
    digest: Vec<u8>,
    doc: String,
}

impl Bare {
    /// Reads the rows of a partition, and makes empty tables for them.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn prepare(url: &str, schema: &str, partition: u32) -> Result<Self, StoreError> {
        let options = options(url, schema)?.options([("synchronous_commit", "off")]);
        let mut connection = options.connect().await.map_err(of_database)?;
        let partition = partition.cast_signed();
        let make = format!(
            "drop table if exists bare_{partition}, bare_wallet_{partition}; \
             create table bare_{partition} (like record); \
             alter table bare_{partition} add primary key (partition, \"offset\"); \
             create table bare_wallet_{partition} (like wallet including indexes) with (fillfactor = 60); \
             insert into bare_wallet_{partition} select * from wallet where partition = {partition}"
        );
        connection.execute(make.as_str()).await.map_err(of_database)?;
        let end: i64 = sqlx::query_scalar("select next from head where partition = $1")
            .bind(partition)
            .fetch_one(&mut connection)
            .await
            .map_err(of_database)?;
        let mut bare = Self { connection, partition, batches: Vec::new() };
        for from in (0..end).step_by(usize::try_from(BATCH).expect("thousands")) {
            let prepared = bare.read(from, from + BATCH).await.map_err(of_database)?;
            bare.batches.push(prepared);
        }
        Ok(bare)
    }

    async fn read(&mut self, from: i64, to: i64) -> sqlx::Result<Prepared> {
        let partition = self.partition;
        let some = format!(
            "from record where partition = {partition} and \"offset\" >= {from} and \"offset\" < {to}"
        );
        let mut rows = Vec::new();
        let mut copied = self
            .connection
            .copy_out_raw(&format!("copy (select * {some}) to stdout (format binary)"))
            .await?;
        while let Some(part) = poll_fn(|context| Pin::new(&mut copied).poll_next(context)).await {
            rows.extend_from_slice(&part?);
        }
        drop(copied);
        let touched = format!(
            "select no, as_of, clock, next_due_at, digest, doc from wallet where no in (select wallet {some}) order by no"
        );
        let wallets = sqlx::query_as(&touched).fetch_all(&mut self.connection).await?;
        Ok(Prepared { rows, wallets })
    }

    /// Copies the rows and updates the wallets, each batch in a transaction.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn run(&mut self) -> Result<(), StoreError> {
        for prepared in &self.batches {
            copy(&mut self.connection, self.partition, prepared).await.map_err(of_database)?;
        }
        Ok(())
    }

    /// Drops the tables.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn drop(mut self) -> Result<(), StoreError> {
        let partition = self.partition;
        let gone = format!("drop table bare_{partition}, bare_wallet_{partition}");
        self.connection.execute(gone.as_str()).await.map_err(of_database)?;
        self.connection.close().await.map_err(of_database)
    }
}

async fn copy(connection: &mut PgConnection, partition: i32, prepared: &Prepared) -> sqlx::Result<()> {
    connection.execute("begin").await?;
    let mut copy =
        connection.copy_in_raw(&format!("copy bare_{partition} from stdin (format binary)")).await?;
    copy.send(prepared.rows.as_slice()).await?;
    copy.finish().await?;
    let update = format!(
        "update bare_wallet_{partition} w set as_of = t.as_of, clock = t.clock, next_due_at = t.next_due_at, \
         digest = t.digest, doc = t.doc from unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::bytea[], \
         $6::text[]) as t (no, as_of, clock, next_due_at, digest, doc) where w.no = t.no"
    );
    let wallets = &prepared.wallets;
    sqlx::query(&update)
        .bind(wallets.iter().map(|w| w.no).collect::<Vec<_>>())
        .bind(wallets.iter().map(|w| w.as_of).collect::<Vec<_>>())
        .bind(wallets.iter().map(|w| w.clock).collect::<Vec<_>>())
        .bind(wallets.iter().map(|w| w.next_due_at).collect::<Vec<_>>())
        .bind(wallets.iter().map(|w| w.digest.as_slice()).collect::<Vec<_>>())
        .bind(wallets.iter().map(|w| w.doc.as_str()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    connection.execute("commit").await?;
    Ok(())
}
