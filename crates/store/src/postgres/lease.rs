//! Who folds which partition, on the database's clock.

use ledger::Partition;
use sqlx::{FromRow, PgConnection, query};

use super::PostgresStore;
use super::columns::HEAD;
use super::commit::LOCK;
use super::failure::of_database;
use crate::rows::Head;
use crate::{Fleet, Lease, StoreError};

/// A head at offset 0, of which the parameters $1 and $2 are partition and log. Its epoch is the time in microseconds, so that a
/// database which was restored from an older dump gives no epoch out that it gave out before.
const NEW_HEAD: &str = "$1, $2, 0, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), \
    decode(repeat('00', 32), 'hex'), (extract(epoch from clock_timestamp()) * 1000000)::int8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0";
/// An epoch above the one before it, whatever the clock says.
const RAISED: &str = "epoch = greatest(head.epoch + 1, excluded.epoch)";

impl PostgresStore {
    /// Takes a partition from whoever has it.
    pub(super) async fn take(&self, partition: Partition, log: &str) -> Result<Head, StoreError> {
        let sql = format!(
            "with freed as (delete from lease where partition = $1 \
             and not exists (select from head where partition = $1 and log <> $2)) \
             insert into head ({HEAD}) values ({NEW_HEAD}) \
             on conflict (partition) do update set {RAISED} where head.log = $2 returning {HEAD}"
        );
        let mut connection = self.pool.acquire().await.map_err(of_database)?;
        let row =
            query(&sql).bind(partition.0.cast_signed()).bind(log).fetch_optional(&mut *connection).await;
        match row.map_err(of_database)? {
            Some(row) => settle(&mut connection, Head::from_row(&row).map_err(of_database)?).await,
            None => Err(self.other_log(&mut connection, partition, log).await?),
        }
    }

    /// Takes a partition, unless another's lease of it lives.
    pub(super) async fn take_if_free(
        &self,
        node: &str,
        partition: Partition,
        log: &str,
        ttl_ms: u32,
    ) -> Result<Option<Head>, StoreError> {
        let sql = format!(
            "with taken as (insert into lease (partition, owner, until) \
             select $1, $3, clock_timestamp() + $4 * interval '1 millisecond' \
             where not exists (select from head where partition = $1 and log <> $2) \
             on conflict (partition) do update set owner = excluded.owner, until = excluded.until \
             where lease.owner = $3 or lease.until <= clock_timestamp() returning 1) \
             insert into head ({HEAD}) select {NEW_HEAD} from taken \
             on conflict (partition) do update set {RAISED} returning {HEAD}"
        );
        let mut connection = self.pool.acquire().await.map_err(of_database)?;
        let statement =
            query(&sql).bind(partition.0.cast_signed()).bind(log).bind(node).bind(f64::from(ttl_ms));
        if let Some(row) = statement.fetch_optional(&mut *connection).await.map_err(of_database)? {
            return settle(&mut connection, Head::from_row(&row).map_err(of_database)?).await.map(Some);
        }
        let found = log_of(&mut connection, partition).await?;
        match found {
            Some(found) if found != log => {
                Err(StoreError::OtherLog { partition, found, asked: log.to_owned() })
            }
            Some(_) | None => Ok(None),
        }
    }

    async fn other_log(
        &self,
        connection: &mut PgConnection,
        partition: Partition,
        asked: &str,
    ) -> Result<StoreError, StoreError> {
        let found = log_of(connection, partition).await?.unwrap_or_default();
        Ok(StoreError::OtherLog { partition, found, asked: asked.to_owned() })
    }

