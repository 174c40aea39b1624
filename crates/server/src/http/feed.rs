//! Which wallets have news, for those who stream them: each partition is looked at by one task, however many listen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::{Offset, Partition};
use store::{Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::App;

/// How often is looked whether anybody listens still, and where the partition is folded.
const LOOK: Duration = Duration::from_secs(1);
/// How often a partition is looked at that is folded elsewhere.
const POLL: Duration = Duration::from_millis(200);
/// Records looked at together.
const RECORDS: usize = 1_024;

/// The partitions that somebody listens to.
#[derive(Default)]
pub(crate) struct Feeds(Mutex<BTreeMap<Partition, Feed>>);

struct Feed {
    /// Of each wallet that is listened to, below which offset all is committed.
    wallets: BTreeMap<i64, watch::Sender<Offset>>,
    follower: JoinHandle<()>,
}

impl App {
    /// Tells when a wallet, by its number, has news. What was committed before this was called is there to be read; what comes
    /// later is told.
    pub(crate) fn news(self: &Arc<Self>, partition: Partition, wallet: i64) -> watch::Receiver<Offset> {
        let mut feeds = self.feeds.lock();
        let feed = feeds.entry(partition).or_insert_with(|| {
            let follower = tokio::spawn(follow(self.clone(), partition));
            Feed { wallets: BTreeMap::new(), follower }
        });
        feed.wallets.entry(wallet).or_insert_with(|| watch::channel(Offset(0)).0).subscribe()
    }
}

impl Feeds {
    /// Tells these wallets that they have news; all, if none are named.
    fn tell(&self, partition: Partition, wallets: Option<&BTreeSet<i64>>, next: Offset) {
        let mut feeds = self.lock();
        let Some(feed) = feeds.get_mut(&partition) else { return };
        for (wallet, listeners) in &feed.wallets {
            if wallets.is_none_or(|wallets| wallets.contains(wallet)) {
                listeners.send_replace(next);
            }
        }
    }

    /// Forgets the wallets to which nobody listens any more; whether somebody listens to the partition.
    fn is_heard(&self, partition: Partition) -> bool {
        let mut feeds = self.lock();
        let Some(feed) = feeds.get_mut(&partition) else { return false };
        feed.wallets.retain(|_, listeners| listeners.receiver_count() > 0);
        let is_heard = !feed.wallets.is_empty();
        if !is_heard {
            feeds.remove(&partition);
        }
        is_heard
    }

    /// Ends all of it, and lets go of log and projections.
    pub(crate) async fn end(&self) {
        let feeds = std::mem::take(&mut *self.lock());
        for feed in feeds.into_values() {
            feed.follower.abort();
            // It ends where it waits.
            let _ = feed.follower.await;
        }
    }

    /// Nothing that is done under this lock can fail halfway.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Partition, Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at what is committed, until nobody listens any more.
async fn follow(app: Arc<App>, partition: Partition) {
    let mut next = None;
    while app.feeds.is_heard(partition) {
        let Some(head) = committed(&app, partition, next).await else { continue };
        let Some(from) = next else {
            // Who read before this moment has perhaps not read all.
            app.feeds.tell(partition, None, head);
            next = Some(head);
            continue;
        };
        match timeout(app.limits.wait, named(&app, partition, from, head)).await {
            Ok(Ok((wallets, to))) => {
                app.feeds.tell(partition, Some(&wallets), to);
                next = Some(to);
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, %partition, "the projections cannot be read: looked at again");
                sleep(LOOK).await;
            }
            Err(_) => {}
        }
    }
}

/// Below which offset a partition is committed, once that is beyond `next`; none if it is not soon.
async fn committed(app: &App, partition: Partition, next: Option<Offset>) -> Option<Offset> {
    if let Some(next) = next
        && app.asking.is_here(partition)
    {
        let mut reached = app.asking.reached(partition);
        let beyond = timeout(LOOK, reached.wait_for(|reached| reached.committed > next)).await;
        return beyond.ok()?.ok().map(|reached| reached.committed);
    }
    let head = timeout(app.limits.wait, app.store.head(partition)).await;
    let head = head.ok().and_then(Result::ok).map(|head| head.map_or(Offset(0), |head| head.next));
    let beyond = head.filter(|head| next.is_none_or(|next| *head > next));
    if beyond.is_none() {
        sleep(POLL).await;
    }
    beyond
}

/// The wallets of the records from an offset on, and up to where that is.
async fn named(
    app: &App,
    partition: Partition,
    from: Offset,
    head: Offset,
) -> Result<(BTreeSet<i64>, Offset), StoreError> {
    let to = from.plus(RECORDS).min(head);
    let records = app.store.records_between(partition, from, to).await?;
    Ok((records.into_iter().filter_map(|record| record.wallet).collect(), to))
}
