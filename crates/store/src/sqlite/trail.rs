//! Where each wallet's records are.
//!
//! An index of records by wallet, kept by every commit, would be most of a commit's cost: its pages are as
//! many as the wallets. So the trail is written for [`STRETCH`] records at once, in the order of the wallets;
//! what is newer is found by reading the newest records.

use ledger::{Offset, Partition};
use sqlx::{SqliteConnection, query, query_scalar};

use super::columns::{ENTRY, RECORD, from_rows};
use crate::rows::{EntryRow, RecordKind, RecordRow};
use crate::{EntryFilter, UsageFilter};

/// How many records the trail may lag behind.
const STRETCH: i64 = 1 << 16;

/// Extends the trail from `trailed` to `next` if that is long enough.
pub(super) async fn extend(
    connection: &mut SqliteConnection,
    partition: Partition,
    trailed: i64,
    next: Offset,
) -> Result<(), sqlx::Error> {
    let next = next.0.cast_signed();
    if next - trailed < STRETCH {
        return Ok(());
    }
    query(
        "insert into trail (wallet, offset) select wallet, offset from record \
         where partition = ? and offset >= ? and offset < ? and wallet is not null order by wallet, offset",
    )
    .bind(partition.0)
    .bind(trailed)
    .bind(next)
    .execute(&mut *connection)
    .await?;
    query("update head set trailed = ? where partition = ?")
        .bind(next)
        .bind(partition.0)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Where to look for the records of wallet ?2 in partition ?1 from offset ?3 on: on the trail, then beyond
/// its end. Both give them by offset.
const PLACES: [&str; 2] = [
    "(select offset as place from trail where wallet = ?2 and offset >= ?3)",
    "(select offset as place from record where partition = ?1 and wallet = ?2 \
     and offset >= max(?3, (select trailed from head where partition = ?1)))",
];

/// A wallet's entries.
pub(super) async fn entries(
    connection: &mut SqliteConnection,
    filter: &EntryFilter,
) -> Result<Vec<EntryRow>, sqlx::Error> {
    let Some(partition) = partition_of(connection, filter.wallet).await? else { return Ok(Vec::new()) };
    let (from, line) = filter.after.map_or((Offset(0), -1), |(offset, line)| (offset, i64::from(line)));
    let mut found = Vec::new();
    for places in PLACES {
        let sql = format!(
            "select {ENTRY} from {places} cross join entry on partition = ?1 and offset = place \
             where wallet = ?2 and (place > ?3 or line > ?4) and (?5 is null or unit = ?5) \
             and (?6 is null or kind = ?6) and (?7 is null or lot = ?7 or other_lot = ?7) \
             and (?8 is null or feature = ?8) and (?9 is null or effective_at >= ?9) \
             and (?10 is null or effective_at < ?10) order by place, line limit ?11",
        );
        let rows = query(&sql)
            .bind(partition)
            .bind(filter.wallet)
            .bind(from.0.cast_signed())
            .bind(line)
            .bind(filter.unit.as_deref())
            .bind(filter.kind)
            .bind(filter.lot.as_deref())
            .bind(filter.feature.as_deref())
            .bind(filter.from)
            .bind(filter.to)
            .bind(filter.limit.saturating_sub(found.len() as u32))
            .fetch_all(&mut *connection)
            .await?;
        found.extend(from_rows(&rows)?);
    }
    Ok(found)
}

/// A wallet's usage.
pub(super) async fn usage(
    connection: &mut SqliteConnection,
    filter: &UsageFilter,
) -> Result<Vec<RecordRow>, sqlx::Error> {
    let Some(partition) = partition_of(connection, filter.wallet).await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for places in PLACES {
        let sql = format!(
            "select {RECORD} from {places} cross join record on partition = ?1 and offset = place \
             where wallet = ?2 and kind in (?4, ?10) and (?5 is null or feature = ?5) \
             and (?6 is null or subject = ?6) and (?7 is null or at >= ?7) \
             and (?8 is null or at < ?8) order by place limit ?9",
        );
        let rows = query(&sql)
            .bind(partition)
            .bind(filter.wallet)
            .bind(first_after(filter.after))
            .bind(RecordKind::Usage.code())
            .bind(filter.feature.as_deref())
            .bind(filter.subject.as_deref())
            .bind(filter.from)
            .bind(filter.to)
            .bind(filter.limit.saturating_sub(found.len() as u32))
            .bind(RecordKind::Settlement.code())
            .fetch_all(&mut *connection)
            .await?;
        found.extend(from_rows(&rows)?);
    }
    Ok(found)
}

/// The offsets of a wallet's records.
pub(super) async fn offsets(
    connection: &mut SqliteConnection,
    wallet: i64,
    after: Option<Offset>,
    limit: u32,
) -> Result<Vec<Offset>, sqlx::Error> {
    let Some(partition) = partition_of(connection, wallet).await? else { return Ok(Vec::new()) };
    let mut found = Vec::<i64>::new();
    for places in PLACES {
        let rows = query_scalar(&format!("select place from {places} order by place limit ?4"))
            .bind(partition)
            .bind(wallet)
            .bind(first_after(after))
            .bind(limit.saturating_sub(found.len() as u32))
            .fetch_all(&mut *connection)
            .await?;
        found.extend::<Vec<i64>>(rows);
    }
    Ok(found.into_iter().map(|offset| Offset(offset.cast_unsigned())).collect())
}

fn first_after(after: Option<Offset>) -> i64 {
    after.map_or(0, |offset| offset.0.cast_signed() + 1)
}

async fn partition_of(connection: &mut SqliteConnection, wallet: i64) -> Result<Option<u32>, sqlx::Error> {
    query_scalar("select partition from wallet where no = ?").bind(wallet).fetch_optional(connection).await
}
