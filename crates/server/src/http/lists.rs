//! What the query of a list may say: times, how many, and where to go on.

use ledger::Instant;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::problem::Problem;

/// How many a page has if nobody says.
const USUAL: u32 = 50;
/// How many a page has at most.
const MOST: u32 = 1_000;

/// A time in a query: RFC 3339, or a date, which is its midnight in UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When(pub(crate) Instant);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let midnight = format!("{text}T00:00:00Z");
        let text = if text.len() == "2026-01-31".len() { &midnight } else { &text };
        Instant::parse(text).map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for When {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "When".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["2026-01-31", "2026-01-31T12:30:00Z"]})
    }
}

/// How many are asked for.
pub(crate) fn length(limit: Option<u32>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(USUAL);
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad("bad_limit", format!("`limit` is between 1 and {MOST}, not {limit}")))
}

/// Where a list goes on.
pub(crate) fn cursor<T>(text: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    let bad = || Problem::bad("bad_cursor", "`after` is no cursor: give what the page before said as `next`");
    text.map(|text| read(text).ok_or_else(bad)).transpose()
}
