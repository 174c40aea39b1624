//! Requests for holds, and what becomes of them.

use ledger::{Instant, Line, Span};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::correction::Usage;
use crate::envelope::{Head, LONG, NAME, name};
use crate::own::{OPERATOR, wallets_own};
use crate::refusal::Refusal;
use crate::stamp::{Stamp, Stamped};

/// A record about a hold.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    /// Whose wallet.
    pub wallet: &'a str,
    /// Who made the record's id; left out, `operator`.
    pub source: Option<&'a str>,
    /// The record's id; of a request, the hold's.
    pub id: &'a str,
    /// Who uses.
    pub subject: Option<&'a str>,
    /// The trace that asked for it (W3C `traceparent`).
    pub trace: Option<&'a str>,
    /// What it says.
    pub says: Hold<'a>,
}

/// What a record says of a hold.
#[derive(Clone, Copy, Debug)]
pub enum Hold<'a> {
    /// `hold.requested`.
    Request {
        /// How much.
        estimate: Measure<'a>,
        /// How long it lives.
        ttl: Option<Span>,
        /// From when on nobody waits for the answer.
        valid_until: Option<Instant>,
    },
    /// `hold.extended`.
    Extend {
        /// The hold.
        hold: &'a str,
        /// How long it lives from now on.
        ttl: Option<Span>,
        /// How much more.
        more: Option<Measure<'a>>,
    },
    /// `hold.settled`.
    Settle {
        /// The hold.
        hold: &'a str,
        /// The usage that this books.
        usage: Usage<'a>,
        /// What was used.
        actual: Measure<'a>,
        /// Whether the hold ends with it.
        is_final: bool,
    },
    /// `hold.voided`.
    Void {
        /// The hold.
        hold: &'a str,
    },
}

/// How much.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure<'a> {
    /// Amounts of units.
    Amounts(&'a [Line]),
    /// What a price makes of an event.
    Event(Event<'a>),
}

/// A product's event, with nothing but its type and data.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Event<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Its data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a RawValue>,
}

/// What stands under `data`, whatever the type: each has its own of these.
#[derive(Default, Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Measure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<Measure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<Measure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Instant>,
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    is_final: Option<bool>,
}

impl<'a> Hold<'a> {
    /// The record's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Request { .. } => "hold.requested",
            Self::Extend { .. } => "hold.extended",
            Self::Settle { .. } => "hold.settled",
            Self::Void { .. } => "hold.voided",
        }
    }

    fn data(&self) -> Data<'a> {
        match *self {
            Self::Request { estimate, ttl, valid_until } => {
                Data { estimate: Some(estimate), ttl, valid_until, ..Data::default() }
            }
            Self::Extend { hold, ttl, more } => Data { hold: Some(hold), ttl, more, ..Data::default() },
            Self::Settle { hold, usage, actual, is_final } => Data {
                hold: Some(hold),
                usage: Some(usage),
                actual: Some(actual),
                is_final: (!is_final).then_some(false),
                ..Data::default()
            },
            Self::Void { hold } => Data { hold: Some(hold), ..Data::default() },
        }
    }
}

/// Stamps a record about a hold.
///
/// # Errors
///
/// If a name is empty, too long or holds control characters, an event's data has no canonical form, or the whole is too large.
/// Whether a hold is approved is for the fold to say.
pub fn hold<'a>(holding: &Holding<'a>, stamp: &Stamp<'_>) -> Result<Stamped<'a>, Refusal> {
    let Holding { wallet, source, id, subject, trace, says } = *holding;
    let source = source.unwrap_or(OPERATOR);
    name("source", source, LONG)?;
    if let Some(subject) = subject {
        name("subject", subject, NAME)?;
    }
    let data = says.data();
    if let Some(hold) = data.hold {
        name("hold", hold, NAME)?;
    }
    if let Some(usage) = data.usage {
        name("source", usage.source, LONG)?;
        name("usage", usage.id, NAME)?;
    }
    for measure in [data.estimate, data.more, data.actual].into_iter().flatten() {
        match measure {
            Measure::Amounts(lines) => {
                for line in lines {
                    name("unit", &line.unit, NAME)?;
                    name("feature", &line.feature, NAME)?;
                }
            }
            Measure::Event(event) => name("type", event.kind, NAME)?,
        }
    }
    let head = Head {
        wallet: Some(wallet),
        subject,
        trace,
        ..Head::new(id, source, says.kind(), stamp.now, stamp.by)
    };
    let bytes = wallets_own(&head, &data)?;
    Ok(Stamped { wallet: wallet.into(), source: source.into(), id: id.into(), bytes })
}
