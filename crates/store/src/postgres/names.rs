//! The ids of wallets, by their numbers.

use sqlx::query_as;

use super::PostgresStore;
use super::encode::unescape;
use super::failure::of_database;
use crate::StoreError;

impl PostgresStore {
    pub(super) async fn ids_of(&self, wallets: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        let statement = query_as("select no, id from wallet where no = any($1)").bind(wallets);
        let rows: Vec<(i64, String)> = statement.fetch_all(&self.pool).await.map_err(of_database)?;
        Ok(rows.into_iter().map(|(no, id)| (no, unescape(&id))).collect())
    }
}
