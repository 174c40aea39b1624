//! `drawdown log export`: the raw records, one a line.

use std::io::{self, BufWriter, Write};

use anyhow::{bail, ensure};
use eventlog::{EventLog, Log};
use ledger::{Offset, Partition, Position, Undecodable};

use super::line::Line;
use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;

/// Records read at once.
const PAGE: usize = 4_096;

/// Print the log's records, one JSON object a line, their bytes kept as they are.
///
/// A wallet's slice is the genesis and the catalogue of its partition, and its own records.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data log export > log.ndjson
  drawdown --data ./data log export --wallet wallet-000034 > slice.ndjson
  drawdown --data ./data log export --from 2:1000 --to 2:2000")]
pub(crate) struct Args {
    /// Only this wallet's slice
    #[arg(long, conflicts_with_all = ["from", "to"])]
    wallet: Option<String>,
    /// Only of this partition, from this offset on
    #[arg(long, value_name = "P:N")]
    from: Option<Position>,
    /// Only of this partition, below this offset
    #[arg(long, value_name = "P:N")]
    to: Option<Position>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Some(log) = context.open_log_if_any().await? else {
        bail!("there is no log {}", context.log_place());
    };
    let stretches = stretches(&args, &log).await?;
    let progress = Progress::new("records", Some(stretches.iter().map(|(_, from, to)| to.0 - from.0).sum()));
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut found = args.wallet.is_none();
    for (partition, from, to) in stretches {
        let mut next = from;
        while next < to {
            let limit = PAGE.min(usize::try_from(to.0 - next.0).unwrap_or(PAGE));
            let page = log.read(partition, next, limit).await?;
            for (offset, record) in page.iter() {
                let position = Position { partition, offset };
                if let Some(wallet) = &args.wallet {
                    match whose(record, wallet, position)? {
                        Whose::Its => found = true,
                        Whose::Everybodys => {}
                        Whose::Others => continue,
                    }
                }
                serde_json::to_writer(&mut out, &Line::new(partition, offset, record))
                    .map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
            progress.add(page.len());
            next = page.next();
        }
    }
    out.flush()?;
    if let Some(wallet) = args.wallet.filter(|_| !found) {
        bail!("no record names the wallet `{wallet}`: what was printed is the catalogue alone");
    }
    Ok(Exit::Ok)
}

/// What is exported: partitions, each with the first offset and the one after the last.
async fn stretches(args: &Args, log: &Log) -> anyhow::Result<Vec<(Partition, Offset, Offset)>> {
    let named = args.from.or(args.to).map(|position| position.partition);
    if let (Some(from), Some(to)) = (args.from, args.to) {
        ensure!(
            from.partition == to.partition,
            "--from and --to name two partitions: export one after the other"
        );
        ensure!(from.offset <= to.offset, "--from {from} is behind --to {to}");
    }
    let of_wallet = args.wallet.as_deref().map(|wallet| Partition::of(wallet, log.partitions()));
    let mut stretches = Vec::new();
    for partition in (0..log.partitions()).map(Partition) {
        if named.or(of_wallet).is_some_and(|only| only != partition) {
            continue;
        }
        let end = log.end(partition).await?;
        let from = args.from.map_or(Offset(0), |from| from.offset);
        ensure!(from <= end, "partition {partition} ends at offset {end}, before {from}");
        stretches.push((partition, from, args.to.map_or(end, |to| to.offset.min(end))));
    }
    if let Some(partition) = named {
        ensure!(!stretches.is_empty(), "there is no partition {partition}: the log has {}", log.partitions());
    }
    Ok(stretches)
}

enum Whose {
    Its,
    /// Genesis and catalogue.
    Everybodys,
    /// Another wallet's, or nobody's because it cannot be read.
    Others,
}

fn whose(record: &[u8], wallet: &str, at: Position) -> anyhow::Result<Whose> {
    Ok(match ledger::decode(record) {
        Ok(record) if !record.event.is_of_wallet() => Whose::Everybodys,
        Ok(record) if record.wallet() == wallet => Whose::Its,
        Ok(_) => Whose::Others,
        Err(Undecodable::Quarantine(_)) => Whose::Others,
        Err(Undecodable::NewerBuild(what)) => {
            bail!("the record at {at} is unknown to this build ({what}): use a newer one")
        }
    })
}
