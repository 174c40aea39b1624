//! What the fold said to the records that were appended.

use std::collections::BTreeMap;

use ledger::{Offset, Partition, Position};
use store::rows::{OutcomeCode, RecordRow};
use store::{Projections, Store};

use super::Became;

/// So many rows are read at once.
const PAGE: usize = 4_096;

/// What became of these records, which are folded, each with the index of its document.
pub(super) async fn outcomes(
    store: &Projections,
    records: impl Iterator<Item = (usize, Position)>,
) -> anyhow::Result<Vec<(usize, Became)>> {
    let mut partitions: BTreeMap<Partition, BTreeMap<Offset, usize>> = BTreeMap::new();
    for (index, Position { partition, offset }) in records {
        partitions.entry(partition).or_default().insert(offset, index);
    }
    let mut outcomes = Vec::new();
    for (partition, mut waiting) in partitions {
        while let Some((from, _)) = waiting.first_key_value() {
            let (from, to) = (*from, from.plus(PAGE));
            let later = waiting.split_off(&to);
            for row in store.records_between(partition, from, to).await? {
                if let Some(index) = waiting.remove(&row.offset) {
                    outcomes.push((index, outcome(store, partition, &row).await?));
                }
            }
            let set_aside = |(_, index)| (index, Became::Rejected("the record was set aside".to_owned()));
            outcomes.extend(waiting.into_iter().map(set_aside));
            waiting = later;
        }
    }
    Ok(outcomes)
}

async fn outcome(store: &Projections, partition: Partition, row: &RecordRow) -> anyhow::Result<Became> {
    let rejected = |row: &RecordRow| Became::Rejected(row.detail.clone().unwrap_or_default());
    Ok(match OutcomeCode::try_from(row.outcome)? {
        OutcomeCode::Applied | OutcomeCode::Approved | OutcomeCode::None => Became::Appended,
        OutcomeCode::Rejected | OutcomeCode::Declined => rejected(row),
        OutcomeCode::Conflict => Became::Rejected(
            "another document of this id came first: look at it, then apply again".to_owned(),
        ),
        OutcomeCode::Duplicate => {
            let Some(offset) = row.earlier else { return Ok(Became::Unchanged) };
            // Whoever appended the same at the same time has done it; unless that was refused, as this then is.
            match store.record(partition, offset).await? {
                Some(first) if OutcomeCode::try_from(first.outcome)? == OutcomeCode::Rejected => {
                    rejected(&first)
                }
                Some(_) | None => Became::Unchanged,
            }
        }
    })
}
