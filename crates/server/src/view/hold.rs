//! A hold: open, as its wallet has it; or ended, as its request and its entries tell.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ledger::{Amount, Approved, Declined, EntryKind, Held, Instant, Offset, Partition};
use schemars::JsonSchema;
use serde::Serialize;
use store::rows::{EntryRow, OutcomeCode, RecordKind, RecordRow};
use store::{EntryFilter, Store};

use super::entry::{EntryNow, amount, kind_of};
use crate::view::{Reading, WalletNow};

/// Rows read at once.
const PAGE: u32 = 1_000;

/// A hold.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hold")]
pub(crate) struct HoldNow {
    /// Its id.
    id: String,
    wallet: String,
    state: State,
    /// Who uses.
    subject: Option<String>,
    /// When it was approved, or declined: what settles it counts as of then.
    decided_at: Instant,
    /// When it ends by itself; of one that has ended, as its request had it.
    expires_at: Option<Instant>,
    /// When it ends at the latest, however it is extended; none once it has ended.
    ends_at_latest: Option<Instant>,
    /// The version that priced it: it prices the settlement too.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    /// What is set aside now, in the order in which it will pay; nothing once it has ended.
    held: Vec<Part>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of one that has ended: what was paid out of it, by unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<BTreeMap<String, Amount>>,
    /// Of one that has ended: all that it has moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EntryNow>>,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "HoldState")]
pub(crate) enum State {
    /// It holds what is set aside.
    Open,
    /// What was used was taken out of it, and the rest is free.
    Settled,
    /// It was ended unused; or what a settlement in part had left was.
    Voided,
    /// Its time was over.
    Expired,
    /// It never was.
    Declined,
}

/// What is set aside of a unit for a feature.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HeldPart")]
struct Part {
    unit: String,
    feature: String,
    /// The lot; none of what is held against the overdraft.
    lot: Option<String>,
    amount: Amount,
}

impl HoldNow {
    /// An open hold of a wallet; none if it has no such.
    pub(crate) fn open(now: &WalletNow, id: &str) -> Option<Self> {
        let (id, hold) = now.wallet.holds().get_key_value(id)?;
        Some(Self {
            id: id.to_string(),
            wallet: now.id.clone(),
            state: State::Open,
            subject: hold.subject.as_deref().map(str::to_owned),
            decided_at: hold.at,
            expires_at: Some(hold.ends_at),
            ends_at_latest: Some(hold.latest),
            price: hold.price.as_deref().map(str::to_owned),
            held: hold.lines.iter().flat_map(parts).collect(),
            reason: None,
            used: None,
            entries: None,
        })
    }

    /// A hold that is not open, by what is committed; none if nobody requested it. Those who made its id may be any of `sources`,
    /// or somebody else if it was approved.
    pub(crate) async fn ended(
        reading: &Reading,
        now: &WalletNow,
        id: &str,
        sources: &[&str],
    ) -> anyhow::Result<Option<Self>> {
        let partition = Partition(now.as_of.partition);
        let named = requested(reading, now, id, sources).await?;
        let rows = moved(reading, now.no, id, named.as_ref().map(|record| record.offset)).await?;
        let request = match (named, rows.first()) {
            (Some(request), _) => request,
            (None, Some(first)) => {
                let record = reading.store.record(partition, first.offset).await?;
                record.context("the record of an entry is not in the store: run `drawdown rebuild`")?
            }
            (None, None) => return Ok(None),
        };
        let detail = request.detail.as_deref().unwrap_or_default();
        let hold = Self {
            id: id.to_owned(),
            wallet: now.id.clone(),
            state: State::Declined,
            subject: request.subject.clone(),
            decided_at: Instant(request.recorded_at),
            expires_at: None,
            ends_at_latest: None,
            price: None,
            held: Vec::new(),
            reason: None,
            used: None,
            entries: None,
        };
        if request.outcome != OutcomeCode::Approved.code() {
            let why = Declined::parse(detail).map_or_else(|_| detail.to_owned(), |answer| answer.why.word());
            return Ok(Some(Self { reason: Some(why), ..hold }));
        }
        let used = used(&rows)?;
        let state = match rows.last() {
            Some(last) => became(reading, partition, id, last).await?,
            // It held nothing but what was free, and that leaves no entry.
            None => State::Settled,
        };
        let is_its = |entry: &&ledger::Entry| entry.other_lot.as_deref() == Some(id) && is_hold(entry.kind);
        let due: Vec<EntryNow> = now.due.entries.iter().filter(is_its).map(EntryNow::due).collect();
        let booked = rows.into_iter().map(|row| EntryNow::booked(partition.0, row));
        let mut entries = booked.collect::<anyhow::Result<Vec<_>>>()?;
        let state = if due.is_empty() { state } else { State::Expired };
        entries.extend(due);
        Ok(Some(Self {
            state,
            expires_at: Some(Approved::parse(detail)?.until),
            used: Some(used),
            entries: Some(entries),
            ..hold
        }))
    }
}

fn parts(line: &Held) -> impl Iterator<Item = Part> {
    let part = |lot: Option<&str>, amount| Part {
        unit: line.unit.to_string(),
        feature: line.feature.to_string(),
        lot: lot.map(str::to_owned),
        amount,
    };
    let lots = line.lots.iter().map(move |held| part(Some(&held.lot), held.amount));
    let overdraft = Some(line.overdraft).filter(|amount| !amount.is_zero());
    lots.chain(overdraft.map(move |amount| part(None, amount)))
}

/// What was paid out of a hold, by unit.
fn used(rows: &[EntryRow]) -> anyhow::Result<BTreeMap<String, Amount>> {
    let mut used = BTreeMap::<String, Amount>::new();
    for row in rows.iter().filter(|row| row.kind == EntryKind::HeldUsage.code()) {
        used.entry(row.unit.to_string()).or_default().add(amount(&row.amount)?);
    }
    Ok(used)
}

fn is_hold(kind: EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::Hold
            | EntryKind::HeldUsage
            | EntryKind::Release
            | EntryKind::HoldOverdraft
            | EntryKind::ReleaseOverdraft
    )
}

