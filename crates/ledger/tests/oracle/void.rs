//! Voids: what is left of a grant is taken back.

use super::Envelope;
use super::grant::Grant;
use super::lot::Lot;
use super::step::Step;

impl Step<'_> {
    /// Takes a `grant.voided`.
    pub(crate) fn grant_voided(&mut self, envelope: &Envelope) -> String {
        let data = &envelope.data;
        if envelope.has_no_reason() {
            return "rejected no_reason".to_owned();
        }
        let meant: Box<dyn Fn(&Grant) -> bool> = match (data.text("grant_id"), data.text("purchase_id")) {
            (Some(id), None) => Box::new(move |grant| grant.id == id),
            (None, Some(id)) => Box::new(move |grant| grant.purchase_id.as_deref() == Some(id)),
            (Some(_), Some(_)) | (None, None) => return "rejected one_of_grant_and_purchase".to_owned(),
        };
        let grants = &self.wallet.grants;
        let grants: Vec<usize> = (0..grants.len()).filter(|grant| meant(&grants[*grant])).collect();
        if grants.is_empty() {
            return "rejected unknown_grant".to_owned();
        }
        let what = data.text("what").unwrap_or("all");
        let (all, clock) = (what == "all", self.wallet.clock);
        for grant in grants {
            if all || what == "future" {
                self.wallet.grants[grant].next = None;
            }
            let open = |lot: &Lot| lot.grant == grant && lot.is_open(clock) && !lot.ended;
            let own = |lot: &Lot| open(lot) && lot.times == 0 && (all || what == "open");
            let carried = |lot: &Lot| open(lot) && lot.times > 0 && (all || what == "carried");
            for lot in self.in_order_of_issue(|lot| own(lot) || carried(lot)) {
                self.touch(lot);
                let rest = self.wallet.lots[lot].remaining;
                self.void(lot, clock, rest);
                self.wallet.lots[lot].void_at = Some(clock);
            }
            if all || what == "carried" {
                self.wallet.grants[grant].carried_void_at.push(clock);
            }
            if all {
                self.wallet.grants[grant].void_at.get_or_insert(clock);
            }
        }
        "applied".to_owned()
    }
}
