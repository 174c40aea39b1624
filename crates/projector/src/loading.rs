//! Wallets that are read beside the folding: once they are in memory, nobody waits for the store who asks for one, and what is decided of
//! them is decided also while the store stands still (design, section 4).

use std::sync::Arc;
use std::time::Duration;

use ledger::{Partition, Wallet};
use store::{Store, StoreError, WalletRow};
use tokio::task::JoinHandle;
use tokio::time::Instant as Moment;

use crate::error::ProjectorError;
use crate::folding::Folding;

/// How many wallets are read together.
const PAGE: u32 = 1_024;
/// The next page is read so many times later as the one before it took, so that whoever decides meanwhile hardly notices; but …
const REST: u32 = 3;
/// … no later than this: the store may have stood still.
const MOST_REST: Duration = Duration::from_secs(1);
/// How long after a failure the store is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// How many wallets of a partition are in memory.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Up to so many are all read when the partition is taken over, so that none has to be waited for later. More are read beside
    /// the folding, where all of them are at most half of `most`.
    pub at_once: u64,
    /// Above so many, the half that was not used for the longest is forgotten, and read again as it is needed.
    pub most: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { at_once: 20_000, most: 2_000_000 }
    }
}

/// A page of wallets on its way.
pub(crate) struct Loading(JoinHandle<Result<Page, ProjectorError>>);

/// Wallets as the store had them.
pub(crate) struct Page {
    partition: Partition,
    wallets: Vec<(WalletRow, Wallet)>,
    took: Duration,
}

impl Loading {
    /// Begins with the first wallets of a partition.
    pub(crate) fn begin<S: Store>(store: Arc<S>, partition: Partition) -> Self {
        Self::after(store, partition, None, Duration::ZERO)
    }

    fn after<S: Store>(store: Arc<S>, partition: Partition, after: Option<i64>, rest: Duration) -> Self {
        Self(tokio::spawn(async move {
            tokio::time::sleep(rest).await;
            loop {
                let began = Moment::now();
                match store.all_wallets(partition, after, PAGE).await {
                    Ok(rows) => {
                        let wallets = rows.into_iter().map(read).collect::<Result<_, _>>()?;
                        return Ok(Page { partition, wallets, took: began.elapsed() });
                    }
                    Err(error) => {
                        tracing::debug!(%partition, %error, "wallets cannot be read beside the folding: tried again");
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            }
        }))
    }

    /// Waits for the page; whoever stops waiting may wait again.
    pub(crate) async fn page(&mut self) -> Result<Page, ProjectorError> {
        (&mut self.0).await.expect("to read wallets does not panic")
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Page {
    /// Takes the wallets in that are not in memory: those that are there are newer. Answers the next page, if there is one.
    pub(crate) fn take_in<S: Store>(
        self,
        folding: &mut Folding,
        store: &Arc<S>,
    ) -> Result<Option<Loading>, ProjectorError> {
        let Some(last) = self.wallets.last().map(|(row, _)| row.no) else {
            folding.complete = true;
            return Ok(None);
        };
        for (row, wallet) in self.wallets {
            take_in(folding, row, wallet)?;
        }
        Ok(Some(Loading::after(store.clone(), self.partition, Some(last), (self.took * REST).min(MOST_REST))))
    }
}

/// Reads a wallet's document.
pub(crate) fn read(row: WalletRow) -> Result<(WalletRow, Wallet), ProjectorError> {
    match Wallet::read(&row.doc) {
        Ok(wallet) => Ok((row, wallet)),
        Err(error) => {
            Err(ProjectorError::Corrupt { what: format!("wallet {}", row.id), why: error.to_string() })
        }
    }
}

/// Takes a wallet in that the store has, unless it is in memory. One that is newer than all that was folded is another projector's.
pub(crate) fn take_in(folding: &mut Folding, row: WalletRow, wallet: Wallet) -> Result<(), ProjectorError> {
    if folding.place(&row.id).is_some() {
        return Ok(());
    }
    if row.as_of > folding.head.next {
        let (partition, from) = (folding.head.partition, folding.head.next);
        return Err(StoreError::Fenced { partition, from }.into());
    }
    folding.load(row.no, &row.id, wallet, row.digest);
    Ok(())
}
