//! `drawdown ingest`: events into the log.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use ::ingest::Stamp;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eventlog::{LogError, Until};
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;
use crate::from_topic::{self, TopicArgs};
use crate::intake::{IntakeError, Letter, Taken, take_in};
use crate::progress::Progress;
use crate::stop::Stop;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// Append usage from CloudEvents 1.0: one JSON object a line, or one JSON array, or the messages of a Kafka topic.
///
/// A topic is read until stopped, and the position kept as the offsets of a consumer group, which move on when the log has the events.
/// What is refused is counted by its reason, and the rest is taken. To ingest the same again is safe: an event counts once.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  drawdown --data ./data ingest usage.ndjson --dead-letters refused.ndjson\n\
    \u{20} drawdown --data ./data ingest --from-topic usage --brokers localhost:9092\n\n\
    An event:\n  {\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"app\",\"type\":\"image.generated\",\"subject\":\"team-7\"}"
)]
pub(crate) struct Args {
    /// The file with the events; - is the standard input
    #[arg(required_unless_present = "from_topic", conflicts_with = "from_topic")]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) topic: TopicArgs,
    /// End where the topic ended when the reading began, instead of waiting for more
    #[arg(long, requires = "from_topic")]
    until_end: bool,
    /// Record each event at its own time: for history from elsewhere
    #[arg(long)]
    backfill: bool,
    /// Add what is refused to this file, a JSON object a line: line, code, reason, event
    #[arg(long, value_name = "FILE", conflicts_with = "from_topic")]
    dead_letters: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    appended: u64,
    refused: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {:>12}\n{:<12} {:>12}", "appended", self.appended, "refused", self.refused)
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Some(file) = &args.file else { return run_topic(args, context).await };
    let events = open(file)?;
    let dead_letters = args.dead_letters.as_deref().map(dead_letters).transpose()?;
    let log = context.open_log().await?;
    let (clock, backfill) = (context.clone(), args.backfill);
    let stamp = move || Stamp { now: clock.now(), by: "operator", backfill };
    let (taken, ended) =
        take_in(&*log, events, stamp, &context.clock, move |letter| write(letter, dead_letters.as_ref()))
            .await;
    if ended.is_ok() {
        log.close().await?;
    }
    context.print(&Report { appended: taken.appended, refused: taken.refused })?;
    explain(&taken);
    ended.map_err(|error| broke_off(error, taken.appended))?;
    Ok(if taken.refused == 0 { Exit::Ok } else { Exit::Refused })
}

async fn run_topic(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let stop = Stop::on_signal()?;
    let log = context.open_log().await?;
    let until = if args.until_end { Until::End } else { Until::Stopped };
    let mut counts = from_topic::Counts::default();
    let how = (until, args.backfill);
    let ended = from_topic::take_in(&args.topic, how, context, &log, stop, &mut counts).await;
    if ended.is_ok() {
        log.close().await?;
    }
    context.print(&Report { appended: counts.appended, refused: counts.refused })?;
    for (code, (count, at, first)) in &counts.reasons {
        eprintln!("refused {count} ({code}), the first at {at}: {first}");
    }
    ended?;
    Ok(if counts.refused == 0 { Exit::Ok } else { Exit::Refused })
}

fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(CHUNK, io::stdin())));
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (bytes, file) = opened.with_context(|| format!("{} cannot be read", path.display()))?;
    let progress = Progress::bytes(Some(bytes).filter(|bytes| *bytes > 0));
    Ok(Box::new(BufReader::with_capacity(CHUNK, Watched { file, progress })))
}

/// A file that shows how far it was read.
struct Watched {
    file: File,
    progress: Progress,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.progress.add(read);
        Ok(read)
    }
}

fn dead_letters(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.with_context(|| format!("{} cannot be written", path.display()))
}

/// Adds a refused event to the dead letters, if they are kept.
fn write(letter: &Letter<'_>, file: Option<&File>) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        line: u64,
        code: &'a str,
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        event_base64: Option<String>,
    }
    let Some(mut file) = file else { return Ok(()) };
    let event = letter.event.and_then(|event| str::from_utf8(event).ok());
    let event_base64 = letter.event.filter(|_| event.is_none()).map(|event| STANDARD.encode(event));
    let (line, code, reason) = (letter.line, letter.refusal.code(), letter.refusal.to_string());
    let mut text = serde_json::to_vec(&Line { line, code, reason, event, event_base64 })?;
    text.push(b'\n');
    file.write_all(&text)
}

/// Tells why events were refused: of each reason, how often and where first.
fn explain(taken: &Taken) {
    for (code, reason) in &taken.reasons {
        eprintln!("refused {} ({code}), the first on line {}: {}", reason.count, reason.line, reason.first);
    }
}

/// What to do when not all events were taken.
fn broke_off(error: IntakeError, appended: u64) -> anyhow::Error {
    let last = match &error {
        IntakeError::Append(LogError::Unknown(_)) => ", and some more may be",
        IntakeError::Append(_)
        | IntakeError::Read(_)
        | IntakeError::DeadLetters(_)
        | IntakeError::Clock(_) => "",
    };
    anyhow::Error::from(error).context(format!(
        "{appended} events are in the log and durable{last}; ingest the same again once this is mended, each counts once"
    ))
}
