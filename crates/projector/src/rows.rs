//! What the fold did, as rows.

use ledger::{Event, Hash16, Instant, Lot, Offset, Outcome, Record, Terms, Wallet};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use store::rows::{
    Batch, CounterRow, EntryRow, GrantRow, IdRow, LeftRow, LotRow, OutcomeCode, QuarantineRow, RecordKind,
    RecordRow, WalletRow,
};

use crate::folding::{Folded, Folding};

/// Adds to a batch what a record did.
pub(crate) fn add(batch: &mut Batch, folded: Folded<'_>) {
    let offset = folded.offset;
    let record = match folded.record {
        Ok(record) => record,
        Err(reason) => {
            let digest = Sha256::digest(folded.bytes).into();
            batch.quarantined.push(QuarantineRow { offset, digest, reason: reason.to_owned() });
            return;
        }
    };
    let ids = folded.identity.into_iter().chain(folded.names);
    batch.ids.extend(ids.map(|(key, content, segment)| id(offset, key, content, segment)));
    batch.filters.extend(folded.filters);
    let settles = folded.changes.settles.as_ref();
    let at = settles.map_or(record.time().min(folded.clock), |settles| settles.at);
    let mut row = row(offset, record, folded.outcome, folded.wallet, at);
    if let Some(price) = &folded.changes.priced {
        row.detail = Some(format!("free:{price}"));
    }
    if let Some(settles) = settles {
        row.subject = settles.subject.as_deref().map(str::to_owned);
    }
    if let Some(used) = &folded.changes.used {
        row.earlier = Some(used.offset);
    }
    batch.records.push(row);
    let Some(wallet) = folded.wallet else { return };
    if let Some(Outcome::Applied(_)) = folded.outcome {
        let issue = |(terms, body)| grant(wallet, offset, record, terms, body);
        batch.grants.extend(record.issued().into_iter().map(issue));
    }
    // A usage charged anew is still that of whoever used it.
    let corrected = folded.changes.used.as_ref().map(|used| used.subject.clone());
    let settles =
        folded.changes.settles.as_ref().map(|settles| settles.subject.as_deref().map(str::to_owned));
    let other = corrected.or(settles);
    let subject = other.as_ref().map_or(record.subject(), Option::as_deref);
    batch.entries.extend(folded.changes.entries.drain(..).map(|e| EntryRow {
        offset,
        line: e.line,
        wallet,
        kind: e.kind.code(),
        lot: e.lot,
        other_lot: e.other_lot,
        amount: e.amount.text(),
        available_after: e.available_after.text(),
        effective_at: e.effective_at.0,
        booked_at: e.booked_at.0,
        subject: subject.filter(|_| e.price.is_some() || e.kind.is_draw()).map(str::to_owned),
        feature: e.feature,
        price: e.price,
        month: e.month.map(|month| month.to_string()),
        unit: e.unit,
    }));
    batch.left.extend(folded.changes.left.iter().map(|lot| LeftRow {
        wallet,
        kind: 0,
        key: lot.id.to_string(),
        purchase: None,
        doc: lot.write(),
    }));
    batch.left.extend(folded.changes.left_grants.drain(..).map(|grant| LeftRow {
        wallet,
        kind: 1,
        key: grant.terms().grant_id.clone(),
        purchase: grant.terms().purchase_id.clone(),
        doc: grant.write(),
    }));
    batch.lots.extend(folded.changes.left.drain(..).map(|l| lot(wallet, &l)));
    batch.counters.extend(folded.changes.counters.drain(..).map(|c| CounterRow {
        wallet,
        price: c.price.to_string(),
        charge: c.charge.to_string(),
        period: c.starts.0,
        value: c.value.to_string(),
    }));
}

fn grant(wallet: i64, offset: Offset, record: &Record<'_>, terms: &Terms, body: &str) -> GrantRow {
    GrantRow {
        wallet,
        grant: terms.grant_id.clone(),
        offset,
        unit: terms.unit.clone(),
        amount: terms.amount.to_string(),
        category: terms.category.word().to_owned(),
        priority: terms.priority,
        effective_at: terms.effective_at.unwrap_or(record.time()).0,
        expires_at: terms.expires_at.map(|at| at.0),
        purchase: terms.purchase_id.clone(),
        body: body.to_owned(),
    }
}

fn id(offset: Offset, key: Hash16, content: Hash16, segment: u32) -> IdRow {
    IdRow { segment, key, offset, content }
}

