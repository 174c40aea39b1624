//! What charging usage anew would change: tried on a copy of each wallet, folded from its own records, before anything is appended.

mod preview;
mod wallets;

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};
use eventlog::Log;
use ingest::{Corrected, Correction, Stamp, Usage};
use ledger::{
    Amount, Changes, Entry, Event, Instant, Memory, Name, Offset, Outcome, Partition, Past, Used, Wallet,
    apply, decode,
};
use projector::{History, places, read_each};
use store::{Projections, WalletRow};

pub(crate) use preview::Preview;
pub(crate) use wallets::matching;

/// Which usage is charged anew. What is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// The price that charged it.
    pub(crate) price: Option<String>,
    /// The feature that was charged.
    pub(crate) feature: Option<String>,
    /// The earliest time it counts as of.
    pub(crate) from: Option<Instant>,
    /// The first time that is too late.
    pub(crate) to: Option<Instant>,
    /// Whether usage is meant too that is charged the same, and that other lots would pay: because a grant came late. As each frees
    /// credits that an earlier one could have had, once may not be enough then.
    pub(crate) lots: bool,
}

/// A usage that would be charged otherwise than it is.
pub(crate) struct Change {
    pub(crate) source: String,
    pub(crate) id: String,
    /// The last record that corrected it.
    pub(crate) after: Option<Offset>,
    /// The version that would price it.
    pub(crate) price: String,
    /// What it was charged and would be, by unit.
    pub(crate) charged: BTreeMap<String, (Amount, Amount)>,
}

/// What would change in a wallet.
pub(crate) struct Changed {
    pub(crate) wallet: String,
    pub(crate) changes: Vec<Change>,
    /// Why other usage stays as it is, and how much.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Filter {
    fn admits(&self, used: &Used) -> bool {
        let price = used.price.as_ref().and_then(|label| label.rsplit_once('@'));
        let has_feature = |feature: &String| {
            let drawn = used.draws.iter().any(|draw| *draw.feature == **feature);
            drawn || used.draws.is_empty() && used.kind == *feature
        };
        !used.is_cancelled
            && self.price.as_ref().is_none_or(|name| price.is_some_and(|(of, _)| of == name))
            && self.feature.as_ref().is_none_or(has_feature)
            && self.from.is_none_or(|from| used.at >= from)
            && self.to.is_none_or(|to| used.at < to)
    }
}

/// A wallet as it is folded, and what is needed to charge its usage anew.
struct Folded {
    history: History,
    wallet: Wallet,
    memory: Memory,
    /// Where its usage stands, and by whom it is called what.
    usage: BTreeMap<Offset, (String, String)>,
    /// The last record that corrected a usage.
    corrected: BTreeMap<Offset, Offset>,
}

/// Tries on a copy of a wallet what charging its usage anew would change; `end` is where its partition is folded to.
pub(crate) async fn try_out(
    log: &Log,
    store: &Projections,
    (partition, end): (Partition, Offset),
    row: &WalletRow,
    filter: &Filter,
    now: Instant,
) -> anyhow::Result<Changed> {
    let Folded { history, mut wallet, mut memory, usage, corrected } =
        fold(log, store, (partition, end), row).await?;
    let mut changed = Changed { wallet: row.id.clone(), changes: Vec::new(), refused: BTreeMap::new() };
    let stamp = Stamp { now, by: "operator", backfill: false };
    // What time alone has done is not the corrections' doing.
    let due = ingest::timer(&row.id, now, &stamp);
    add(&history, &mut wallet, &mut memory, end, &due.bytes)?;
    for (offset, (source, id)) in usage {
        let Some(before) = memory.usage_at(offset).filter(|used| filter.admits(used)).cloned() else {
            continue;
        };
        let says = Correction::Rerate(Usage { source: &source, id: &id }, None);
        let record = Corrected { wallet: &row.id, id: "preview", time: None, reason: Some("preview"), says };
        let record = ingest::corrected(&record, &stamp)
            .map_err(|refusal| anyhow!("the usage at {offset}: {refusal}"))?;
        let (outcome, done) = add(&history, &mut wallet, &mut memory, end, &record.bytes)?;
        if let Some(Outcome::Rejected(reason)) = outcome {
            *changed.refused.entry(reason).or_default() += 1;
        }
        let Some(now) = done.used.filter(|now| differs(&before, now, &done.entries, filter)) else {
            continue;
        };
        let after = corrected.get(&offset).copied();
        let price = now.price.as_ref().map(ToString::to_string).unwrap_or_default();
        changed.changes.push(Change { source, id, after, price, charged: charged(&before, &now) });
    }
    Ok(changed)
}

