//! Entries: transfers between two accounts, and the outcomes of records (rules, section 8).

use std::fmt;

use crate::amount::Amount;
use crate::hold::{Approved, Declined};
use crate::name::Name;
use crate::position::Offset;
use crate::rate::Unpriced;
use crate::time::Instant;
use crate::zone::Month;

/// One transfer. The unit, the lot and the kind name its two accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counted within the record, from 0.
    pub line: u32,
    /// What it is.
    pub kind: EntryKind,
    /// The unit that moves.
    pub unit: Name,
    /// The lot that it concerns.
    pub lot: Option<Name>,
    /// What is at its other end: of a carry and a return the lot, of what a hold does the hold.
    pub other_lot: Option<Name>,
    /// How much moves.
    pub amount: Amount,
    /// What is available of the unit afterwards, in lots open at `booked_at`.
    pub available_after: Amount,
    /// When it counts.
    pub effective_at: Instant,
    /// When it was known.
    pub booked_at: Instant,
    /// What was used.
    pub feature: Option<Name>,
    /// The version of the price that asked for it.
    pub price: Option<Name>,
    /// Of overage: the month of the usage.
    pub month: Option<Month>,
}

/// What an entry is. It tells which account is debited (the amount leaves it) and which is credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// `grants` to the lot: it begins.
    Issue,
    /// The lot to `usage`.
    Usage,
    /// `expired` to `usage`: what expired of a lot pays late usage of its time.
    LateUsage,
    /// `overage` to `usage`: no lot covers it.
    Overage,
    /// The lot to `overage`: paid back.
    Repay,
    /// The lot to `expired`.
    Expire,
    /// The lot to the one it is carried over to.
    Carry,
    /// A carried lot to the one it was carried from, for late usage.
    Return,
    /// `expired` of an ended carried lot to the one it was carried from, for late usage.
    ReturnExpired,
    /// `billed` to `overage`: it is on a bill, and credits never pay it again.
    Bill,
    /// `forgiven` to `overage`: for good.
    Forgive,
    /// The lot to `voided`: it was taken back.
    Void,
    /// The lot to `expired`: a reset left no more in it.
    Reset,
    /// `usage` to the lot that had paid.
    Reversal,
    /// `usage` to `overage`: what no lot had covered is undone.
    ReverseOverage,
    /// `overage` to the lot that had paid it back.
    Unrepay,
    /// `overage` to `credit_due`: it was on a bill.
    CreditDue,
    /// `overage` to `forgiven`: nobody had paid it.
    Unforgive,
    /// The lot to the hold: it is set aside.
    Hold,
    /// The hold to `usage`: what was set aside in the lot pays.
    HeldUsage,
    /// The hold to the lot: it is free again.
    Release,
    /// `overdraft` to the hold: no lot covers it.
    HoldOverdraft,
    /// The hold to `overdraft`: it is free again, or is usage now.
    ReleaseOverdraft,
}

