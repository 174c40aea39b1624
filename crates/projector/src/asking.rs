//! What the rest of a process asks of the partitions that are folded in it: what became of a record, and how a wallet stands.
//!
//! The answer to a request is what the fold made of it, told as soon as that is known: the record is durable, so the commit that
//! follows changes nothing. Whoever waits names the record by its identity, never by its offset alone (design, section 4).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::{Catalogue, Hash16, Identity, Instant, Offset, Partition, Position, Wallet};
use store::rows::{Batch, EntryRow, RecordRow};
use tokio::sync::{mpsc, oneshot, watch};

use crate::ahead::Ahead;
use crate::folding::{Folding, Slot};

/// How many questions may wait for a partition before more are turned away.
const MOST_QUESTIONS: usize = 10_000;

/// The partitions of a log, for whoever asks something of them; cheap to clone.
#[derive(Clone)]
pub struct Asking(Arc<[Arc<Desk>]>);

/// How far a partition has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// All records below this offset are folded …
    pub folded: Offset,
    /// … and below this one committed.
    pub committed: Offset,
}

/// What became of a record.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Where it stands.
    pub position: Position,
    /// The record, with its outcome.
    pub record: RecordRow,
    /// What it booked, with what time alone had done since the wallet's last record.
    pub entries: Vec<EntryRow>,
    /// Its wallet after it.
    pub wallet: Option<WalletSeen>,
}

/// A wallet as it is in memory.
#[derive(Clone, Debug)]
pub struct WalletSeen {
    /// Its number in the store.
    pub no: i64,
    /// True after all records below `next`.
    pub wallet: Wallet,
    /// What its partition has in force.
    pub catalogue: Arc<Catalogue>,
    /// The offset of the next record to fold.
    pub next: Offset,
}

/// What is known of a wallet where its partition is folded.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It is in memory.
    Here(Box<WalletSeen>),
    /// No record below this offset names it.
    Unknown(Offset),
    /// It is not in memory; the store has it, if anybody named it.
    Stored,
    /// The partition is not folded in this process, or is busy: the store tells.
    NotHere,
}

/// A wallet that is asked for.
pub(crate) struct Question {
    pub(crate) wallet: String,
    pub(crate) reply: oneshot::Sender<Seen>,
}

/// Where a partition is asked.
#[derive(Default)]
pub(crate) struct Desk {
    /// How many wait, so that a fold for which nobody waits takes no lock.
    waiting: AtomicUsize,
    awaited: Mutex<HashMap<Hash16, Vec<Waiter>>>,
    /// Where questions go, while the partition is folded here.
    questions: Mutex<Option<mpsc::Sender<Question>>>,
    reached: watch::Sender<Reached>,
    /// When the last record that was folded was recorded.
    clock: AtomicU64,
}

struct Waiter {
    token: u64,
    content: Hash16,
    reply: oneshot::Sender<Answered>,
}

/// Waits for what becomes of a record. Dropped, nobody waits any more.
pub struct Awaiting {
    desk: Arc<Desk>,
    key: Hash16,
    token: u64,
    answered: oneshot::Receiver<Answered>,
}

static TOKENS: AtomicU64 = AtomicU64::new(0);

impl Asking {
    /// Of a log of so many partitions, of which none is folded yet.
    pub fn new(partitions: u32) -> Self {
        Self((0..partitions).map(|_| Arc::default()).collect())
    }

    pub(crate) fn desk(&self, partition: Partition) -> &Arc<Desk> {
        &self.0[partition.0 as usize]
    }

    /// How many partitions the log has.
    ///
    /// # Panics
    ///
    /// Never: a log has fewer than four thousand million partitions.
    pub fn partitions(&self) -> u32 {
        u32::try_from(self.0.len()).expect("there is one desk for each partition")
    }

    /// Begins to wait for a record of this identity: before it is appended, so that it cannot be missed.
    ///
    /// A record of the same identity and content that was on its way already answers too: it is the same request.
    ///
    /// # Panics
    ///
    /// If the log has no such partition.
    pub fn wait_for(&self, partition: Partition, identity: &Identity) -> Awaiting {
        let (reply, answered) = oneshot::channel();
        let token = TOKENS.fetch_add(1, Ordering::Relaxed);
        let desk = self.desk(partition).clone();
        let waiter = Waiter { token, content: identity.content, reply };
        lock(&desk.awaited).entry(identity.key).or_default().push(waiter);
        desk.waiting.fetch_add(1, Ordering::Release);
        Awaiting { desk, key: identity.key, token, answered }
    }

