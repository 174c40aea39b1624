//! What the simulated store is asked that is more than a look under a key.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Offset;
use store::LeftProbe;
use store::rows::{EntryRow, FilterRow, LeftRow, Opening, OutcomeCode, RecordKind, RecordRow, next_segment};

use crate::tables::Part;

impl Part {
    pub(crate) fn opening(&self) -> Option<Opening> {
        let filters: Vec<FilterRow> = self.filters.values().cloned().collect();
        let grows = next_segment(&filters);
        let growing = self.ids.iter().filter(|row| row.segment == grows).cloned().collect();
        Some(Opening { head: self.head.clone()?, catalogue: self.catalogue.clone(), filters, growing })
    }

    pub(crate) fn left(&self, wallet: i64, probe: &LeftProbe) -> Vec<LeftRow> {
        let is_it = |row: &&LeftRow| match probe {
            LeftProbe::Family(lot) => {
                let rest = row.key.strip_prefix(lot.as_str());
                row.kind == 0 && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '+']))
            }
            LeftProbe::Grant(grant) => row.kind == 1 && row.key == *grant,
            LeftProbe::Purchase(purchase) => row.kind == 1 && row.purchase.as_ref() == Some(purchase),
        };
        self.left.values().filter(|row| row.wallet == wallet).filter(is_it).cloned().collect()
    }

    pub(crate) fn paid(&self, wallet: i64, month: &str) -> Vec<EntryRow> {
        let kinds = [4, 9, 10, 15, 16, 17];
        let is_it = |row: &&EntryRow| {
            row.wallet == wallet && row.month.as_deref() == Some(month) && kinds.contains(&row.kind)
        };
        self.entries.values().filter(is_it).cloned().collect()
    }

    pub(crate) fn corrections(&self, usage: Offset) -> Vec<RecordRow> {
        let corrects = |row: &&RecordRow| row.earlier == Some(usage) && corrects_usage(row);
        self.records.values().filter(corrects).cloned().collect()
    }

    pub(crate) fn corrected(&self) -> Vec<i64> {
        let kinds = [RecordKind::Void, RecordKind::Reversal, RecordKind::Rerating, RecordKind::Change];
        let is_it = |row: &&RecordRow| {
            let outcomes = [OutcomeCode::Applied.code(), OutcomeCode::Rejected.code()];
            outcomes.contains(&row.outcome) && kinds.iter().any(|kind| kind.code() == row.kind)
        };
        let wallets = self.records.values().filter(is_it).filter_map(|row| row.wallet);
        wallets.collect::<BTreeSet<i64>>().into_iter().collect()
    }

    pub(crate) fn unpriced(&self, after: Option<Offset>, limit: u32) -> Vec<RecordRow> {
        let is_it = |row: &&RecordRow| {
            RecordKind::is_usage(row.kind)
                && row.outcome == OutcomeCode::Applied.code()
                && row.detail.as_ref().is_some_and(|detail| !detail.starts_with("free:"))
                && after.is_none_or(|after| row.offset > after)
                && self.corrections(row.offset).is_empty()
        };
        limited(self.records.values().filter(is_it).cloned(), limit)
    }

    pub(crate) fn due(&self, until: i64, limit: u32) -> Vec<(String, i64)> {
        let due = self.wallets.values().filter_map(|row| Some((row.next_due_at?, row.no, row.id.clone())));
        let mut due: Vec<(i64, i64, String)> = due.filter(|(at, ..)| *at <= until).collect();
        due.sort_unstable();
        limited(due.into_iter().map(|(at, _, id)| (id, at)), limit)
    }
}

pub(crate) fn limited<T>(rows: impl Iterator<Item = T>, limit: u32) -> Vec<T> {
    rows.take(limit as usize).collect()
}

/// The rows behind a key.
pub(crate) fn beyond<'t, K: Ord, T: Clone>(
    rows: &'t BTreeMap<K, T>,
    after: Option<&'t K>,
) -> impl Iterator<Item = T> + 't {
    rows.iter().filter(move |(key, _)| after.is_none_or(|after| *key > after)).map(|(_, row)| row.clone())
}

fn corrects_usage(row: &RecordRow) -> bool {
    let kinds = [RecordKind::Reversal.code(), RecordKind::Rerating.code()];
    kinds.contains(&row.kind) && row.outcome == OutcomeCode::Applied.code()
}
