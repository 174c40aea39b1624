//! The store's methods, each with its statement.

use ledger::{Offset, Partition};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Connection, FromRow, Row, Sqlite, query, query_scalar};

use super::columns::{COUNTER, ENTRY, GRANT, HEAD, LEFT, LOT, QUARANTINE, RECORD, WALLET, from_rows};
use super::insert::chunks;
use super::{SqliteStore, ids, trail};
use crate::query::beyond;
use crate::rows::{
    Batch, CounterRow, EntryRow, GrantRow, Head, IdRow, LeftRow, LotRow, Opening, QuarantineRow, RecordRow,
    WalletRow,
};
use crate::{
    CounterKey, EntryFilter, Fleet, IdProbe, LeftProbe, Store, StoreError, UsageFilter, WalletFilter,
};

type Statement<'q> = Query<'q, Sqlite, SqliteArguments<'q>>;

impl SqliteStore {
    async fn all<T: for<'r> FromRow<'r, SqliteRow>>(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<T>, StoreError> {
        let mut reader = self.reader().await?;
        Ok(from_rows(&statement.fetch_all(&mut *reader).await?)?)
    }

    async fn one<T: for<'r> FromRow<'r, SqliteRow>>(
        &self,
        statement: Statement<'_>,
    ) -> Result<Option<T>, StoreError> {
        let mut reader = self.reader().await?;
        let row = statement.fetch_optional(&mut *reader).await?;
        Ok(row.as_ref().map(T::from_row).transpose()?)
    }
}

impl Store for SqliteStore {
    async fn acquire(&self, partition: Partition, log: &str) -> Result<Head, StoreError> {
        self.take(partition, log).await
    }

    async fn beat(&self, node: &str, ttl_ms: u32) -> Result<Fleet, StoreError> {
        self.renew(node, ttl_ms).await
    }

    async fn fleet(&self) -> Result<Fleet, StoreError> {
        self.look().await
    }

    async fn claim(
        &self,
        node: &str,
        partition: Partition,
        log: &str,
        ttl_ms: u32,
    ) -> Result<Option<Head>, StoreError> {
        self.take_if_free(node, partition, log, ttl_ms).await
    }

    async fn release(&self, node: &str, partition: Partition) -> Result<(), StoreError> {
        self.give_up(node, partition).await
    }

    async fn leave(&self, node: &str) -> Result<(), StoreError> {
        self.give_up_all(node).await
    }

    async fn head(&self, partition: Partition) -> Result<Option<Head>, StoreError> {
        self.one(query(&format!("select {HEAD} from head where partition = ?")).bind(partition.0)).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.write(batch).await
    }

    async fn wallets_by_id(
        &self,
        partition: Partition,
        ids: &[String],
    ) -> Result<Vec<WalletRow>, StoreError> {
        let mut reader = self.reader().await?;
        let mut wallets = Vec::with_capacity(ids.len());
        for ids in chunks(ids) {
            let marks = vec!["?"; ids.len()].join(",");
            // The plus keeps the index of partitions out: it would read all wallets of one.
            let sql = format!("select {WALLET} from wallet where +partition = ? and id in ({marks})");
            let statement =
                ids.iter().fold(query(&sql).bind(partition.0), |statement, id| statement.bind(id));
            wallets.extend(from_rows(&statement.fetch_all(&mut *reader).await?)?);
        }
        Ok(wallets)
    }

    async fn names(&self, _: Partition, wallets: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        self.ids_of(wallets).await
    }

    async fn ids(&self, partition: Partition, probes: &[IdProbe]) -> Result<Vec<IdRow>, StoreError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await?;
        Ok(ids::find(&mut snapshot, partition, probes).await?)
    }

