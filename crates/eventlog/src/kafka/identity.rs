//! Whether what answers at the address is still the log that was opened.
//!
//! A topic that was deleted and made again, and another cluster at the same address, are read on by the client without
//! a word. So after each trouble of a connection, and each second of reading, the cluster's name, the partition's first
//! record and the last one handed out are looked at again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Offset, Partition};

use super::config::KafkaConfig;
use super::keeper::Keeper;
use super::news::News;
use crate::tail::Tails;
use crate::{LogError, Stretch};

/// For how long a look holds while records are read.
const HOLDS: Duration = Duration::from_secs(1);

/// What the parts of an open log share.
pub(super) struct Opened {
    pub(super) config: KafkaConfig,
    pub(super) keeper: Arc<Keeper>,
    pub(super) news: News,
    pub(super) partitions: u32,
    cluster: String,
    genesis: Vec<u8>,
    /// Why the log cannot be used any more.
    halted: OnceLock<LogError>,
    is_looking: AtomicBool,
    /// The offset behind the last record that is known to be in each partition.
    ends: Vec<AtomicU64>,
    /// What was appended here last, since the last trouble of a connection: behind that the broker may have lost what it acknowledged.
    pub(super) tails: Tails,
    /// The troubles that `tails` knows of.
    heard: AtomicU64,
}

/// When somebody last looked, and at how much trouble before that.
#[derive(Clone, Copy)]
pub(super) struct Look {
    at: Instant,
    troubles: u64,
}

impl Look {
    /// Whether a connection had trouble between two looks.
    pub(super) fn is_troubled(&self, later: &Look) -> bool {
        self.troubles != later.troubles
    }
}

impl Opened {
    /// Looks at a log for the first time: each partition has to begin with the same record.
    pub(super) fn new(config: KafkaConfig, keeper: Arc<Keeper>, news: News) -> Result<Self, LogError> {
        let missing = || LogError::NoTopic { topic: config.topic().into() };
        let partitions = keeper.partitions()?.filter(|partitions| *partitions > 0).ok_or_else(missing)?;
        let opened = Self::begun(config, keeper, news, partitions)?;
        let keeper = &opened.keeper;
        let mut genesis = None;
        for partition in (0..partitions).map(Partition) {
            let Some(first) = keeper.record(partition, Offset(0))? else {
                let first = keeper.bounds(partition)?.first;
                let is_cut = first > Offset(0);
                return Err(if is_cut {
                    LogError::CutOff { partition, first }
                } else {
                    LogError::Unfinished { partition }
                });
            };
            if genesis.get_or_insert_with(|| first.clone()) != &first {
                return Err(LogError::Replaced { partition, at: Offset(0) });
            }
            opened.note_end(partition, Offset(1));
        }
        Ok(Self { genesis: genesis.expect("a log has a partition"), ..opened })
    }

    /// A log that is being made: its partitions may have no record yet.
    pub(super) fn begun(
        config: KafkaConfig,
        keeper: Arc<Keeper>,
        news: News,
        partitions: u32,
    ) -> Result<Self, LogError> {
        let (cluster, genesis, halted) = (keeper.cluster()?, Vec::new(), OnceLock::new());
        let (is_looking, ends) =
            (AtomicBool::new(false), (0..partitions).map(|_| AtomicU64::new(0)).collect());
        let (tails, heard) = (Tails::new(partitions), AtomicU64::new(news.troubles()));
        Ok(Self {
            config,
            keeper,
            news,
            partitions,
            cluster,
            genesis,
            halted,
            is_looking,
            ends,
            tails,
            heard,
        })
    }

    /// What was appended here from an offset on, as far as that is to be relied on.
    pub(super) fn appended(&self, partition: Partition, from: Offset, limit: usize) -> Option<Stretch> {
        let troubles = self.news.troubles();
        if self.heard.swap(troubles, Ordering::AcqRel) != troubles {
            self.tails.clear();
        }
        self.tails.read(partition, from, limit)
    }

