//! What the projections know of what documents speak of.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use eventlog::{EventLog, Log};
use ledger::{Catalogue, Memory, Offset, Partition, Terms, Wallet};
use store::{Projections, Store};

use super::change::{Earlier, memory};
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
    /// What bears the ids of documents of steps, by wallet and id.
    pub(super) changes: BTreeMap<(String, String), Earlier>,
    /// The pasts of wallets that documents of steps are for.
    pub(super) memories: BTreeMap<String, Memory>,
}

impl Seen {
    pub(super) async fn read(folder: &mut Folder, log: &Log, documents: &[Document]) -> anyhow::Result<Self> {
        let partitions = log.partitions();
        let catalogue = folder.catalogue(Partition(0)).await?;
        let mut seen = Self { catalogue, ..Self::default() };
        let Some(store) = folder.store().await? else { return Ok(seen) };
        let mut named: BTreeMap<Partition, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
        for document in documents {
            let (wallet, grants) = match &document.body {
                Body::Catalogue { .. } => continue,
                Body::Wallet { wallet, .. } => (wallet, Vec::new()),
                Body::Grant { wallet, terms, .. } => (wallet, vec![terms.grant_id.clone()]),
                Body::Change { wallet, steps, .. } => (wallet, granted(steps)),
            };
            let partition = named.entry(Partition::of(wallet, partitions)).or_default();
            partition.entry(wallet).or_default().extend(grants);
        }
        let changes = documents.iter().filter_map(|document| match &document.body {
            Body::Change { wallet, id, .. } => Some((wallet, id)),
            Body::Catalogue { .. } | Body::Wallet { .. } | Body::Grant { .. } => None,
        });
        let changed: BTreeSet<&str> = changes.clone().map(|(wallet, _)| wallet.as_str()).collect();
        for (partition, named) in &named {
            let ids: Vec<String> = named.keys().map(|id| String::from(*id)).collect();
            for row in store.wallets_by_id(*partition, &ids).await? {
                let wallet = Wallet::read(&row.doc);
                let wallet =
                    wallet.with_context(|| format!("the stored wallet {} cannot be read", row.id))?;
                seen.grants(store, &row.id, row.no, &named[row.id.as_str()]).await?;
                if changed.contains(row.id.as_str()) {
                    seen.memories.insert(row.id.clone(), memory(log, store, &row).await?);
                }
                seen.wallets.insert(row.id, wallet);
            }
        }
        for (wallet, id) in changes {
            if let Some(earlier) = Earlier::read(store, Partition::of(wallet, partitions), wallet, id).await?
            {
                seen.changes.insert((wallet.clone(), id.clone()), earlier);
            }
        }
        Ok(seen)
    }

    /// Reads those of a wallet's grants that are named.
    async fn grants(
        &mut self,
        store: &Projections,
        wallet: &str,
        no: i64,
        named: &BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let mut after: Option<Offset> = None;
        let mut missing = named.len();
        while missing > 0 {
            let page = store.grants(no, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.offset);
            for row in page.into_iter().filter(|row| named.contains(&row.grant)) {
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

/// The grants that steps issue.
pub(super) fn granted(steps: &[(&'static str, String)]) -> Vec<String> {
    let granted = steps.iter().filter(|(kind, _)| *kind == "grant.issued");
    let terms =
        granted.map(|(_, data)| serde_json::from_str::<Terms>(data).expect("it was read from a document"));
    terms.map(|terms| terms.grant_id).collect()
}
