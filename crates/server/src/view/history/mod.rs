//! What was known of a wallet when, and how it stood as of a moment: its records folded again in memory (rules, section 3).
//!
//! *As known at K*: the wallet's records up to clock K, advanced to K. *As of T*: what of that counts at T or before, though
//! it may have been booked later.

mod known;
mod legs;
mod recorded;
mod refold;
mod standing;

pub(crate) use known::{Close, Known};
pub(crate) use legs::{Leg, Moves, OfOverage, What, Where};
pub(crate) use recorded::{Booked, Recorded};
pub(crate) use standing::{Cut, Standing};
