//! A batch, behind its fence.
//!
//! A small one is one statement: a client that is frozen in the middle of it holds nothing. A large one is
//! copied straight into place within a transaction, whose fence and commit go in one message.

use std::fmt::Write;
use std::io::ErrorKind;
use std::time::Duration;

use ledger::Partition;
use sqlx::{ConnectOptions, Executor, PgConnection, query, query_scalar};

use super::batch::{keeps_to_its_stretch, write_log, write_rest};
use super::failure::{Failure, of_database};
use super::rows::Rows;
use super::tidy::{self, PART, STRETCH};
use super::{PostgresStore, WRITE_LIMIT, Writer};
use crate::fence::fence;
use crate::rows::{Batch, Head};
use crate::{Store, StoreError};

/// From how many records on a batch is copied.
const LARGE: usize = 2_000;
/// How often a commit is sent before it is given up, and how long to wait before each.
const PAUSES_MS: [u64; 6] = [0, 20, 100, 300, 1_000, 3_000];

impl PostgresStore {
    /// Writes a batch. Where it cannot be told whether that happened, sends it again: the fence or the head
    /// says.
    pub(super) async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let fenced = || StoreError::Fenced { partition: batch.partition, from: batch.from };
        if !keeps_to_its_stretch(batch) {
            return Err(fenced());
        }
        let writer = self.writer(batch.partition.0).await;
        let mut writer = writer.lock().await;
        let mut last = None;
        let mut unknown = false;
        for pause in PAUSES_MS {
            if pause > 0 {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            // A line that is silent is as good as cut.
            let sent = tokio::time::timeout(2 * WRITE_LIMIT, self.send(&mut writer, batch)).await;
            match sent.unwrap_or_else(|_| Err(Failure::Unknown(sqlx::Error::Io(ErrorKind::TimedOut.into()))))
            {
                Ok(()) => return Ok(()),
                Err(Failure::Fenced) if unknown => match self.is_done(batch).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => return Err(fenced()),
                    Err(StoreError::Unreachable(error)) => last = Some(error),
                    Err(error) => return Err(error),
                },
                Err(Failure::Fenced) => return Err(fenced()),
                Err(Failure::Failed(error)) => return Err(error),
                Err(Failure::Again(error)) => last = Some(error),
                Err(Failure::Unknown(error)) => {
                    unknown = true;
                    last = Some(error);
                }
            }
        }
        let error = last.expect("each attempt but a successful one leaves an error");
        Err(if unknown { StoreError::Unknown(error) } else { of_database(error) })
    }

    /// Whether the head stands where this very batch has brought it.
    async fn is_done(&self, batch: &Batch) -> Result<bool, StoreError> {
        let ours = Head { epoch: batch.epoch, ..batch.head.clone() };
        Ok(self.head(batch.partition).await?.is_some_and(|head| head == ours))
    }

    async fn send(&self, writer: &mut Writer, batch: &Batch) -> Result<(), Failure> {
        // Whoever drops this future drops the connection with it, and the database ends what was begun.
        let mut connection = match writer.connection.take() {
            Some(connection) => connection,
            None => self.to_write.connect().await.map_err(Failure::before)?,
        };
        if writer.untidy {
            // Nothing of the batch was sent; what is found changed is looked at again.
            tidy::tidy(&mut connection, batch.partition, batch.epoch).await.map_err(Failure::Again)?;
            writer.untidy = false;
        }
        let is_large = batch.records.len() + batch.entries.len() >= LARGE;
        let sent =
            if is_large { copy(&mut connection, batch).await } else { state(&mut connection, batch).await };
        // One statement that was refused leaves the connection as good as before; a transaction is open
        // still.
        let is_good = match &sent {
            Ok(_) => true,
            Err(Failure::Fenced | Failure::Failed(_)) => !is_large,
            Err(Failure::Again(_) | Failure::Unknown(_)) => false,
        };
        if is_good {
            writer.connection = Some(connection);
        }
        writer.untidy = sent? || !batch.filters.is_empty();
        Ok(())
    }
}

impl Failure {
    /// An error before anything was sent that could commit.
    fn before(error: sqlx::Error) -> Self {
        match Self::from(error) {
            Self::Unknown(error) => Self::Again(error),
            other @ (Self::Fenced | Self::Again(_) | Self::Failed(_)) => other,
        }
    }
}

/// Everything in one statement. Answers whether there is something to tidy up.
async fn state(connection: &mut PgConnection, batch: &Batch) -> Result<bool, Failure> {
    let mut all = Vec::from(write_log(batch, Rows::in_arrays));
    all.extend(write_rest(batch));
    all.retain(|rows| rows.count > 0);
    are_numbers(&all)?;
    let mut sql = String::from(
        "with moved as (update head set next = $1, chain = $2, last = $3, digest = $4, clock = $5, applied = $6, \
         duplicate = $7, conflict = $8, rejected = $9, quarantined = $10, timers = $11, unpriced = $12, \
         wallets = $13, fold = $14 where partition = $15 and ",
    );
    let fence = fence("$16", "$17");
    let _ = write!(sql, "{fence} returning partition, next - trailed as untrailed)");
    insert_all(&mut sql, &all, batch.partition, ", moved", 18);
    let _ = write!(
        sql,
        " select untrailed >= {STRETCH} or exists (select from id_segment s \
         where s.partition = moved.partition and open >= {PART}) from moved"
    );
    let (head, counts) = (&batch.head, &batch.head.counts);
    let mut statement = query_scalar(&sql)
        .bind(head.next.0.cast_signed())
        .bind(head.chain.as_slice())
        .bind(head.last.as_slice())
        .bind(head.digest.as_slice())
        .bind(head.clock)
        .bind(counts.applied.cast_signed())
        .bind(counts.duplicate.cast_signed())
        .bind(counts.conflict.cast_signed())
        .bind(counts.rejected.cast_signed())
        .bind(counts.quarantined.cast_signed())
        .bind(counts.timers.cast_signed())
        .bind(counts.unpriced.cast_signed())
        .bind(head.wallets.cast_signed())
        .bind(i64::from(head.fold))
        .bind(batch.partition.0.cast_signed())
        .bind(batch.epoch)
        .bind(batch.from.0.cast_signed());
    for array in all.into_iter().flat_map(Rows::arrays) {
        statement = statement.bind(array);
    }
    statement.fetch_optional(connection).await?.ok_or(Failure::Fenced)
}

