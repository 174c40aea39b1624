//! The rules of credits as pure functions: a log of grants and usage goes in, wallets and entries come out.
//!
//! Nothing here reads a clock, draws a random number, uses a float or iterates a hash map: the same records give the same
//! wallets on any machine, for ever.

#![warn(missing_docs)]

mod advance;
mod amount;
mod burn;
mod calendar;
mod canonical;
mod catalogue;
mod document;
mod entry;
mod event;
mod fold;
mod grant;
mod lot;
mod members;
mod name;
mod position;
mod price;
mod quantity;
mod rate;
mod record;
mod schedule;
mod text;
mod time;
mod wallet;
mod zone;

pub use amount::{Amount, AmountError};
pub use canonical::{NotCanonical, canonical};
pub use catalogue::{Accepted, Catalogue, PriceList};
pub use document::{Document, Policies, RateCard, UTC, Unit};
pub use entry::{Entry, EntryKind, Outcome};
pub use event::{Configured, Event, Genesis, MonthEnd, OveragePolicy, Published, TakenFrom, Timer, Usage};
pub use fold::{Changes, Known, Past, advanced, apply, needs, publish, vendor_cost};
pub use grant::{Category, Cost, First, MOST_LOTS, Recurrence, Rollover, Scope, Terms};
pub use lot::{Because, Lot, burn_order};
pub use name::Name;
pub use position::{NotAPosition, Offset, Partition, Position};
pub use price::{
    Blocks, Charge, Counted, Matches, Pattern, Price, Rounding, RoundingMode, STANDARD, Step, TierMode, Tiers,
};
pub use quantity::{Quantity, QuantityError};
pub use rate::{CounterKey, Fields, Rated, Unpriced};
pub use record::{ENVELOPE, Envelope, Hash16, Identity, Record, Undecodable, content_id, decode, key};
pub use text::Text;
pub use time::{Instant, Period, Span, TimeError};
pub use wallet::{Counter, Overage, Wallet};
pub use zone::{Month, Zone};