impl EntryKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 23] = [
        Self::Issue,
        Self::Usage,
        Self::LateUsage,
        Self::Overage,
        Self::Repay,
        Self::Expire,
        Self::Carry,
        Self::Return,
        Self::ReturnExpired,
        Self::Bill,
        Self::Forgive,
        Self::Void,
        Self::Reset,
        Self::Reversal,
        Self::ReverseOverage,
        Self::Unrepay,
        Self::CreditDue,
        Self::Unforgive,
        Self::Hold,
        Self::HeldUsage,
        Self::Release,
        Self::HoldOverdraft,
        Self::ReleaseOverdraft,
    ];

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Usage => "usage",
            Self::LateUsage => "late_usage",
            Self::Overage => "overage",
            Self::Repay => "repay",
            Self::Expire => "expire",
            Self::Carry => "carry",
            Self::Return => "return",
            Self::ReturnExpired => "return_expired",
            Self::Bill => "bill",
            Self::Forgive => "forgive",
            Self::Void => "void",
            Self::Reset => "reset",
            Self::Reversal => "reversal",
            Self::ReverseOverage => "reverse_overage",
            Self::Unrepay => "unrepay",
            Self::CreditDue => "credit_due",
            Self::Unforgive => "unforgive",
            Self::Hold => "hold",
            Self::HeldUsage => "held_usage",
            Self::Release => "release",
            Self::HoldOverdraft => "hold_overdraft",
            Self::ReleaseOverdraft => "release_overdraft",
        }
    }

    /// Whether it is what a usage takes: from a lot, or uncovered.
    pub fn is_draw(self) -> bool {
        matches!(self, Self::Usage | Self::LateUsage | Self::Overage | Self::HeldUsage)
    }

    /// The code in tables: its place in [`Self::ALL`], for ever.
    pub fn code(self) -> u8 {
        u8::try_from(Self::ALL.iter().position(|k| *k == self).expect("all are listed")).expect("a few")
    }

    /// The kind that has this code.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The debited and the credited account of an entry of this kind.
    pub fn accounts(self, lot: Option<&str>, other: Option<&str>) -> (String, String) {
        let account = |lot: Option<&str>| format!("lot:{}", lot.unwrap_or("?"));
        let hold = || format!("hold:{}", other.unwrap_or("?"));
        let (debit, credit) = match self {
            Self::Issue => ("grants".into(), account(lot)),
            Self::Usage => (account(lot), "usage".into()),
            Self::LateUsage => ("expired".into(), "usage".into()),
            Self::Overage => ("overage".into(), "usage".into()),
            Self::Repay => (account(lot), "overage".into()),
            Self::Expire => (account(lot), "expired".into()),
            Self::Carry | Self::Return => (account(lot), account(other)),
            Self::ReturnExpired => ("expired".into(), account(other)),
            Self::Bill => ("billed".into(), "overage".into()),
            Self::Forgive => ("forgiven".into(), "overage".into()),
            Self::Void => (account(lot), "voided".into()),
            Self::Reset => (account(lot), "expired".into()),
            Self::Reversal => ("usage".into(), account(lot)),
            Self::ReverseOverage => ("usage".into(), "overage".into()),
            Self::Unrepay => ("overage".into(), account(lot)),
            Self::CreditDue => ("overage".into(), "credit_due".into()),
            Self::Unforgive => ("overage".into(), "forgiven".into()),
            Self::Hold => (account(lot), hold()),
            Self::HeldUsage => (hold(), "usage".into()),
            Self::Release => (hold(), account(lot)),
            Self::HoldOverdraft => ("overdraft".into(), hold()),
            Self::ReleaseOverdraft => (hold(), "overdraft".into()),
        };
        (debit, credit)
    }
}

/// What became of a record. It is kept, so that a retry gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect. Usage that could not be priced says why.
    Applied(Option<Unpriced>),
    /// The record at this offset said the same: it counts once.
    Duplicate(Offset),
    /// The record at this offset has the same identity and says something else: that one counts.
    Conflict(Offset),
    /// A request that the rules refuse, with the reason.
    Rejected(String),
    /// A hold is open, or an open one was extended.
    Approved(Approved),
    /// A hold, or an extension, was declined.
    Declined(Box<Declined>),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied(None) => f.write_str("applied"),
            Self::Applied(Some(why)) => write!(f, "applied unpriced:{}", why.word()),
            Self::Duplicate(of) => write!(f, "duplicate {of}"),
            Self::Conflict(with) => write!(f, "conflict {with}"),
            Self::Rejected(reason) => write!(f, "rejected {reason}"),
            Self::Approved(answer) => write!(f, "approved {answer}"),
            Self::Declined(answer) => write!(f, "declined {answer}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_its_code_for_ever() {
        let words = [
            "issue",
            "usage",
            "late_usage",
            "overage",
            "repay",
            "expire",
            "carry",
            "return",
            "return_expired",
            "bill",
            "forgive",
            "void",
            "reset",
            "reversal",
            "reverse_overage",
            "unrepay",
            "credit_due",
            "unforgive",
            "hold",
            "held_usage",
            "release",
            "hold_overdraft",
            "release_overdraft",
        ];
        for (code, word) in (0u8..).zip(words) {
            let kind = EntryKind::of_code(code).expect("a kind");
            assert_eq!((kind.word(), kind.code()), (word, code));
        }
        assert_eq!(EntryKind::of_code(23), None);
    }

    #[test]
    fn what_a_usage_takes_is_a_draw() {
        let draws: Vec<&str> =
            EntryKind::ALL.into_iter().filter(|k| k.is_draw()).map(EntryKind::word).collect();
        assert_eq!(draws, ["usage", "late_usage", "overage", "held_usage"]);
    }
}
