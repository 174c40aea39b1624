//! `drawdown step`: a wallet's slice, record by record.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use ledger::{Event, Offset, Position, Record};
use projector::{History, ProjectorError};

use super::log::line::Line;
use crate::context::Context;
use crate::exit::Exit;
use crate::view::step::{Before, Stepped};

/// Show what each record of one wallet did: its outcome, its entries, the lots it changed, and what the wallet has after it.
///
/// FILE is the wallet's slice, as `drawdown log export --wallet` prints it. It is folded in memory alone, so no data directory is
/// needed: a slice can be looked at on any machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data log export --wallet wallet-000034 > slice.ndjson
  drawdown step slice.ndjson | less
  drawdown step slice.ndjson --from 1200 --json")]
pub(crate) struct Args {
    /// What `drawdown log export --wallet` has printed; - for the standard input
    file: PathBuf,
    /// Show the records from this offset on; those before it are folded all the same
    #[arg(long, value_name = "OFFSET", default_value_t = 0)]
    from: u64,
}

pub(crate) fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { file, from } = args;
    let mut lines = Lines::open(&file)?;
    let mut out = io::stdout().lock();
    let mut stepping: Option<Stepping> = None;
    while let Some((number, line)) = lines.next()? {
        let place = || format!("{}: line {number}", file.display());
        let (at, record) = Line::read(line.as_bytes()).with_context(place)?;
        let stepping = match &mut stepping {
            Some(stepping) => stepping,
            none => none.insert(Stepping::begin(at, &record).with_context(place)?),
        };
        let stepped = stepping.step(at, &record).with_context(place)?;
        if at.offset < Offset(from) {
            continue;
        }
        if context.json {
            serde_json::to_writer(&mut out, &stepped).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        } else {
            write!(out, "{stepped}")?;
        }
    }
    out.flush()?;
    ensure!(stepping.is_some(), "there are no records in {}", file.display());
    Ok(Exit::Ok)
}

/// One wallet's records, folded so far.
struct Stepping {
    history: History,
    /// The last record.
    at: Option<Position>,
    wallet: Option<String>,
}

impl Stepping {
    /// Before the first record, which is the genesis of its partition.
    fn begin(at: Position, record: &[u8]) -> anyhow::Result<Self> {
        let genesis = || match ledger::decode(record) {
            Ok(Record { event: Event::Genesis(genesis), .. }) => Some(genesis),
            Ok(_) | Err(_) => None,
        };
        let genesis = genesis().filter(|_| at.offset == Offset(0));
        let genesis = genesis.with_context(|| {
            format!("the record at {at} is no genesis: export the wallet with `drawdown log export --wallet`")
        })?;
        let history = History::new(at.partition, genesis.partitions, &genesis.log);
        Ok(Self { history, at: None, wallet: None })
    }

    fn step(&mut self, at: Position, record: &[u8]) -> anyhow::Result<Stepped> {
        if let Some(last) = self.at {
            ensure!(
                last.partition == at.partition,
                "the record at {at} is of another partition than that at {last}: export one wallet"
            );
            ensure!(last.offset < at.offset, "the record at {at} stands behind that at {last}, or twice");
        }
        self.at = Some(at);
        let read = ledger::decode(record);
        if let Some(named) = read.as_ref().ok().and_then(|record| record.envelope.wallet.as_deref()) {
            match &self.wallet {
                Some(wallet) if wallet != named => {
                    bail!(
                        "the record at {at} is of the wallet `{named}`, and those before it of `{wallet}`: export one"
                    )
                }
                Some(_) => {}
                None => self.wallet = Some(named.to_owned()),
            }
        }
        let wallet = self.wallet.as_deref().unwrap_or_default();
        let before = Before::of(self.history.wallet(wallet));
        let did = self.history.fold(at.offset, record);
        let did = did.map_err(|what| ProjectorError::NewerBuild { at, what })?;
        Ok(Stepped::new(at, read.as_ref().ok(), &did, &before, self.history.wallet(wallet)))
    }
}

/// The lines of a file that are not empty.
struct Lines {
    input: Box<dyn BufRead>,
    file: PathBuf,
    number: usize,
}

impl Lines {
    fn open(file: &Path) -> anyhow::Result<Self> {
        let input: Box<dyn BufRead> = if file == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
            Box::new(BufReader::with_capacity(1 << 20, opened))
        };
        Ok(Self { input, file: file.to_owned(), number: 0 })
    }

    fn next(&mut self) -> anyhow::Result<Option<(usize, String)>> {
        loop {
            let mut line = String::new();
            let read = self.input.read_line(&mut line);
            if read.with_context(|| format!("{} cannot be read any further", self.file.display()))? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !line.trim().is_empty() {
                line.truncate(line.trim_end().len());
                return Ok(Some((self.number, line)));
            }
        }
    }
}