/// The request for a hold, if one of these made its id.
async fn requested(
    reading: &Reading,
    now: &WalletNow,
    id: &str,
    sources: &[&str],
) -> anyhow::Result<Option<RecordRow>> {
    let partition = Partition(now.as_of.partition);
    let segments = reading.store.segments(partition).await?;
    let keys: Vec<_> = sources.iter().map(|source| ledger::key(&now.id, source, id)).collect();
    let probes: Vec<_> =
        segments.into_iter().flat_map(|segment| keys.iter().map(move |key| (segment, *key))).collect();
    for row in reading.store.ids(partition, &probes).await? {
        let record = reading.store.record(partition, row.offset).await?;
        if let Some(record) = record.filter(|record| record.kind == RecordKind::Hold.code()) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// A hold's entries, from its request on; without one, wherever they are.
async fn moved(
    reading: &Reading,
    wallet: i64,
    id: &str,
    from: Option<Offset>,
) -> anyhow::Result<Vec<EntryRow>> {
    let mut after = from.and_then(|from| from.0.checked_sub(1)).map(|before| (Offset(before), u32::MAX));
    let mut all = Vec::new();
    loop {
        let lot = Some(id.to_owned());
        let page = EntryFilter { wallet, lot, after, limit: PAGE, ..EntryFilter::default() };
        let rows = reading.store.entries(&page).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        after = Some((last.offset, last.line));
        for row in rows {
            if is_hold(kind_of(&row)?) && row.other_lot.as_deref() == Some(id) {
                all.push(row);
            }
        }
    }
}

/// What the last entry of a hold says of its end.
async fn became(reading: &Reading, partition: Partition, id: &str, last: &EntryRow) -> anyhow::Result<State> {
    let record = reading.store.record(partition, last.offset).await?;
    let record = record.context("the record of an entry is not in the store: run `drawdown rebuild`")?;
    // What time does is booked at its own time, with whatever record comes next.
    let is_times = last.booked_at < record.recorded_at || record.kind == RecordKind::Timer.code();
    let kind = RecordKind::try_from(record.kind)?;
    Ok(match kind {
        _ if is_times => State::Expired,
        RecordKind::HoldVoid => State::Voided,
        RecordKind::Usage | RecordKind::Settlement => State::Settled,
        RecordKind::Hold if record.id == id => State::Settled,
        RecordKind::Hold
        | RecordKind::Genesis
        | RecordKind::Catalogue
        | RecordKind::Wallet
        | RecordKind::Grant
        | RecordKind::Timer
        | RecordKind::Void
        | RecordKind::Reversal
        | RecordKind::Rerating
        | RecordKind::Reset
        | RecordKind::Clearing
        | RecordKind::Change
        | RecordKind::Suspension
        | RecordKind::Resumption
        | RecordKind::Extension => State::Expired,
    })
}
