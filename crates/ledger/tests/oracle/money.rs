//! What lots cost: money goes where credits go, by what a unit of them cost, cut down to nine places.

use super::step::Step;
use super::text::cut;

impl Step<'_> {
    /// What goes along with credits that are carried at a lot's end; the rest stays with the lot that ends.
    pub(crate) fn money_carried(&self, lot: usize, amount: i128) -> i128 {
        let lot = &self.wallet.lots[lot];
        let gone = if self.returns_take_money() { lot.returned } else { 0 };
        cut(lot.money, amount, lot.issued - gone)
    }

    /// What goes along with credits that come back to an ended lot and are carried.
    pub(crate) fn money_carried_again(&self, lot: usize, amount: i128) -> i128 {
        let lot = &self.wallet.lots[lot];
        let grant = &self.wallet.grants[lot.grant];
        if lot.free { 0 } else { cut(grant.money(), amount, grant.amount).min(lot.money) }
    }

    /// What goes along with credits that late usage takes back from a carried lot.
    pub(crate) fn money_returned(&self, lot: usize, amount: i128) -> i128 {
        let lot = &self.wallet.lots[lot];
        if !self.returns_take_money() {
            return 0;
        }
        cut(lot.money, amount, lot.issued - lot.rolled_over - lot.returned)
    }

    pub(crate) fn move_money(&mut self, from: usize, to: usize, money: i128) {
        self.wallet.lots[from].money -= money;
        self.wallet.lots[to].money += money;
    }

    /// In the first fold version the money stayed where it had been carried.
    fn returns_take_money(&self) -> bool {
        self.catalogue.fold_version >= 2
    }
}
