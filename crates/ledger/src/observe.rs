//! What the fold saw on its way: each lot that was considered for a charge, and why it was used or passed over.

use crate::amount::Amount;
use crate::burn::Charge;
use crate::fold::{Fold, Moment};
use crate::name::Name;
use crate::time::Instant;

/// A lot that was considered for a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// The charge's feature.
    pub feature: Name,
    /// The lot.
    pub lot: Name,
    /// What the lot had to give when its turn came.
    pub had: Amount,
    /// What was still owed then.
    pub owed: Amount,
    /// Why it pays or not.
    pub verdict: Verdict,
}

/// Why a lot pays a charge or is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is open and may pay.
    Pays,
    /// It has ended, and still pays usage of its time with what expired or was carried over.
    PaysLate,
    /// It had begun only after the usage's time.
    NotYetBegun {
        /// When it begins.
        starts_at: Instant,
    },
    /// It had ended by the usage's time.
    EndedBefore {
        /// When it ended.
        ended_at: Instant,
    },
    /// Its window holds the usage's time, but its lateness is over.
    TooLate,
    /// It may not pay for this feature.
    OtherFeature,
    /// It may not pay for this subject.
    OtherSubject,
    /// It was voided.
    Void,
    /// Nothing is left in it.
    Empty,
}

impl Verdict {
    /// The reason in words.
    pub fn words(self) -> String {
        match self {
            Self::Pays => "pays".into(),
            Self::PaysLate => "pays late usage of its time".into(),
            Self::NotYetBegun { starts_at } => format!("begins only at {starts_at}"),
            Self::EndedBefore { ended_at } => format!("ended at {ended_at}"),
            Self::TooLate => "has ended, and its lateness is over".into(),
            Self::OtherFeature => "may not pay for this feature".into(),
            Self::OtherSubject => "may not pay for this subject".into(),
            Self::Void => "was voided".into(),
            Self::Empty => "is empty".into(),
        }
    }
}

impl Fold<'_> {
    pub(crate) fn consider(&mut self, at: usize, owed: Amount, charge: &Charge<'_>, moment: Moment<'_>) {
        let (lot, clock, time) = (&self.wallet.lots[at], self.wallet.clock, moment.effective_at);
        if lot.unit != charge.unit {
            return;
        }
        let scope = &lot.terms.applies_to;
        let is_late = lot.is_late(clock);
        let late = if is_late { lot.expired } else { Amount::ZERO };
        let had = [lot.remaining, late].into_iter().sum::<Amount>();
        let has_some = !had.is_zero() || is_late && !lot.rolled_over.is_zero();
        let verdict = match lot.ends_at {
            _ if time < lot.starts_at => Verdict::NotYetBegun { starts_at: lot.starts_at },
            Some(ended_at) if ended_at <= time => Verdict::EndedBefore { ended_at },
            _ if !scope.feature.is_empty() && !scope.feature.iter().any(|f| **f == *charge.feature) => {
                Verdict::OtherFeature
            }
            _ if !scope.allows(&charge.feature, charge.subject) => Verdict::OtherSubject,
            _ if has_some && is_late => Verdict::PaysLate,
            _ if has_some => Verdict::Pays,
            _ if lot.void_since().is_some() => Verdict::Void,
            _ if lot.ended && !is_late => Verdict::TooLate,
            _ => Verdict::Empty,
        };
        let (feature, lot) = (charge.feature.clone(), lot.id.clone());
        self.changes.considered.get_or_insert_default().push(Considered { feature, lot, had, owed, verdict });
    }
}
