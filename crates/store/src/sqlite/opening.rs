//! What whoever takes a partition over begins with.

use ledger::Partition;
use sqlx::{Connection, FromRow, query, query_scalar};

use super::columns::{FILTER, HEAD, from_rows};
use super::{SqliteStore, ids};
use crate::StoreError;
use crate::rows::{Head, Opening, next_segment};

impl SqliteStore {
    /// Reads it all in one snapshot.
    pub(super) async fn read_opening(&self, partition: Partition) -> Result<Option<Opening>, StoreError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await?;
        let sql = format!("select {HEAD} from head where partition = ?");
        let row = query(&sql).bind(partition.0).fetch_optional(&mut *snapshot).await?;
        let Some(row) = row else { return Ok(None) };
        let sql = "select document from catalogue where partition = ?";
        let catalogue = query_scalar(sql).bind(partition.0).fetch_optional(&mut *snapshot).await?;
        let sql = format!("select {FILTER} from filter where partition = ? order by segment");
        let filters = from_rows(&query(&sql).bind(partition.0).fetch_all(&mut *snapshot).await?)?;
        let growing = ids::all(&mut snapshot, partition, next_segment(&filters)).await?;
        Ok(Some(Opening { head: Head::from_row(&row)?, catalogue, filters, growing }))
    }
}
