//! `drawdown diff`: what came to be known later.

use ::ledger::Instant;
use anyhow::ensure;

use super::ledger::instant;
use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::diff::Diff;

/// Show what changed between what was known of a wallet once and later, entry by entry, and which records did it.
///
/// Both are as of the same time: why a statement that is taken again says something else.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  drawdown --data ./data diff wallet-000034 --at 2026-01-31T23:59:59Z --known-at 2026-02-01 --known-at 2026-02-15")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// As of this time (2026-01-31, or RFC 3339) [default: the first --known-at]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Instant>,
    /// By what was recorded up to this time; give it twice, or once to compare with now
    #[arg(long, value_name = "TIME", value_parser = instant, required = true)]
    known_at: Vec<Instant>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, at, mut known_at } = args;
    let reading = Reading::open(context).await?;
    if known_at.len() == 1 {
        known_at.push(reading.now);
    }
    ensure!(known_at.len() == 2, "give --known-at once or twice");
    known_at.sort_unstable();
    context.print(&Diff::read(&reading, &wallet, at, (known_at[0], known_at[1])).await?)?;
    Ok(Exit::Ok)
}
