//! Where each wallet's records are.
//!
//! An index of records by wallet, kept by every commit, would be most of a commit's cost: its pages are as
//! many as the wallets. So the trail is written for a stretch of records at once, in the order of the
//! wallets, a row for each that has some; what is newer is found by reading the newest records.

use ledger::{Offset, Partition};
use sqlx::{PgConnection, query, query_scalar};

use super::columns::{ENTRY, ENTRY_OF_RECORD, RECORD, from_rows};
use super::encode::escape;
use crate::rows::{EntryRow, RecordKind, RecordRow};
use crate::{EntryFilter, UsageFilter};

/// How many of a wallet's records are looked at together, at least and at most.
const FEW: u32 = 64;
const MANY: u32 = 4096;

/// Extends the trail from `trailed` to `next`, if it ends there and the epoch is the head's.
pub(super) async fn extend(
    connection: &mut PgConnection,
    partition: Partition,
    epoch: i64,
    trailed: i64,
    next: i64,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "with fence as (update head set trailed = $1 where partition = $2 and epoch = $3 and trailed = $4 \
         returning 1) \
         insert into trail (wallet, since, offsets) \
         select wallet, $4, array_agg(\"offset\" order by \"offset\") from record_{partition}, fence \
         where \"offset\" >= $4 and \"offset\" < $1 and wallet is not null group by wallet order by wallet",
        partition = partition.0
    );
    query(&sql)
        .bind(next)
        .bind(partition.0.cast_signed())
        .bind(epoch)
        .bind(trailed)
        .execute(connection)
        .await?;
    Ok(())
}

/// The offsets of a wallet's records from `from` on, with its partition; none of an unknown wallet.
async fn places(
    connection: &mut PgConnection,
    partition: i32,
    wallet: i64,
    from: i64,
    limit: u32,
) -> Result<Vec<i64>, sqlx::Error> {
    // The stretch that `from` is in began at most that many records before it, or as many as one batch has
    // more.
    let sql = format!(
        "select place from (\
         (select place from trail, unnest(offsets) as place where wallet = $1 and since >= \
         coalesce((select max(since) from trail where wallet = $1 and since <= $2), 0) and place >= $2 \
         order by since, place limit $3) \
         union all \
         (select \"offset\" from record_{partition} where wallet = $1 and \"offset\" >= \
         greatest($2, (select trailed from head where partition = $4)) order by \"offset\" limit $3)) as found \
         order by place limit $3"
    );
    query_scalar(&sql)
        .bind(wallet)
        .bind(from)
        .bind(i64::from(limit))
        .bind(partition)
        .fetch_all(connection)
        .await
}

/// A wallet's entries.
pub(super) async fn entries(
    connection: &mut PgConnection,
    filter: &EntryFilter,
) -> Result<Vec<EntryRow>, sqlx::Error> {
    let Some(partition) = partition_of(connection, filter.wallet).await? else { return Ok(Vec::new()) };
    let (mut from, line) =
        filter.after.map_or((0, -1), |(offset, line)| (offset.0.cast_signed(), line.cast_signed()));
    let after = (from, line);
    // The conditions stand in both halves, so that each finds its rows by their key.
    let rule = "\"offset\" = any($1) and wallet = $2 and (\"offset\" > $3 or line > $4) \
         and ($5::text is null or unit = $5) and ($6::int2 is null or kind = $6) \
         and ($7::text is null or lot = $7 or other_lot = $7) and ($8::text is null or feature = $8) \
         and ($9::int8 is null or effective_at >= $9) and ($10::int8 is null or effective_at < $10)";
    let sql = format!(
        "select * from (select {ENTRY_OF_RECORD} from record_{partition} where entry is not null \
         and \"offset\" = any($1) union all select {ENTRY} from entry_{partition} where \"offset\" = any($1)) as e \
         where {rule} order by \"offset\", line limit $11"
    );
    let (mut found, mut page) = (Vec::new(), filter.limit.clamp(FEW, MANY));
    while found.len() < filter.limit as usize {
        let places = places(connection, partition, filter.wallet, from, page).await?;
        let Some(last) = places.last() else { break };
        from = last + 1;
        let is_end = places.len() < page as usize;
        let rows = query(&sql)
            .bind(places)
            .bind(filter.wallet)
            .bind(after.0)
            .bind(after.1)
            .bind(filter.unit.as_deref().map(escape))
            .bind(filter.kind.map(i16::from))
            .bind(filter.lot.as_deref().map(escape))
            .bind(filter.feature.as_deref().map(escape))
            .bind(filter.from)
            .bind(filter.to)
            .bind(i64::from(filter.limit) - found.len() as i64)
            .fetch_all(&mut *connection)
            .await?;
        found.extend(from_rows::<EntryRow>(&rows)?);
        if is_end {
            break;
        }
        page = (page * 2).min(MANY);
    }
    Ok(found)
}

/// A wallet's usage.
pub(super) async fn usage(
    connection: &mut PgConnection,
    filter: &UsageFilter,
) -> Result<Vec<RecordRow>, sqlx::Error> {
    let Some(partition) = partition_of(connection, filter.wallet).await? else { return Ok(Vec::new()) };
    let sql = format!(
        "select {RECORD} from record_{partition} where \"offset\" = any($1) and wallet = $2 and kind in ($3, $9) \
         and ($4::text is null or feature = $4) and ($5::text is null or subject = $5) \
         and ($6::int8 is null or at >= $6) and ($7::int8 is null or at < $7) order by \"offset\" limit $8"
    );
    let mut from = first_after(filter.after);
    let (mut found, mut page) = (Vec::new(), filter.limit.clamp(FEW, MANY));
    while found.len() < filter.limit as usize {
        let places = places(connection, partition, filter.wallet, from, page).await?;
        let Some(last) = places.last() else { break };
        from = last + 1;
        let is_end = places.len() < page as usize;
        let rows = query(&sql)
            .bind(places)
            .bind(filter.wallet)
            .bind(i16::from(RecordKind::Usage.code()))
            .bind(filter.feature.as_deref().map(escape))
            .bind(filter.subject.as_deref().map(escape))
            .bind(filter.from)
            .bind(filter.to)
            .bind(i64::from(filter.limit) - found.len() as i64)
            .bind(i16::from(RecordKind::Settlement.code()))
            .fetch_all(&mut *connection)
            .await?;
        found.extend(from_rows::<RecordRow>(&rows)?);
        if is_end {
            break;
        }
        page = (page * 2).min(MANY);
    }
    Ok(found)
}

/// The offsets of a wallet's records.
pub(super) async fn offsets(
    connection: &mut PgConnection,
    wallet: i64,
    after: Option<Offset>,
    limit: u32,
) -> Result<Vec<Offset>, sqlx::Error> {
    let Some(partition) = partition_of(connection, wallet).await? else { return Ok(Vec::new()) };
    let places = places(connection, partition, wallet, first_after(after), limit).await?;
    Ok(places.into_iter().map(|offset| Offset(offset.cast_unsigned())).collect())
}

fn first_after(after: Option<Offset>) -> i64 {
    after.map_or(0, |offset| offset.0.cast_signed() + 1)
}

async fn partition_of(connection: &mut PgConnection, wallet: i64) -> Result<Option<i32>, sqlx::Error> {
    query_scalar("select partition from wallet where no = $1").bind(wallet).fetch_optional(connection).await
}
