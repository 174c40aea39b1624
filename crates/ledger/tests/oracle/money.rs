//! What lots cost: money goes where credits go, by what a unit costs there, cut down to nine places.

use super::step::Step;
use super::text::cut;

impl Step<'_> {
    /// What is carried takes its share of the money along; the rest stays with the lot that ends.
    pub(crate) fn carry_money(&mut self, from: usize, to: usize, amount: i128) {
        let lot = &self.wallet.lots[from];
        let gone = if self.returns_take_money() { lot.returned } else { 0 };
        self.move_money((from, to), amount, lot.issued - lot.rolled_over - gone);
    }

    /// What late usage takes back from a carried lot takes its share of the money along.
    pub(crate) fn return_money(&mut self, from: usize, to: usize, amount: i128) {
        let lot = &self.wallet.lots[from];
        if self.returns_take_money() {
            self.move_money((from, to), amount, lot.issued - lot.rolled_over - lot.returned);
        }
    }

    /// In the first fold version the money stayed where it had been carried.
    fn returns_take_money(&self) -> bool {
        self.catalogue.fold_version >= 2
    }

    /// Moves the share of the money that `amount` has of the `there` credits it is for.
    fn move_money(&mut self, (from, to): (usize, usize), amount: i128, there: i128) {
        let share = cut(self.wallet.lots[from].money, amount, there);
        self.wallet.lots[from].money -= share;
        self.wallet.lots[to].money += share;
    }
}
