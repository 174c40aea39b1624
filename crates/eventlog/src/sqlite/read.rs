//! Reading a partition's rows.

use ledger::{Offset, Partition};
use mutants::{Mutant, is_on};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::segment;
use crate::{LogError, Stretch};

/// How many rows one query brings: enough that the queries cost nothing, few enough to stay in memory.
const PAGE: usize = 64;

pub(super) async fn end(connection: &mut SqliteConnection, partition: Partition) -> Result<Offset, LogError> {
    let end: Option<i64> = sqlx::query_scalar(
        "select first + count from segment where partition = ? order by first desc limit 1",
    )
    .bind(partition.0)
    .fetch_optional(connection)
    .await
    .map_err(|error| LogError::of_read(error, partition, Offset(0)))?;
    Ok(offset(end.unwrap_or(0)))
}

pub(super) async fn read(
    connection: &mut SqliteConnection,
    partition: Partition,
    from: Offset,
    limit: usize,
) -> Result<Stretch, LogError> {
    let end = end(connection, partition).await?;
    if from > end {
        return Err(LogError::BeyondEnd { partition, from, end });
    }
    let mut stretch = Stretch::new(from);
    if from == end || limit == 0 {
        return Ok(stretch);
    }

    let until = Offset(from.0.saturating_add(limit as u64));
    let mut next = row_holding(connection, partition, from).await?;
    loop {
        let rows = page(connection, partition, next, until).await?;
        for row in &rows {
            next = take(row, partition, next, &mut stretch)?;
            if stretch.is_enough(limit) {
                stretch.truncate(limit);
                return Ok(stretch);
            }
        }
        if rows.len() < PAGE {
            return Ok(stretch);
        }
    }
}

/// The first offset of the row that holds `from`, if any does.
async fn row_holding(
    connection: &mut SqliteConnection,
    partition: Partition,
    from: Offset,
) -> Result<Offset, LogError> {
    let first: Option<i64> = sqlx::query_scalar(
        "select first from segment where partition = ? and first <= ? order by first desc limit 1",
    )
    .bind(partition.0)
    .bind(integer(from))
    .fetch_optional(connection)
    .await
    .map_err(|error| LogError::of_read(error, partition, from))?;
    first.map(offset).ok_or(LogError::Hole { partition, at: Offset(0) })
}

/// The rows that begin at `from` or later and before `until`, in order, at most [`PAGE`].
async fn page(
    connection: &mut SqliteConnection,
    partition: Partition,
    from: Offset,
    until: Offset,
) -> Result<Vec<SqliteRow>, LogError> {
    sqlx::query(
        "select first, count, records from segment
         where partition = ? and first >= ? and first < ? order by first limit ?",
    )
    .bind(partition.0)
    .bind(integer(from))
    .bind(integer(until))
    .bind(PAGE as i64)
    .fetch_all(connection)
    .await
    .map_err(|error| LogError::of_read(error, partition, from))
}

/// Adds a row's records to the stretch, from where the stretch ends on; answers where the next row begins.
fn take(
    row: &SqliteRow,
    partition: Partition,
    at: Offset,
    stretch: &mut Stretch,
) -> Result<Offset, LogError> {
    let corrupt = |_| LogError::Corrupt { partition, at };
    let first = offset(row.try_get(0).map_err(corrupt)?);
    let count = usize::try_from(row.try_get::<i64, _>(1).map_err(corrupt)?)
        .map_err(|_| LogError::Corrupt { partition, at })?;
    let stored: &[u8] = row.try_get(2).map_err(corrupt)?;

    if first != at && !is_on(Mutant::HoleIgnored) {
        return Err(LogError::Hole { partition, at });
    }
    let skip = usize::try_from(stretch.next().0.saturating_sub(first.0)).unwrap_or(usize::MAX);
    if skip >= count {
        return Err(LogError::Hole { partition, at: first.plus(count) });
    }
    segment::decode(stored, count, skip, stretch).ok_or(LogError::Corrupt { partition, at })?;
    Ok(first.plus(count))
}

/// An offset as SQLite stores it; what is beyond its integers is beyond the end of any log too.
fn integer(offset: Offset) -> i64 {
    i64::try_from(offset.0).unwrap_or(i64::MAX)
}

/// An offset that SQLite stored.
pub(super) fn offset(stored: i64) -> Offset {
    Offset(u64::try_from(stored).unwrap_or(0))
}
