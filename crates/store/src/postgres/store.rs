//! The store's methods, each with its statement.

use ledger::{Offset, Partition};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{FromRow, Postgres, Row, query, query_as, query_scalar};

use super::columns::{
    COUNTER, ENTRY, ENTRY_OF_RECORD, GRANT, HEAD, LEFT, LOT, QUARANTINE, RECORD, WALLET, from_rows,
};
use super::encode::{escape, unescape};
use super::failure::of_database;
use super::{PostgresStore, ids, trail};
use crate::query::beyond;
use crate::rows::{
    Batch, CounterRow, EntryRow, GrantRow, Head, IdRow, LeftRow, LotRow, Opening, QuarantineRow, RecordRow,
    WalletRow,
};
use crate::{
    CounterKey, EntryFilter, Fleet, IdProbe, LeftProbe, Store, StoreError, UsageFilter, WalletFilter,
};

type Statement<'q> = Query<'q, Postgres, PgArguments>;

impl PostgresStore {
    async fn all<T: for<'r> FromRow<'r, PgRow>>(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = statement.fetch_all(&self.pool).await.map_err(of_database)?;
        from_rows(&rows).map_err(of_database)
    }

    async fn one<T: for<'r> FromRow<'r, PgRow>>(
        &self,
        statement: Statement<'_>,
    ) -> Result<Option<T>, StoreError> {
        let row = statement.fetch_optional(&self.pool).await.map_err(of_database)?;
        row.as_ref().map(T::from_row).transpose().map_err(of_database)
    }
}

