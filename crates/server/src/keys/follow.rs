//! The keys, followed in the log: every node of the API knows them from there, whatever becomes of the projections.

use std::sync::Arc;
use std::time::Duration;

use eventlog::EventLog;
use projector::{ProjectorError, Published};
use store::Store;
use tokio::sync::watch;

use super::Keyring;

/// How long after a failure the log is read again.
const AGAIN: Duration = Duration::from_millis(200);

/// Reads all keys, and follows them until nobody listens any more. A revocation is heard as soon as its record can be read.
///
/// While the log cannot be read, the last keys stay.
///
/// # Errors
///
/// If the keys cannot be read to begin with.
pub async fn follow<L: EventLog + 'static, S: Store + 'static>(
    log: Arc<L>,
    store: Arc<S>,
) -> Result<watch::Receiver<Arc<Keyring>>, ProjectorError> {
    let mut published = Published::open(log, store).await?;
    while published.step().await? {}
    let (told, keys) = watch::channel(Arc::new(Keyring::of(published.catalogue())));
    tokio::spawn(async move {
        let mut is_failing = false;
        while !told.is_closed() {
            let before = published.catalogue().accepted().len();
            let stepped = published.step().await;
            let new = &published.catalogue().accepted()[before..];
            if new.iter().any(|document| document.kind == "key") {
                told.send_replace(Arc::new(Keyring::of(published.catalogue())));
            }
            match stepped {
                Ok(true) => is_failing = false,
                Ok(false) => {
                    is_failing = false;
                    published.wait().await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, next = %published.next(), "keys cannot be followed: the last ones stay");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    });
    Ok(keys)
}
