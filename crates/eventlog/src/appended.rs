//! Waking those who wait for records that this process appends.

use std::pin::pin;

use tokio::sync::Notify;

use crate::POLL;

#[derive(Debug, Default)]
pub(crate) struct Appended(Notify);

impl Appended {
    pub(crate) fn tell(&self) {
        self.0.notify_waiters();
    }

    /// Returns when `is_there` holds, when something was appended, or after [`POLL`]: other processes tell nobody.
    pub(crate) async fn wait(&self, is_there: impl Future<Output = bool>) {
        let mut told = pin!(self.0.notified());
        // Whoever appends after this look wakes us.
        told.as_mut().enable();
        if !is_there.await {
            // Both ends of the wait mean the same: look again.
            let _ = tokio::time::timeout(POLL, told).await;
        }
    }
}
