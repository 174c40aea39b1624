//! What is left of a hold is free again: it was settled or voided, or its time is over.

use super::{Hold, HoldVoided};
use crate::amount::Amount;
use crate::back::Since;
use crate::entry::EntryKind;
use crate::fold::{About, Fold, Moment, Refused};
use crate::name::Name;
use crate::past::Past;
use crate::time::Instant;

impl Fold<'_> {
    /// A hold ends unused. One that nobody has requested yet is remembered by its name.
    pub(crate) fn hold_voided(&mut self, past: &Past, voided: &HoldVoided<'_>) -> Result<(), Refused> {
        match self.wallet.holds.remove_entry(&*voided.hold) {
            Some((name, hold)) => {
                self.let_go(&name, hold, self.recorded(self.wallet.clock));
                Ok(())
            }
            None if past.names.is_empty() => Ok(()),
            None => Err("not_open".into()),
        }
    }

    /// Holds end whose time is over: the first to end first, then by their ids.
    pub(crate) fn holds_end(&mut self, moment: Moment<'_>) {
        let is_over = |hold: &Hold| hold.ends_at <= moment.effective_at;
        let mut over: Vec<(Instant, Name)> = self
            .wallet
            .holds
            .iter()
            .filter(|(_, h)| is_over(h))
            .map(|(n, h)| (h.ends_at, n.clone()))
            .collect();
        over.sort();
        for (_, name) in over {
            let hold = self.wallet.holds.remove(&name).expect("it was just found");
            self.let_go(&name, hold, moment);
        }
    }

    /// What a hold still has goes back to its lots, and on to where their life has it go.
    pub(super) fn let_go(&mut self, name: &Name, hold: Hold, moment: Moment<'_>) {
        self.reshaped = true;
        for line in hold.lines {
            for part in line.lots.into_iter().filter(|part| !part.amount.is_zero()) {
                self.free(name, &part.lot, &line.feature, part.amount, hold.at, moment);
            }
            let moment = Moment { effective_at: hold.at, ..moment };
            self.free_overdraft(name, &line.unit, &line.feature, line.overdraft, moment);
        }
    }

    /// What a hold does in a lot counts from when it was approved, or from when the lot began: so it undoes itself without a trace.
    pub(super) fn as_held<'m>(&self, lot: usize, held_at: Instant, moment: Moment<'m>) -> Moment<'m> {
        Moment { effective_at: held_at.max(self.wallet.lots[lot].starts_at), ..moment }
    }

    fn free(
        &mut self,
        name: &Name,
        lot: &Name,
        feature: &Name,
        amount: Amount,
        held_at: Instant,
        moment: Moment<'_>,
    ) {
        let at = self.place(lot);
        let (unit, freed) = (self.wallet.lots[at].unit.clone(), self.wallet.lots[at].free_held(amount));
        let (other, feature) = (Some(name.clone()), Some(feature.clone()));
        let about = About { lot: Some(lot.clone()), other, feature, ..About::default() };
        let moment = self.as_held(at, held_at, moment);
        self.book(EntryKind::Release, &unit, freed, about, moment);
        let freed = self.wallet.lots[at].remaining.take(freed);
        self.come_back(lot, freed, Since::Held(held_at));
    }
}