    /// Fails if the log was found not to be the one that was opened.
    pub(super) fn goes_on(&self) -> Result<(), LogError> {
        self.halted.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Nothing is read or appended any more.
    pub(super) fn halt(&self, error: LogError) -> LogError {
        tracing::error!(topic = self.config.topic(), %error, "the log is not the one that was opened");
        self.halted.get_or_init(|| error).clone()
    }

    /// A position tells that it is another log: which one, the cluster's name and the first record tell better.
    ///
    /// Whatever it is, nothing of it is read. Where no look is to be had for now, the log stays open until the next.
    pub(super) fn is_not(&self, partition: Partition, position: LogError) -> LogError {
        match self.verify(partition, None) {
            Ok(()) => self.halt(position),
            Err(other) => other,
        }
    }

    /// Looks whether it still is the same log, on another thread; false if such a look is under way already.
    ///
    /// What is read meanwhile may be another log's: for some milliseconds in a second that it has to be anyway.
    pub(super) fn verify_beside(
        log: &Arc<Self>,
        partition: Partition,
        last: &Option<(Offset, Vec<u8>)>,
    ) -> bool {
        if log.is_looking.swap(true, Ordering::AcqRel) {
            return false;
        }
        let (looking, last) = (Arc::clone(log), last.clone());
        let look = move || {
            let last = last.as_ref().map(|(offset, bytes)| (*offset, bytes.as_slice()));
            if let Err(error) = looking.verify(partition, last) {
                tracing::debug!(partition = partition.0, %error, "the log could not be verified");
            }
            looking.is_looking.store(false, Ordering::Release);
        };
        let started = thread::Builder::new().name("log-look".into()).spawn(look).is_ok();
        if !started {
            log.is_looking.store(false, Ordering::Release);
        }
        started
    }

    /// The offset up to which the partition surely has records.
    pub(super) fn surely(&self, partition: Partition) -> Offset {
        self.ends.get(partition.0 as usize).map_or(Offset(0), |end| Offset(end.load(Ordering::Acquire)))
    }

    pub(super) fn note_end(&self, partition: Partition, end: Offset) {
        if let Some(known) = self.ends.get(partition.0 as usize) {
            known.fetch_max(end.0, Ordering::AcqRel);
        }
    }

    /// Where the partition ends now; an end before a record that was there is another log's.
    pub(super) fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        self.goes_on()?;
        let known = self.surely(partition);
        let end = self.keeper.bounds(partition)?.end;
        if end < known {
            return Err(self.is_not(partition, LogError::BeyondEnd { partition, from: known, end }));
        }
        self.note_end(partition, end);
        Ok(end)
    }

    pub(super) fn look(&self) -> Look {
        Look { at: Instant::now(), troubles: self.news.troubles() }
    }

    /// Whether a look no longer holds.
    pub(super) fn is_due(&self, look: &Look) -> bool {
        look.at.elapsed() > HOLDS || look.troubles != self.news.troubles()
    }

    /// Looks whether it still is the same log: `last` is a record that was handed out.
    ///
    /// # Errors
    ///
    /// What tells that it is another one halts the log; [`LogError::Broker`] and [`LogError::Silent`] leave it open.
    pub(super) fn verify(&self, partition: Partition, last: Option<(Offset, &[u8])>) -> Result<(), LogError> {
        self.goes_on()?;
        // The metadata first: they bring the cluster's name as it is now.
        let partitions = self.keeper.partitions()?;
        let cluster = self.keeper.cluster()?;
        if cluster != self.cluster {
            return Err(self.halt(LogError::OtherCluster { cluster: self.cluster.clone(), found: cluster }));
        }
        let topic = || self.config.topic().to_owned();
        let partitions = partitions.ok_or_else(|| LogError::NoTopic { topic: topic() })?;
        if partitions != self.partitions {
            let expected = self.partitions;
            return Err(self.halt(LogError::Partitions { topic: topic(), partitions, expected }));
        }
        let genesis = Some((Offset(0), self.genesis.as_slice()));
        for (at, expected) in [genesis, last].into_iter().flatten() {
            match self.keeper.record(partition, at)? {
                Some(found) if found == expected => {}
                Some(_) => return Err(self.halt(LogError::Replaced { partition, at })),
                None => {
                    let bounds = self.keeper.bounds(partition)?;
                    let is_cut = at < bounds.first;
                    return Err(self.halt(if is_cut {
                        LogError::CutOff { partition, first: bounds.first }
                    } else {
                        LogError::BeyondEnd { partition, from: at.plus(1), end: bounds.end }
                    }));
                }
            }
        }
        Ok(())
    }
}
