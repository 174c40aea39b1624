//! Whether a broker answers at all, and if not, why: asked once, before anything else is.
//!
//! Whoever waits for an answer learns from the client only that none came in time. What went wrong with the connection is told
//! beside that, to whoever listens.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;

use super::blocking;
use super::config::KafkaConfig;
use super::keeper::{LOOK, consumer};
use super::news::{News, Trouble, Why};
use crate::LogError;

/// How long one question waits before it is looked what was told meanwhile.
const ASK: Duration = Duration::from_millis(200);
/// How long it is looked: a client that is asked for what is there at once may keep it to itself.
const HEAR: Duration = Duration::from_millis(20);

/// Waits until a broker answers.
///
/// # Errors
///
/// [`LogError::Unreachable`] after some seconds if it does not let us in, and after the patience that the configuration has if none can
/// be reached.
pub(super) async fn greet(config: &KafkaConfig) -> Result<(), LogError> {
    let config = config.clone();
    blocking(move || wait(&config)).await
}

fn wait(config: &KafkaConfig) -> Result<(), LogError> {
    let news = News::default();
    let (client, began) = (consumer(config, news.clone(), |_| {})?, Instant::now());
    loop {
        let error = match client.fetch_metadata(None, ASK) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        // Nothing is assigned, so nothing comes but news.
        while client.poll(HEAR).is_some() {}
        let (trouble, waited) = (news.trouble(), began.elapsed());
        let is_over = waited >= config.patience
            || waited >= LOOK.min(config.patience) && trouble.as_ref().is_some_and(Trouble::stays);
        if is_over {
            // Who speaks in the clear where TLS is expected is told nothing at all.
            let silent = || Trouble { why: Why::Silence, reason: error.to_string() };
            return Err(refused(trouble.unwrap_or_else(silent)));
        }
    }
}

fn refused(Trouble { why, reason }: Trouble) -> LogError {
    let hint = match why {
        Why::Password => "correct sasl.mechanism, sasl.username and sasl.password",
        Why::Certificate => "correct security.protocol, and the certificates that ssl.ca.location names",
        Why::Name => "correct its name",
        Why::Silence => "see whether it runs, and whether address and security.protocol are right",
    };
    LogError::Unreachable { reason, hint }
}

impl Trouble {
    /// Whether to wait does not help.
    fn stays(&self) -> bool {
        matches!(self.why, Why::Password | Why::Certificate)
    }
}
