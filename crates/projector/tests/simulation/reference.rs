//! What must come of the log: each record folded once, in order, by itself, without a store.

use std::collections::BTreeMap;

use eventlog::Stretch;
use ledger::{Offset, Partition};
use projector::Replay;
use store::rows::{Batch, Head, WalletRow};

use crate::world::LOG;

/// For each partition what each of its records does.
pub(crate) struct Reference {
    folds: Vec<Replay>,
    batches: Vec<Vec<Batch>>,
}

impl Reference {
    pub(crate) fn new(partitions: u32) -> Self {
        let fold = |n| Replay::new(Partition(n), partitions, LOG).remembering();
        Self { folds: (0..partitions).map(fold).collect(), batches: vec![Vec::new(); partitions as usize] }
    }

    /// Folds the next record of a partition.
    pub(crate) fn fold(&mut self, partition: Partition, bytes: &[u8]) {
        let batches = &mut self.batches[partition.0 as usize];
        let mut stretch = Stretch::new(Offset(batches.len() as u64));
        stretch.push(bytes);
        let batch = self.folds[partition.0 as usize].batch(&stretch);
        batches.push(batch.expect("this build knows its own records"));
    }

    /// Why a batch is not what the log says; none if it is.
    pub(crate) fn objects(&self, batch: &Batch) -> Option<String> {
        let place = |offset: Offset| usize::try_from(offset.0).expect("a log in memory");
        let (from, to) = (place(batch.from), place(batch.head.next));
        let Some(parts) = self.batches[batch.partition.0 as usize].get(from..to) else {
            return Some(format!("there are no records {from} to {to}"));
        };
        if parts.is_empty() {
            return Some(format!("no record stands between {from} and {to}"));
        }
        let (expected, found) = (normal(parts), normal(std::slice::from_ref(batch)));
        (expected != found).then(|| differing(&format!("{expected:#?}"), &format!("{found:#?}")))
    }
}

/// Batches as one, as if they had been one: of what is written over, the last; all in an order that is theirs.
fn normal(parts: &[Batch]) -> Batch {
    let (first, last) = (&parts[0], &parts[parts.len() - 1]);
    let as_of = last.head.next;
    let mut all =
        Batch { epoch: 0, head: Head { epoch: 0, ..last.head.clone() }, catalogue: None, ..first.clone() };
    for part in &parts[1..] {
        let part = part.clone();
        all.entries.extend(part.entries);
        all.records.extend(part.records);
        all.ids.extend(part.ids);
        all.wallets.extend(part.wallets);
        all.lots.extend(part.lots);
        all.grants.extend(part.grants);
        all.left.extend(part.left);
        all.counters.extend(part.counters);
        all.quarantined.extend(part.quarantined);
        all.filters.extend(part.filters);
    }
    all.wallets = last_of(all.wallets.into_iter().map(|w| WalletRow { as_of, ..w }), |w| w.no);
    all.lots = last_of(all.lots, |l| (l.wallet, l.lot.clone()));
    all.grants = last_of(all.grants, |g| (g.offset, g.wallet, g.grant.clone()));
    all.left = last_of(all.left, |l| (l.wallet, l.kind, l.key.clone()));
    all.counters = last_of(all.counters, |c| (c.wallet, c.price.clone(), c.charge.clone(), c.period));
    all
}

fn last_of<T, K: Ord>(rows: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    rows.into_iter().map(|row| (key(&row), row)).collect::<BTreeMap<K, T>>().into_values().collect()
}

/// The first lines in which two texts differ.
fn differing(expected: &str, found: &str) -> String {
    let lines = expected.lines().zip(found.lines()).enumerate();
    let differ = lines.filter(|(_, (expected, found))| expected != found).take(4);
    let told: Vec<String> =
        differ.map(|(n, (expected, found))| format!("line {n}: {expected} and not {found}")).collect();
    if told.is_empty() { "there is more in one of them".to_owned() } else { told.join("; ") }
}
