//! `drawdown log import`: a log made of exported records.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use eventlog::{Importing, MAX_RECORD};
use ledger::{Offset, Partition, Position, TakenFrom};
use serde::Serialize;

use super::line::Line;
use super::survey::{Plan, Survey};
use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;

/// A record's bytes may be escaped in JSON with six characters each.
const LONGEST_LINE: u64 = 6 * MAX_RECORD as u64 + 1024;

/// Make a log of exported records, in a directory that has none.
///
/// A whole log keeps offsets, chain and digests, whatever the age of its records. A wallet's slice becomes a log of its own
/// with one partition, whose genesis names the log that it was taken from. If anything is wrong, nothing is imported.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  drawdown --data ./copy log import log.ndjson && drawdown --data ./copy project"
)]
pub(crate) struct Args {
    /// What `drawdown log export` has printed; - for the standard input
    file: PathBuf,
}

#[derive(Serialize)]
struct Report {
    log: String,
    partitions: u32,
    records: u64,
    /// What it was taken from, where it is a wallet's slice.
    of: Option<TakenFrom>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitions = if self.partitions == 1 { "partition" } else { "partitions" };
        write!(f, "log {}: {} records in {} {partitions}", self.log, self.records, self.partitions)?;
        match &self.of {
            Some(of) => {
                write!(f, ", the wallet `{}` of partition {} of log {}", of.wallet, of.partition, of.log)
            }
            None => Ok(()),
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    if context.open_log_if_any().await?.is_some() {
        bail!("there is a log in {} already: import into another directory", context.data.display());
    }
    context.create_directory()?;
    let mut lines = Lines::open(&args.file, &context.data)?;
    let mut survey = Survey::default();
    let progress = Progress::new("records surveyed", None);
    while let Some(Found { line, at, record }) = lines.next()? {
        survey.add(at, &record).with_context(|| place(line))?;
        progress.add(1);
    }
    drop(progress);
    let records = survey.records();
    let plan = survey.plan().with_context(|| format!("{} cannot be imported", args.file.display()))?;

    lines.rewind()?;
    let report = match plan {
        Plan::Whole { log, partitions } => {
            let importing = Importing::begin(&context.log_path(), partitions).await?;
            copy(importing, &mut lines, records, |at| Some(at.partition)).await?;
            Report { log, partitions, records, of: None }
        }
        Plan::Slice { log, genesis, of } => {
            let mut importing = Importing::begin(&context.log_path(), 1).await?;
            importing.push(Partition(0), &genesis).await?;
            copy(importing, &mut lines, records, |at| (at.offset > Offset(0)).then_some(Partition(0)))
                .await?;
            Report { log, partitions: 1, records, of: Some(of) }
        }
    };
    context.print(&report)?;
    Ok(Exit::Ok)
}

/// Adds the records to the partitions that they go to, and makes the log visible.
async fn copy(
    mut importing: Importing,
    lines: &mut Lines,
    records: u64,
    partition: impl Fn(Position) -> Option<Partition>,
) -> anyhow::Result<()> {
    let progress = Progress::new("records", Some(records));
    while let Some(Found { line, at, record }) = lines.next()? {
        if let Some(partition) = partition(at) {
            importing.push(partition, &record).await.with_context(|| place(line))?;
        }
        progress.add(1);
    }
    Ok(importing.finish().await?)
}

/// The lines of an export, which is read twice.
struct Lines {
    input: BufReader<File>,
    line: Vec<u8>,
    /// The number of that line, from 1.
    number: u64,
}

/// A record, the line it was read from, and where it stood.
struct Found<'a> {
    line: u64,
    at: Position,
    record: Cow<'a, [u8]>,
}

impl Lines {
    /// Opens a file; what cannot be read twice is kept in one beside the log meanwhile.
    fn open(path: &Path, data: &Path) -> anyhow::Result<Self> {
        let mut file = if path == Path::new("-") {
            let mut kept = tempfile::tempfile_in(data)?;
            io::copy(&mut io::stdin().lock(), &mut kept)?;
            kept
        } else {
            let mut file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
            if file.metadata()?.is_file() {
                file
            } else {
                let mut kept = tempfile::tempfile_in(data)?;
                io::copy(&mut file, &mut kept)?;
                kept
            }
        };
        file.rewind()?;
        Ok(Self { input: BufReader::with_capacity(1 << 20, file), line: Vec::new(), number: 0 })
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.number = 0;
        self.input.rewind()
    }

    /// The next record; blank lines are skipped.
    fn next(&mut self) -> anyhow::Result<Option<Found<'_>>> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == LONGEST_LINE {
                bail!("{} is longer than a record can be", place(self.number));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let line = self.number;
        let (at, record) = Line::read(self.line.trim_ascii()).with_context(|| place(line))?;
        Ok(Some(Found { line, at, record }))
    }
}

fn place(line: u64) -> String {
    format!("line {line}")
}
