//! A record: the envelope, what happened, and its identity (design, section 2).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::correction::{Changed, Nothing, RawStep, Step};
use crate::document::{FOLD, FoldVersion};
use crate::event::{Event, Genesis, Published};
use crate::grant::Terms;
use crate::identity::{Hash16, key};
use crate::text::Text;
use crate::time::Instant;

/// The newest version of records that this build reads; it writes the oldest that can say what is to be said.
///
/// 2: a grant's and a wallet's `reset`, the fold version as a catalogue document, and a genesis with a fold version above 1.
///
/// 3: what policies and wallets say of holds.
///
/// 4: keys of the HTTP API.
pub const ENVELOPE: u32 = 4;

/// The envelope as it stands in the log. Field by field in `schemas/envelope.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Envelope<'a> {
    /// The version of the format.
    pub v: u32,
    /// With `wallet` and `source`, the record's identity for ever.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// Who made the id.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// What happened: one of a closed list.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// Who pays.
    #[serde(borrow, default)]
    pub wallet: Option<Text<'a>>,
    /// Who used it.
    #[serde(borrow, default)]
    pub subject: Option<Text<'a>>,
    /// When it happened, if the sender said.
    #[serde(default)]
    pub time: Option<Instant>,
    /// When it was appended.
    pub recorded_at: Instant,
    /// Who appended it: `operator`, `operator:backfill`, `key:…`, `provider:…`, `system`.
    #[serde(borrow)]
    pub by: Text<'a>,
    /// Why, where the rules want to know.
    #[serde(borrow, default)]
    pub reason: Option<Text<'a>>,
    /// A W3C trace context, never compared.
    #[serde(borrow, default)]
    pub trace: Option<Text<'a>>,
    /// What happened, read by `type`.
    #[serde(borrow)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub data: &'a RawValue,
}

/// A record, decoded; it borrows the bytes of the log.
#[derive(Debug)]
pub struct Record<'a> {
    /// Its envelope, with `data` still as it was sent.
    pub envelope: Envelope<'a>,
    /// What happened.
    pub event: Event<'a>,
}

/// Bytes that are no record of this build's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// To be set aside with this reason; the fold goes on.
    #[error("{0}")]
    Quarantine(String),
    /// An unknown type or version: going on would make two builds disagree.
    #[error("{0}: this needs a newer build")]
    NewerBuild(String),
}

/// Reads a record.
///
/// # Errors
///
/// [`Undecodable::NewerBuild`] for a `v` or `type` that this build does not know; [`Undecodable::Quarantine`] for everything
/// else that is no record.
pub fn decode(bytes: &[u8]) -> Result<Record<'_>, Undecodable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Undecodable::Quarantine("not UTF-8".into()))?;
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| not_an_envelope(text, &e))?;
    if !(1..=ENVELOPE).contains(&envelope.v) {
        return Err(Undecodable::NewerBuild(format!("envelope version {}", envelope.v)));
    }
    let event = event(&envelope)?;
    if envelope.v < event.since() {
        let (word, v, since) = (event.word(), envelope.v, event.since());
        let why = format!("a {word} record of version {v} that says what only version {since} can");
        return Err(Undecodable::Quarantine(why));
    }
    let personal = event.is_of_wallet();
    if personal != envelope.wallet.is_some() {
        let says = if personal { "names no wallet" } else { "names a wallet" };
        return Err(Undecodable::Quarantine(format!("a {} record that {says}", event.word())));
    }
    if envelope.recorded_at > Instant::MAX {
        return Err(Undecodable::Quarantine("recorded_at lies after 2261".into()));
    }
    Ok(Record { envelope, event })
}

/// A later envelope may have fields that this build does not know: what counts then is its `v`.
fn not_an_envelope(text: &str, error: &serde_json::Error) -> Undecodable {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_str::<Version>(text) {
        Ok(Version { v }) if !(1..=ENVELOPE).contains(&v) => {
            Undecodable::NewerBuild(format!("envelope version {v}"))
        }
        Ok(_) | Err(_) => Undecodable::Quarantine(format!("not an envelope: {error}")),
    }
}

