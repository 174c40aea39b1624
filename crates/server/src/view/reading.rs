//! A wallet as it is now.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use eventlog::{EventLog, Log};
use ledger::{Catalogue, Changes, Instant, Offset, Partition, Position, Wallet, advanced};
use projector::ProjectorError;
use schemars::JsonSchema;
use serde::Serialize;
use store::rows::WalletRow;
use store::{Projections, SqliteStore, Store};

use crate::context::Context;
use crate::view::behind;

/// What is read from, and when.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(crate) log: Arc<Log>,
    pub(crate) store: Arc<Projections>,
    pub(crate) now: Instant,
}

/// As of when a report is true.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct AsOf {
    pub(crate) partition: u32,
    /// After all records of the partition below this offset.
    pub(crate) offset: u64,
    pub(crate) time: Instant,
}

impl AsOf {
    /// The last record before it.
    pub(crate) fn last(self) -> Position {
        Position { partition: Partition(self.partition), offset: Offset(self.offset.saturating_sub(1)) }
    }
}

/// No folded record names the wallet that is asked for.
#[derive(Debug, thiserror::Error)]
#[error("no record names the wallet `{wallet}`: {hint}")]
pub(crate) struct NoSuchWallet {
    pub(crate) wallet: String,
    hint: String,
}

/// What cannot be answered as it is asked: there is no such thing, or not at that time.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoAnswer(pub(crate) String);

/// A wallet as it is stored.
pub(crate) struct Found {
    pub(crate) partition: Partition,
    /// What is stored is true after the records below this offset.
    pub(crate) next: Offset,
    pub(crate) row: WalletRow,
    /// How many records of its partition are not folded yet.
    pub(crate) behind: u64,
}

/// A wallet, advanced to now.
pub(crate) struct WalletNow {
    pub(crate) id: String,
    /// Its number in the store.
    pub(crate) no: i64,
    pub(crate) as_of: AsOf,
    /// How many records of its partition are not folded yet.
    pub(crate) behind: u64,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) wallet: Wallet,
    /// What time alone has done since its last record.
    pub(crate) due: Changes,
}

impl Reading {
    /// Opens log and projections beside whoever writes them. Where nothing is, it reads nothing.
    pub(crate) async fn open(context: &Context) -> anyhow::Result<Self> {
        let Some(log) = context.open_log_if_any().await? else {
            bail!("there is no log {}: make one with `drawdown init`", context.log_place());
        };
        let store = match context.open_store_read_only(log.partitions()).await? {
            Some(store) => store,
            None => SqliteStore::in_memory().await?.into(),
        };
        let id = projector::log_id(&*log).await?;
        if let Some(head) = store.head(Partition(0)).await?.filter(|head| head.log != id) {
            let what = format!("the projections are of log {}, and this is log {id}", head.log);
            return Err(ProjectorError::AnotherLog { what }.into());
        }
        Ok(Self { log, store: Arc::new(store), now: context.now() })
    }

    /// The catalogue as a partition has folded it.
    pub(crate) async fn catalogue(&self, partition: Partition) -> anyhow::Result<Catalogue> {
        Ok(match self.store.catalogue(partition).await? {
            Some(text) => projector::stored_catalogue(&text)?,
            None => Catalogue::default(),
        })
    }

    /// A wallet as it is now.
    ///
    /// # Errors
    ///
    /// If no folded record names it.
    pub(crate) async fn wallet(&self, id: &str) -> anyhow::Result<WalletNow> {
        let Found { partition, next, row, behind } = self.find(id).await?;
        let catalogue = Arc::new(self.catalogue(partition).await?);
        self.advance(partition, next, &row, catalogue, behind)
    }

    /// A wallet as it is stored.
    ///
    /// # Errors
    ///
    /// If no folded record names it.
    pub(crate) async fn find(&self, id: &str) -> anyhow::Result<Found> {
        let partition = Partition::of(id, self.log.partitions());
        // The head first: a wallet read later is true there too, because a commit brings all that changed.
        let next = self.store.head(partition).await?.map_or(Offset(0), |head| head.next);
        let Some((_, row)) = self.store.wallet(id).await? else {
            let hint = behind(self.behind(partition, next).await?);
            let hint =
                if hint.is_empty() { "check its spelling with `drawdown wallets`" } else { hint.trim_end() };
            return Err(NoSuchWallet { wallet: id.to_owned(), hint: hint.to_owned() }.into());
        };
        let next = next.max(row.as_of);
        let behind = self.behind(partition, next).await?;
        Ok(Found { partition, next, row, behind })
    }

    pub(crate) fn log_partitions(&self) -> u32 {
        self.log.partitions()
    }

    pub(crate) fn advance(
        &self,
        partition: Partition,
        next: Offset,
        row: &WalletRow,
        catalogue: Arc<Catalogue>,
        behind: u64,
    ) -> anyhow::Result<WalletNow> {
        let wallet = Wallet::read(&row.doc).with_context(|| {
            format!("the stored wallet `{}` cannot be read: run `drawdown rebuild`", row.id)
        })?;
        let (wallet, due) = advanced(&catalogue, &wallet, self.now);
        let as_of = AsOf { partition: partition.0, offset: next.0, time: wallet.clock };
        Ok(WalletNow { id: row.id.clone(), no: row.no, as_of, behind, catalogue, wallet, due })
    }

    /// How many of a partition's records from `next` on are in the log.
    pub(crate) async fn behind(&self, partition: Partition, next: Offset) -> anyhow::Result<u64> {
        Ok(self.log.end(partition).await?.0.saturating_sub(next.0))
    }
}
