//! The ids of wallets, by their numbers.

use sqlx::query_as;

use super::SqliteStore;
use super::insert::chunks;
use crate::StoreError;

impl SqliteStore {
    pub(super) async fn ids_of(&self, wallets: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
        let mut reader = self.reader().await?;
        let mut names = Vec::with_capacity(wallets.len());
        for wallets in chunks(wallets) {
            let marks = vec!["?"; wallets.len()].join(",");
            let sql = format!("select no, id from wallet where no in ({marks})");
            let statement = wallets.iter().fold(query_as(&sql), |statement, no| statement.bind(no));
            let found: Vec<(i64, String)> = statement.fetch_all(&mut *reader).await?;
            names.extend(found);
        }
        Ok(names)
    }
}
