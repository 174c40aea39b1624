//! What an operator does to a wallet: voids, resets, clears overage, suspends; alone or in steps (rules, sections 4 and 5).

use crate::amount::Amount;
use crate::correction::{Cleared, ClearedAs, Reset, Step, Voided, What};
use crate::entry::EntryKind;
use crate::event::Configured;
use crate::fold::{About, Fold, Moment, Refused};
use crate::grant::MOST_LOTS;
use crate::hold::HoldPolicy;
use crate::lot::{Lot, by_issue};
use crate::name::Name;
use crate::past::Past;
use crate::record::Record;
use crate::schedule::next_occurrence;
use crate::settings::Resetting;
use crate::time::Instant;
use crate::wallet::Overage;

/// Most steps of one record.
const MOST_STEPS: usize = 100;

impl Fold<'_> {
    /// What is left of a grant is taken.
    pub(crate) fn void(&mut self, past: &Past, voided: &Voided) -> Result<(), Refused> {
        if voided.grant_id.is_some() == voided.purchase_id.is_some() {
            return Err("one_of_grant_and_purchase".into());
        }
        self.revive_grants(past);
        let meant = |terms: &crate::grant::Terms| {
            voided.grant_id.as_ref().is_some_and(|id| *id == terms.grant_id)
                || voided.purchase_id.is_some() && voided.purchase_id == terms.purchase_id
        };
        let grants: Vec<u64> = self.wallet.grants.iter().filter(|g| meant(&g.terms)).map(|g| g.no).collect();
        if grants.is_empty() {
            return Err("unknown_grant".into());
        }
        for no in grants {
            self.void_grant(no, voided.what);
        }
        Ok(())
    }

    fn void_grant(&mut self, no: u64, what: What) {
        let clock = self.wallet.clock;
        let grant = self.wallet.grants.iter_mut().find(|g| g.no == no).expect("it was just found");
        if matches!(what, What::All | What::Future) {
            grant.next = None;
        }
        match what {
            What::All => _ = grant.void.get_or_insert(clock),
            What::Open | What::Carried => grant.voids.push((clock, what)),
            What::Future => {}
        }
        let is_meant = |lot: &Lot| match what {
            What::All => true,
            What::Open => lot.carried == 0 && !lot.ended,
            What::Carried => lot.carried > 0 && !lot.ended,
            What::Future => false,
        };
        let mut lots: Vec<Lot> =
            self.wallet.lots.iter().filter(|l| l.grant == no && is_meant(l)).cloned().collect();
        lots.sort_by(by_issue);
        let moment = self.recorded(clock);
        for lot in lots {
            let at = self.place(&lot.id);
            if !lot.ended {
                self.touch(at, moment);
            }
            let lot = &mut self.wallet.lots[at];
            lot.touched = true;
            lot.marks().void.get_or_insert(clock);
            let taken = std::mem::take(&mut lot.remaining);
            lot.voided.add(taken);
            if !taken.is_zero() {
                let (unit, about) =
                    (lot.unit.clone(), About { lot: Some(lot.id.clone()), ..About::default() });
                self.book(EntryKind::Void, &unit, taken, about, moment);
            }
        }
        self.reshaped = true;
    }

    /// Open lots are brought back to their bounds, and open overage is forgiven.
    pub(crate) fn reset(&mut self, reset: &Reset, moment: Moment<'_>) -> Result<(), Refused> {
        if reset.unit.as_ref().is_some_and(|unit| !self.catalogue.has_unit(unit)) {
            return Err("unknown_unit".into());
        }
        let is_of = |unit: &Name| reset.unit.as_ref().is_none_or(|of| **unit == **of);
        let at = moment.effective_at;
        let has_bounds =
            |l: &&Lot| l.terms.reset.is_some() && l.void_since().is_none() && l.tops_up().is_none();
        let open = self.wallet.lots.iter().filter(|l| is_of(&l.unit) && l.is_open(at)).filter(has_bounds);
        let mut bases: Vec<Lot> = open.cloned().collect();
        bases.sort_by(by_issue);
        for base in bases {
            self.reset_lot(&base.id, moment);
        }
        if !reset.preserve_overage {
            self.take_out(EntryKind::Forgive, moment, |o| is_of(&o.unit));
        }
        Ok(())
    }

    fn reset_lot(&mut self, id: &Name, moment: Moment<'_>) {
        let bounds = self.wallet.lots[self.place(id)].terms.reset.unwrap_or_default();
        let at = moment.effective_at;
        let is_it = |l: &&Lot| l.is_open(at) && (l.id == *id || l.tops_up() == Some(id));
        let mut lots: Vec<Lot> = self.wallet.lots.iter().filter(is_it).cloned().collect();
        // The latest that was added first, the lot itself last.
        lots.sort_by(|a, b| b.tops_up().is_some().cmp(&a.tops_up().is_some()).then_with(|| by_issue(b, a)));
        let sum: Amount = lots.iter().flat_map(|l| [l.remaining, l.held]).sum();
        if let Some(max) = bounds.max {
            let mut excess = sum.above(max);
            for lot in &lots {
                self.cut(&lot.id, &mut excess, moment);
            }
            let place = self.place(id);
            let now = sum.max(bounds.min.unwrap_or_default());
            let lot = &mut self.wallet.lots[place];
            lot.marks().room = Some((at, max.above(now)));
            lot.marks().over = excess;
            lot.touched = true;
        }
        let lacks = bounds.min.unwrap_or_default().above(sum);
        if !lacks.is_zero() {
            self.top_up(id, lacks, moment);
        }
    }

    fn cut(&mut self, id: &Name, excess: &mut Amount, moment: Moment<'_>) {
        let place = self.place(id);
        if excess.is_zero() || self.wallet.lots[place].remaining.is_zero() {
            return;
        }
        self.touch(place, moment);
        let lot = &mut self.wallet.lots[place];
        let taken = excess.take(lot.remaining.take(*excess));
        lot.expired.add(taken);
        let (unit, about) = (lot.unit.clone(), About { lot: Some(lot.id.clone()), ..About::default() });
        self.reshaped = true;
        self.book(EntryKind::Reset, &unit, taken, about, moment);
    }

    fn top_up(&mut self, id: &Name, lacks: Amount, moment: Moment<'_>) {
        let place = self.place(id);
        self.touch(place, moment);
        let full = self.wallet.lots.len() >= MOST_LOTS;
        let base = &mut self.wallet.lots[place];
        let last = format!("{id}+{}", base.marks().topped);
        let about =
            |lot: &Name| About { lot: Some(lot.clone()), other: Some(id.clone()), ..About::default() };
        let unit = base.unit.clone();
        // Resets alone do not make ever more lots.
        if let Some(lot) = self.wallet.lots.iter_mut().find(|l| full && *l.id == *last && !l.ended) {
            lot.issued.add(lacks);
            lot.remaining.add(lacks);
            lot.touched = true;
            let id = lot.id.clone();
            return self.book(EntryKind::Issue, &unit, lacks, about(&id), moment);
        }
        let base = &mut self.wallet.lots[place];
        base.marks().topped += 1;
        base.touched = true;
        let name = format!("{id}+{}", base.marks().topped);
        let base = base.clone();
        let mut lot = self.added_to(&base, lacks, moment);
        lot.id = name.as_str().into();
        lot.marks().tops_up = Some(id.clone());
        lot.order = Some(self.wallet.next_order);
        self.wallet.next_order += 1;
        let id = lot.id.clone();
        self.insert(lot);
        self.book(EntryKind::Issue, &unit, lacks, about(&id), moment);
    }

    /// The wallet's policy resets it, if that is due.
    pub(crate) fn reset_by_policy(&mut self, moment: Moment<'_>) {
        let Some(resetting) = &self.wallet.settings.reset else { return };
        if resetting.next.is_none_or(|next| next > moment.effective_at) {
            return;
        }
        let zone = self.catalogue.zone(&resetting.zone);
        let policy = &resetting.policy;
        let next = next_occurrence(&zone, resetting.anchor, policy.interval, moment.effective_at);
        let reset = Reset { unit: None, preserve_overage: policy.preserve_overage };
        if let Some(resetting) = &mut self.wallet.settings.reset {
            resetting.next = next;
        }
        self.reset(&reset, moment).expect("all units are known");
    }

    /// The wallet's policies are what this says.
    pub(crate) fn configure(&mut self, configured: &Configured, id: &str) -> Result<(), Refused> {
        let clock = self.wallet.clock;
        let card = configured.rate_card.as_deref();
        let zone = configured.zone.as_deref();
        if self.wallet.settings.last != configured.replaces {
            return Err("replaces_mismatch".into());
        }
        if card.is_some_and(|c| !self.catalogue.has_card(c)) {
            return Err("unknown_rate_card".into());
        }
        if zone.is_some_and(|z| !self.catalogue.has_zone(z)) {
            return Err("unknown_zone".into());
        }
        if configured.reset.as_ref().is_some_and(|r| !r.interval.is_an_hour_at_least()) {
            return Err("bad_interval".into());
        }
        let mut units = configured.holds.iter().flat_map(HoldPolicy::units);
        if units.any(|unit| !self.catalogue.has_unit(unit)) {
            return Err("unknown_unit".into());
        }
        let settings = &mut self.wallet.settings;
        let set = |history: &mut Vec<(Instant, Option<Name>)>, to: Option<&str>| {
            let to = to.map(Name::from);
            if history.last().map_or(&None, |(_, name)| name) != &to {
                history.push((clock, to));
            }
        };
        set(&mut settings.cards, card);
        set(&mut settings.zones, zone);
        settings.overage = configured.overage;
        settings.holds.clone_from(&configured.holds);
        settings.metadata.clone_from(&configured.metadata);
        settings.last = Some(id.to_owned());
        self.configure_reset(configured);
        self.wallet.claimed = true;
        Ok(())
    }

    fn configure_reset(&mut self, configured: &Configured) {
        let settings = &self.wallet.settings;
        if settings.reset.as_ref().map(|r| &r.policy) == configured.reset.as_ref() {
            return;
        }
        let clock = self.wallet.clock;
        let resetting = configured.reset.clone().map(|policy| {
            let zone = self.catalogue.newest_zone(self.wallet.zone(self.catalogue, clock).0);
            let anchor = policy.anchor.unwrap_or(clock);
            let next = next_occurrence(&self.catalogue.zone(&zone), anchor, policy.interval, clock);
            Resetting { policy, zone, anchor, next }
        });
        self.wallet.settings.reset = resetting;
        self.reshaped = true;
    }

    /// Open overage of a month is taken out for good.
    pub(crate) fn clear(&mut self, cleared: &Cleared) -> Result<(), Refused> {
        let is_it = |o: &Overage| {
            let of = cleared.feature.as_ref().is_none_or(|feature| *o.feature == **feature);
            o.month == cleared.month && *o.unit == *cleared.unit && of
        };
        let open: Amount = self.wallet.overage.iter().filter(|o| is_it(o)).map(|o| o.amount).sum();
        let mut left = match cleared.amount {
            _ if open.is_zero() => return Err("nothing_open".into()),
            Some(amount) if amount.is_zero() => return Err("amount_zero".into()),
            Some(amount) if amount > open => return Err("more_than_open".into()),
            amount => amount.unwrap_or(open),
        };
        let kind = match cleared.by {
            ClearedAs::Billed => EntryKind::Bill,
            ClearedAs::Forgiven => EntryKind::Forgive,
        };
        let moment = self.recorded(self.wallet.clock);
        for at in 0..self.wallet.overage.len() {
            let bucket = &mut self.wallet.overage[at];
            if !is_it(bucket) || left.is_zero() {
                continue;
            }
            let taken = left.take(bucket.amount.take(left));
            let (unit, month) = (bucket.unit.clone(), Some(bucket.month));
            let about = About { feature: Some(bucket.feature.clone()), month, ..About::default() };
            self.book(kind, &unit, taken, about, moment);
        }
        self.wallet.overage.retain(|o| !o.amount.is_zero());
        self.reshaped = true;
        Ok(())
    }

    /// The wallet is suspended, or no longer.
    pub(crate) fn suspend(&mut self, suspended: bool) -> Result<(), Refused> {
        if self.wallet.suspended == suspended {
            return Err(if suspended { "already_suspended" } else { "not_suspended" }.into());
        }
        self.wallet.suspended = suspended;
        Ok(())
    }

    /// Several steps, all or none.
    pub(crate) fn change(&mut self, past: &Past, record: &Record<'_>, steps: &[Step]) -> Result<(), Refused> {
        if steps.is_empty() {
            return Err("no_steps".into());
        }
        if steps.len() > MOST_STEPS {
            return Err("too_many_steps".into());
        }
        let (wallet, closed, line) = (self.wallet.clone(), self.closed.clone(), self.line);
        let marks = self.changes.mark();
        let mut grants: Vec<&str> = Vec::new();
        for (n, step) in steps.iter().enumerate() {
            if let Err(reason) = self.step(past, record, step, &mut grants) {
                *self.wallet = wallet;
                (self.closed, self.line) = (closed, line);
                self.changes.back_to(&marks);
                return Err(format!("step {}: {reason}", n + 1).into());
            }
        }
        Ok(())
    }

    fn step<'s>(
        &mut self,
        past: &Past,
        record: &Record<'_>,
        step: &'s Step,
        issued: &mut Vec<&'s str>,
    ) -> Result<(), Refused> {
        let clock = self.wallet.clock;
        let why = || record.envelope.gives_reason().then_some(()).ok_or("no_reason");
        match step {
            Step::Grant(terms, _) => {
                let key = crate::identity::grant_key(record.wallet(), &terms.grant_id);
                let there = past.names.iter().any(|(k, _)| *k == key);
                if there || issued.contains(&terms.grant_id.as_str()) {
                    return Err("grant_exists".into());
                }
                issued.push(&terms.grant_id);
                self.grant(terms, record.time())
            }
            Step::Void(voided) => {
                why()?;
                self.void(past, voided)
            }
            Step::Configure(configured) => self.configure(configured, &record.envelope.id),
            Step::Reset(reset) => {
                why()?;
                self.reset(reset, self.recorded(clock))
            }
            Step::Clear(cleared) => self.clear(cleared),
            Step::Suspend => self.suspend(true),
            Step::Resume => self.suspend(false),
        }
    }
}
