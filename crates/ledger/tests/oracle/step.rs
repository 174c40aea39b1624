//! One step of a wallet: what books entries, and what is available while it does.

use super::EntrySum;
use super::catalogue::{AsOf, Catalogue, OveragePolicy};
use super::lot::{Lot, burn_order};
use super::undo::AtHand;
use super::used::Part;
use super::wallet::Wallet;

/// A wallet at its clock, either moved on by time alone or by a record.
pub(crate) struct Step<'a> {
    pub(crate) wallet: &'a mut Wallet,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) offset: u64,
    /// Whether the record itself is being applied; else time passes up to it.
    by_record: bool,
    /// What the usage at hand was paid with so far.
    pub(crate) parts: Vec<Part>,
    /// What the corrected usage gave back to lots, while it may still be charged anew.
    pub(crate) at_hand: Vec<AtHand>,
}

/// What an entry says besides its accounts.
#[derive(Clone, Copy)]
pub(crate) struct Note<'a> {
    pub(crate) kind: &'a str,
    pub(crate) effective_at: i64,
    pub(crate) feature: Option<&'a str>,
    pub(crate) price: Option<&'a str>,
}

impl Note<'_> {
    pub(crate) fn plain(kind: &str, effective_at: i64) -> Note<'_> {
        Note { kind, effective_at, feature: None, price: None }
    }
}

impl<'a> Step<'a> {
    /// What time alone does up to a record.
    pub(crate) fn of_time(wallet: &'a mut Wallet, catalogue: &'a Catalogue, offset: u64) -> Step<'a> {
        Step { wallet, catalogue, offset, by_record: false, parts: Vec::new(), at_hand: Vec::new() }
    }

    /// What a record does.
    pub(crate) fn of_record(wallet: &'a mut Wallet, catalogue: &'a Catalogue, offset: u64) -> Step<'a> {
        Step { by_record: true, ..Step::of_time(wallet, catalogue, offset) }
    }
}

impl Step<'_> {
    pub(crate) fn as_of(&self) -> AsOf {
        if self.by_record { AsOf::Record(self.wallet.clock) } else { AsOf::Due(self.wallet.clock) }
    }

    pub(crate) fn overage_policy(&self) -> OveragePolicy {
        let own = self.wallet.own_overage_policy().cloned();
        own.unwrap_or_else(|| self.catalogue.policies(self.as_of()).overage)
    }

    pub(crate) fn default_lateness(&self) -> i64 {
        self.catalogue.policies(self.as_of()).lateness
    }

    pub(crate) fn lot_id(&self, lot: usize) -> String {
        self.wallet.lots[lot].id()
    }

    pub(crate) fn unit_of(&self, lot: usize) -> String {
        self.wallet.grants[self.wallet.lots[lot].grant].unit.clone()
    }

    /// What the lots of a unit that are open at the clock have left; untouched quiet ones count, and void ones
    /// until what came back to them is void too.
    pub(crate) fn available(&self, unit: &str) -> i128 {
        let open = |lot: &&Lot| self.wallet.grants[lot.grant].unit == unit && lot.holds(self.wallet.clock);
        self.wallet.lots.iter().filter(open).map(|lot| lot.remaining).sum()
    }

    /// Books a transfer that has just been made.
    pub(crate) fn book(
        &mut self,
        note: Note<'_>,
        unit: &str,
        lot: Option<usize>,
        way: (&str, &str),
        amount: i128,
    ) {
        let entry = EntrySum {
            offset: self.offset,
            kind: note.kind.to_owned(),
            unit: unit.to_owned(),
            lot: lot.map(|lot| self.lot_id(lot)),
            debit: way.0.to_owned(),
            credit: way.1.to_owned(),
            amount,
            available_after: self.available(unit),
            effective_at: note.effective_at,
            booked_at: self.wallet.clock,
            feature: note.feature.map(str::to_owned),
            price: note.price.map(str::to_owned),
        };
        self.wallet.entries.push(entry);
    }

    /// Sorts lots into the order in which they burn.
    pub(crate) fn burning(&self, mut lots: Vec<usize>) -> Vec<usize> {
        lots.sort_by(|a, b| burn_order(&self.wallet.grants, &self.wallet.lots[*a], &self.wallet.lots[*b]));
        lots
    }

    /// The account of a lot.
    pub(crate) fn account(&self, lot: usize) -> String {
        format!("lot:{}", self.lot_id(lot))
    }
}
