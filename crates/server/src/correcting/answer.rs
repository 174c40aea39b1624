//! What became of one record.

use anyhow::Context as _;
use ledger::Position;
use serde::Serialize;
use store::rows::OutcomeCode;
use store::{Projections, Store};

use crate::documents::explain_rejection;
use crate::view::entry::EntryNow;

/// What became of a correction of one wallet.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) wallet: String,
    /// The record's type.
    pub(crate) record: &'static str,
    pub(crate) id: Option<String>,
    /// Where it stands; none if it was not appended.
    pub(crate) position: Option<Position>,
    /// None until it is read back.
    pub(crate) became: Option<Became>,
    /// What it booked, with what time alone had done since the wallet's last record.
    pub(crate) entries: Vec<EntryNow>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It took effect.
    Applied,
    /// The same was said before, here.
    Duplicate(Position),
    /// Another record bears its id.
    Conflict(Position),
    /// A hold is open, or was extended: the answer.
    Approved(String),
    /// A hold, or an extension, was declined: the answer, and a sentence.
    Declined(String, String),
    /// The rules refused it: their word, and a sentence.
    Rejected(String, String),
    /// It was not appended: a word, and a sentence.
    Refused(String, String),
}

impl Became {
    /// The words for what becomes of corrections.
    pub(crate) const WORDS: [&'static str; 5] = ["applied", "duplicate", "conflict", "rejected", "refused"];

    /// The word in reports.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Approved(_) => "approved",
            Self::Declined(..) => "declined",
            Self::Duplicate(_) => "duplicate",
            Self::Conflict(_) => "conflict",
            Self::Rejected(..) => "rejected",
            Self::Refused(..) => "refused",
        }
    }

    /// Whether nothing is wrong with it.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self, Self::Applied | Self::Approved(_) | Self::Duplicate(_))
    }

    /// The rules' word for why not, and a sentence.
    pub(crate) fn why(&self) -> Option<(&str, String)> {
        match self {
            Self::Applied | Self::Approved(_) | Self::Duplicate(_) => None,
            Self::Conflict(at) => Some((
                "conflict",
                format!("the record at {at} has this id and says something else: give another --id"),
            )),
            Self::Declined(word, what) | Self::Rejected(word, what) | Self::Refused(word, what) => {
                Some((word, what.clone()))
            }
        }
    }
}

impl Answer {
    /// A record on its way to the log.
    pub(crate) fn appended(wallet: &str, record: &'static str, id: &str) -> Self {
        let (wallet, id) = (wallet.to_owned(), Some(id.to_owned()));
        Self { wallet, record, id, position: None, became: None, entries: Vec::new() }
    }

    /// One that was there before, and is not appended again.
    pub(crate) fn stands(wallet: &str, record: &'static str, id: &str, at: Position) -> Self {
        Self { became: Some(Became::Duplicate(at)), ..Self::appended(wallet, record, id) }
    }

    /// One that is not appended.
    pub(crate) fn refused(wallet: &str, record: &'static str, word: &str) -> Self {
        Self::refused_as(wallet, record, word, explain_rejection(word).to_owned())
    }

    /// One that is not appended, for a reason in words of its own.
    pub(crate) fn refused_as(wallet: &str, record: &'static str, word: &str, what: String) -> Self {
        let became = Some(Became::Refused(word.to_owned(), what));
        Self { became, id: None, ..Self::appended(wallet, record, "") }
    }

    pub(crate) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// Whether it was appended and not read back yet.
    pub(super) fn is_open(&self) -> bool {
        self.became.is_none() && self.position.is_some()
    }

    /// Reads what became of it, and what it booked.
    pub(super) async fn read(&mut self, store: &Projections) -> anyhow::Result<()> {
        let Some(Position { partition, offset }) = self.position else { return Ok(()) };
        let row = store.record(partition, offset).await?;
        let row = row.with_context(|| {
            format!("the record at {partition}:{offset} was set aside: see `drawdown verify`")
        })?;
        let earlier = || {
            let offset =
                row.earlier.context("a record that came second names the first: run `drawdown rebuild`")?;
            anyhow::Ok(Position { partition, offset })
        };
        self.became = Some(match OutcomeCode::try_from(row.outcome)? {
            OutcomeCode::Applied | OutcomeCode::None => Became::Applied,
            OutcomeCode::Approved => Became::Approved(row.detail.clone().unwrap_or_default()),
            OutcomeCode::Declined => {
                let answer = row.detail.clone().unwrap_or_default();
                let what = explain_rejection(&answer).to_owned();
                Became::Declined(answer, what)
            }
            OutcomeCode::Duplicate => Became::Duplicate(earlier()?),
            OutcomeCode::Conflict => Became::Conflict(earlier()?),
            OutcomeCode::Rejected => {
                let reason = row.detail.clone().unwrap_or_default();
                let what = explain_rejection(&reason).to_owned();
                Became::Rejected(reason, what)
            }
        });
        for entry in store.entries_between(partition, offset, offset.plus(1)).await? {
            self.entries.push(EntryNow::booked(partition.0, entry)?);
        }
        Ok(())
    }
}

impl Serialize for Answer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            wallet: &'a str,
            record: &'a str,
            id: Option<&'a str>,
            partition: Option<u32>,
            offset: Option<u64>,
            outcome: Option<&'a str>,
            /// Of an approved hold: until when, and whether lots do not cover it.
            #[serde(skip_serializing_if = "Option::is_none")]
            answer: Option<&'a str>,
            /// Where the record stands that first bore the id, for a duplicate or a conflict.
            earlier: Option<String>,
            reason: Option<&'a str>,
            what: Option<String>,
            entries: &'a [EntryNow],
        }
        let why = self.became.as_ref().and_then(Became::why);
        let earlier = match &self.became {
            Some(Became::Duplicate(at) | Became::Conflict(at)) => Some(at.to_string()),
            Some(
                Became::Applied
                | Became::Approved(_)
                | Became::Declined(..)
                | Became::Rejected(..)
                | Became::Refused(..),
            )
            | None => None,
        };
        let shown = Shown {
            wallet: &self.wallet,
            record: self.record,
            id: self.id.as_deref(),
            partition: self.position.map(|at| at.partition.0),
            offset: self.position.map(|at| at.offset.0),
            outcome: self.became.as_ref().map(Became::word),
            answer: match &self.became {
                Some(Became::Approved(answer)) => Some(answer),
                _ => None,
            },
            earlier,
            reason: why.as_ref().map(|(word, _)| *word),
            what: why.as_ref().map(|(_, what)| what.clone()),
            entries: &self.entries,
        };
        shown.serialize(serializer)
    }
}
