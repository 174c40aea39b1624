//! A product's own Kafka topic into the log: at least once, and the fold removes the doubles.

mod letter;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, bail};
use eventlog::{
    Appending, EventLog, KafkaConfig, Log, LogError, Received, TopicMessage, TopicReader, TopicReading,
    TopicWriter, Until,
};
use ingest::{Refusal, Stamp, message_events, usage};
use ledger::{Partition, Position};

use crate::context::{Clock, Context};
use crate::places::LogPlace;
use crate::stop::Stop;
use letter::letter;

/// What the headers and the reason of a dead letter may add to the message.
const HEADROOM: usize = 256 << 10;
/// How long to wait before what failed is tried again: twice as long each time …
const AGAIN: Duration = Duration::from_millis(200);
/// … up to this.
const SELDOM: Duration = Duration::from_secs(5);

/// Which topic is read, and how.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TopicArgs {
    /// Read CloudEvents from this Kafka topic, each message in structured or binary mode
    #[arg(long, value_name = "TOPIC")]
    pub(crate) from_topic: Option<String>,
    /// The topic's brokers [default: those of --log]
    #[arg(long, value_name = "HOST:PORT,…", requires = "from_topic")]
    brokers: Option<String>,
    /// The consumer group whose committed offsets say how far was read; a new one begins at the beginning. Two processes with
    /// the same group both read everything, unless --partitions shares the topic out [default: drawdown-<the log's id>]
    #[arg(long, value_name = "NAME", requires = "from_topic")]
    group: Option<String>,
    /// Read only these partitions of the topic
    #[arg(long, value_name = "N,…", value_delimiter = ',', requires = "from_topic")]
    partitions: Vec<u32>,
    /// Where refused messages go, with the reason as headers; made if it is not there [default: <TOPIC>.dead-letters]
    #[arg(long, value_name = "TOPIC", requires = "from_topic")]
    dead_letters_topic: Option<String>,
}

/// What became of a topic's events.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// How many are in the log, durable.
    pub(crate) appended: u64,
    /// How many were refused: each is in a message among the dead letters.
    pub(crate) refused: u64,
    /// Those by the code of the reason: how many, where the first stood, and what was wrong with it.
    pub(crate) reasons: BTreeMap<&'static str, (u64, Position, String)>,
}

/// Reads the topic until its end, or until told to stop.
///
/// A message is dealt with when what it holds is in the log and what was refused of it among the dead letters; then, and not before, the
/// group's offset moves on. What fails because a broker is away is tried again until told to stop.
///
/// # Errors
///
/// If the topic, the dead letters or the log cannot be used, now or any more. `counts` tells what was done until then.
pub(crate) async fn take_in(
    args: &TopicArgs,
    (until, backfill): (Until, bool),
    context: &Context,
    log: &Log,
    mut stop: Stop,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    let topic = args.from_topic.as_deref().context("--from-topic names no topic")?;
    let config = config_of(args, context, topic)?;
    let group = match &args.group {
        Some(group) => group.clone(),
        None => format!("drawdown-{}", projector::log_id(log).await?),
    };
    let only: BTreeSet<Partition> = args.partitions.iter().copied().map(Partition).collect();
    let reading = TopicReading { group, only: Some(only).filter(|only| !only.is_empty()), until };
    let failed = || format!("the topic {topic} cannot be read");
    let mut reader = TopicReader::open(config.clone(), reading).await.with_context(failed)?;
    let name = args.dead_letters_topic.clone().unwrap_or_else(|| format!("{topic}.dead-letters"));
    let letters = config.with_topic(None, &name)?;
    let letters = TopicWriter::open(letters, reader.partitions(), reader.largest() + HEADROOM).await;
    let letters = letters.with_context(|| format!("the dead letters' topic {name} cannot be used"))?;

    loop {
        let batch = tokio::select! {
            batch = reader.next() => batch.with_context(failed)?,
            () = stop.set() => None,
        };
        let Some(batch) = batch else { return Ok(()) };
        until_clocks_agree(&context.clock, &mut stop).await;
        if stop.is_set() {
            return Ok(());
        }
        let stamp = Stamp { now: context.now(), by: "operator", backfill };
        let sorted = sort(topic, &batch.messages, (log.partitions(), letters.partitions()), &stamp);
        let append = || log.append(sorted.records.clone());
        if patiently("events could not be appended", &mut stop, append).await?.is_none() {
            return Ok(());
        }
        counts.appended += sorted.records.len() as u64;
        let write = || letters.write(&sorted.letters);
        let written = patiently("dead letters could not be written", &mut stop, write).await;
        if written
            .with_context(|| format!("a message refused of {topic} cannot be kept in {name}"))?
            .is_none()
        {
            return Ok(());
        }
        counts.add(sorted.refusals);
        let note = || reader.note(&batch);
        let noted = patiently("the group's offsets could not be committed", &mut stop, note).await;
        if noted.with_context(|| format!("how far {topic} was read cannot be noted"))?.is_none() {
            return Ok(());
        }
    }
}

