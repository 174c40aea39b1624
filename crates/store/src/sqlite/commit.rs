//! A batch in one immediate transaction, fenced by its first statement.

use ledger::Partition;
use sqlx::{FromRow, SqliteConnection};

use super::columns;
use super::insert::{Row, Table};
use super::lease::NOW;
use super::{SqliteStore, ids, trail};
use crate::StoreError;
use crate::fence::fence;
use crate::rows::{Batch, EntryRow, GrantRow, Head, LotRow, RecordRow, WalletRow};

static ENTRY: Table = Table::new("entry", &["partition", columns::ENTRY], "");
static RECORD: Table = Table::new("record", &["partition", columns::RECORD], "");
static WALLET: Table = Table::new(
    "wallet",
    &["partition", columns::WALLET],
    "on conflict (no) do update set as_of = excluded.as_of, clock = excluded.clock, \
     next_due_at = excluded.next_due_at, claimed = excluded.claimed, unpriced = excluded.unpriced, \
     digest = excluded.digest, doc = excluded.doc",
);
static LOT: Table = Table::new(
    "lot",
    &[columns::LOT],
    "on conflict (wallet, lot) do update set grant = excluded.grant, unit = excluded.unit, \
     origin = excluded.origin, issued = excluded.issued, remaining = excluded.remaining, \
     held = excluded.held, consumed = excluded.consumed, expired = excluded.expired, \
     voided = excluded.voided, rolled_over = excluded.rolled_over, returned = excluded.returned, \
     moved = excluded.moved, starts_at = excluded.starts_at, ends_at = excluded.ends_at, \
     priority = excluded.priority, category = excluded.category, cost = excluded.cost, \
     currency = excluded.currency",
);
static GRANT: Table = Table::new("grant", &[columns::GRANT], "");
static LEFT: Table = Table::new(
    "left",
    &[columns::LEFT],
    "on conflict do update set purchase = excluded.purchase, doc = excluded.doc",
);
static COUNTER: Table =
    Table::new("counter", &[columns::COUNTER], "on conflict do update set value = excluded.value");
static QUARANTINE: Table = Table::new("quarantine", &["partition", columns::QUARANTINE], "");
static FILTER: Table =
    Table::new("filter", &["partition", columns::FILTER], "on conflict do update set bits = excluded.bits");

impl SqliteStore {
    pub(super) async fn take(&self, partition: Partition, log: &str) -> Result<Head, StoreError> {
        let mut writer = self.writer.lock().await;
        let taken = take(writer.begin().await?, partition, log).await;
        writer.end(taken).await
    }

    pub(super) async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        writer.suit(batch.records.len()).await?;
        let written = write(writer.begin().await?, batch).await;
        writer.end(written).await
    }
}

async fn take(
    connection: &mut SqliteConnection,
    partition: Partition,
    log: &str,
) -> Result<Head, StoreError> {
    let free = sqlx::query("delete from lease where partition = ?").bind(partition.0);
    free.execute(&mut *connection).await?;
    raise_epoch(connection, partition, log).await
}

/// Raises a partition's epoch, which makes it the caller's: to the time in microseconds, so that a file which was put back from an
/// older copy gives no epoch out that it gave out before; and above the one before it, whatever the clock says.
pub(super) async fn raise_epoch(
    connection: &mut SqliteConnection,
    partition: Partition,
    log: &str,
) -> Result<Head, StoreError> {
    let columns = columns::HEAD;
    let sql = format!(
        "insert into head ({columns}) \
         values (?1, ?2, 0, zeroblob(32), zeroblob(32), zeroblob(32), {NOW} * 1000, \
         0, 0, 0, 0, 0, 0, 0, 0, 0, 0) \
         on conflict (partition) do update set epoch = max(epoch + 1, excluded.epoch) returning {columns}"
    );
    let row = sqlx::query(&sql).bind(partition.0).bind(log).fetch_one(connection).await?;
    let head = Head::from_row(&row)?;
    if head.log != log {
        return Err(StoreError::OtherLog { partition, found: head.log, asked: log.to_owned() });
    }
    Ok(head)
}

async fn write(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    let trailed = move_head(connection, batch).await?;
    write_log(connection, batch).await.map_err(|error| fence_by_key(error, batch))?;
    write_wallets(connection, batch).await?;
    ids::append(connection, batch.partition, batch.from, &batch.ids).await?;
    for filter in &batch.filters {
        ids::sort(connection, batch.partition, filter.segment).await?;
    }
    if let Some(document) = &batch.catalogue {
        sqlx::query(
            "insert into catalogue (partition, document) values (?, ?) \
             on conflict do update set document = excluded.document",
        )
        .bind(batch.partition.0)
        .bind(document)
        .execute(&mut *connection)
        .await?;
    }
    Ok(trail::extend(connection, batch.partition, trailed, batch.head.next).await?)
}

/// Moves the head, if it is where the batch begins and the epoch is the batch's, and says up to where the
/// trail goes.
async fn move_head(connection: &mut SqliteConnection, batch: &Batch) -> Result<i64, StoreError> {
    let (head, counts) = (&batch.head, &batch.head.counts);
    let sql = format!(
        "update head set next = ?, chain = ?, last = ?, digest = ?, clock = ?, applied = ?, duplicate = ?, \
         conflict = ?, rejected = ?, quarantined = ?, timers = ?, unpriced = ?, wallets = ?, fold = ? \
         where partition = ? and {} returning trailed",
        fence("?", "?")
    );
    let statement = sqlx::query_scalar(&sql)
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
        .bind(head.fold)
        .bind(batch.partition.0)
        .bind(batch.epoch)
        .bind(batch.from.0.cast_signed());
    let trailed = statement.fetch_optional(connection).await?;
    trailed.ok_or(StoreError::Fenced { partition: batch.partition, from: batch.from })
}

