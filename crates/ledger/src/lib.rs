//! The rules of credits as pure functions: a log of grants and usage goes in, wallets and entries come out.
//!
//! Nothing here reads a clock, draws a random number, uses a float or iterates a hash map: the same records give the same
//! wallets on any machine, for ever.

#![warn(missing_docs)]

mod admin;
mod advance;
mod amount;
mod api_key;
mod asks;
mod back;
mod begin;
mod burn;
mod calendar;
mod canonical;
mod catalogue;
mod changes;
mod correct;
mod correction;
mod document;
mod entry;
mod event;
mod features;
mod fold;
mod grant;
mod hold;
mod identity;
mod known;
mod lot;
mod members;
mod memory;
mod name;
mod observe;
mod past;
mod position;
mod price;
mod quantity;
mod rate;
mod record;
mod schedule;
mod settings;
mod text;
mod time;
mod wallet;
mod zone;

pub use amount::{Amount, AmountError};
pub use api_key::{ApiKey, KeyScope};
pub use asks::{asks, may_ask};
pub use canonical::{NotCanonical, canonical};
pub use catalogue::{Accepted, Catalogue, PriceList};
pub use changes::Changes;
pub use correct::price_for;
pub use correction::{
    Changed, Cleared, ClearedAs, Nothing, Part, RawStep, Rerated, Reset, Reversed, Step, UsageName, Voided,
    What,
};
pub use document::{Document, FoldVersion, Policies, RateCard, UTC, Unit};
pub use entry::{Entry, EntryKind, Outcome};
pub use event::{
    Configured, CopiedFrom, Event, Genesis, LeftOut, MonthEnd, OveragePolicy, Published, ResetPolicy,
    TakenFrom, Timer, Usage,
};
pub use fold::{advanced, apply, publish, vendor_cost};
pub use grant::{Bounds, Category, Cost, First, MOST_LOTS, Recurrence, Rollover, Scope, Terms};
pub use hold::{
    Approved, Beyond, Declined, Extended, Held, HeldLot, Hold, HoldPolicy, HoldVoided, Line, MOST_HOLDS,
    Measure, NotAnAnswer, Requested, Settled, Settles, Why,
};
pub use identity::{Hash16, Identity, content_id, key};
pub use lot::{Because, Lot, burn_order};
pub use memory::Memory;
pub use name::Name;
pub use observe::{Considered, Verdict};
pub use past::{Answer, Ask, Draw, Known, OverageKey, Paid, Past, Used};
pub use position::{NotAPosition, Offset, Partition, Position};
pub use price::{
    Blocks, Charge, Counted, Matches, Pattern, Price, Rounding, RoundingMode, STANDARD, Step as TierStep,
    TierMode, Tiers,
};
pub use quantity::{Quantity, QuantityError};
pub use rate::{CounterKey, Fields, Rated, Unpriced};
pub use record::{ENVELOPE, Envelope, Record, Undecodable, decode};
pub use text::Text;
pub use time::{Instant, Period, Span, TimeError};
pub use wallet::{Counter, Grant, Overage, Wallet};
pub use zone::{Month, Zone};