/// Waits as long as nothing may be stamped here, or until told to stop.
async fn until_clocks_agree(clock: &Clock, stop: &mut Stop) {
    let mut is_told = false;
    while let Err(apart) = clock.check()
        && !stop.is_set()
    {
        if !is_told {
            tracing::warn!("{apart}");
        }
        is_told = true;
        stop.sleep(SELDOM).await;
    }
}

fn config_of(args: &TopicArgs, context: &Context, topic: &str) -> anyhow::Result<KafkaConfig> {
    let named = || format!("--from-topic {topic}");
    match (&context.log, &args.brokers) {
        (LogPlace::Kafka(_, config), brokers) => {
            config.with_topic(brokers.as_deref(), topic).with_context(named)
        }
        (LogPlace::Directory, Some(brokers)) => {
            let url = format!("kafka://{brokers}/{topic}");
            match LogPlace::parse(Some(&url), context.kafka_properties.as_ref())? {
                LogPlace::Kafka(_, config) => Ok(config),
                LogPlace::Directory => bail!("{url} is no address"),
            }
        }
        (LogPlace::Directory, None) => bail!("--from-topic needs --brokers host:port, or a --log on Kafka"),
    }
}

/// Messages, by what is to become of them.
struct Sorted {
    records: Vec<Appending>,
    letters: Vec<(Partition, TopicMessage)>,
    refusals: Vec<(Position, Refusal)>,
}

fn sort(topic: &str, messages: &[Received], (of_log, of_letters): (u32, u32), stamp: &Stamp<'_>) -> Sorted {
    let mut sorted =
        Sorted { records: Vec::with_capacity(messages.len()), letters: vec![], refusals: vec![] };
    for Received { at, message } in messages {
        let headers: Vec<_> =
            message.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        let mut refused = Vec::new();
        match message_events(&headers, message.value.as_deref()) {
            Err(refusal) => refused.push((None, refusal)),
            Ok(events) => {
                for (n, event) in events.iter().enumerate() {
                    match usage(event, stamp) {
                        Ok(stamped) => sorted.records.push(stamped.appending(of_log)),
                        Err(refusal) => refused.push((Some(n).filter(|_| events.len() > 1), refusal)),
                    }
                }
            }
        }
        if !refused.is_empty() {
            let to = Partition(at.partition.0 % of_letters.max(1));
            sorted.letters.push((to, letter(topic, *at, message, &refused)));
            sorted.refusals.extend(refused.into_iter().map(|(_, refusal)| (*at, refusal)));
        }
    }
    sorted
}

impl Counts {
    fn add(&mut self, refusals: Vec<(Position, Refusal)>) {
        for (at, refusal) in refusals {
            self.refused += 1;
            let first = || (0, at, refusal.to_string());
            self.reasons.entry(refusal.code()).or_insert_with(first).0 += 1;
        }
    }
}

/// Does it until it is done, and tries again what may go better later; none if told to stop meanwhile.
async fn patiently<T, F: Future<Output = Result<T, LogError>>>(
    failed: &str,
    stop: &mut Stop,
    work: impl Fn() -> F,
) -> Result<Option<T>, LogError> {
    let mut pause = AGAIN;
    loop {
        let error = match work().await {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        if !may_pass(&error) {
            return Err(error);
        }
        if stop.is_set() {
            tracing::warn!(%error, "{failed}: the next to read the topic does it again");
            return Ok(None);
        }
        tracing::warn!(%error, "{failed}, and are tried again");
        stop.sleep(pause).await;
        pause = SELDOM.min(pause * 2);
    }
}

/// Whether to try again may help: what is in the log or the topic twice then does no harm.
fn may_pass(error: &LogError) -> bool {
    match error {
        LogError::Unknown(_)
        | LogError::Full
        | LogError::Busy
        | LogError::Shed
        | LogError::Silent { .. }
        | LogError::Unreachable { .. }
        | LogError::Broker(_)
        | LogError::Database(_) => true,
        LogError::UnknownPartition { .. }
        | LogError::TooLarge { .. }
        | LogError::Closed
        | LogError::Hole { .. }
        | LogError::Corrupt { .. }
        | LogError::BeyondEnd { .. }
        | LogError::Exists { .. }
        | LogError::Empty { .. }
        | LogError::Newer
        | LogError::Config { .. }
        | LogError::NoTopic { .. }
        | LogError::Setting { .. }
        | LogError::Partitions { .. }
        | LogError::Unfinished { .. }
        | LogError::OtherCluster { .. }
        | LogError::Replaced { .. }
        | LogError::CutOff { .. }
        | LogError::File(_) => false,
    }
}