fn row(
    offset: Offset,
    record: &Record<'_>,
    outcome: Option<&Outcome>,
    wallet: Option<i64>,
    at: Instant,
) -> RecordRow {
    let e = &record.envelope;
    let (code, detail, earlier) = match outcome {
        None => (OutcomeCode::None, None, None),
        Some(Outcome::Applied(unpriced)) => {
            (OutcomeCode::Applied, unpriced.map(|why| why.word().to_owned()), None)
        }
        Some(Outcome::Duplicate(of)) => (OutcomeCode::Duplicate, None, Some(*of)),
        Some(Outcome::Conflict(with)) => (OutcomeCode::Conflict, None, Some(*with)),
        Some(Outcome::Rejected(reason)) => (OutcomeCode::Rejected, Some(reason.clone()), None),
        Some(Outcome::Approved(answer)) => (OutcomeCode::Approved, Some(answer.to_string()), None),
        Some(Outcome::Declined(answer)) => (OutcomeCode::Declined, Some(answer.to_string()), None),
    };
    let (feature, data) = match &record.event {
        Event::Usage(usage) => {
            (Some((*usage.kind).to_owned()), usage.data.map(RawValue::get).map(str::to_owned))
        }
        Event::HoldSettled(settled) => {
            let event = settled.event();
            let data = event.and_then(|event| event.data).map(RawValue::get).map(str::to_owned);
            (event.map(|event| (*event.kind).to_owned()), data)
        }
        Event::HoldRequested(_)
        | Event::HoldExtended(_)
        | Event::HoldVoided(_)
        | Event::GrantVoided(_)
        | Event::UsageReversed(_)
        | Event::UsageRerated(_)
        | Event::WalletReset(_)
        | Event::OverageCleared(_)
        | Event::WalletChanged(_) => (None, Some(e.data.get().to_owned())),
        Event::Genesis(_)
        | Event::CataloguePublished(_)
        | Event::WalletConfigured(_)
        | Event::GrantIssued(_)
        | Event::TimerDue(_)
        | Event::WalletSuspended
        | Event::WalletResumed => (None, None),
    };
    // A settlement is the usage that it books, and is found as that.
    let (source, id) = record.usage_name().unwrap_or((&*e.source, &*e.id));
    RecordRow {
        offset,
        wallet,
        kind: kind(&record.event).code(),
        outcome: code.code(),
        detail,
        earlier,
        id: id.to_owned(),
        source: source.to_owned(),
        subject: e.subject.as_deref().map(str::to_owned),
        at: at.0,
        recorded_at: e.recorded_at.0,
        feature,
        data,
    }
}

fn kind(event: &Event<'_>) -> RecordKind {
    match event {
        Event::Genesis(_) => RecordKind::Genesis,
        Event::CataloguePublished(_) => RecordKind::Catalogue,
        Event::WalletConfigured(_) => RecordKind::Wallet,
        Event::GrantIssued(_) => RecordKind::Grant,
        Event::Usage(_) => RecordKind::Usage,
        Event::TimerDue(_) => RecordKind::Timer,
        Event::GrantVoided(_) => RecordKind::Void,
        Event::UsageReversed(_) => RecordKind::Reversal,
        Event::UsageRerated(_) => RecordKind::Rerating,
        Event::WalletReset(_) => RecordKind::Reset,
        Event::OverageCleared(_) => RecordKind::Clearing,
        Event::WalletChanged(_) => RecordKind::Change,
        Event::WalletSuspended => RecordKind::Suspension,
        Event::WalletResumed => RecordKind::Resumption,
        Event::HoldRequested(_) => RecordKind::Hold,
        Event::HoldExtended(_) => RecordKind::Extension,
        Event::HoldSettled(_) => RecordKind::Settlement,
        Event::HoldVoided(_) => RecordKind::HoldVoid,
    }
}

/// A lot's row.
pub(crate) fn lot(wallet: i64, lot: &Lot) -> LotRow {
    let terms = lot.terms();
    LotRow {
        wallet,
        lot: (*lot.id).to_owned(),
        grant: terms.grant_id.clone(),
        unit: (*lot.unit).to_owned(),
        origin: lot.origin.as_deref().map(str::to_owned),
        issued: lot.issued.text(),
        remaining: lot.remaining.text(),
        held: lot.held.text(),
        consumed: lot.consumed.text(),
        expired: lot.expired.text(),
        voided: lot.voided.text(),
        rolled_over: lot.rolled_over.text(),
        returned: lot.returned.text(),
        moved: lot.moved.text(),
        starts_at: lot.starts_at.0,
        ends_at: lot.ends_at.map(|at| at.0),
        priority: terms.priority,
        category: terms.category.word().to_owned(),
        cost: terms.cost_basis.as_ref().map(|_| lot.money.text()),
        currency: terms.cost_basis.as_ref().map(|c| c.currency.clone()),
    }
}

/// Adds to a batch the wallets that changed, with their lots and digests, and the head that they lead to.
pub(crate) fn finish(batch: &mut Batch, folding: &mut Folding) {
    let as_of = folding.head.next;
    for at in std::mem::take(&mut folding.changed) {
        let slot = &mut folding.slots[at];
        slot.changed = false;
        let no = slot.no;
        batch.lots.extend(slot.wallet.take_touched().map(|l| lot(no, l)));
        let doc = slot.wallet.write();
        let digest = Wallet::digest(&doc);
        folding.digest.take(slot.digest);
        folding.digest.add(digest);
        slot.digest = digest;
        batch.wallets.push(WalletRow {
            no,
            id: slot.id.to_string(),
            as_of,
            clock: slot.wallet.clock.0,
            next_due_at: slot.wallet.next_due_at().map(|at| at.0),
            claimed: slot.wallet.claimed,
            unpriced: slot.wallet.unpriced,
            digest,
            doc,
        });
    }
    folding.head.digest = folding.digest.to_bytes();
    batch.head = folding.head.clone();
}
