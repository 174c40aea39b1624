//! The cursors of a log: whoever reads on finds the one that stands where they left off.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use ledger::{Offset, Partition};
use tokio::sync::oneshot;

use super::cursor::{self, Ask, NEAR, Reach};
use super::identity::Opened;
use crate::{LogError, POLL, Stretch};

/// How many idle cursors of a reach a partition keeps.
const KEPT: usize = 2;
/// A read of at most so many records is one of history.
const FEW: usize = 64;

pub(super) struct Cursors {
    log: Arc<Opened>,
    idle: Mutex<Vec<Place>>,
    /// Of all cursors that may still run.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A process that ended while a client of its still speaks TLS could be ended by that client's library instead.
impl Drop for Cursors {
    fn drop(&mut self) {
        self.idle().clear();
        for thread in self.threads().drain(..) {
            // A cursor that panicked has told so.
            let _ = thread.join();
        }
    }
}

/// A cursor that nobody asks at the moment, and where it stands.
struct Place {
    partition: Partition,
    reach: Reach,
    at: Offset,
    /// Whether somebody read on with it: it is worth more than one that was placed for a single read.
    is_followed: bool,
    /// What a wait has brought, from `at` on.
    ready: Option<Stretch>,
    asks: mpsc::Sender<Ask>,
}

impl Place {
    /// Whether `from` is where it stands, or shortly behind that.
    fn is_near(&self, from: Offset) -> bool {
        self.at <= from && from.0 - self.at.0 <= NEAR
    }

    /// Stands at `from` from now on. Whoever passed over some records reads on all the same.
    fn moves_to(&mut self, from: Offset) {
        self.is_followed = self.is_near(from);
        if self.at != from {
            self.ready = self.ready.take().and_then(|ready| ready.from(from));
        }
        self.at = from;
    }
}

impl Cursors {
    pub(super) fn new(log: Arc<Opened>) -> Self {
        Self { log, idle: Mutex::default(), threads: Mutex::default() }
    }

    pub(super) async fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: usize,
    ) -> Result<Stretch, LogError> {
        let reach = if limit > FEW { Reach::Far } else { Reach::Near };
        let mut taken = self.take(partition, reach, from)?;
        if let Some(read) = taken.ready(limit) {
            self.log.goes_on()?;
            return Ok(read);
        }
        let read = taken.ask(|answer| Ask::Read { from, limit, answer }).await?;
        taken.stands_at(read.next());
        Ok(read)
    }

    pub(super) async fn wait(&self, partition: Partition, from: Offset) {
        let Ok(mut taken) = self.take(partition, Reach::Far, from) else { return };
        if taken.has_more() {
            return;
        }
        // A broker that is away keeps its cursor longer than a wait may last; the read that follows says so.
        let came = tokio::time::timeout(2 * POLL, taken.ask(|answer| Ask::Wait { from, answer })).await;
        if let Ok(Ok(came)) = came {
            taken.keep(came);
        }
    }

    /// The cursor that stands there, a new one, or the one that is worth least.
    fn take(&self, partition: Partition, reach: Reach, from: Offset) -> Result<Taken<'_>, LogError> {
        let mut idle = self.idle();
        let is_alike = |place: &Place| place.partition == partition && place.reach == reach;
        // A far one serves everybody; a near one would be slow for whoever reads on.
        let stands_there = |place: &Place| {
            let reaches = place.reach == reach || reach == Reach::Near;
            place.partition == partition && place.at == from && reaches
        };
        let found = idle.iter().rposition(stands_there).or_else(|| shortly_before(&idle, is_alike, from));
        let found = found.or_else(|| {
            let is_full = idle.iter().filter(|place| is_alike(place)).count() >= KEPT;
            is_full.then(|| least(&idle, is_alike)).flatten()
        });
        let place = match found {
            Some(found) => {
                let mut place = idle.remove(found);
                place.moves_to(from);
                place
            }
            None => {
                let (asks, thread) = cursor::start(Arc::clone(&self.log), partition, reach)?;
                let mut threads = self.threads();
                threads.retain(|thread| !thread.is_finished());
                threads.push(thread);
                Place { partition, reach, at: from, is_followed: false, ready: None, asks }
            }
        };
        drop(idle);
        Ok(Taken { cursors: self, place: Some(place), answered: None })
    }

    fn put_back(&self, place: Place) {
        let mut idle = self.idle();
        let (partition, reach) = (place.partition, place.reach);
        let is_alike = |other: &Place| other.partition == partition && other.reach == reach;
        idle.push(place);
        if idle.iter().filter(|place| is_alike(place)).count() > KEPT
            && let Some(least) = least(&idle, is_alike)
        {
            idle.remove(least);
        }
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Place>> {
        // Nothing that holds the lock can stop half-way, so what a panic left behind is whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The far one that comes to `from` soonest by reading on.
fn shortly_before(idle: &[Place], is_alike: impl Fn(&Place) -> bool, from: Offset) -> Option<usize> {
    let reads_on = |place: &Place| place.reach == Reach::Far && place.is_near(from);
    let before = idle.iter().enumerate().filter(|(_, place)| is_alike(place) && reads_on(place));
    before.max_by_key(|(_, place)| place.at).map(|(found, _)| found)
}

/// The one to give up: nobody reads on with it, and it was used longest ago.
fn least(idle: &[Place], is_alike: impl Fn(&Place) -> bool) -> Option<usize> {
    let alike = idle.iter().enumerate().filter(|(_, place)| is_alike(place));
    alike.min_by_key(|(at, place)| (place.is_followed, *at)).map(|(at, _)| at)
}

/// A cursor that answers one question; it goes back also where the answer is not waited for.
struct Taken<'a> {
    cursors: &'a Cursors,
    place: Option<Place>,
    /// Where the answer comes, while it is waited for.
    answered: Option<Answered>,
}

type Answered = oneshot::Receiver<Result<Stretch, LogError>>;

impl Taken<'_> {
    async fn ask(
        &mut self,
        ask: impl FnOnce(oneshot::Sender<Result<Stretch, LogError>>) -> Ask,
    ) -> Result<Stretch, LogError> {
        let (answer, answered) = oneshot::channel();
        // A cursor that ended drops the question, and whoever asked notices.
        if let Some(place) = &self.place
            && place.asks.send(ask(answer)).is_err()
        {
            self.place = None;
        }
        let answer = self.answered.insert(answered).await;
        self.answered = None;
        answer.unwrap_or(Err(LogError::Closed))
    }

    fn has_more(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.ready.is_some())
    }

    /// What a wait has brought, at most `limit` records.
    fn ready(&mut self, limit: usize) -> Option<Stretch> {
        let place = self.place.as_mut()?;
        let mut read = place.ready.take_if(|_| limit > 0)?;
        if read.len() > limit {
            place.ready = read.from(read.first.plus(limit));
            read.truncate(limit);
        }
        place.at = read.next();
        Some(read)
    }

    fn keep(&mut self, ready: Stretch) {
        if let Some(place) = &mut self.place
            && !ready.is_empty()
        {
            place.ready = Some(ready);
        }
    }

    fn stands_at(&mut self, at: Offset) {
        if let Some(place) = &mut self.place {
            place.at = at;
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // An answer that was given and not taken is the next one's: to go back for it takes the broker a tenth of a second.
        if let Some(mut answered) = self.answered.take() {
            answered.close();
            if let Ok(Ok(came)) = answered.try_recv() {
                self.keep(came);
            }
        }
        if let Some(place) = self.place.take() {
            self.cursors.put_back(place);
        }
    }
}
