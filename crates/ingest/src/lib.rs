//! The producer: check, stamp, append (design, section 2).
//!
//! A product's CloudEvent goes in and the bytes of a record come out, or the reason why not: nothing is dropped silently
//! and nothing is guessed. This crate knows no store, so it cannot decide from a stale balance; it asks no clock either, the
//! [`Stamp`] is handed in.

mod array;
mod binary;
mod cloudevent;
mod correction;
mod data;
mod envelope;
mod events;
mod hold;
mod http;
mod message;
mod own;
mod refusal;
mod stamp;
mod structured;
mod usage;

pub use correction::{Corrected, Correction, Usage, corrected, priced, rerating_id};
pub use events::{Events, Found};
pub use hold::{Event, Hold, Holding, Measure, hold};
pub use http::http_events;
pub use message::message_events;
pub use own::{
    Grant, OPERATOR, Published, configured, configured_under, copied_genesis, genesis, grant, published,
    published_under, timer,
};
pub use refusal::Refusal;
pub use stamp::{Stamp, Stamped};
pub use usage::{MOST_BYTES, usage};