impl Store for PostgresStore {
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
        self.one(query(&format!("select {HEAD} from head where partition = $1")).bind(number(partition)))
            .await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.write(batch).await
    }

    async fn wallets_by_id(
        &self,
        partition: Partition,
        ids: &[String],
    ) -> Result<Vec<WalletRow>, StoreError> {
        let ids: Vec<String> = ids.iter().map(|id| escape(id)).collect();
        // Each by the key of its id: the index of partitions would read all wallets of one.
        let sql = format!("select {WALLET} from wallet where partition + 0 = $1 and id = any($2)");
        self.all(query(&sql).bind(number(partition)).bind(ids)).await
    }

    async fn names(&self, _: Partition, wallets: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        self.ids_of(wallets).await
    }

    async fn ids(&self, partition: Partition, probes: &[IdProbe]) -> Result<Vec<IdRow>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(of_database)?;
        ids::find(&mut connection, partition, probes).await.map_err(of_database)
    }

    async fn segment(&self, partition: Partition, segment: u32) -> Result<Vec<IdRow>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(of_database)?;
        ids::all(&mut connection, partition, segment).await.map_err(of_database)
    }

    async fn segments(&self, partition: Partition) -> Result<Vec<u32>, StoreError> {
        let sql = "select segment from id_segment where partition = $1 order by segment";
        let statement = query_scalar(sql).bind(number(partition));
        let segments: Vec<i64> = statement.fetch_all(&self.pool).await.map_err(of_database)?;
        Ok(segments.into_iter().map(|segment| segment as u32).collect())
    }

    async fn opening(&self, partition: Partition) -> Result<Option<Opening>, StoreError> {
        self.read_opening(partition).await
    }

    async fn catalogue(&self, partition: Partition) -> Result<Option<String>, StoreError> {
        let sql = "select document from catalogue where partition = $1";
        let statement = query_scalar(sql).bind(number(partition));
        let document: Option<String> = statement.fetch_optional(&self.pool).await.map_err(of_database)?;
        Ok(document.map(|document| unescape(&document)))
    }

    async fn counters(&self, keys: &[CounterKey]) -> Result<Vec<CounterRow>, StoreError> {
        let wallets: Vec<i64> = keys.iter().map(|key| key.0).collect();
        let prices: Vec<String> = keys.iter().map(|key| escape(&key.1)).collect();
        let charges: Vec<String> = keys.iter().map(|key| escape(&key.2)).collect();
        let periods: Vec<i64> = keys.iter().map(|key| key.3).collect();
        let sql = format!(
            "select {COUNTER} from counter where (wallet, price, charge, period) in \
             (select * from unnest($1::int8[], $2::text[], $3::text[], $4::int8[]))"
        );
        self.all(query(&sql).bind(wallets).bind(prices).bind(charges).bind(periods)).await
    }

    async fn left(&self, wallet: i64, probe: &LeftProbe) -> Result<Vec<LeftRow>, StoreError> {
        let (rule, value) = match probe {
            // A family's ids lie between its own and the one followed by what comes after `/`.
            LeftProbe::Family(lot) => ("kind = 0 and key >= $2 and key < $2 || '0'", lot),
            LeftProbe::Grant(grant) => ("kind = 1 and key = $2", grant),
            LeftProbe::Purchase(purchase) => ("kind = 1 and purchase = $2", purchase),
        };
        let sql = format!("select {LEFT} from departed where wallet = $1 and {rule} order by kind, key");
        let mut rows: Vec<LeftRow> = self.all(query(&sql).bind(wallet).bind(escape(value))).await?;
        if let LeftProbe::Family(lot) = probe {
            rows.retain(|row| {
                row.key[lot.len()..].is_empty() || row.key[lot.len()..].starts_with(['/', '+'])
            });
        }
        Ok(rows)
    }

    async fn paid(&self, wallet: i64, month: &str) -> Result<Vec<EntryRow>, StoreError> {
        let sql = format!(
            "select {ENTRY} from entry where wallet = $1 and month = $2 and kind in (4, 9, 10, 15, 16, 17) \
             order by \"offset\", line"
        );
        self.all(query(&sql).bind(wallet).bind(month)).await
    }

    async fn corrections(&self, partition: Partition, usage: Offset) -> Result<Vec<RecordRow>, StoreError> {
        let sql = format!(
            "select {RECORD} from record where partition = $1 and earlier = $2 and kind in (7, 8) \
             and outcome = 1 order by \"offset\""
        );
        self.all(query(&sql).bind(number(partition)).bind(usage.0.cast_signed())).await
    }

    async fn corrected(&self, partition: Partition) -> Result<Vec<i64>, StoreError> {
        let sql = "select distinct wallet from record where partition = $1 and kind > 5 \
                   and kind in (6, 7, 8, 11) and outcome in (1, 4) and wallet is not null";
        query_scalar(sql).bind(number(partition)).fetch_all(&self.pool).await.map_err(of_database)
    }

    async fn unpriced(
        &self,
        partition: Partition,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let sql = format!(
            "select {RECORD} from record r where partition = $1 and \"offset\" > $2 and kind in (4, 16) \
             and outcome = 1 and detail is not null and left(detail, 5) <> 'free:' and not exists \
             (select from record c where c.partition = $1 and c.earlier = r.\"offset\" and c.kind in (7, 8) \
             and c.outcome = 1) order by \"offset\" limit $3"
        );
        self.all(query(&sql).bind(number(partition)).bind(signed(after)).bind(i64::from(limit))).await
    }

    async fn due(
        &self,
        partition: Partition,
        until: i64,
        limit: u32,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "select id, next_due_at from wallet where partition = $1 and next_due_at <= $2 \
                   order by next_due_at, no limit $3";
        let statement = query_as(sql).bind(number(partition)).bind(until).bind(i64::from(limit));
        let rows: Vec<(String, i64)> = statement.fetch_all(&self.pool).await.map_err(of_database)?;
        Ok(rows.into_iter().map(|(id, due)| (unescape(&id), due)).collect())
    }

    async fn wallet(&self, id: &str) -> Result<Option<(Partition, WalletRow)>, StoreError> {
        let sql = format!("select {WALLET}, partition from wallet where id = $1");
        let row = query(&sql).bind(escape(id)).fetch_optional(&self.pool).await.map_err(of_database)?;
        let Some(row) = row else { return Ok(None) };
        let partition: i32 = row.try_get("partition").map_err(of_database)?;
        let wallet = WalletRow::from_row(&row).map_err(of_database)?;
        Ok(Some((Partition(partition.cast_unsigned()), wallet)))
    }

    async fn wallets(&self, filter: &WalletFilter) -> Result<Vec<WalletRow>, StoreError> {
        let prefix = escape(filter.prefix.as_deref().unwrap_or_default());
        let sql = format!(
            "select {WALLET} from wallet where id >= greatest($1, $2) and id > $2 \
             and ($3::text is null or id < $3) and ($4::bool is null or claimed = $4) order by id limit $5",
        );
        let statement = query(&sql)
            .bind(prefix.as_str())
            .bind(escape(filter.after.as_deref().unwrap_or_default()))
            .bind(beyond(&prefix))
            .bind(filter.claimed)
            .bind(i64::from(filter.limit));
        self.all(statement).await
    }

    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<EntryRow>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(of_database)?;
        trail::entries(&mut connection, filter).await.map_err(of_database)
    }

    async fn grants(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        // One record's grants are not torn apart.
        let sql = format!(
            "select {GRANT} from granted where wallet = $1 and \"offset\" in \
             (select distinct \"offset\" from granted where wallet = $1 and \"offset\" > $2 \
             order by \"offset\" limit $3) order by \"offset\", grant_id"
        );
        self.all(query(&sql).bind(wallet).bind(signed(after)).bind(i64::from(limit))).await
    }

    async fn lots(&self, wallet: i64) -> Result<Vec<LotRow>, StoreError> {
        self.all(query(&format!("select {LOT} from lot where wallet = $1 order by lot")).bind(wallet)).await
    }

    async fn usage(&self, filter: &UsageFilter) -> Result<Vec<RecordRow>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(of_database)?;
        trail::usage(&mut connection, filter).await.map_err(of_database)
    }

    async fn offsets(
        &self,
        wallet: i64,
        after: Option<Offset>,
        limit: u32,
    ) -> Result<Vec<Offset>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(of_database)?;
        trail::offsets(&mut connection, wallet, after, limit).await.map_err(of_database)
    }

    async fn record(&self, partition: Partition, offset: Offset) -> Result<Option<RecordRow>, StoreError> {
        let sql = format!("select {RECORD} from record where partition = $1 and \"offset\" = $2");
        self.one(query(&sql).bind(number(partition)).bind(offset.0.cast_signed())).await
    }

    async fn entries_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let stretch = "partition = $1 and \"offset\" >= $2 and \"offset\" < $3";
        let sql = format!(
            "select {ENTRY_OF_RECORD} from record where entry is not null and {stretch} \
             union all select {ENTRY} from entry where {stretch} order by 1, 2"
        );
        let statement = query(&sql).bind(number(partition));
        self.all(statement.bind(from.0.cast_signed()).bind(to.0.cast_signed())).await
    }

    async fn records_between(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let sql = format!(
            "select {RECORD} from record where partition = $1 and \"offset\" >= $2 and \"offset\" < $3 \
             order by \"offset\""
        );
        let statement = query(&sql).bind(number(partition));
        self.all(statement.bind(from.0.cast_signed()).bind(to.0.cast_signed())).await
    }

    async fn quarantined(&self, partition: Partition) -> Result<Vec<QuarantineRow>, StoreError> {
        let sql = format!("select {QUARANTINE} from quarantine where partition = $1 order by \"offset\"");
        self.all(query(&sql).bind(number(partition))).await
    }

    async fn all_wallets(
        &self,
        partition: Partition,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WalletRow>, StoreError> {
        let sql =
            format!("select {WALLET} from wallet where partition = $1 and no > $2 order by no limit $3");
        let statement = query(&sql).bind(number(partition)).bind(after.unwrap_or(-1));
        self.all(statement.bind(i64::from(limit))).await
    }

    async fn all_lots(
        &self,
        partition: Partition,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<LotRow>, StoreError> {
        let (wallet, lot) = after.unwrap_or((-1, String::new()));
        let sql = format!(
            "select {LOT} from lot where {OF_PARTITION} and (wallet, lot) > ($2, $3) \
             order by wallet, lot limit $4"
        );
        let statement = query(&sql).bind(number(partition)).bind(wallet).bind(escape(&lot));
        self.all(statement.bind(i64::from(limit))).await
    }

    async fn all_grants(
        &self,
        partition: Partition,
        after: Option<(i64, Offset)>,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        let (wallet, offset) = after.unwrap_or((-1, Offset(0)));
        let sql = format!(
            "select {GRANT} from granted where (wallet, \"offset\") in (select distinct wallet, \"offset\" \
             from granted where {OF_PARTITION} and (wallet, \"offset\") > ($2, $3) \
             order by wallet, \"offset\" limit $4) order by wallet, \"offset\", grant_id"
        );
        let statement = query(&sql).bind(number(partition)).bind(wallet).bind(offset.0.cast_signed());
        self.all(statement.bind(i64::from(limit))).await
    }

    async fn all_left(
        &self,
        partition: Partition,
        after: Option<(i64, u8, String)>,
        limit: u32,
    ) -> Result<Vec<LeftRow>, StoreError> {
        let (wallet, kind, key) = after.unwrap_or((-1, 0, String::new()));
        let sql = format!(
            "select {LEFT} from departed where {OF_PARTITION} and (wallet, kind, key) > ($2, $3, $4) \
             order by wallet, kind, key limit $5"
        );
        let statement = query(&sql).bind(number(partition)).bind(wallet).bind(i16::from(kind));
        self.all(statement.bind(escape(&key)).bind(i64::from(limit))).await
    }

    async fn all_counters(
        &self,
        partition: Partition,
        after: Option<CounterKey>,
        limit: u32,
    ) -> Result<Vec<CounterRow>, StoreError> {
        let (wallet, price, charge, period) = after.unwrap_or((-1, String::new(), String::new(), 0));
        let sql = format!(
            "select {COUNTER} from counter where {OF_PARTITION} \
             and (wallet, price, charge, period) > ($2, $3, $4, $5) \
             order by wallet, price, charge, period limit $6"
        );
        let statement = query(&sql).bind(number(partition)).bind(wallet).bind(escape(&price));
        self.all(statement.bind(escape(&charge)).bind(period).bind(i64::from(limit))).await
    }
}

/// A wallet's number tells its partition only to who knows how many there are.
const OF_PARTITION: &str = "(select partition from wallet where no = wallet) = $1";

fn number(partition: Partition) -> i32 {
    partition.0.cast_signed()
}

fn signed(after: Option<Offset>) -> i64 {
    after.map_or(-1, |offset| offset.0.cast_signed())
}
