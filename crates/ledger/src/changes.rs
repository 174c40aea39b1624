//! What a fold adds to the projections, beside the wallet.

use crate::entry::Entry;
use crate::hold::Settles;
use crate::lot::Lot;
use crate::name::Name;
use crate::observe::Considered;
use crate::past::Used;
use crate::wallet::{Counter, Grant};

/// What a fold adds to the projections, beside the wallet.
#[derive(Debug, Default)]
pub struct Changes {
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// Lots that have left their wallet, as they were.
    pub left: Vec<Lot>,
    /// Grants that have left their wallet, as they were.
    pub left_grants: Vec<Grant>,
    /// Counters that have left their wallet, or changed afterwards.
    pub counters: Vec<Counter>,
    /// The price of a usage that books nothing: it is free.
    pub priced: Option<Name>,
    /// What is now in effect of the usage that the record corrected.
    pub used: Option<Box<Used>>,
    /// The hold that a usage or a settlement settled.
    pub settles: Option<Box<Settles>>,
    /// Which lots were considered for its charges; only if somebody asks for it by putting a list here.
    pub considered: Option<Vec<Considered>>,
}

/// How far the changes had come, to go back to.
pub(crate) struct Mark {
    entries: usize,
    left: usize,
    left_grants: usize,
    counters: usize,
}

impl Changes {
    /// Forgets what a record did, and keeps the room for the next.
    pub fn clear(&mut self) {
        self.back_to(&Mark { entries: 0, left: 0, left_grants: 0, counters: 0 });
        (self.priced, self.used, self.settles) = (None, None, None);
        if let Some(considered) = &mut self.considered {
            considered.clear();
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        let Self { entries, left, left_grants, counters, .. } = self;
        Mark {
            entries: entries.len(),
            left: left.len(),
            left_grants: left_grants.len(),
            counters: counters.len(),
        }
    }

    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.entries.truncate(mark.entries);
        self.left.truncate(mark.left);
        self.left_grants.truncate(mark.left_grants);
        self.counters.truncate(mark.counters);
    }
}