/// The keys of records and entries are a second fence: somebody else wrote them, whatever the head says.
fn fence_by_key(error: sqlx::Error, batch: &Batch) -> StoreError {
    if error.as_database_error().is_some_and(|error| error.is_unique_violation()) {
        return StoreError::Fenced { partition: batch.partition, from: batch.from };
    }
    error.into()
}

/// What only ever is added, in the order of the log.
async fn write_log(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let partition = batch.partition.0;
    ENTRY.insert(connection, &batch.entries, |row, one| bind_entry(row.add(partition), one)).await?;
    RECORD.insert(connection, &batch.records, |row, one| bind_record(row.add(partition), one)).await?;
    QUARANTINE
        .insert(connection, &batch.quarantined, |row, one| {
            row.add(partition)
                .add(one.offset.0.cast_signed())
                .add(one.digest.as_slice())
                .add(one.reason.as_str());
        })
        .await
}

/// What is written over, each table in the order of its key: neighbours are on the same page.
async fn write_wallets(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let partition = batch.partition.0;
    let wallets = sorted(&batch.wallets, |a, b| a.no.cmp(&b.no));
    WALLET.insert(connection, &wallets, |row, one| bind_wallet(row.add(partition), one)).await?;
    let lots = sorted(&batch.lots, |a, b| (a.wallet, &a.lot).cmp(&(b.wallet, &b.lot)));
    LOT.insert(connection, &lots, |row, one| bind_lot(row, one)).await?;
    let grants = sorted(&batch.grants, |a, b| (a.wallet, a.offset).cmp(&(b.wallet, b.offset)));
    GRANT.insert(connection, &grants, |row, one| bind_grant(row, one)).await?;
    let left = sorted(&batch.left, |a, b| (a.wallet, a.kind, &a.key).cmp(&(b.wallet, b.kind, &b.key)));
    LEFT.insert(connection, &left, |row, one| {
        row.add(one.wallet).add(one.kind).add(one.key.as_str()).add(one.purchase.as_deref());
        row.add(one.doc.as_str());
    })
    .await?;
    COUNTER
        .insert(connection, &batch.counters, |row, one| {
            row.add(one.wallet).add(one.price.as_str()).add(one.charge.as_str()).add(one.period);
            row.add(one.value.as_str());
        })
        .await?;
    FILTER
        .insert(connection, &batch.filters, |row, one| {
            row.add(partition).add(one.segment).add(one.bits.as_slice());
        })
        .await
}

fn sorted<T>(rows: &[T], compare: impl Fn(&T, &T) -> std::cmp::Ordering) -> Vec<&T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_by(|a, b| compare(a, b));
    rows
}

fn bind_entry<'q>(row: &mut Row<'q>, one: &'q EntryRow) {
    row.add(one.offset.0.cast_signed()).add(one.line).add(one.wallet).add(one.kind).add(&*one.unit);
    row.add(one.lot.as_deref()).add(one.other_lot.as_deref());
    row.add(one.amount.as_str()).add(one.available_after.as_str());
    row.add(one.effective_at).add(one.booked_at);
    row.add(one.subject.as_deref()).add(one.feature.as_deref()).add(one.price.as_deref());
    row.add(one.month.as_deref());
}

fn bind_record<'q>(row: &mut Row<'q>, one: &'q RecordRow) {
    row.add(one.offset.0.cast_signed()).add(one.wallet).add(one.kind).add(one.outcome);
    row.add(one.detail.as_deref()).add(one.earlier.map(|offset| offset.0.cast_signed()));
    row.add(one.id.as_str()).add(one.source.as_str()).add(one.subject.as_deref());
    row.add(one.at).add(one.recorded_at).add(one.feature.as_deref()).add(one.data.as_deref());
}

fn bind_wallet<'q>(row: &mut Row<'q>, one: &'q WalletRow) {
    row.add(one.no).add(one.id.as_str()).add(one.as_of.0.cast_signed()).add(one.clock).add(one.next_due_at);
    row.add(one.claimed).add(one.unpriced.cast_signed()).add(one.digest.as_slice()).add(one.doc.as_str());
}

fn bind_lot<'q>(row: &mut Row<'q>, one: &'q LotRow) {
    row.add(one.wallet).add(one.lot.as_str()).add(one.grant.as_str()).add(one.unit.as_str());
    row.add(one.origin.as_deref())
        .add(one.issued.as_str())
        .add(one.remaining.as_str())
        .add(one.held.as_str());
    row.add(one.consumed.as_str()).add(one.expired.as_str()).add(one.voided.as_str());
    row.add(one.rolled_over.as_str()).add(one.returned.as_str()).add(one.moved.as_str());
    row.add(one.starts_at).add(one.ends_at).add(one.priority).add(one.category.as_str());
    row.add(one.cost.as_deref()).add(one.currency.as_deref());
}

fn bind_grant<'q>(row: &mut Row<'q>, one: &'q GrantRow) {
    row.add(one.wallet).add(one.grant.as_str()).add(one.offset.0.cast_signed()).add(one.unit.as_str());
    row.add(one.amount.as_str()).add(one.category.as_str()).add(one.priority);
    row.add(one.effective_at).add(one.expires_at).add(one.purchase.as_deref()).add(one.body.as_str());
}
