//! A wallet's news as they come: server-sent events, each with its position, so that whoever was cut off goes on where it was.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use ledger::{Amount, Approved, Declined, KeyScope, Offset, Partition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::rows::{EntryRow, OutcomeCode, RecordKind, RecordRow};
use store::{EntryFilter, Store};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::App;
use super::answers::balance;
use super::body::Asked;
use super::caller::Needs;
use super::lists::cursor;
use super::problem::Problem;
use super::route::Route;
use super::seen::FromPosition;
use crate::keys::Keyring;
use crate::stop::Stop;
use crate::view::AsOf;
use crate::view::entry::EntryNow;
use crate::view::units::Totals;

/// How often something is said while nothing happens, and the caller's key is looked at again.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon after a failure the rows are read again, and a client that was cut off may come back.
const AGAIN: Duration = Duration::from_secs(1);
/// Records of the wallet read at once.
const RECORDS: u32 = 64;
/// Entries read at once.
const ENTRIES: u32 = 1_000;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Offset and line of what was told last.
type Place = (Offset, u32);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/v1/wallets/{wallet}/stream",
            Needs::OfWallet(KeyScope::Read),
            "Tells what happens to a wallet as it happens: its entries, decisions on its holds, and its balance after them",
            stream,
        )
        .query::<StreamQuery>()
        .header("last-event-id", "Goes on after this event (`partition:offset:line`): nothing is lost, nothing told twice")
        .answers_as::<String>(
            200,
            "Server-sent events `entry`, `decision` and `balance`, their data JSON, and a comment each 15 s; it ends when the key does",
            "text/event-stream",
        ),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StreamQuery {
    /// As the header Last-Event-ID, for clients that cannot send it.
    after: Option<String>,
    /// The first balance is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

/// What became of a request for a hold, or for more of it.
#[derive(Debug, Serialize)]
struct Decision {
    wallet: String,
    /// The hold's id.
    hold: String,
    /// `requested` or `extended`.
    #[serde(rename = "type")]
    kind: &'static str,
    outcome: &'static str,
    reason: Option<String>,
    lacks: BTreeMap<String, Amount>,
    expires_at: Option<ledger::Instant>,
    position: String,
}

/// How the wallet stands: perhaps further than what was told before it, which then follows.
#[derive(Debug, Serialize)]
struct Balance {
    wallet: String,
    as_of: AsOf,
    units: BTreeMap<String, Totals>,
}

/// A stream that somebody reads. It holds a page of events at most: whoever reads slowly is told later.
struct Streaming {
    app: Arc<App>,
    /// What let its reader in: it is looked at again.
    authorization: Option<HeaderValue>,
    wallet: String,
    partition: Partition,
    no: i64,
    told: Place,
    news: watch::Receiver<Offset>,
    keys: watch::Receiver<Arc<Keyring>>,
    stop: Stop,
    ready: VecDeque<Event>,
    /// Whether there may be rows to read.
    is_behind: bool,
    /// Whether the balance is to be told once nothing is left to read.
    owes_balance: bool,
}

async fn stream(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let StreamQuery { after, min_position } = query;
    let reading = app.rows(&wallet, &FromPosition { min_position }).await?;
    let now = reading.wallet(&wallet).await?;
    let partition = Partition(now.as_of.partition);
    let of_header = headers.get(&LAST_EVENT_ID).map(|id| id.to_str().unwrap_or_default().to_owned());
    let after = cursor(of_header.or(after).as_deref(), |text| place(text, partition))?;
    // First of all, so that nothing comes between this and what is read.
    let news = app.news(partition, now.no);
    let told = match after {
        Some(after) => after,
        None => app.end_of(partition).await?,
    };
    let streaming = Streaming {
        authorization: headers.get(header::AUTHORIZATION).cloned(),
        wallet,
        partition,
        no: now.no,
        told,
        news,
        keys: app.keys.clone(),
        stop: app.stop.clone(),
        ready: VecDeque::new(),
        is_behind: true,
        owes_balance: true,
        app,
    };
    let events = unfold(streaming, |mut streaming| async move {
        let event = streaming.next().await?;
        Some((Ok::<_, Infallible>(event), streaming))
    });
    // Whatever stands between must not keep events back.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(events)).into_response())
}

/// `partition:offset:line`, of this partition.
fn place(text: &str, partition: Partition) -> Option<Place> {
    let mut parts = text.splitn(3, ':');
    let of = Partition(parts.next()?.parse().ok()?);
    let offset: i64 = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    (of == partition).then_some((Offset(u64::try_from(offset).ok()?), line))
}

impl App {
    /// The place of the last thing that is committed in a partition.
    async fn end_of(&self, partition: Partition) -> Result<Place, Problem> {
        let next = self.store.head(partition).await?.map_or(Offset(0), |head| head.next);
        let Some(last) = next.0.checked_sub(1).map(Offset) else { return Ok((Offset(0), 0)) };
        let entries = self.store.entries_between(partition, last, next).await?;
        Ok((last, lines(entries.iter())))
    }
}

/// How many lines a record has: what is decided about it stands behind them.
fn lines<'a>(entries: impl Iterator<Item = &'a EntryRow>) -> u32 {
    entries.last().map_or(0, |entry| entry.line + 1)
}

