//! What was there before: an event counts once, for ever (design, section 1).

use crate::entry::Outcome;
use crate::event::Event;
use crate::fold::Fold;
use crate::hold::Settled;
use crate::identity::{Hash16, Identity};
use crate::past::{Known, Past};
use crate::record::Record;

/// What is to be said of a record by its own id alone.
pub(crate) fn by_id(past: &Past, identity: &Identity) -> Option<Outcome> {
    past.identity.as_ref().map(|known| same(known, identity.content))
}

fn same(known: &Known, content: Hash16) -> Outcome {
    match known.content == content {
        true => Outcome::Duplicate(known.offset),
        false => Outcome::Conflict(known.offset),
    }
}

impl Fold<'_> {
    /// What is to be said of a record that bears an id, or gives a name, that was there before.
    pub(crate) fn known(&self, past: &Past, record: &Record<'_>, identity: &Identity) -> Option<Outcome> {
        let own = by_id(past, identity);
        let named = past.names.first().map(|(_, known)| known);
        match &record.event {
            // A usage and its settlement are one, whichever comes first.
            Event::Usage(_) => {
                let is_settled = |k: &&Known| k.content == Identity::SETTLED;
                let settled = past.identity.as_ref().filter(is_settled);
                settled.map(|known| Outcome::Duplicate(known.offset)).or(own)
            }
            Event::HoldSettled(settled) if identity.content == Identity::SETTLED => {
                past.identity.as_ref().map(|known| self.settled_before(settled, known))
            }
            Event::HoldSettled(settled) => own.or_else(|| named.map(|k| self.settled_before(settled, k))),
            Event::GrantIssued(_) => {
                let content = identity.names.first().map(|(_, content)| *content);
                own.or_else(|| named.zip(content).map(|(known, content)| same(known, content)))
            }
            Event::HoldRequested(_) => {
                let requested = named.filter(|known| known.content != Identity::VOIDED);
                own.or_else(|| requested.map(|known| same(known, identity.content)))
            }
            // Within steps, a name that was given before is the step's reason.
            Event::WalletChanged(_)
            | Event::HoldVoided(_)
            | Event::HoldExtended(_)
            | Event::Genesis(_)
            | Event::CataloguePublished(_)
            | Event::WalletConfigured(_)
            | Event::TimerDue(_)
            | Event::GrantVoided(_)
            | Event::UsageReversed(_)
            | Event::UsageRerated(_)
            | Event::WalletReset(_)
            | Event::OverageCleared(_)
            | Event::WalletSuspended
            | Event::WalletResumed => own,
        }
    }

    /// A settlement that gives its usage the id of the hold's own request has the wrong one.
    fn settled_before(&self, settled: &Settled<'_>, known: &Known) -> Outcome {
        let hold = self.wallet.holds.get(&*settled.hold);
        let is_request =
            settled.usage.id == settled.hold && hold.is_some_and(|h| *h.source == *settled.usage.source);
        if is_request { Outcome::Conflict(known.offset) } else { Outcome::Duplicate(known.offset) }
    }
}