    /// Registers a node and renews its leases; says who is there and who has what.
    pub(super) async fn renew(&self, node: &str, ttl_ms: u32) -> Result<Fleet, StoreError> {
        let sql = "with beat as (insert into node (node, until) \
             values ($1, clock_timestamp() + $2 * interval '1 millisecond') \
             on conflict (node) do update set until = excluded.until), \
             kept as (update lease set until = clock_timestamp() + $2 * interval '1 millisecond' \
             where owner = $1 returning partition, owner, until), \
             held as (select partition, owner, until from kept \
             union all select partition, owner, until from lease where owner <> $1) \
             select null::int4, node, null::int8, null::int8 from node where until > clock_timestamp() and node <> $1 \
             union all select null, $1, null, null \
             union all select h.partition, h.owner, head.epoch, \
             greatest(0, ceil(extract(epoch from h.until - clock_timestamp()) * 1000))::int8 \
             from held h join head on head.partition = h.partition";
        fleet(sqlx::query_as(sql).bind(node).bind(f64::from(ttl_ms)).fetch_all(&self.pool).await)
    }

    /// Who is there and who has what.
    pub(super) async fn look(&self) -> Result<Fleet, StoreError> {
        let sql = "select null::int4, node, null::int8, null::int8 from node where until > clock_timestamp() \
             union all select h.partition, h.owner, head.epoch, \
             greatest(0, ceil(extract(epoch from h.until - clock_timestamp()) * 1000))::int8 \
             from lease h join head on head.partition = h.partition";
        fleet(sqlx::query_as(sql).fetch_all(&self.pool).await)
    }

    pub(super) async fn give_up(&self, node: &str, partition: Partition) -> Result<(), StoreError> {
        let sql = "delete from lease where owner = $1 and partition = $2";
        let statement = query(sql).bind(node).bind(partition.0.cast_signed());
        statement.execute(&self.pool).await.map_err(of_database)?;
        Ok(())
    }

    pub(super) async fn give_up_all(&self, node: &str) -> Result<(), StoreError> {
        let sql = "with gone as (delete from node where node = $1) delete from lease where owner = $1";
        query(sql).bind(node).execute(&self.pool).await.map_err(of_database)?;
        Ok(())
    }
}

/// A lease's partition, owner, epoch and milliseconds; or a node alone.
type Member = (Option<i32>, String, Option<i64>, Option<i64>);

fn fleet(rows: sqlx::Result<Vec<Member>>) -> Result<Fleet, StoreError> {
    let mut fleet = Fleet::default();
    for row in rows.map_err(of_database)? {
        if let (Some(partition), owner, Some(epoch), Some(lives_ms)) = row {
            let (partition, lives_ms) = (Partition(partition.cast_unsigned()), lives_ms.cast_unsigned());
            fleet.leases.push(Lease { partition, owner, epoch, lives_ms });
        } else {
            fleet.nodes.push(row.1);
        }
    }
    fleet.nodes.sort();
    fleet.leases.sort_by_key(|lease| lease.partition.0);
    Ok(fleet)
}

async fn log_of(connection: &mut PgConnection, partition: Partition) -> Result<Option<String>, StoreError> {
    let sql = "select log from head where partition = $1";
    let statement = sqlx::query_scalar(sql).bind(partition.0.cast_signed());
    statement.fetch_optional(connection).await.map_err(of_database)
}

/// What a partition needs before its new holder commits: places for its rows, and nobody who is stuck in a
/// copy and keeps the keys of rows to himself.
async fn settle(connection: &mut PgConnection, head: Head) -> Result<Head, StoreError> {
    let partition = head.partition.0.cast_signed();
    let open = query("select open_partition($1)").bind(partition);
    open.execute(&mut *connection).await.map_err(of_database)?;
    // Only a user's own backends: others have the limit for silence within a transaction.
    let end = format!(
        "select pg_terminate_backend(a.pid, 1000) from pg_locks l join pg_stat_activity a on a.pid = l.pid \
         where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and a.datname = current_database() \
         and a.usename = current_user and l.classid::int8 = ({LOCK})::int8 & 4294967295 and l.objid::int8 = $1"
    );
    query(&end).bind(i64::from(partition)).execute(connection).await.map_err(of_database)?;
    Ok(head)
}
