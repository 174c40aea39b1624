//! Being told to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Whether the process was told to stop, by Ctrl-C or SIGTERM.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>, Arc<watch::Sender<bool>>);

impl Stop {
    /// From now on the signals no longer end the process; they set this.
    ///
    /// # Errors
    ///
    /// If the system does not let the signals be heard.
    pub(crate) fn on_signal() -> std::io::Result<Self> {
        let (told, stop) = watch::channel(false);
        let told = Arc::new(told);
        let signalled = Arc::clone(&told);
        #[cfg(unix)]
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::spawn(async move {
            #[cfg(unix)]
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            #[cfg(not(unix))]
            let _ = tokio::signal::ctrl_c().await;
            // Whoever listened may have ended by itself.
            let _ = signalled.send(true);
        });
        Ok(Self(stop, told))
    }

    /// Told by this process alone: for what goes on until the rest has stopped.
    pub(crate) fn later() -> Self {
        let (told, stop) = watch::channel(false);
        Self(stop, Arc::new(told))
    }

    /// Tells all parts of the process to stop, because one of them cannot go on.
    pub(crate) fn tell(&self) {
        // Whoever listened may have ended by itself.
        let _ = self.1.send(true);
    }

    /// What is told, for who listens by himself.
    pub(crate) fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    /// Waits until told to stop.
    pub(crate) async fn set(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Sleeps, but no longer than until this is set.
    pub(crate) async fn sleep(&mut self, most: Duration) {
        if !self.is_set() {
            let _ = tokio::time::timeout(most, self.0.changed()).await;
        }
    }
}