impl Streaming {
    /// The next event; none once the server stops or the caller's key is no good any more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.stop.is_set() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_behind || self.owes_balance {
                let wait = self.app.limits.wait;
                if !matches!(timeout(wait, self.read()).await, Ok(Ok(()))) {
                    tokio::select! {
                        () = self.stop.set() => return None,
                        () = sleep(AGAIN) => {}
                    }
                }
                continue;
            }
            tokio::select! {
                biased;
                () = self.stop.set() => return None,
                changed = self.news.changed() => {
                    changed.ok()?;
                    self.is_behind = true;
                }
                changed = self.keys.changed() => {
                    changed.ok()?;
                    self.is_let_in()?;
                }
                () = sleep(HEARTBEAT) => {
                    self.is_let_in()?;
                    return Some(Event::default().comment("nothing new"));
                }
            }
        }
    }

    /// Whether what let the reader in is good still.
    fn is_let_in(&self) -> Option<()> {
        self.app.caller(self.authorization.as_ref().map(HeaderValue::as_bytes)).ok().map(drop)
    }

    /// Reads what has happened since, and makes events of it; the balance once that is all.
    async fn read(&mut self) -> Result<(), Problem> {
        if self.is_behind {
            self.news.mark_unchanged();
            let before = self.told.0.0.checked_sub(1).map(Offset);
            let offsets = self.app.store.offsets(self.no, before, RECORDS).await?;
            let is_page = offsets.len() == RECORDS as usize;
            let (events, told) = self.events(before, &offsets).await?;
            (self.told, self.is_behind) = (told, is_page);
            self.owes_balance |= !events.is_empty();
            self.ready.extend(events);
        }
        if !self.is_behind && self.owes_balance {
            let now = self.app.wallet(&self.wallet, &FromPosition::default()).await?;
            let units = balance(Some(&now), &[]);
            let stands = Balance { wallet: now.id, as_of: now.as_of, units };
            self.ready.push_back(self.event("balance", self.told, &stands)?.retry(AGAIN));
            self.owes_balance = false;
        }
        Ok(())
    }

    /// The events of the wallet's records at these offsets, which come after `before`; and the place of the last one.
    async fn events(
        &self,
        before: Option<Offset>,
        offsets: &[Offset],
    ) -> Result<(Vec<Event>, Place), Problem> {
        let (mut events, mut told) = (Vec::new(), self.told);
        let Some(last) = offsets.last() else { return Ok((events, told)) };
        let mut entries = self.entries(before, *last).await?;
        for offset in offsets {
            let own = entries.remove(offset).unwrap_or_default();
            let end = (*offset, lines(own.iter()));
            for row in own {
                let at = (*offset, row.line);
                if at > self.told {
                    let entry = EntryNow::booked(self.partition.0, row)?;
                    events.push(self.event("entry", at, &entry)?);
                }
            }
            if end > self.told {
                let record = self.app.store.record(self.partition, *offset).await?;
                if let Some(decision) = record.and_then(|record| self.decision(record)) {
                    events.push(self.event("decision", end, &decision)?);
                }
                told = end;
            }
        }
        Ok((events, told))
    }

    /// The wallet's entries after an offset, up to another, by offset.
    async fn entries(
        &self,
        before: Option<Offset>,
        last: Offset,
    ) -> Result<BTreeMap<Offset, Vec<EntryRow>>, Problem> {
        let mut all = BTreeMap::<Offset, Vec<EntryRow>>::new();
        let mut after = before.map(|before| (before, u32::MAX));
        loop {
            let page = EntryFilter { wallet: self.no, after, limit: ENTRIES, ..EntryFilter::default() };
            let rows = self.app.store.entries(&page).await?;
            let is_page = rows.len() == ENTRIES as usize;
            let end = rows.last().map(|row| (row.offset, row.line));
            for row in rows.into_iter().filter(|row| row.offset <= last) {
                all.entry(row.offset).or_default().push(row);
            }
            match end.filter(|(offset, _)| is_page && *offset <= last) {
                Some(end) => after = Some(end),
                None => return Ok(all),
            }
        }
    }

    /// What a record decided; none if it is about something else, or was there before.
    fn decision(&self, record: RecordRow) -> Option<Decision> {
        let said: Option<Said> = record.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
        let (kind, hold) = match RecordKind::try_from(record.kind).ok()? {
            kind @ RecordKind::Hold => (kind, record.id),
            kind @ RecordKind::Extension => (kind, said?.hold),
            RecordKind::Genesis
            | RecordKind::Catalogue
            | RecordKind::Wallet
            | RecordKind::Grant
            | RecordKind::Usage
            | RecordKind::Timer
            | RecordKind::Void
            | RecordKind::Reversal
            | RecordKind::Rerating
            | RecordKind::Reset
            | RecordKind::Clearing
            | RecordKind::Change
            | RecordKind::Suspension
            | RecordKind::Resumption
            | RecordKind::Settlement
            | RecordKind::HoldVoid => return None,
        };
        let detail = record.detail.unwrap_or_default();
        let outcome = OutcomeCode::try_from(record.outcome).ok()?;
        let (reason, lacks, expires_at) = match outcome {
            OutcomeCode::Approved => (None, BTreeMap::new(), Some(Approved::parse(&detail).ok()?.until)),
            OutcomeCode::Declined => {
                let Declined { why, lacks } = Declined::parse(&detail).ok()?;
                let lacks = lacks.into_iter().map(|(unit, lack)| (unit.to_string(), lack)).collect();
                (Some(why.word()), lacks, None)
            }
            OutcomeCode::Rejected => (Some(detail), BTreeMap::new(), None),
            OutcomeCode::None | OutcomeCode::Applied | OutcomeCode::Duplicate | OutcomeCode::Conflict => {
                return None;
            }
        };
        Some(Decision {
            wallet: self.wallet.clone(),
            hold,
            kind: if kind == RecordKind::Hold { "requested" } else { "extended" },
            outcome: outcome.word(),
            reason,
            lacks,
            expires_at,
            position: format!("{}:{}", self.partition, record.offset),
        })
    }

    fn event(&self, kind: &str, (offset, line): Place, data: &impl Serialize) -> Result<Event, Problem> {
        let event = Event::default().event(kind).id(format!("{}:{offset}:{line}", self.partition));
        Ok(event.json_data(data).map_err(anyhow::Error::from)?)
    }
}

/// What an extension says of its hold.
#[derive(Deserialize)]
struct Said {
    hold: String,
}