/// Copies the log's rows into place, writes the rest by one statement, then moves the head and commits by
/// another. There is always something to tidy up, or soon.
async fn copy(connection: &mut PgConnection, batch: &Batch) -> Result<bool, Failure> {
    // All is ready before the transaction begins: the database bears a second of silence within it.
    let (mut log, rest) = (write_log(batch, Rows::to_copy), write_rest(batch));
    are_numbers(&log)?;
    are_numbers(&rest)?;
    // Whoever takes the partition over ends whoever holds this lock: a client that is frozen while it copies
    // is not within reach of any time limit.
    let begin = format!("begin; select pg_advisory_xact_lock_shared({LOCK}, {})", batch.partition.0);
    connection.execute(begin.as_str()).await?;
    for rows in log.iter_mut().filter(|rows| rows.count > 0) {
        let list = rows.table.list();
        let into =
            format!("copy {}_{} ({list}) from stdin (format binary)", rows.table.name, batch.partition.0);
        let mut copying = connection.copy_in_raw(&into).await?;
        for piece in rows.finish_copy().chunks(COPY_PIECE) {
            copying.send(piece).await?;
        }
        copying.finish().await?;
    }
    if !rest.is_empty() {
        let mut sql = String::from("with nothing as (select)");
        insert_all(&mut sql, &rest, batch.partition, "", 1);
        sql.push_str(" select from nothing");
        let statement = rest
            .into_iter()
            .flat_map(Rows::arrays)
            .fold(query(&sql), |statement, array| statement.bind(array));
        statement.execute(&mut *connection).await?;
    }
    connection.execute(move_head_and_commit(batch).as_str()).await?;
    Ok(true)
}

/// Of the advisory lock that a copy holds, with the partition.
pub(super) const LOCK: &str = "hashtext('drawdown ' || current_schema())";

/// What is sent at once: small enough that the database works on one piece while the next is on its way.
const COPY_PIECE: usize = 1 << 17;

/// One message of two statements: the second is not looked at if the first fails, and it fails by a division
/// by zero if no head was moved.
fn move_head_and_commit(batch: &Batch) -> String {
    let (head, counts) = (&batch.head, &batch.head.counts);
    let hex = |digest: &[u8; 32]| digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!(
        "with moved as (update head set next = {}, chain = '\\x{}', last = '\\x{}', digest = '\\x{}', clock = {}, \
         applied = {}, duplicate = {}, conflict = {}, rejected = {}, quarantined = {}, timers = {}, \
         unpriced = {}, wallets = {}, fold = {} where partition = {} and {} returning 1) \
         select 1 / count(*) from moved; commit",
        head.next.0,
        hex(&head.chain),
        hex(&head.last),
        hex(&head.digest),
        head.clock,
        counts.applied,
        counts.duplicate,
        counts.conflict,
        counts.rejected,
        counts.quarantined,
        counts.timers,
        counts.unpriced,
        head.wallets,
        head.fold,
        batch.partition.0,
        fence(batch.epoch, batch.from.0),
    )
}

/// Adds an insert of all rows to `sql`, as parts of its `with`, with parameters from `next` on. `fence`
/// follows the rows' place: what is empty when nothing may be inserted.
fn insert_all(sql: &mut String, all: &[Rows], partition: Partition, fence: &str, mut next: usize) {
    for (place, rows) in all.iter().enumerate() {
        let (table, list) = (rows.table, rows.table.list());
        let casts: Vec<String> = (next..)
            .zip(table.columns)
            .map(|(parameter, (_, kind))| format!("${parameter}::{}[]", kind.word()))
            .collect();
        next += table.columns.len();
        let of_partition = if table.is_partitioned { format!("_{}", partition.0) } else { String::new() };
        let columns =
            table.columns.iter().map(|(name, _)| format!("t.{name}")).collect::<Vec<_>>().join(", ");
        let _ = write!(
            sql,
            ", p{place} as (insert into {}{of_partition} ({list}) select {columns} from unnest({}) as t ({list}){fence} {})",
            table.name,
            casts.join(", "),
            table.conflict,
        );
    }
}

fn are_numbers(all: &[Rows]) -> Result<(), Failure> {
    match all.iter().find_map(|rows| rows.not_a_number.as_deref()) {
        Some(text) => Err(Failure::Failed(StoreError::Database(sqlx::Error::Encode(
            format!("{text:?} is no decimal number").into(),
        )))),
        None => Ok(()),
    }
}
