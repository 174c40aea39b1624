//! The log as the one line: a request is appended, and answered by what the fold made of it (design, section 4).

use std::time::Duration;

use axum::http::StatusCode;
use eventlog::{Appending, EventLog, LogError};
use ingest::{Published, Stamp, Stamped};
use ledger::{Identity, Offset, Partition, Position, Wallet};
use projector::{Answered, Awaiting, WalletSeen};
use store::Store;
use store::rows::{EntryRow, OutcomeCode, RecordRow};
use tokio::time::{Instant as Moment, sleep, timeout, timeout_at};
use tracing::{Instrument as _, info_span};

use super::App;
use super::problem::Problem;
use crate::telemetry::{if_traced, is_traced};

/// How often the store is asked what became of a record that is not folded in this process.
const POLL: Duration = Duration::from_millis(5);
/// How long a record may have been folded here without an answer before the store is asked: its partition was taken over behind it.
const BEHIND: Duration = Duration::from_millis(50);

/// What became of a request, once and for all: a retry has the first one's.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// Where the request stands that was answered now …
    pub(crate) position: Position,
    /// … and the one that was the first to be made.
    pub(crate) first: Position,
    /// The first one, with its outcome.
    pub(crate) record: RecordRow,
    /// What that booked.
    pub(crate) entries: Vec<EntryRow>,
    /// The wallet now.
    pub(crate) wallet: Option<WalletSeen>,
}

/// A record, and who it is.
struct Request<'a> {
    wallet: &'a str,
    id: &'a str,
    identity: Identity,
    appending: Appending,
}

