//! Appending rows in one transaction.

use std::collections::BTreeMap;

use ledger::{Offset, Partition};
use sqlx::{Row as _, SqliteConnection};

use super::read::offset;
use super::segment::Segment;
use crate::{Appending, LogError};

/// How many rows one statement inserts at most: each number of rows is a statement that SQLite keeps prepared.
const STATEMENT: usize = 64;

/// A run of one partition's records on its way to the end of the partition.
pub(super) struct Row {
    partition: Partition,
    count: usize,
    records: Vec<u8>,
}

/// Packs records into rows, each partition's in the order given.
pub(super) fn rows<'a>(records: impl Iterator<Item = &'a Appending>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut open: BTreeMap<Partition, Segment> = BTreeMap::new();
    let close =
        |partition, segment: Segment| Row { partition, count: segment.len(), records: segment.encode() };
    for Appending { partition, bytes } in records {
        let segment = open.entry(*partition).or_default();
        segment.push(bytes);
        if segment.is_full() {
            rows.push(close(*partition, std::mem::take(segment)));
        }
    }
    let rest = open.into_iter().filter(|(_, segment)| !segment.is_empty());
    rows.extend(rest.map(|(partition, segment)| close(partition, segment)));
    rows
}

/// Appends the rows, all or none, and answers the first offset that each partition's rows got.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    rows: Vec<Row>,
) -> Result<BTreeMap<Partition, Offset>, LogError> {
    let mut firsts = BTreeMap::new();
    let appended = if rows.len() <= STATEMENT {
        // A statement alone is a transaction of its own, for one trip to SQLite's thread instead of three.
        insert(connection, rows, &mut firsts).await
    } else {
        insert_many(connection, rows, &mut firsts).await
    };
    appended.map_err(LogError::of_commit)?;
    Ok(firsts)
}

async fn insert_many(
    connection: &mut SqliteConnection,
    mut rows: Vec<Row>,
    firsts: &mut BTreeMap<Partition, Offset>,
) -> Result<(), sqlx::Error> {
    sqlx::query("begin immediate").execute(&mut *connection).await?;
    let inserted = async {
        while !rows.is_empty() {
            let later = rows.split_off(rows.len().min(STATEMENT));
            insert(connection, rows, firsts).await?;
            rows = later;
        }
        sqlx::query("commit").execute(&mut *connection).await
    };
    let inserted = inserted.await;
    if inserted.is_err() {
        // This fails only where SQLite has rolled back by itself.
        let _ = sqlx::query("rollback").execute(connection).await;
    }
    inserted.map(|_| ())
}

/// Inserts the rows behind what each partition has, which this same statement finds out: other processes append too.
async fn insert(
    connection: &mut SqliteConnection,
    rows: Vec<Row>,
    firsts: &mut BTreeMap<Partition, Offset>,
) -> Result<(), sqlx::Error> {
    let statement = format!(
        "insert into segment (partition, first, count, records)
         select column1, column2 + (
             select first + count from segment where partition = column1 order by first desc limit 1
         ), column3, column4
         from (values {}) returning partition, first",
        vec!["(?, ?, ?, ?)"; rows.len()].join(", ")
    );
    let mut query = sqlx::query(&statement);
    let mut before: BTreeMap<Partition, usize> = BTreeMap::new();
    for Row { partition, count, records } in rows {
        let before = before.entry(partition).or_default();
        query = query.bind(partition.0).bind(*before as i64).bind(count as i64).bind(records);
        *before += count;
    }
    // All answers are taken, because the statement commits after the last of them.
    for row in query.fetch_all(connection).await? {
        let (partition, first) = (Partition(row.try_get(0)?), offset(row.try_get(1)?));
        let known = firsts.entry(partition).or_insert(first);
        *known = first.min(*known);
    }
    Ok(())
}
