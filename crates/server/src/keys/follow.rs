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
    let (told, keys) = watch::channel(Arc::new(Keyring::at(published.catalogue(), published.next())));
    tokio::spawn(async move {
        let mut is_failing = false;
        while !told.is_closed() {
            let before = published.catalogue().accepted().len();
            let stepped = published.step().await;
            let new = &published.catalogue().accepted()[before..];
            if new.iter().any(|document| document.kind == "key") {
                told.send_replace(Arc::new(Keyring::at(published.catalogue(), published.next())));
            } else if told.borrow().next() < published.next() {
                // Whoever said something of a key that changed nothing waits for this.
                told.send_modify(|keyring| *keyring = Arc::new(keyring.moved_to(published.next())));
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

#[cfg(test)]
mod tests {
    use eventlog::{Appending, MemoryLog};
    use ingest::Stamp;
    use ledger::{ApiKey, Partition};
    use store::SqliteStore;

    use super::*;
    use crate::keys::keyring::tests::{at, key, secret};
    use crate::keys::{KeyError, Token};

    /// Appends what there is to say of a key; answers the record's id.
    async fn say(log: &MemoryLog, token: &Token, key: &ApiKey, replaces: Option<&str>) -> String {
        let body = serde_json::to_string(key).unwrap();
        let stamp = Stamp { now: at(1), by: "operator", backfill: false };
        let record = ingest::published("key", token.id(), &body, replaces, &stamp).unwrap();
        log.append(vec![Appending { partition: Partition(0), bytes: record.bytes }]).await.unwrap();
        record.id
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keys_are_known_as_soon_as_the_log_has_them() {
        let (secret, token) = (secret("s"), Token::fresh().unwrap());
        let mut key = key(&token, &secret, "read");
        let (log, store) = (Arc::new(MemoryLog::new(1)), Arc::new(SqliteStore::in_memory().await.unwrap()));
        let check = |keyring: &Keyring| keyring.check(token.text(), &secret, at(2)).map(|caller| caller.key);

        let keys = follow(log.clone(), store.clone()).await.unwrap();
        assert_eq!(check(&keys.borrow()), Err(KeyError::Unknown));
        let mut also = keys.clone();
        let first = say(&log, &token, &key, None).await;
        also.changed().await.unwrap();
        assert_eq!(check(&also.borrow_and_update()), Ok(token.id().to_owned()));
        assert_eq!(check(&follow(log.clone(), store.clone()).await.unwrap().borrow()), check(&keys.borrow()));

        key.revoked = true;
        say(&log, &token, &key, Some(&first)).await;
        also.changed().await.unwrap();
        assert_eq!(check(&also.borrow()), Err(KeyError::Revoked));
    }
}
