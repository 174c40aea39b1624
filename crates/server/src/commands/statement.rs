//! `drawdown statement`: a wallet's month.

use ::ledger::{Instant, Month};
use anyhow::{Context as _, ensure};

use super::ledger::instant;
use crate::context::{Context, print};
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::monthly::Monthly;

/// Show what a wallet began a month with, what came and went, and what it ended with; with its overage.
///
/// The month is one of the wallet's zone. What counts in it belongs to it, whenever it was recorded: taken again later, the
/// statement has what came late; --known-at shows it as it was. The sums are checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data statement wallet-000034 --month 2026-01
  drawdown --data ./data statement wallet-000034 --month 2026-01 --known-at 2026-01-31T23:59:59Z --csv")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// The month, as in 2026-01
    #[arg(long, value_parser = month)]
    month: Month,
    /// By what was recorded up to this time (2026-01-31, or RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    known_at: Option<Instant>,
    /// Print comma-separated values, a line each
    #[arg(long)]
    csv: bool,
}

fn month(text: &str) -> anyhow::Result<Month> {
    Month::parse(text).context("a month is written as in 2026-01")
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, month, known_at, csv } = args;
    ensure!(!(csv && context.json), "give either --csv or --json");
    let reading = Reading::open(context).await?;
    let statement = Monthly::read(&reading, &wallet, month, known_at).await?;
    if csv {
        print(&statement.csv())?;
    } else {
        context.print(&statement)?;
    }
    Ok(Exit::Ok)
}
