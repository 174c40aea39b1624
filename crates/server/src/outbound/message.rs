//! What a message of the outbound topic says: `schemas/outbound.json`.
//!
//! It is a format that others store: a field keeps its name and its meaning, and what is new raises `v`.

use ledger::{Instant, Name};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version of the messages.
pub(crate) const VERSION: u32 = 1;

/// An entry of a wallet's ledger, or what became of a record. The key of its message is the wallet's id.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Message<'a> {
    /// One transfer between two accounts.
    Entry(EntryMessage<'a>),
    /// What became of a record. It comes after all entries of the record: whoever has it, has them.
    Outcome(OutcomeMessage<'a>),
}

/// One transfer between two accounts.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryMessage<'a> {
    /// The version of the message.
    pub(crate) v: u32,
    /// The id of the log, as its genesis names it.
    pub(crate) log: &'a str,
    /// Where the record stands that booked it: its partition of the log, and of this topic.
    pub(crate) partition: u32,
    /// The record's offset in that partition of the log.
    pub(crate) offset: u64,
    /// Counted within the record, from 0. A message whose offset and line are not above all that came before it in its partition
    /// was sent again, with the same content: it can be left out.
    pub(crate) line: u32,
    /// The wallet's id.
    pub(crate) wallet: &'a str,
    /// What it is, such as `issue`, `usage`, `overage`, `expire` or `reversal`.
    pub(crate) kind: &'a str,
    /// What is moved.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) unit: &'a Name,
    /// How much: a decimal, exact.
    #[cfg_attr(test, schemars(regex(pattern = r"^(0|[1-9][0-9]*)(\.[0-9]{1,9})?$")))]
    pub(crate) amount: &'a str,
    /// The account that it leaves.
    pub(crate) debit: String,
    /// The account that it enters.
    pub(crate) credit: String,
    /// What the wallet's open lots of the unit hold afterwards.
    #[cfg_attr(test, schemars(regex(pattern = r"^(0|[1-9][0-9]*)(\.[0-9]{1,9})?$")))]
    pub(crate) available_after: &'a str,
    /// The instant it counts as of.
    pub(crate) effective_at: Instant,
    /// When it became known.
    pub(crate) booked_at: Instant,
    /// The lot it leaves or enters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) lot: Option<&'a Name>,
    /// The lot it enters, where it moves between two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) other_lot: Option<&'a Name>,
    /// Who used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    /// What was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) feature: Option<&'a Name>,
    /// The price and its revision, `name@revision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) price: Option<&'a Name>,
    /// Of overage: the month of the usage, such as `2026-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) month: Option<&'a str>,
    /// The id of the usage that was charged, or that is corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<&'a str>,
    /// That usage's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<&'a str>,
}

/// What became of a record.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeMessage<'a> {
    /// The version of the message.
    pub(crate) v: u32,
    /// The id of the log, as its genesis names it.
    pub(crate) log: &'a str,
    /// Where the record stands: its partition of the log, and of this topic.
    pub(crate) partition: u32,
    /// The record's offset in that partition of the log.
    pub(crate) offset: u64,
    /// How many entries the record has: the outcome's line comes after theirs. A message whose offset and line are not above all
    /// that came before it in its partition was sent again, with the same content: it can be left out.
    pub(crate) line: u32,
    /// The wallet's id; none of a part of the catalogue, whose message has no key either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wallet: Option<&'a str>,
    /// What the record is, such as `usage`, `grant` or `reversal`.
    pub(crate) kind: &'a str,
    /// The record's id within its source.
    pub(crate) id: &'a str,
    /// Who sent it.
    pub(crate) source: &'a str,
    /// Who used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    /// The time it counts as of.
    pub(crate) at: Instant,
    /// When it was appended to the log.
    pub(crate) recorded_at: Instant,
    /// What became of it, such as `applied`, `duplicate`, `conflict` or `rejected`.
    pub(crate) outcome: &'a str,
    /// The reason of a refusal, why usage has no price, or `free:` and the price of usage that books nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'a str>,
    /// The offset of the record that first bore its id, for a duplicate or a conflict; of the usage that an applied correction is
    /// about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) earlier: Option<u64>,
    /// Of usage: the event's own type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feature: Option<&'a str>,
    /// Of usage: the event's data as it was sent, where it is JSON. Of a correction: what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    pub(crate) data: Option<&'a RawValue>,
}

/// Where a message belongs, read back from it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Place {
    /// The log's id.
    pub(crate) log: String,
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    pub(crate) line: u32,
}