    /// A wallet, asked of whoever folds its partition here.
    pub async fn wallet(&self, id: &str) -> Seen {
        let desk = self.desk(Partition::of(id, self.partitions()));
        let questions = lock(&desk.questions).clone();
        let Some(questions) = questions else { return Seen::NotHere };
        let (reply, answered) = oneshot::channel();
        if questions.try_send(Question { wallet: id.to_owned(), reply }).is_err() {
            return Seen::NotHere;
        }
        answered.await.unwrap_or(Seen::NotHere)
    }

    /// Whether a partition is folded in this process now.
    ///
    /// # Panics
    ///
    /// If the log has no such partition.
    pub fn is_here(&self, partition: Partition) -> bool {
        lock(&self.desk(partition).questions).as_ref().is_some_and(|questions| !questions.is_closed())
    }

    /// How far a partition has come, while it is folded here.
    ///
    /// # Panics
    ///
    /// If the log has no such partition.
    pub fn reached(&self, partition: Partition) -> watch::Receiver<Reached> {
        self.desk(partition).reached.subscribe()
    }

    /// When the last record was recorded that was folded here; none before the first.
    ///
    /// # Panics
    ///
    /// If the log has no such partition.
    pub fn clock(&self, partition: Partition) -> Option<Instant> {
        let clock = self.desk(partition).clock.load(Ordering::Relaxed);
        i64::try_from(clock).ok().filter(|clock| *clock > 0).map(Instant)
    }
}

impl Desk {
    /// Takes questions from now on; whoever took them before gets no more.
    pub(crate) fn open(&self) -> mpsc::Receiver<Question> {
        let (questions, asked) = mpsc::channel(MOST_QUESTIONS);
        *lock(&self.questions) = Some(questions);
        asked
    }

    /// Tells those who wait for a record what became of it. Its entries are the batch's, from the numbered one on.
    pub(crate) fn tell(
        &self,
        ahead: &Ahead<'_>,
        (position, before): (Position, usize),
        batch: &Batch,
        folding: &Folding,
    ) {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return;
        }
        let Ok((record, identity)) = &ahead.read else { return };
        let waiters = self.take(identity);
        let row = batch.records.last().filter(|row| row.offset == position.offset);
        let Some(row) = row.filter(|_| !waiters.is_empty()) else { return };
        let answered = Answered {
            position,
            record: row.clone(),
            entries: batch.entries[before..].to_vec(),
            wallet: folding.wallet(record.wallet()).map(|slot| WalletSeen::of(slot, folding)),
        };
        for waiter in waiters {
            // Whoever stopped waiting meanwhile needs no answer.
            let _ = waiter.reply.send(answered.clone());
        }
    }

    /// Those who wait for a record of this identity and content.
    fn take(&self, identity: &Identity) -> Vec<Waiter> {
        let mut awaited = lock(&self.awaited);
        let Some(waiters) = awaited.get_mut(&identity.key) else { return Vec::new() };
        let these: Vec<Waiter> = waiters.extract_if(.., |w| w.content == identity.content).collect();
        if waiters.is_empty() {
            awaited.remove(&identity.key);
        }
        self.waiting.fetch_sub(these.len(), Ordering::Release);
        these
    }

    pub(crate) fn reached(&self) -> &watch::Sender<Reached> {
        &self.reached
    }

    pub(crate) fn passed(&self, clock: i64) {
        self.clock.store(u64::try_from(clock).unwrap_or(0), Ordering::Relaxed);
    }
}

impl WalletSeen {
    fn of(slot: &Slot, folding: &Folding) -> Self {
        let (catalogue, next) = (folding.catalogue.clone(), folding.head.next);
        Self { no: slot.no, wallet: slot.wallet.clone(), catalogue, next }
    }
}

impl Question {
    /// Answers from what is in memory.
    pub(crate) fn answer(self, folding: &Folding) {
        let seen = match folding.wallet(&self.wallet) {
            Some(slot) => Seen::Here(Box::new(WalletSeen::of(slot, folding))),
            None if folding.complete => Seen::Unknown(folding.head.next),
            None => Seen::Stored,
        };
        // Whoever stopped waiting meanwhile needs no answer.
        let _ = self.reply.send(seen);
    }
}

impl Awaiting {
    /// What became of the record, once it is folded in this process: perhaps never, if its partition goes elsewhere. None if it
    /// could not be read, and was set aside.
    pub async fn answered(&mut self) -> Option<Answered> {
        (&mut self.answered).await.ok()
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        let mut awaited = lock(&self.desk.awaited);
        let Some(waiters) = awaited.get_mut(&self.key) else { return };
        let before = waiters.len();
        waiters.retain(|waiter| waiter.token != self.token);
        self.desk.waiting.fetch_sub(before - waiters.len(), Ordering::Release);
        if waiters.is_empty() {
            awaited.remove(&self.key);
        }
    }
}

/// Nothing that is done under these locks can fail halfway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
