//! What a client of the broker tells beside its answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// How often those clients tell statistics that are always listened to: of another one they would pile up.
pub(super) const STATISTICS: (&str, &str) = ("statistics.interval.ms", "500");

/// Counts what a connection told of trouble: after each of these the broker may be another one.
#[derive(Clone, Default)]
pub(super) struct News {
    troubles: Arc<AtomicU64>,
    /// The last that says why there is no connection.
    trouble: Arc<Mutex<Option<Trouble>>>,
    /// Whether the client knows no broker any more; of this client alone.
    is_lost: Arc<AtomicBool>,
}

/// Why there is no connection.
#[derive(Clone)]
pub(super) struct Trouble {
    pub(super) why: Why,
    /// In the client's words, with the broker's address.
    pub(super) reason: String,
}

/// What of a connection is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Password,
    Certificate,
    Name,
    Silence,
}

/// The codes that tell; others follow from these.
const TELLING: [(RDKafkaErrorCode, Why); 5] = [
    (RDKafkaErrorCode::Authentication, Why::Password),
    (RDKafkaErrorCode::SaslAuthenticationFailed, Why::Password),
    (RDKafkaErrorCode::SSL, Why::Certificate),
    (RDKafkaErrorCode::Resolve, Why::Name),
    (RDKafkaErrorCode::BrokerTransportFailure, Why::Silence),
];

impl News {
    /// Shares what is told of troubles.
    pub(super) fn of_another_client(&self) -> Self {
        Self { is_lost: Arc::default(), ..self.clone() }
    }

    /// Whether the client knows no broker any more, and never will.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }

    pub(super) fn troubles(&self) -> u64 {
        self.troubles.load(Ordering::Acquire)
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for News {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, message);
    }

    /// The statistics alone tell which brokers a client knows: those of the address that it was given, or those that it was told of.
    fn stats_raw(&self, statistics: &[u8]) {
        const KNOWN: [&[u8]; 2] = [b"\"source\":\"configured\"", b"\"source\":\"learned\""];
        let is_there = |known: &&[u8]| statistics.windows(known.len()).any(|part| part == *known);
        if !KNOWN.iter().any(is_there) {
            self.is_lost.store(true, Ordering::Release);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // A reader that came to the end is no trouble.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) {
            self.troubles.fetch_add(1, Ordering::AcqRel);
            tracing::debug!(%error, reason, "the broker's connection is in trouble");
            let code = error.rdkafka_error_code();
            if let Some((_, why)) = TELLING.iter().find(|(telling, _)| code == Some(*telling)) {
                let trouble = Trouble { why: *why, reason: reason.to_owned() };
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
            }
        }
    }
}

impl ConsumerContext for News {}
