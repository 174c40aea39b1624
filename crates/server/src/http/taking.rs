//! Taking events in: read out of a request, each checked and stamped by itself, and appended all at once.

use std::borrow::Cow;
use std::collections::BTreeSet;

use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use eventlog::{Appending, EventLog, LogError};
use ingest::{Refusal, Stamped, http_events, usage};
use ledger::{Partition, Position, Text};
use projector::Awaiting;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use tokio::time::timeout;

use super::App;
use super::problem::Problem;

/// Most events of one request.
const MOST: usize = 10_000;
/// After so many bytes of events, others get their turn.
const TURN: usize = 256 << 10;

/// What became of one event of a request.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Verdict<'a, T> {
    Accepted(Accepted<'a, T>),
    Refused(Refused),
}

/// An event that is in the log, durable.
#[derive(Serialize, JsonSchema)]
pub(super) struct Accepted<'a, T> {
    id: Text<'a>,
    source: Text<'a>,
    /// Who pays.
    pub(super) wallet: Text<'a>,
    /// Where it stands in the log.
    #[serde(serialize_with = "shown")]
    #[schemars(with = "String")]
    pub(super) position: Position,
    /// What it did.
    #[serde(flatten)]
    pub(super) became: T,
}

/// An event that was not taken, and nothing of it: mended, it can be sent under the same id.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Refused {
    /// Its place among the events of the request, from 0.
    index: usize,
    /// The word for machines.
    code: &'static str,
    /// What is wrong, and what to do.
    detail: String,
}

/// Events of a request, checked.
pub(super) struct Checked<'a> {
    events: Vec<Result<Good<'a>, Refused>>,
    records: Vec<Appending>,
    pub(super) refused: usize,
    /// Why the first was refused that was.
    first: Option<Refusal>,
}

struct Good<'a> {
    id: Text<'a>,
    source: Text<'a>,
    wallet: Text<'a>,
}

/// The name by which whoever sent an event finds it again.
#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
    source: &'a str,
    wallet: &'a str,
}

/// The events of a request, not yet looked at.
pub(super) fn events<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Vec<Cow<'a, [u8]>>, Problem> {
    let encoding =
        headers.get(CONTENT_ENCODING).filter(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoding.is_some() {
        let detail = "the body is compressed, which is not read: send it as it is, without Content-Encoding";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding", detail));
    }
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let events = http_events(&headers, body)?;
    if events.len() > MOST {
        let detail =
            format!("{} events are too many for one request: send at most {MOST} at a time", events.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many", detail));
    }
    Ok(events)
}

impl<'a> Checked<'a> {
    /// Checks each event by itself.
    ///
    /// # Errors
    ///
    /// If the clock is wrong, and nothing can be stamped.
    pub(super) async fn of(app: &App, by: &str, events: &'a [Cow<'_, [u8]>]) -> Result<Self, Problem> {
        let (stamp, partitions) = (app.stamp(by)?, app.log.partitions());
        let (records, places) = (Vec::with_capacity(events.len()), Vec::with_capacity(events.len()));
        let mut checked = Self { events: places, records, refused: 0, first: None };
        let mut bytes = 0;
        for (index, event) in events.iter().enumerate() {
            bytes += event.len();
            if bytes > TURN {
                bytes = 0;
                tokio::task::yield_now().await;
            }
            match usage(event, &stamp) {
                Ok(stamped) => checked.take(stamped, partitions),
                Err(refusal) => checked.refuse(index, refusal),
            }
        }
        Ok(checked)
    }

    fn take(&mut self, stamped: Stamped<'a>, partitions: u32) {
        let Stamped { wallet, source, id, bytes } = stamped;
        self.records.push(Appending { partition: Partition::of(&wallet, partitions), bytes });
        self.events.push(Ok(Good { id, source, wallet }));
    }

    fn refuse(&mut self, index: usize, refusal: Refusal) {
        self.refused += 1;
        self.events.push(Err(Refused { index, code: refusal.code(), detail: refusal.to_string() }));
        self.first.get_or_insert(refusal);
    }

    pub(super) fn accepted(&self) -> usize {
        self.records.len()
    }

    /// The problem of a request of which each event was refused.
    pub(super) fn nothing_left(&mut self) -> Option<Problem> {
        let first = self.first.take_if(|_| self.records.is_empty())?;
        if self.events.len() == 1 {
            return Some(first.into());
        }
        let detail = format!(
            "all {} events were refused: mend each as is said of it, and send them again",
            self.refused
        );
        Some(Problem::bad("all_refused", detail))
    }

    /// The events that were refused.
    pub(super) fn refusals(&self) -> Vec<&Refused> {
        self.events.iter().filter_map(|event| event.as_ref().err()).collect()
    }

    /// Begins to wait for what becomes of each.
    pub(super) fn await_each(&self, app: &App) -> Vec<Awaiting> {
        let begin = |record: &Appending| {
            let read = ledger::decode(&record.bytes).ok();
            let identity = read.and_then(|read| read.identify(&mut Vec::new()).ok());
            app.asking.wait_for(record.partition, &identity.expect("what was stamped can be read"))
        };
        self.records.iter().map(begin).collect()
    }

    /// Appends what was not refused, all or, where the log can tell, nothing; where each is, in order.
    ///
    /// # Errors
    ///
    /// 503 if nothing was appended, 504 if that is not known: sent again, each counts once.
    pub(super) async fn append(&mut self, app: &App) -> Result<Vec<Position>, Problem> {
        if self.records.is_empty() {
            return Ok(Vec::new());
        }
        let partitions: BTreeSet<Partition> = self.records.iter().map(|record| record.partition).collect();
        partitions.into_iter().try_for_each(|partition| app.accepts(partition))?;
        let records = std::mem::take(&mut self.records);
        match timeout(app.limits.wait, app.log.append(records)).await {
            Ok(Ok(positions)) => Ok(positions),
            Ok(Err(LogError::Unknown(_))) | Err(_) => Err(self.unknown()),
            Ok(Err(error)) => Err(error.into()),
        }
    }

    fn unknown(&self) -> Problem {
        let good = self.events.iter().filter_map(|event| event.as_ref().ok());
        let named = good.map(|Good { id, source, wallet }| Named { id, source, wallet });
        let detail =
            "whether these events are in the log is not known: send them again as they are, each counts once";
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "unknown", detail)
            .with("events", named.collect::<Vec<_>>())
            .with("refused", self.refusals())
    }

    /// What became of each, in the order in which they were sent.
    ///
    /// # Panics
    ///
    /// If there are fewer positions than events that were appended.
    pub(super) fn verdicts<T>(
        self,
        appended: impl IntoIterator<Item = (Position, T)>,
    ) -> Vec<Verdict<'a, T>> {
        let mut appended = appended.into_iter();
        let verdict = |event: Result<Good<'a>, Refused>| match event {
            Ok(Good { id, source, wallet }) => {
                let (position, became) = appended.next().expect("the log tells where each record is");
                Verdict::Accepted(Accepted { id, source, wallet, position, became })
            }
            Err(refused) => Verdict::Refused(refused),
        };
        self.events.into_iter().map(verdict).collect()
    }

    /// The wallets of what was not refused, in order.
    pub(super) fn wallets(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| event.as_ref().ok()).map(|good| &*good.wallet)
    }
}

fn shown<S: Serializer>(position: &Position, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(position)
}
