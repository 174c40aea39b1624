//! A consumer that is made anew when it does not get on.
//!
//! A broker that takes itself for dead for a moment answers that there is no broker at all. librdkafka 2.12 believes that, forgets all
//! that it knew and never asks again (its issue 5301). And a consumer that once saw a partition without a leader may go on for minutes to
//! call it unknown, or to wait for it, when the broker has long been leading it again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;

use super::config::KafkaConfig;
use super::keeper::{LOOK, RETRY, consumer, failed, is_final};
use super::news::News;
use crate::LogError;

/// How long a consumer is given before another one may take its place.
const ANEW: Duration = Duration::from_millis(500);

/// A consumer that is asked.
pub(super) type Asked = BaseConsumer<News>;
type Settings = Box<dyn Fn(&mut ClientConfig) + Send + Sync>;

pub(super) struct Renewed {
    config: KafkaConfig,
    news: News,
    settings: Settings,
    current: Mutex<Current>,
}

struct Current {
    consumer: Arc<Asked>,
    news: News,
    began: Instant,
}

impl Renewed {
    pub(super) fn new(config: &KafkaConfig, news: News, settings: Settings) -> Result<Self, LogError> {
        let current = Mutex::new(Current::begin(config, &news, &settings)?);
        Ok(Self { config: config.clone(), news, settings, current })
    }

    /// The consumer as it is for now: another one in the place of one that knows no broker any more.
    pub(super) fn consumer(&self) -> Result<Arc<Asked>, LogError> {
        let mut current = self.current();
        if current.news.is_lost() {
            self.begin_anew(&mut current)?;
        }
        Ok(Arc::clone(&current.consumer))
    }

    /// Goes on with another consumer in the place of this one, unless somebody else has begun with one already, or this one has only
    /// begun: while the broker itself has nothing else to say, no other would do better.
    pub(super) fn replace(&self, stale: &Arc<Asked>) -> Result<(), LogError> {
        let mut current = self.current();
        if Arc::ptr_eq(&current.consumer, stale) && current.began.elapsed() >= ANEW {
            self.begin_anew(&mut current)?;
        }
        Ok(())
    }

    /// Asks, and tries again what fails because the broker is away, for as long as patience lasts.
    pub(super) fn ask<T>(&self, ask: impl Fn(&Asked) -> KafkaResult<T>) -> Result<T, LogError> {
        let mut failing = Instant::now();
        let until = failing + self.config.patience;
        loop {
            let consumer = self.consumer()?;
            match ask(&consumer) {
                Ok(answer) => return Ok(answer),
                Err(error) if is_final(&error) || Instant::now() >= until => {
                    return Err(failed(self.config.topic(), error));
                }
                Err(_) if failing.elapsed() >= LOOK => {
                    self.replace(&consumer)?;
                    failing = Instant::now();
                }
                Err(_) => thread::sleep(RETRY),
            }
        }
    }

    fn begin_anew(&self, current: &mut Current) -> Result<(), LogError> {
        tracing::info!(
            topic = self.config.topic(),
            "a client of the broker does not get on: a new one begins"
        );
        let stale = std::mem::replace(current, Current::begin(&self.config, &self.news, &self.settings)?);
        // It takes its time to end.
        thread::spawn(move || drop(stale));
        Ok(())
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn begin(config: &KafkaConfig, news: &News, settings: &Settings) -> Result<Self, LogError> {
        let news = news.of_another_client();
        let consumer = Arc::new(consumer(config, news.clone(), settings)?);
        Ok(Self { consumer, news, began: Instant::now() })
    }
}
