//! What operators do to a wallet: overage is cleared, it is suspended, and several steps go together.

use std::collections::BTreeMap;

use super::Envelope;
use super::overage::Place;
use super::step::Step;
use super::text::{Json, amount};

impl Step<'_> {
    /// Takes an `overage.cleared`.
    pub(crate) fn overage_cleared(&mut self, data: &Json) -> String {
        let text = |key: &str| data.text(key).expect("overage is cleared of a month and unit, in a way");
        let (month, unit, feature) = (text("month"), text("unit"), data.text("feature"));
        let meant = |(place, _): &(&Place, _)| {
            place.0 == month && place.2 == unit && feature.is_none_or(|feature| place.1 == feature)
        };
        let open = self.wallet.overage.iter().filter(meant);
        let open: BTreeMap<Place, i128> = open.map(|(key, bucket)| (key.clone(), bucket.open)).collect();
        let sum: i128 = open.values().sum();
        let mut wanted = data.text("amount").map_or(sum, amount);
        if open.is_empty() {
            return "rejected nothing_open".to_owned();
        }
        if wanted == 0 {
            return "rejected amount_zero".to_owned();
        }
        if wanted > sum {
            return "rejected more_than_open".to_owned();
        }
        for (key, open) in open {
            let part = wanted.min(open);
            if part > 0 {
                self.take_out(&key, text("as") == "billed", part);
            }
            wanted -= part;
        }
        self.wallet.overage.retain(|_, bucket| bucket.open > 0);
        "applied".to_owned()
    }

    /// Takes a `wallet.suspended` or a `wallet.resumed`.
    pub(crate) fn suspend(&mut self, suspended: bool) -> String {
        if self.wallet.suspended == suspended {
            let reason = if suspended { "already_suspended" } else { "not_suspended" };
            return format!("rejected {reason}");
        }
        self.wallet.suspended = suspended;
        "applied".to_owned()
    }

    /// Takes a `wallet.changed`: all of its steps or none.
    pub(crate) fn wallet_changed(&mut self, envelope: &Envelope) -> String {
        let steps = envelope.data.list("steps");
        if steps.is_empty() {
            return "rejected no_steps".to_owned();
        }
        if steps.len() > 100 {
            return "rejected too_many_steps".to_owned();
        }
        let before = self.wallet.clone();
        for (number, step) in (1..).zip(steps) {
            let kind = step.text("type").expect("a step has a type").to_owned();
            let data = step.get("data").expect("a step has data").clone();
            let outcome = self.administer(&Envelope { kind, data, ..envelope.clone() });
            if outcome != "applied" {
                *self.wallet = before;
                // A record of its own would have been told which grant was first.
                let reason = outcome.strip_prefix("rejected ").unwrap_or("grant_exists");
                return format!("rejected step {number}: {reason}");
            }
        }
        "applied".to_owned()
    }

    /// Takes a record that an operator may send alone or as a step.
    pub(crate) fn administer(&mut self, envelope: &Envelope) -> String {
        match envelope.kind.as_str() {
            "grant.issued" => self.grant_issued(envelope),
            "grant.voided" => self.grant_voided(envelope),
            "wallet.configured" => self.configure(envelope),
            "wallet.reset" => self.wallet_reset(envelope),
            "overage.cleared" => self.overage_cleared(&envelope.data),
            "wallet.suspended" => self.suspend(true),
            "wallet.resumed" => self.suspend(false),
            other => panic!("no record of type {other}"),
        }
    }
}
