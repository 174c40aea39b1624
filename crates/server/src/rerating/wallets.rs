//! Which wallets may have usage that is to be charged anew: found in one go through a partition's rows.

use std::collections::BTreeSet;

use ledger::{EntryKind, Offset, Partition};
use store::rows::{EntryRow, OutcomeCode, RecordKind, RecordRow, WalletRow};
use store::{Projections, Store};

use super::Filter;
use crate::progress::Progress;

/// Rows read at once.
const PAGE: usize = 4_096;

/// The wallets of a partition that have usage which may be meant, by number.
pub(crate) async fn matching(
    store: &Projections,
    partition: Partition,
    end: Offset,
    filter: &Filter,
) -> anyhow::Result<Vec<WalletRow>> {
    let progress = Progress::new("records looked through", Some(end.0));
    let (mut in_time, mut charged) = (BTreeSet::new(), BTreeSet::new());
    let mut from = Offset(0);
    while from < end {
        let to = from.plus(PAGE).min(end);
        for record in store.records_between(partition, from, to).await? {
            let Some(wallet) = record.wallet.filter(|_| is_applied_usage(&record)) else { continue };
            if filter.from.is_none_or(|from| record.at >= from.0)
                && filter.to.is_none_or(|to| record.at < to.0)
            {
                in_time.insert(wallet);
            }
            if is_free_of(&record, filter) {
                charged.insert(wallet);
            }
        }
        let entries = store.entries_between(partition, from, to).await?;
        charged.extend(entries.iter().filter(|entry| is_charge_of(entry, filter)).map(|entry| entry.wallet));
        progress.add(usize::try_from(to.0 - from.0).unwrap_or(PAGE));
        from = to;
    }
    if filter.price.is_some() || filter.feature.is_some() {
        in_time.retain(|wallet| charged.contains(wallet));
    }
    rows(store, partition, &in_time).await
}

async fn rows(
    store: &Projections,
    partition: Partition,
    wanted: &BTreeSet<i64>,
) -> anyhow::Result<Vec<WalletRow>> {
    let mut rows: Vec<WalletRow> = Vec::new();
    let mut after = None;
    loop {
        let page = store.all_wallets(partition, after, PAGE as u32).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.no);
        rows.extend(page.into_iter().filter(|row| wanted.contains(&row.no)));
    }
}

fn is_applied_usage(record: &RecordRow) -> bool {
    RecordKind::is_usage(record.kind) && record.outcome == OutcomeCode::Applied.code()
}

fn is_of(price: Option<&str>, filter: &Filter) -> bool {
    let name = price.and_then(|label| label.rsplit_once('@')).map(|(name, _)| name);
    filter.price.as_deref().is_none_or(|wanted| name == Some(wanted))
}

/// Whether it booked nothing, and may be meant all the same.
fn is_free_of(record: &RecordRow, filter: &Filter) -> bool {
    let price = record.detail.as_deref().and_then(|detail| detail.strip_prefix("free:"));
    let is_feature = filter.feature.as_ref().is_none_or(|feature| record.feature.as_ref() == Some(feature));
    record.detail.is_some() && is_of(price, filter) && is_feature
}

fn is_charge_of(entry: &EntryRow, filter: &Filter) -> bool {
    let is_draw = EntryKind::of_code(entry.kind).is_some_and(EntryKind::is_draw);
    let is_feature = filter.feature.as_ref().is_none_or(|feature| entry.feature.as_deref() == Some(feature));
    is_draw && is_feature && is_of(entry.price.as_deref(), filter)
}