impl App {
    /// What the server stamps with: nothing, while its clock is wrong.
    pub(crate) fn stamp<'a>(&self, by: &'a str) -> Result<Stamp<'a>, Problem> {
        self.context.clock.check().map_err(|apart| Problem::later("clock", apart.to_string()))?;
        Ok(Stamp { now: self.context.now(), by, backfill: false })
    }

    /// Appends a request and waits for what becomes of it.
    ///
    /// # Errors
    ///
    /// 503 if nothing was appended, 504 if it is not known what became of it: the same again is answered as the first.
    pub(crate) async fn decide(&self, stamped: Stamped<'_>) -> Result<Recorded, Problem> {
        let (wallet, id) = (stamped.wallet.to_string(), stamped.id.to_string());
        self.decide_record(&wallet, &id, stamped.appending(self.log.partitions())).await
    }

    /// Appends a document of the catalogue, and waits for what becomes of it in partition 0, which alone accepts such.
    ///
    /// # Errors
    ///
    /// As [`App::decide`].
    pub(crate) async fn decide_document(&self, document: Published) -> Result<Recorded, Problem> {
        let Published { id, bytes } = document;
        self.decide_record("", &id, Appending { partition: Partition(0), bytes }).await
    }

    /// Appends a document of the catalogue without waiting for what becomes of it; where it stands.
    ///
    /// # Errors
    ///
    /// 503 if nothing was appended, 504 if that is not known at the time given.
    pub(super) async fn append_document(
        &self,
        document: Published,
        until: Moment,
    ) -> Result<Position, Problem> {
        let Published { id, bytes } = document;
        let partition = Partition(0);
        self.accepts(partition)?;
        let appending = self.log.append(vec![Appending { partition, bytes }]);
        match timeout_at(until, appending.instrument(if_traced(|| info_span!("append")))).await {
            Ok(Ok(at)) => Ok(at[0]),
            Ok(Err(LogError::Unknown(_))) | Err(_) => {
                let detail = "whether this is in the log is not known: ask again, it counts once";
                Err(Problem::unknown(&id, detail))
            }
            Ok(Err(error)) => Err(error.into()),
        }
    }

    async fn decide_record(&self, wallet: &str, id: &str, appending: Appending) -> Result<Recorded, Problem> {
        let identity = ledger::decode(&appending.bytes)
            .ok()
            .and_then(|record| record.identify(&mut Vec::new()).ok())
            .expect("what was stamped can be read");
        self.accepts(appending.partition)?;
        let began = Moment::now();
        let answered = self.answer(Request { wallet, id, identity, appending }).await?;
        super::metrics::decided(&answered.record, began.elapsed());
        self.recorded(answered, wallet).await
    }

    async fn answer(&self, request: Request<'_>) -> Result<Answered, Problem> {
        let Request { wallet, id, identity, appending } = request;
        let partition = appending.partition;
        let until = Moment::now() + self.limits.wait;
        let mut awaiting = self.asking.wait_for(partition, &identity);
        let appended = match timeout_at(
            until,
            self.log.append(vec![appending]).instrument(if_traced(|| info_span!("append"))),
        )
        .await
        {
            Ok(Ok(at)) => Some(at[0].offset),
            // It may be in the log: then it is answered like any other.
            Ok(Err(LogError::Unknown(_))) | Err(_) => None,
            Ok(Err(error)) => return Err(error.into()),
        };
        let folding = if_traced(|| info_span!("fold", %partition, offset = appended.map(|offset| offset.0)));
        let answered = self.answered(&mut awaiting, partition, appended, wallet).instrument(folding);
        match timeout_at(until, answered).await {
            Ok(answered) => answered.inspect(|answered| self.trace_commit(answered.position)),
            Err(_) => Err(Problem::unknown(
                id,
                format!(
                    "what became of {id:?} is not known after {} s: ask again with the same id, it counts once",
                    self.limits.wait.as_secs()
                ),
            )),
        }
    }

    /// Traces a record until it is committed.
    fn trace_commit(&self, at: Position) {
        if is_traced() && self.asking.is_here(at.partition) {
            let mut reached = self.asking.reached(at.partition);
            let committing = info_span!("commit", partition = %at.partition, offset = at.offset.0);
            let committed = async move {
                // Its other end lives as long as this process.
                let _ = reached.wait_for(|reached| reached.committed > at.offset).await;
            };
            tokio::spawn(committed.instrument(committing));
        }
    }

    /// Waits at the partition's desk; where it is folded elsewhere, in the store.
    pub(super) async fn answered(
        &self,
        awaiting: &mut Awaiting,
        partition: Partition,
        at: Option<Offset>,
        wallet: &str,
    ) -> Result<Answered, Problem> {
        tokio::select! {
            biased;
            answered = awaiting.answered() => answered.ok_or_else(|| {
                Problem::from(anyhow::anyhow!("a record of this server's was set aside in partition {partition}"))
            }),
            answered = self.stored(partition, at, wallet) => answered,
        }
    }

    async fn stored(
        &self,
        partition: Partition,
        at: Option<Offset>,
        wallet: &str,
    ) -> Result<Answered, Problem> {
        let Some(offset) = at else { return std::future::pending().await };
        loop {
            if self.asking.is_here(partition) {
                let mut reached = self.asking.reached(partition);
                // Its other end lives as long as this process.
                let _ = reached.wait_for(|reached| reached.folded > offset).await;
                sleep(BEHIND).await;
            } else {
                sleep(POLL).await;
            }
            match timeout(self.limits.wait, self.store.head(partition)).await {
                Ok(Ok(Some(head))) if head.next > offset => {
                    return self.read_back(Position { partition, offset }, wallet).await;
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the projections cannot be read: asked again"),
                Err(_) => {}
            }
        }
    }

    /// What the store has of a record that it has.
    async fn read_back(&self, position: Position, wallet: &str) -> Result<Answered, Problem> {
        let Position { partition, offset } = position;
        let record = self.store.record(partition, offset).await?;
        let record = record.ok_or_else(|| anyhow::anyhow!("the record at {position} is not in the store"))?;
        let entries = self.store.entries_between(partition, offset, offset.plus(1)).await?;
        let wallet = self.stored_wallet(wallet).await?;
        Ok(Answered { position, record, entries, wallet })
    }

    /// A wallet as the store has it.
    pub(crate) async fn stored_wallet(&self, id: &str) -> Result<Option<WalletSeen>, Problem> {
        let Some((partition, row)) = self.store.wallet(id).await? else { return Ok(None) };
        let wallet = Wallet::read(&row.doc).map_err(anyhow::Error::from)?;
        let catalogue = self.store.catalogue(partition).await?;
        let catalogue = catalogue.map(|text| projector::stored_catalogue(&text)).transpose()?;
        let catalogue = catalogue.unwrap_or_default().into();
        Ok(Some(WalletSeen { no: row.no, wallet, catalogue, next: row.as_of }))
    }

    /// Of a record that was there before, the first and what became of that.
    pub(super) async fn recorded(&self, answered: Answered, wallet: &str) -> Result<Recorded, Problem> {
        let Answered { position, record, entries, wallet: seen } = answered;
        let code = OutcomeCode::try_from(record.outcome).map_err(anyhow::Error::from)?;
        let Some(offset) = record.earlier.filter(|_| code == OutcomeCode::Duplicate) else {
            if code == OutcomeCode::Conflict {
                let detail = "this id was used for something else before: send another Idempotency-Key or id";
                let earlier = record.earlier.map(|offset| Position { offset, ..position }.to_string());
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "conflict", detail)
                    .with("earlier", earlier)
                    .with("position", position.to_string()));
            }
            return Ok(Recorded { position, first: position, record, entries, wallet: seen });
        };
        let first = Position { offset, ..position };
        let until = Moment::now() + self.limits.wait;
        while !self.is_committed(first).await {
            if Moment::now() > until {
                return Err(Problem::unknown(&record.id, "the first answer cannot be read now: ask again"));
            }
            sleep(POLL).await;
        }
        let earlier = self.read_back(first, wallet).await?;
        let wallet = seen.or(earlier.wallet);
        Ok(Recorded { position, first, record: earlier.record, entries: earlier.entries, wallet })
    }

    /// Whether the store has a record. It may be frozen: whoever asks has a bound of his own.
    async fn is_committed(&self, at: Position) -> bool {
        if self.asking.is_here(at.partition) {
            return self.asking.reached(at.partition).borrow().committed > at.offset;
        }
        let head = timeout(self.limits.wait, self.store.head(at.partition)).await;
        matches!(head, Ok(Ok(Some(head))) if head.next > at.offset)
    }
}
