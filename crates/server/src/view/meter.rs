//! What a hold would cost if it were settled now.

use std::collections::BTreeMap;

use anyhow::anyhow;
use ledger::{Amount, Changes, Entry, EntryKind, Hold, Instant, Outcome, Past, Record, Wallet, apply};
use schemars::JsonSchema;
use serde::Serialize;

use super::units::{Totals, units};
use crate::view::{AsOf, WalletNow};

/// Running quantities, settled on a copy of the wallet by the fold itself.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Meter {
    /// The hold's id.
    id: String,
    wallet: String,
    as_of: AsOf,
    /// What it comes to, by unit.
    cost: BTreeMap<String, Amount>,
    /// The version of the price that says so; none if amounts were given, or nothing prices it.
    price: Option<String>,
    /// Whether what the hold has set aside covers it.
    fits: bool,
    /// What would be left of the hold, by unit.
    left: BTreeMap<String, Amount>,
    /// What no lot covers, by unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    overage: BTreeMap<String, Amount>,
    /// Why it would be charged nothing, where it has no price.
    unpriced: Option<&'static str>,
    /// How the wallet would stand if the hold were settled so, and what is left of it were free.
    balance: BTreeMap<String, Totals>,
    /// When the hold ends by itself.
    expires_at: Instant,
    behind: u64,
}

/// Why quantities cannot be metered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotMetered {
    /// The settlement would be rejected, for this reason.
    #[error("the settlement would be rejected: {0}")]
    Rejected(String),
    /// It is no settlement of a hold.
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

/// What a settlement did to a copy of the wallet.
struct Tried {
    wallet: Wallet,
    changes: Changes,
    unpriced: Option<&'static str>,
}

impl Tried {
    fn of(now: &WalletNow, past: &Past, record: &Record<'_>) -> Result<Self, NotMetered> {
        let identity = record.identify(&mut Vec::new()).map_err(|e| anyhow!("{e}"))?;
        let (mut wallet, mut changes) = (now.wallet.clone(), Changes::default());
        let unpriced = match apply(&now.catalogue, &mut wallet, past, record, &identity, &mut changes) {
            Some(Outcome::Rejected(reason)) => return Err(NotMetered::Rejected(reason)),
            Some(Outcome::Applied(unpriced)) => unpriced.map(|why| why.word()),
            Some(
                Outcome::Duplicate(_) | Outcome::Conflict(_) | Outcome::Approved(_) | Outcome::Declined(_),
            )
            | None => return Err(anyhow!("it is no settlement").into()),
        };
        Ok(Self { wallet, changes, unpriced })
    }

    /// What the entries of these kinds come to, by unit.
    fn sums(&self, is_meant: impl Fn(EntryKind) -> bool) -> BTreeMap<String, Amount> {
        let mut sums = BTreeMap::<String, Amount>::new();
        for Entry { unit, amount, .. } in self.changes.entries.iter().filter(|entry| is_meant(entry.kind)) {
            sums.entry(unit.to_string()).or_default().add(*amount);
        }
        sums
    }
}

impl Meter {
    /// Tries a settlement of an open hold: one that leaves it open with what is left, and one that ends it.
    ///
    /// # Errors
    ///
    /// If the settlement would be rejected.
    pub(crate) fn of(
        now: &WalletNow,
        (id, hold): (&str, &Hold),
        past: &Past,
        [in_part, whole]: [&Record<'_>; 2],
    ) -> Result<Self, NotMetered> {
        let (part, whole) = (Tried::of(now, past, in_part)?, Tried::of(now, past, whole)?);
        let cost = part.sums(EntryKind::is_draw);
        // What was held against the overdraft and is usage now is released from there.
        let covered = part.sums(|kind| matches!(kind, EntryKind::HeldUsage | EntryKind::ReleaseOverdraft));
        let fits = cost.iter().all(|(unit, cost)| covered.get(unit).is_some_and(|covered| covered >= cost));
        let left = part.wallet.holds().get(id);
        let held: Vec<String> = hold.lines.iter().map(|line| line.unit.to_string()).collect();
        let left = held.into_iter().map(|unit| {
            let amount = left.map_or(Amount::ZERO, |left| left.amount(&unit));
            (unit, amount)
        });
        let price = part.changes.entries.iter().filter(|entry| entry.kind.is_draw());
        let price = price.filter_map(|entry| entry.price.as_ref()).chain(&part.changes.priced).next();
        let totals = |unit: String| {
            let totals = Totals::of(&whole.wallet, &unit);
            (unit, totals)
        };
        Ok(Self {
            id: id.to_owned(),
            wallet: now.id.clone(),
            as_of: now.as_of,
            price: price.map(ToString::to_string),
            fits,
            left: left.collect(),
            overage: whole.sums(|kind| kind == EntryKind::Overage),
            unpriced: part.unpriced,
            balance: units(&whole.wallet).into_iter().map(totals).collect(),
            expires_at: hold.ends_at,
            behind: now.behind,
            cost,
        })
    }
}
