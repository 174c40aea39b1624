//! A log with nothing behind it: a record is appended, and read back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant as Stopwatch;

use eventlog::{Appending, EventLog, Log};
use ingest::{Event, Hold, Holding, Measure};
use ledger::{Offset, Partition};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::place::{KIND, data, stamp, team};

/// Readers of every partition, and who waits for them.
pub(super) struct Bare {
    log: Arc<Log>,
    waiting: Vec<Arc<Mutex<Waiting>>>,
    readers: Vec<JoinHandle<()>>,
}

/// Who waits for records of a partition.
#[derive(Default)]
struct Waiting {
    next: Offset,
    callers: BTreeMap<Offset, oneshot::Sender<()>>,
}

impl Bare {
    pub(super) async fn new(log: Arc<Log>) -> anyhow::Result<Self> {
        let (mut waiting, mut readers) = (Vec::new(), Vec::new());
        for partition in (0..log.partitions()).map(Partition) {
            let next = log.end(partition).await?;
            let these = Arc::new(Mutex::new(Waiting { next, ..Waiting::default() }));
            readers.push(tokio::spawn(read_back(log.clone(), partition, next, these.clone())));
            waiting.push(these);
        }
        Ok(Self { log, waiting, readers })
    }

    /// Appends what the server appends for a hold; the microseconds until it was read back.
    pub(super) async fn trip(&self, wallet: u64, id: &str) -> anyhow::Result<f64> {
        let record = self.record(&team(wallet), id)?;
        let watch = Stopwatch::now();
        let partition = record.partition;
        let at = self.log.append(vec![record]).await?[0].offset;
        let seen = {
            let mut waiting =
                self.waiting[partition.0 as usize].lock().unwrap_or_else(PoisonError::into_inner);
            let (told, seen) = oneshot::channel();
            if waiting.next <= at {
                waiting.callers.insert(at, told);
                Some(seen)
            } else {
                None
            }
        };
        if let Some(seen) = seen {
            seen.await?;
        }
        Ok(watch.elapsed().as_secs_f64() * 1e6)
    }

    fn record(&self, wallet: &str, id: &str) -> anyhow::Result<Appending> {
        let data = data();
        let estimate = Measure::Event(Event { kind: KIND, data: Some(&data) });
        let says = Hold::Request { estimate, ttl: None, valid_until: None };
        let holding =
            Holding { wallet, source: Some(crate::http::SOURCE), id, subject: None, trace: None, says };
        Ok(ingest::hold(&holding, &stamp("key:kabcdefghijkm"))?.appending(self.log.partitions()))
    }

    pub(super) async fn end(self) -> anyhow::Result<()> {
        for reader in self.readers {
            reader.abort();
            // It ends where it waits.
            let _ = reader.await;
        }
        Ok(self.log.close().await?)
    }
}

async fn read_back(log: Arc<Log>, partition: Partition, mut next: Offset, waiting: Arc<Mutex<Waiting>>) {
    loop {
        match log.read(partition, next, 4_096).await {
            Ok(stretch) if stretch.is_empty() => log.wait(partition, next).await,
            Ok(stretch) => {
                next = stretch.next();
                let told = {
                    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    waiting.next = next;
                    let later = waiting.callers.split_off(&next);
                    std::mem::replace(&mut waiting.callers, later)
                };
                for caller in told.into_values() {
                    // It waits, or the trial is over.
                    let _ = caller.send(());
                }
            }
            Err(_) => return,
        }
    }
}
