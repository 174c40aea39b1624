//! The numbers that stand for words in the tables; the views for people show the words.
//!
//! They are a storage format: a number never changes its meaning.

use thiserror::Error;

/// A number that stands for nothing this build knows.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{code} is no {of} this build knows: rebuild the projection")]
pub struct NoSuchCode {
    of: &'static str,
    code: u8,
}

/// Defines an enum of codes with its words, so that number, word and variant stand on one line.
macro_rules! codes {
    (
        $(#[$meta:meta])* $name:ident, $of:literal:
        $($(#[$doc:meta])* $variant:ident = $code:literal $word:literal,)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$doc])* $variant = $code,)*
        }

        impl $name {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The number in the tables.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The word in the views.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl TryFrom<u8> for $name {
            type Error = NoSuchCode;

            fn try_from(code: u8) -> Result<Self, NoSuchCode> {
                Self::ALL.iter().copied().find(|one| one.code() == code).ok_or(NoSuchCode { of: $of, code })
            }
        }
    };
}

codes! {
    /// What a record is.
    RecordKind, "kind of record":
    /// The log's first record.
    Genesis = 0 "genesis",
    /// A part of the catalogue.
    Catalogue = 1 "catalogue",
    /// A wallet's configuration.
    Wallet = 2 "wallet",
    /// A grant.
    Grant = 3 "grant",
    /// Usage.
    Usage = 4 "usage",
    /// The passing of time.
    Timer = 5 "timer",
    /// What was left of a grant was taken.
    Void = 6 "void",
    /// A usage was undone, wholly or in part.
    Reversal = 7 "reversal",
    /// A usage was charged anew.
    Rerating = 8 "rerating",
    /// Lots were brought back to their bounds.
    Reset = 9 "reset",
    /// Overage was taken out for good.
    Clearing = 10 "clearing",
    /// Several steps, all or none.
    Change = 11 "change",
    /// The wallet was suspended.
    Suspension = 12 "suspension",
    /// It was resumed.
    Resumption = 13 "resumption",
    /// Credits were to be set aside.
    Hold = 14 "hold",
    /// A hold was to live longer, or to set more aside.
    Extension = 15 "extension",
    /// What was used was taken out of a hold: it is usage too.
    Settlement = 16 "settlement",
    /// A hold ended unused.
    HoldVoid = 17 "hold_void",
}

impl RecordKind {
    /// Whether a record of the kind that has this code books usage.
    pub const fn is_usage(code: u8) -> bool {
        code == Self::Usage.code() || code == Self::Settlement.code()
    }
}

codes! {
    /// What became of a record.
    OutcomeCode, "outcome":
    /// A record that has no outcome: genesis, a timer.
    None = 0 "none",
    /// It took effect.
    Applied = 1 "applied",
    /// It had been seen before.
    Duplicate = 2 "duplicate",
    /// It bears the id of another record, with other content.
    Conflict = 3 "conflict",
    /// A rule refused it.
    Rejected = 4 "rejected",
    /// A hold is open, or was extended.
    Approved = 5 "approved",
    /// A hold, or an extension, was declined.
    Declined = 6 "declined",
}
