//! From a file through Kafka into Postgres, each figure beside what broker or database alone take for the same.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant as Stopwatch;

use eventlog::{Appending, EventLog, KafkaConfig, KafkaLog, Log};
use ledger::{Instant, Partition};
use projector::Projectors;
use store::{Bare, PostgresStore, Projections};

use super::events::{CATALOGUE, Series, Spread, early, grants, stamp};
use super::{Figures, embedded::write_events, roundtrip};
use crate::context::{Clock, Context};
use crate::intake::take_in;
use crate::places::{Database, LogPlace, StorePlace};

/// Into how many partitions, in turn.
const PARTITIONS: [u32; 3] = [1, 2, 8];
const WALLETS: u64 = 10_000;
/// Records appended together when nothing else is done, and how many such appends are on their way.
const BATCH: usize = 4_000;
const AT_ONCE: usize = 4;

/// A log and a projection for a trial, gone afterwards.
pub(super) struct Trial {
    pub(super) log: Arc<Log>,
    pub(super) store: Arc<Projections>,
    config: KafkaConfig,
    database: Database,
}

impl Trial {
    pub(super) async fn new(context: &Context, name: &str, partitions: u32) -> anyhow::Result<Self> {
        let LogPlace::Kafka(_, config) = context.log.beside(name)? else {
            unreachable!("beside a topic is a topic");
        };
        let StorePlace::Postgres(databases) = &context.store else {
            anyhow::bail!("name the database: --store postgres://user:password@host:port/database");
        };
        let databases = databases.with_schema(|_| name.replace('-', "_"));
        let database = databases.each().next().expect("a place has a database").clone();
        let genesis = ingest::genesis("0123456789abcdef0123456789abcdef", partitions, None, &early());
        let log = KafkaLog::create(config.clone(), genesis, partitions).await?;
        log.ready().await?;
        PostgresStore::remove(&database.url, &database.schema).await?;
        PostgresStore::migrate(&database.url, &database.schema).await?;
        let store = PostgresStore::connect(&database.url, &database.schema).await?;
        let trial = Self { log: Arc::new(log.into()), store: Arc::new(store.into()), config, database };
        trial.prepare().await?;
        Ok(trial)
    }

    /// Catalogue and grants, folded.
    async fn prepare(&self) -> anyhow::Result<()> {
        let mut records = Vec::new();
        for (kind, name, body) in CATALOGUE {
            let bytes = ingest::published(kind, name, body, None, &early())?.bytes;
            records.push(Appending { partition: Partition(0), bytes });
        }
        self.log.append(records).await?;
        self.fold().await?;
        let partitions = self.log.partitions();
        let place = |(wallet, bytes): (String, Vec<u8>)| Appending {
            partition: Partition::of(&wallet, partitions),
            bytes,
        };
        self.log.append(grants(WALLETS).map(place).collect()).await?;
        self.fold().await
    }

    /// Folds and commits all there is.
    async fn fold(&self) -> anyhow::Result<()> {
        let mut projectors = Projectors::open(self.log.clone(), self.store.clone()).await?;
        projectors.catch_up(|| Instant::MAX, |_| {}).await?;
        Ok(())
    }

    /// Deletes both.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.log.close().await?;
        drop(self.store);
        KafkaLog::delete(&self.config).await?;
        Ok(PostgresStore::remove(&self.database.url, &self.database.schema).await?)
    }
}

/// All figures of the pipe, over so many events.
#[expect(clippy::cast_precision_loss)]
pub(crate) async fn pipe(
    figures: &mut Figures,
    context: &Context,
    directory: &Path,
    events: u64,
) -> anyhow::Result<()> {
    let file = directory.join("events.ndjson");
    write_events(&file, events)?;
    let id = context.fresh_id();
    for partitions in PARTITIONS {
        let trial = Trial::new(context, &format!("bench-{partitions}-{}", &id[..12]), partitions).await?;
        let produced = produce(&trial, &file, events).await?;
        if partitions == 2 {
            figures.note("produce_events_per_second", produced);
        }
        let watch = Stopwatch::now();
        trial.fold().await?;
        let caught_up = events as f64 / watch.elapsed().as_secs_f64();
        figures.note(&format!("catchup{partitions}_events_per_second"), caught_up);
        let bare = bare_copy(&trial, partitions, events).await?;
        figures.note(&format!("bare_copy{partitions}_events_per_second"), bare);
        figures.note(&format!("catchup{partitions}_of_bare_copy"), caught_up / bare);
        if partitions == 2 {
            let bare = bare_produce(&trial, events).await?;
            figures.note("bare_produce_events_per_second", bare);
            figures.note("produce_of_bare_produce", produced / bare);
        }
        trial.end().await?;
    }
    roundtrip::roundtrip(figures, context, &format!("bench-trip-{}", &id[..12])).await
}

/// From the file to acknowledged: events a second.
#[expect(clippy::cast_precision_loss)]
async fn produce(trial: &Trial, file: &Path, events: u64) -> anyhow::Result<f64> {
    let input = BufReader::with_capacity(1 << 20, std::fs::File::open(file)?);
    let watch = Stopwatch::now();
    let (taken, done) = take_in(&*trial.log, input, stamp, &Clock::default(), |_| Ok(())).await;
    done?;
    anyhow::ensure!(taken.appended == events && taken.refused == 0, "every event is taken in");
    Ok(events as f64 / watch.elapsed().as_secs_f64())
}

/// Records of the same bytes, made beforehand, and nothing but appended.
#[expect(clippy::cast_precision_loss)]
async fn bare_produce(trial: &Trial, events: u64) -> anyhow::Result<f64> {
    let partitions = trial.log.partitions();
    let mut series = Series::new(WALLETS, Spread::Skewed);
    let mut batches = Vec::new();
    let mut left = usize::try_from(events)?;
    while left > 0 {
        let count = left.min(BATCH);
        let record =
            |n: usize| Appending { partition: Partition(n as u32 % partitions), bytes: series.record() };
        batches.push((0..count).map(record).collect::<Vec<_>>());
        left -= count;
    }
    let watch = Stopwatch::now();
    let mut under_way = tokio::task::JoinSet::new();
    for batch in batches {
        if under_way.len() >= AT_ONCE
            && let Some(done) = under_way.join_next().await
        {
            done??;
        }
        let log = trial.log.clone();
        under_way.spawn(async move { log.append(batch).await });
    }
    while let Some(done) = under_way.join_next().await {
        done??;
    }
    Ok(events as f64 / watch.elapsed().as_secs_f64())
}

/// The same rows by binary COPY, the same wallets by UPDATE, each partition on a connection.
#[expect(clippy::cast_precision_loss)]
async fn bare_copy(trial: &Trial, partitions: u32, events: u64) -> anyhow::Result<f64> {
    let mut prepared = Vec::new();
    for partition in 0..partitions {
        prepared.push(Bare::prepare(&trial.database.url, &trial.database.schema, partition).await?);
    }
    let watch = Stopwatch::now();
    let mut tasks = Vec::new();
    for mut bare in prepared {
        tasks.push(tokio::spawn(async move { bare.run().await.map(|()| bare) }));
    }
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await??);
    }
    let rate = events as f64 / watch.elapsed().as_secs_f64();
    for bare in done {
        bare.drop().await?;
    }
    Ok(rate)
}
