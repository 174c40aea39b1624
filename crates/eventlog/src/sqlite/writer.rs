//! The one task that appends: callers that wait at the same time share a transaction and its sync.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Offset, Partition, Position};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::append::{append, rows};
use crate::tail::Tails;
use crate::{Appending, LogError};

/// A group takes no further caller when it has so many records …
const GROUP_RECORDS: usize = 4096;
/// … or so many bytes.
const GROUP_BYTES: usize = 8 << 20;
/// How many callers may wait before the next one waits to be heard.
const WAITING: usize = 1024;

/// The way to the writing task, which ends, with all it was told done, when this is dropped.
pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
}

enum Request {
    Append(Caller),
    Close(oneshot::Sender<Result<(), LogError>>),
}

/// Somebody who waits for an append.
struct Caller {
    records: Vec<Appending>,
    answer: oneshot::Sender<Result<Vec<Position>, LogError>>,
}

impl Writer {
    /// Starts the task; `options` make a new connection when one has failed.
    pub(super) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        tails: Arc<Tails>,
    ) -> Self {
        let (requests, mailbox) = mpsc::channel(WAITING);
        tokio::spawn(run(mailbox, Database { options, connection: Some(connection), tails }));
        Self { requests }
    }

    pub(super) async fn append(&self, records: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        let (answer, answered) = oneshot::channel();
        let caller = Caller { records, answer };
        self.requests.send(Request::Append(caller)).await.map_err(|_| LogError::Closed)?;
        answered.await.unwrap_or_else(|_| Err(LogError::unknown(sqlx::Error::WorkerCrashed)))
    }

    /// Appends what was asked for so far, then moves all into the file itself and closes it.
    pub(super) async fn close(&self) -> Result<(), LogError> {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::Close(answer)).await.is_err() {
            return Ok(());
        }
        answered.await.unwrap_or(Err(LogError::Closed))
    }
}

async fn run(mut mailbox: mpsc::Receiver<Request>, mut database: Database) {
    let mut closers = Vec::new();
    let mut group = Vec::new();
    while let Some(request) = mailbox.recv().await {
        // Those whom the last commit answered may come again at once: let them in before this one begins.
        tokio::task::yield_now().await;
        let mut next = Some(request);
        let (mut records, mut bytes) = (0, 0);
        while let Some(request) = next {
            match request {
                Request::Append(caller) => {
                    records += caller.records.len();
                    bytes += caller.records.iter().map(|record| record.bytes.len()).sum::<usize>();
                    group.push(caller);
                }
                Request::Close(closer) => {
                    mailbox.close();
                    closers.push(closer);
                }
            }
            let has_room = records < GROUP_RECORDS && bytes < GROUP_BYTES;
            next = if has_room { mailbox.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            database.append(std::mem::take(&mut group)).await;
        }
    }
    let closed = database.close().await;
    for closer in closers {
        // Who no longer waits need not know.
        let _ = closer.send(closed.clone());
    }
}

struct Database {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    tails: Arc<Tails>,
}

impl Database {
    /// Appends the records of all callers in one transaction, and answers each.
    async fn append(&mut self, group: Vec<Caller>) {
        let rows = rows(group.iter().flat_map(|caller| &caller.records));
        let appended = match self.connect().await {
            Ok(connection) => append(connection, rows).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = &appended {
            // After a full disk or a lock all is as before; after anything else only a new connection surely is.
            let is_sound = matches!(error, LogError::Full | LogError::Busy);
            if let Some(connection) = self.connection.take_if(|_| !is_sound) {
                tracing::warn!(%error, "the log's connection is opened anew");
                let _ = connection.close().await;
            }
        }

        match appended {
            Ok(firsts) => self.tell(group, firsts),
            Err(error) => {
                for caller in group {
                    let _ = caller.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Hands on what was appended from these offsets on, and answers each caller.
    fn tell(&self, group: Vec<Caller>, firsts: BTreeMap<Partition, Offset>) {
        let mut appended: BTreeMap<Partition, (Offset, Vec<Vec<u8>>)> =
            firsts.into_iter().map(|(partition, first)| (partition, (first, Vec::new()))).collect();
        let mut answers = Vec::with_capacity(group.len());
        for Caller { records, answer } in group {
            let positions = records.into_iter().map(|Appending { partition, bytes }| {
                let its = appended.get_mut(&partition).expect("each partition of the group was appended to");
                let (first, records) = its;
                let offset = first.plus(records.len());
                records.push(bytes);
                Position { partition, offset }
            });
            answers.push((answer, positions.collect()));
        }
        for (partition, (first, records)) in appended {
            self.tails.push(partition, first, records);
        }
        for (answer, positions) in answers {
            // Who no longer waits has its records in the log all the same.
            let _ = answer.send(Ok(positions));
        }
    }

    async fn connect(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn close(self) -> Result<(), LogError> {
        let Some(mut connection) = self.connection else { return Ok(()) };
        let moved = sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await;
        connection.close().await?;
        moved?;
        Ok(())
    }
}