fn event<'a>(envelope: &Envelope<'a>) -> Result<Event<'a>, Undecodable> {
    let data = envelope.data.get();
    fn read<'a, T: Deserialize<'a>>(kind: &str, data: &'a str) -> Result<T, Undecodable> {
        serde_json::from_str(data).map_err(|e| Undecodable::Quarantine(format!("the data of {kind}: {e}")))
    }
    let kind = &*envelope.kind;
    Ok(match kind {
        "usage" => Event::Usage(read(kind, data)?),
        "timer.due" => Event::TimerDue(read(kind, data)?),
        "grant.issued" => Event::GrantIssued(read(kind, data)?),
        "wallet.configured" => Event::WalletConfigured(read(kind, data)?),
        "catalogue.published" => Event::CataloguePublished(read(kind, data).and_then(known_version)?),
        "genesis" => Event::Genesis(read(kind, data).and_then(known_fold)?),
        "grant.voided" => Event::GrantVoided(read(kind, data)?),
        "usage.reversed" => Event::UsageReversed(read(kind, data)?),
        "usage.rerated" => Event::UsageRerated(read(kind, data)?),
        "wallet.reset" => Event::WalletReset(read(kind, data)?),
        "overage.cleared" => Event::OverageCleared(read(kind, data)?),
        "wallet.changed" => {
            let changed: Changed<'_> = read(kind, data)?;
            let steps: Result<_, String> = changed.steps.iter().map(RawStep::read).collect();
            Event::WalletChanged(steps.map_err(Undecodable::Quarantine)?)
        }
        "wallet.suspended" => read(kind, data).map(|Nothing {}| Event::WalletSuspended)?,
        "wallet.resumed" => read(kind, data).map(|Nothing {}| Event::WalletResumed)?,
        "hold.requested" => Event::HoldRequested(read(kind, data)?),
        "hold.extended" => Event::HoldExtended(read(kind, data)?),
        "hold.settled" => Event::HoldSettled(read(kind, data)?),
        "hold.voided" => Event::HoldVoided(read(kind, data)?),
        other => return Err(Undecodable::NewerBuild(format!("record type {other:?}"))),
    })
}

/// A fold that this build does not know makes other wallets of the same records.
fn known_fold(genesis: Genesis) -> Result<Genesis, Undecodable> {
    newer_fold(genesis.fold).map_or(Ok(genesis), Err)
}

fn known_version(published: Published<'_>) -> Result<Published<'_>, Undecodable> {
    let version =
        (*published.kind == *FOLD).then(|| serde_json::from_str::<FoldVersion>(published.body.get()));
    let newer = version.and_then(Result::ok).and_then(|fold| newer_fold(fold.version));
    newer.map_or(Ok(published), Err)
}

fn newer_fold(version: u32) -> Option<Undecodable> {
    (version > FoldVersion::NEWEST).then(|| Undecodable::NewerBuild(format!("fold version {version}")))
}

impl Envelope<'_> {
    /// Whether it says why.
    pub fn gives_reason(&self) -> bool {
        self.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty())
    }
}

impl Record<'_> {
    /// The wallet's id; empty for genesis and the catalogue.
    pub fn wallet(&self) -> &str {
        self.envelope.wallet.as_deref().unwrap_or("")
    }

    /// Who used it.
    pub fn subject(&self) -> Option<&str> {
        self.envelope.subject.as_deref()
    }

    /// When it happened: the sender's own time, else when it was recorded.
    pub fn time(&self) -> Instant {
        self.envelope.time.unwrap_or(self.envelope.recorded_at)
    }

    /// The grants that it issues, in order, each with its data as sent.
    pub fn issued(&self) -> Vec<(&Terms, &str)> {
        if let Event::GrantIssued(terms) = &self.event {
            return vec![(&**terms, self.envelope.data.get())];
        }
        let Event::WalletChanged(steps) = &self.event else { return Vec::new() };
        steps.iter().filter_map(Step::issued).collect()
    }

    /// The identity of the usage that this record corrects.
    pub fn corrects(&self) -> Option<Hash16> {
        let usage = match &self.event {
            Event::UsageReversed(reversed) => &reversed.usage,
            Event::UsageRerated(rerated) => &rerated.usage,
            Event::Genesis(_)
            | Event::CataloguePublished(_)
            | Event::WalletConfigured(_)
            | Event::GrantIssued(_)
            | Event::Usage(_)
            | Event::TimerDue(_)
            | Event::GrantVoided(_)
            | Event::WalletReset(_)
            | Event::OverageCleared(_)
            | Event::WalletChanged(_)
            | Event::WalletSuspended
            | Event::WalletResumed
            | Event::HoldRequested(_)
            | Event::HoldExtended(_)
            | Event::HoldSettled(_)
            | Event::HoldVoided(_) => return None,
        };
        Some(key(self.wallet(), &usage.source, &usage.id))
    }
}
