//! Who folds which partition, on the clock of the file's machine.

use ledger::Partition;
use sqlx::{SqliteConnection, query, query_as, query_scalar};

use super::SqliteStore;
use super::commit::raise_epoch;
use crate::rows::Head;
use crate::{Fleet, Lease, StoreError};

/// Milliseconds since 1970.
pub(super) const NOW: &str = "cast((julianday('now') - 2440587.5) * 86400000 as integer)";

impl SqliteStore {
    /// Registers a node and renews its leases; says who is there and who has what.
    pub(super) async fn renew(&self, node: &str, ttl_ms: u32) -> Result<Fleet, StoreError> {
        let mut writer = self.writer.lock().await;
        let connection = writer.begin().await?;
        let renewed = async {
            let now: i64 = query_scalar(&format!("select {NOW}")).fetch_one(&mut *connection).await?;
            let until = now + i64::from(ttl_ms);
            query("insert into node (node, until) values (?, ?) on conflict do update set until = excluded.until")
                .bind(node)
                .bind(until)
                .execute(&mut *connection)
                .await?;
            let keep = query("update lease set until = ? where owner = ?").bind(until).bind(node);
            keep.execute(&mut *connection).await?;
            fleet(connection, now).await
        };
        let renewed = renewed.await;
        writer.end(renewed).await
    }

    /// Who is there and who has what.
    pub(super) async fn look(&self) -> Result<Fleet, StoreError> {
        let mut connection = self.reader().await?;
        let now: i64 = query_scalar(&format!("select {NOW}")).fetch_one(&mut *connection).await?;
        fleet(&mut connection, now).await
    }

    /// Takes a partition, unless another's lease of it lives.
    pub(super) async fn take_if_free(
        &self,
        node: &str,
        partition: Partition,
        log: &str,
        ttl_ms: u32,
    ) -> Result<Option<Head>, StoreError> {
        let mut writer = self.writer.lock().await;
        let connection = writer.begin().await?;
        let sql = format!(
            "insert into lease (partition, owner, until) values (?1, ?2, {NOW} + ?3) \
             on conflict do update set owner = excluded.owner, until = excluded.until \
             where owner = ?2 or until <= {NOW}"
        );
        let taken = async {
            // Another log is said to be one, whoever holds the partition.
            let found: Option<String> = query_scalar("select log from head where partition = ?")
                .bind(partition.0)
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(found) = found.filter(|found| found != log) {
                return Err(StoreError::OtherLog { partition, found, asked: log.to_owned() });
            }
            let statement = query(&sql).bind(partition.0).bind(node).bind(ttl_ms);
            if statement.execute(&mut *connection).await?.rows_affected() == 0 {
                return Ok(None);
            }
            raise_epoch(connection, partition, log).await.map(Some)
        };
        let taken = taken.await;
        writer.end(taken).await
    }

    pub(super) async fn give_up(&self, node: &str, partition: Partition) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let statement =
            query("delete from lease where owner = ? and partition = ?").bind(node).bind(partition.0);
        let done = statement.execute(writer.begin().await?).await;
        writer.end(done.map(drop).map_err(StoreError::from)).await
    }

    pub(super) async fn give_up_all(&self, node: &str) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let connection = writer.begin().await?;
        let done = async {
            query("delete from node where node = ?").bind(node).execute(&mut *connection).await?;
            query("delete from lease where owner = ?").bind(node).execute(&mut *connection).await?;
            Ok(())
        };
        let done = done.await;
        writer.end(done).await
    }
}

async fn fleet(connection: &mut SqliteConnection, now: i64) -> Result<Fleet, StoreError> {
    let nodes = query_scalar("select node from node where until > ? order by node");
    let nodes: Vec<String> = nodes.bind(now).fetch_all(&mut *connection).await?;
    let leases: Vec<(u32, String, i64, i64)> = query_as(
        "select lease.partition, owner, epoch, max(0, until - ?) from lease \
         join head on head.partition = lease.partition order by lease.partition",
    )
    .bind(now)
    .fetch_all(&mut *connection)
    .await?;
    let lease = |(partition, owner, epoch, lives_ms): (u32, String, i64, i64)| Lease {
        partition: Partition(partition),
        owner,
        epoch,
        lives_ms: lives_ms.cast_unsigned(),
    };
    Ok(Fleet { nodes, leases: leases.into_iter().map(lease).collect() })
}