/// Applies a record to the copy of its wallet, and notes what it did; `end` stands for its place, by which nothing is found.
fn add(
    history: &History,
    wallet: &mut Wallet,
    memory: &mut Memory,
    end: Offset,
    bytes: &[u8],
) -> anyhow::Result<(Option<Outcome>, Changes)> {
    let record = decode(bytes).context("what was stamped decodes")?;
    let identity = record.identify(&mut Vec::new()).context("what was stamped has an identity")?;
    let (mut past, mut done) = (Past::default(), Changes::default());
    memory.tell(history.catalogue(), wallet, &record, &mut past);
    let outcome = apply(history.catalogue(), wallet, &past, &record, &identity, &mut done);
    memory.note(end, (&record, &identity), wallet, outcome.as_ref(), &done);
    Ok((outcome, done))
}

async fn fold(
    log: &Log,
    store: &Projections,
    (partition, end): (Partition, Offset),
    row: &WalletRow,
) -> anyhow::Result<Folded> {
    use eventlog::EventLog;
    let places = places(store, partition, row.no, end).await?;
    let mut history = History::new(partition, log.partitions(), &projector::log_id(log).await?);
    let (mut usage, mut corrected) = (BTreeMap::new(), BTreeMap::new());
    let stopped = read_each(log, partition, &places, |offset, bytes| {
        let did = match history.fold(offset, bytes) {
            Ok(did) => did,
            Err(newer) => return Some(newer),
        };
        match (decode(bytes), &did.outcome, did.changes.used) {
            (_, _, Some(used)) => drop(corrected.insert(used.offset, offset)),
            (Ok(record), Some(Outcome::Applied(_)), None) if matches!(record.event, Event::Usage(_)) => {
                usage.insert(offset, (record.envelope.source.to_string(), record.envelope.id.to_string()));
            }
            _ => {}
        }
        None
    });
    if let Some(newer) = stopped.await? {
        anyhow::bail!("a record of `{}` cannot be folded: {newer}", row.id);
    }
    let wallet = history.wallet(&row.id).cloned().unwrap_or_default();
    let memory = history.memory(&row.id).cloned().unwrap_or_default();
    Ok(Folded { history, wallet, memory, usage, corrected })
}

/// Whether charging it anew comes to anything: another price, amount or overage; or another place for any credit, where lots are
/// meant. What overage lets go and takes again, so that each account stands as before, is nothing.
fn differs(before: &Used, after: &Used, entries: &[Entry], filter: &Filter) -> bool {
    let mut accounts: BTreeMap<(String, &Name), (Amount, Amount)> = BTreeMap::new();
    for entry in entries {
        let (debit, credit) = entry.kind.accounts(entry.lot.as_deref(), entry.other_lot.as_deref());
        accounts.entry((debit, &entry.unit)).or_default().0.add(entry.amount);
        accounts.entry((credit, &entry.unit)).or_default().1.add(entry.amount);
    }
    let is_meant = |account: &str| filter.lots || !account.starts_with("lot:");
    before.price != after.price
        || before.is_unpriced != after.is_unpriced
        || accounts.iter().any(|((account, _), (out, into))| is_meant(account) && out != into)
}

fn charged(before: &Used, after: &Used) -> BTreeMap<String, (Amount, Amount)> {
    let mut charged: BTreeMap<String, (Amount, Amount)> = BTreeMap::new();
    for draw in &before.draws {
        charged.entry(draw.unit.to_string()).or_default().0.add(draw.amount);
    }
    for draw in &after.draws {
        charged.entry(draw.unit.to_string()).or_default().1.add(draw.amount);
    }
    charged
}