    async fn segment(&self, partition: Partition, segment: u32) -> Result<Vec<IdRow>, StoreError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await?;
        Ok(ids::all(&mut snapshot, partition, segment).await?)
    }

    async fn segments(&self, partition: Partition) -> Result<Vec<u32>, StoreError> {
        let mut reader = self.reader().await?;
        let sql = "select segment from id_segment where partition = ? order by segment";
        Ok(query_scalar(sql).bind(partition.0).fetch_all(&mut *reader).await?)
    }

    async fn opening(&self, partition: Partition) -> Result<Option<Opening>, StoreError> {
        self.read_opening(partition).await
    }

    async fn catalogue(&self, partition: Partition) -> Result<Option<String>, StoreError> {
        let mut reader = self.reader().await?;
        let sql = "select document from catalogue where partition = ?";
        Ok(query_scalar(sql).bind(partition.0).fetch_optional(&mut *reader).await?)
    }

    async fn counters(&self, keys: &[CounterKey]) -> Result<Vec<CounterRow>, StoreError> {
        let mut reader = self.reader().await?;
        let mut counters = Vec::new();
        for keys in chunks(keys) {
            let marks = vec!["(?,?,?,?)"; keys.len()].join(",");
            let sql = format!(
                "with wanted (w, p, c, s) as (values {marks}) select {COUNTER} from wanted \
                 cross join counter on wallet = w and price = p and charge = c and period = s",
            );
            let statement = keys.iter().fold(query(&sql), |statement, (wallet, price, charge, period)| {
                statement.bind(wallet).bind(price).bind(charge).bind(period)
            });
            counters.extend(from_rows(&statement.fetch_all(&mut *reader).await?)?);
        }
        Ok(counters)
    }

    async fn left(&self, wallet: i64, probe: &LeftProbe) -> Result<Vec<LeftRow>, StoreError> {
        let (rule, value) = match probe {
            // A family's ids lie between its own and the one followed by what comes after `/`.
            LeftProbe::Family(lot) => ("kind = 0 and key >= ?2 and key < ?2 || '0'", lot),
            LeftProbe::Grant(grant) => ("kind = 1 and key = ?2", grant),
            LeftProbe::Purchase(purchase) => ("kind = 1 and purchase = ?2", purchase),
        };
        let sql = format!("select {LEFT} from left where wallet = ?1 and {rule} order by kind, key");
        let mut rows: Vec<LeftRow> = self.all(query(&sql).bind(wallet).bind(value)).await?;
        if let LeftProbe::Family(lot) = probe {
            rows.retain(|row| {
                row.key[lot.len()..].is_empty() || row.key[lot.len()..].starts_with(['/', '+'])
            });
        }
        Ok(rows)
    }

    async fn paid(&self, wallet: i64, month: &str) -> Result<Vec<EntryRow>, StoreError> {
        let sql = format!(
            "select {ENTRY} from entry indexed by entry_paid where wallet = ? and month = ? and kind in (4, 9, 10, 15, 16, 17) \
             order by offset, line"
        );
        self.all(query(&sql).bind(wallet).bind(month)).await
    }

    async fn corrections(&self, partition: Partition, usage: Offset) -> Result<Vec<RecordRow>, StoreError> {
        let sql = format!(
            "select {RECORD} from record indexed by record_of_usage \
             where partition = ? and earlier = ? and kind in (7, 8) and outcome = 1 order by offset"
        );
        self.all(query(&sql).bind(partition.0).bind(usage.0.cast_signed())).await
    }

    async fn corrected(&self, partition: Partition) -> Result<Vec<i64>, StoreError> {
        let mut reader = self.reader().await?;
        let sql = "select distinct wallet from record indexed by record_corrects \
                   where partition = ? and kind > 5 and kind in (6, 7, 8, 11) and outcome in (1, 4)";
        Ok(query_scalar(sql).bind(partition.0).fetch_all(&mut *reader).await?)
    }

    async fn unpriced(
        &self,
        partition: Partition,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let sql = format!(
            "select {RECORD} from record r indexed by record_unpriced where partition = ?1 and offset > ?2 and kind in (4, 16) and outcome = 1 \
             and detail is not null and substr(detail, 1, 5) <> 'free:' and not exists \
             (select 1 from record c indexed by record_of_usage where c.partition = ?1 and c.earlier = r.offset and c.kind in (7, 8) \
             and c.outcome = 1) order by offset limit ?3"
        );
        self.all(query(&sql).bind(partition.0).bind(signed(after)).bind(limit)).await
    }

    async fn due(
        &self,
        partition: Partition,
        until: i64,
        limit: u32,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let mut reader = self.reader().await?;
        let sql = "select id, next_due_at from wallet where partition = ? and next_due_at <= ? \
                   order by next_due_at, no limit ?";
        let rows = query(sql).bind(partition.0).bind(until).bind(limit).fetch_all(&mut *reader).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    async fn wallet(&self, id: &str) -> Result<Option<(Partition, WalletRow)>, StoreError> {
        let mut reader = self.reader().await?;
        let sql = format!("select {WALLET}, partition from wallet where id = ?");
        let Some(row) = query(&sql).bind(id).fetch_optional(&mut *reader).await? else { return Ok(None) };
        Ok(Some((Partition(row.try_get("partition")?), WalletRow::from_row(&row)?)))
    }

    async fn wallets(&self, filter: &WalletFilter) -> Result<Vec<WalletRow>, StoreError> {
        let prefix = filter.prefix.as_deref().unwrap_or_default();
        // Bytes come after all text.
        let sql = format!(
            "select {WALLET} from wallet where id >= max(?1, ?2) and id > ?2 and id < coalesce(?3, x'') \
             and (?4 is null or claimed = ?4) order by id limit ?5",
        );
        let statement = query(&sql)
            .bind(prefix)
            .bind(filter.after.as_deref().unwrap_or_default())
            .bind(beyond(prefix))
            .bind(filter.claimed)
            .bind(filter.limit);
        self.all(statement).await
    }

    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<EntryRow>, StoreError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await?;
        Ok(trail::entries(&mut snapshot, filter).await?)
    }

    async fn grants(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        // One record's grants are not torn apart.
        let sql = format!(
            "select {GRANT} from grant where wallet = ?1 and offset in (select distinct offset from grant \
             where wallet = ?1 and offset > ?2 order by offset limit ?3) order by offset, grant"
        );
        self.all(query(&sql).bind(wallet).bind(signed(after)).bind(limit)).await
    }

    async fn lots(&self, wallet: i64) -> Result<Vec<LotRow>, StoreError> {
        self.all(query(&format!("select {LOT} from lot where wallet = ? order by lot")).bind(wallet)).await
    }

    async fn usage(&self, filter: &UsageFilter) -> Result<Vec<RecordRow>, StoreError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await?;
        Ok(trail::usage(&mut snapshot, filter).await?)
    }

    async fn offsets(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<Offset>, StoreError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await?;
        Ok(trail::offsets(&mut snapshot, wallet, after, limit).await?)
    }

    async fn record(&self, partition: Partition, offset: Offset) -> Result<Option<RecordRow>, StoreError> {
        let sql = format!("select {RECORD} from record where partition = ? and offset = ?");
        self.one(query(&sql).bind(partition.0).bind(offset.0.cast_signed())).await
    }

    async fn entries_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let sql = format!(
            "select {ENTRY} from entry where partition = ? and offset >= ? and offset < ? \
             order by offset, line"
        );
        self.all(query(&sql).bind(partition.0).bind(from.0.cast_signed()).bind(to.0.cast_signed())).await
    }

    async fn records_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let sql = format!(
            "select {RECORD} from record where partition = ? and offset >= ? and offset < ? order by offset"
        );
        self.all(query(&sql).bind(partition.0).bind(from.0.cast_signed()).bind(to.0.cast_signed())).await
    }

    async fn quarantined(&self, partition: Partition) -> Result<Vec<QuarantineRow>, StoreError> {
        let sql = format!("select {QUARANTINE} from quarantine where partition = ? order by offset");
        self.all(query(&sql).bind(partition.0)).await
    }

    async fn all_wallets(
        &self,
        partition: Partition,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WalletRow>, StoreError> {
        let sql = format!("select {WALLET} from wallet where partition = ? and no > ? order by no limit ?");
        self.all(query(&sql).bind(partition.0).bind(after.unwrap_or(-1)).bind(limit)).await
    }

    async fn all_lots(
        &self,
        partition: Partition,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<LotRow>, StoreError> {
        let (wallet, lot) = after.unwrap_or((-1, String::new()));
        let sql = format!(
            "select {LOT} from lot where (wallet, lot) > (?, ?) and {OF_PARTITION} \
             order by wallet, lot limit ?"
        );
        self.all(query(&sql).bind(wallet).bind(lot).bind(partition.0).bind(limit)).await
    }

    async fn all_grants(
        &self,
        partition: Partition,
        after: Option<(i64, Offset)>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        let (wallet, offset) = after.unwrap_or((-1, Offset(0)));
        let sql = format!(
            "select {GRANT} from grant where (wallet, offset) in (select distinct wallet, offset from grant \
             where (wallet, offset) > (?, ?) and {OF_PARTITION} order by wallet, offset limit ?) \
             order by wallet, offset, grant"
        );
        self.all(query(&sql).bind(wallet).bind(offset.0.cast_signed()).bind(partition.0).bind(limit)).await
    }

    async fn all_left(
        &self,
        partition: Partition,
        after: Option<(i64, u8, String)>,
        limit: u32,
    ) -> Result<Vec<LeftRow>, StoreError> {
        let (wallet, kind, key) = after.unwrap_or((-1, 0, String::new()));
        let sql = format!(
            "select {LEFT} from left where (wallet, kind, key) > (?, ?, ?) and {OF_PARTITION} \
             order by wallet, kind, key limit ?"
        );
        self.all(query(&sql).bind(wallet).bind(kind).bind(key).bind(partition.0).bind(limit)).await
    }

    async fn all_counters(
        &self,
        partition: Partition,
        after: Option<CounterKey>,
        limit: u32,
    ) -> Result<Vec<CounterRow>, StoreError> {
        let (wallet, price, charge, period) = after.unwrap_or((-1, String::new(), String::new(), 0));
        let sql = format!(
            "select {COUNTER} from counter where (wallet, price, charge, period) > (?, ?, ?, ?) \
             and {OF_PARTITION} order by wallet, price, charge, period limit ?"
        );
        let statement = query(&sql).bind(wallet).bind(price).bind(charge).bind(period);
        self.all(statement.bind(partition.0).bind(limit)).await
    }
}

/// A wallet's number tells its partition only to who knows how many there are.
const OF_PARTITION: &str = "(select partition from wallet where no = wallet) = ?";

fn signed(after: Option<Offset>) -> i64 {
    after.map_or(-1, |offset| offset.0.cast_signed())
}
