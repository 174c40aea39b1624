//! What whoever takes a partition over begins with.

use ledger::Partition;
use sqlx::{FromRow, query, query_scalar};

use super::columns::{FILTER, HEAD, from_rows};
use super::encode::unescape;
use super::failure::of_database;
use super::{PostgresStore, ids};
use crate::StoreError;
use crate::rows::{Head, Opening, next_segment};

impl PostgresStore {
    /// Reads it all in one snapshot: were a dump restored between two statements, they would tell of different times, and the head
    /// might be the same in both.
    pub(super) async fn read_opening(&self, partition: Partition) -> Result<Option<Opening>, StoreError> {
        let begin = "begin isolation level repeatable read read only";
        let mut snapshot = self.pool.begin_with(begin).await.map_err(of_database)?;
        let number = partition.0.cast_signed();
        let sql = format!("select {HEAD} from head where partition = $1");
        let row = query(&sql).bind(number).fetch_optional(&mut *snapshot).await.map_err(of_database)?;
        let Some(row) = row else { return Ok(None) };
        let sql = "select document from catalogue where partition = $1";
        let document = query_scalar(sql).bind(number).fetch_optional(&mut *snapshot).await;
        let catalogue: Option<String> = document.map_err(of_database)?;
        let sql = format!("select {FILTER} from filter where partition = $1 order by segment");
        let rows = query(&sql).bind(number).fetch_all(&mut *snapshot).await.map_err(of_database)?;
        let filters = from_rows(&rows).map_err(of_database)?;
        let growing = ids::all(&mut snapshot, partition, next_segment(&filters)).await;
        let growing = growing.map_err(of_database)?;
        snapshot.commit().await.map_err(of_database)?;
        let head = Head::from_row(&row).map_err(of_database)?;
        Ok(Some(Opening { head, catalogue: catalogue.map(|text| unescape(&text)), filters, growing }))
    }
}
