//! What the projections know of what documents speak of.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ledger::{Catalogue, Offset, Partition, Terms, Wallet};
use store::{SqliteStore, Store};

use crate::documents::{Body, Document};
use crate::folder::Folder;

/// So many rows are read at once.
const PAGE: u32 = 1_000;

/// The catalogue, and of the wallets named in documents: what they are, and the grants that the documents name too.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) catalogue: Catalogue,
    pub(super) wallets: BTreeMap<String, Wallet>,
    /// By wallet and grant.
    pub(super) grants: BTreeMap<(String, String), Terms>,
}

impl Seen {
    pub(super) async fn read(
        folder: &mut Folder,
        partitions: u32,
        documents: &[Document],
    ) -> anyhow::Result<Self> {
        let catalogue = folder.catalogue(Partition(0)).await?;
        let mut seen = Self { catalogue, ..Self::default() };
        let Some(store) = folder.store().await? else { return Ok(seen) };
        let mut named: BTreeMap<Partition, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for document in documents {
            let (wallet, grant) = match &document.body {
                Body::Catalogue { .. } => continue,
                Body::Wallet { wallet, .. } => (wallet, None),
                Body::Grant { wallet, terms, .. } => (wallet, Some(terms.grant_id.as_str())),
            };
            let partition = named.entry(Partition::of(wallet, partitions)).or_default();
            partition.entry(wallet).or_default().extend(grant);
        }
        for (partition, named) in &named {
            let ids: Vec<String> = named.keys().map(|id| String::from(*id)).collect();
            for row in store.wallets_by_id(*partition, &ids).await? {
                let wallet = Wallet::read(&row.doc);
                let wallet =
                    wallet.with_context(|| format!("the stored wallet {} cannot be read", row.id))?;
                seen.grants(store, &row.id, row.no, &named[row.id.as_str()]).await?;
                seen.wallets.insert(row.id, wallet);
            }
        }
        Ok(seen)
    }

    /// Reads those of a wallet's grants that are named.
    async fn grants(
        &mut self,
        store: &SqliteStore,
        wallet: &str,
        no: i64,
        named: &[&str],
    ) -> anyhow::Result<()> {
        let mut after: Option<Offset> = None;
        let mut missing = named.len();
        while missing > 0 {
            let page = store.grants(no, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.offset);
            for row in page.into_iter().filter(|row| named.contains(&row.grant.as_str())) {
                let terms = serde_json::from_str(&row.body);
                let terms =
                    terms.with_context(|| format!("the stored grant {} cannot be read", row.grant))?;
                self.grants.insert((wallet.to_owned(), row.grant), terms);
                missing -= 1;
            }
        }
        Ok(())
    }
}
