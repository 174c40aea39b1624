//! What usage cost at vendors, kept for people with SQL: it is reckoned by a report, and nothing is read back.

use ledger::{Offset, Partition};
use sqlx::{Postgres, Transaction, query};

use super::PostgresStore;
use super::encode::escape;
use super::failure::of_database;
use crate::{Spread, StoreError};

/// What usage of one day, wallet, feature and model cost in one currency; or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostRow {
    /// The wallet's number.
    pub wallet: i64,
    /// The day in UTC, `2026-01-31`.
    pub day: String,
    /// What was used.
    pub feature: String,
    /// Which model, where the data has one.
    pub model: Option<String>,
    /// The currency of `cost`.
    pub currency: String,
    /// How many usages it is of.
    pub usages: u64,
    /// A decimal number.
    pub cost: String,
}

/// The costs of one partition in the making: what was there before is seen by everybody until [`Self::keep`].
#[derive(Debug)]
pub struct Costs {
    transaction: Transaction<'static, Postgres>,
    partition: Partition,
}

impl Spread<PostgresStore> {
    /// Begins to write the vendor costs of all usage of a partition below `next` anew. Of several who do, one waits for the other.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn costs(&self, partition: Partition, next: Offset) -> Result<Costs, StoreError> {
        self.of(partition)?.costs(partition, next).await.map_err(of_database)
    }
}

impl PostgresStore {
    async fn costs(&self, partition: Partition, next: Offset) -> Result<Costs, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // What there was may be much, and somebody else may be at it.
        query("set local statement_timeout = 0").execute(&mut *transaction).await?;
        query(
            "insert into vendor_cost_as_of (partition, next, reckoned_at) values ($1, $2, now()) \
             on conflict (partition) do update set next = excluded.next, reckoned_at = excluded.reckoned_at",
        )
        .bind(partition.0.cast_signed())
        .bind(next.0.cast_signed())
        .execute(&mut *transaction)
        .await?;
        query("delete from vendor_cost where partition = $1")
            .bind(partition.0.cast_signed())
            .execute(&mut *transaction)
            .await?;
        Ok(Costs { transaction, partition })
    }
}

impl Costs {
    /// Adds rows. Several of the same day, wallet, feature, model and currency are summed by whoever reads.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn add(&mut self, rows: &[CostRow]) -> Result<(), StoreError> {
        let texts = |of: fn(&CostRow) -> &str| rows.iter().map(|row| escape(of(row))).collect::<Vec<_>>();
        let model = |row: &CostRow| row.model.as_deref().map(escape);
        query(
            "insert into vendor_cost (partition, wallet, day, feature, model, currency, usages, cost) \
             select $1, wallet, day::date, feature, model, currency, usages, cost::numeric \
             from unnest($2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::text[]) \
             as t(wallet, day, feature, model, currency, usages, cost)",
        )
        .bind(self.partition.0.cast_signed())
        .bind(rows.iter().map(|row| row.wallet).collect::<Vec<_>>())
        .bind(texts(|row| &row.day))
        .bind(texts(|row| &row.feature))
        .bind(rows.iter().map(model).collect::<Vec<_>>())
        .bind(texts(|row| &row.currency))
        .bind(rows.iter().map(|row| row.usages.cast_signed()).collect::<Vec<_>>())
        .bind(texts(|row| &row.cost))
        .execute(&mut *self.transaction)
        .await
        .map_err(of_database)?;
        Ok(())
    }

    /// Puts what was added in the place of what was there.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with; it may have been kept all the same.
    pub async fn keep(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(of_database)
    }
}
