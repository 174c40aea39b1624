//! `drawdown usage`: what was used.

use ledger::{Instant, Offset};

use super::ledger::{instant, page_length};
use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::usage::Filter;
use crate::view::usage::list::List;
use crate::view::usage::sums::{By, Sums};

/// Show a wallet's usage with what it was charged and what it cost us; or its sums; or those of all wallets.
///
/// Sums are of usage that counts: duplicates and conflicts do not. Every number in the events' data is summed exactly.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data usage wallet-000034 --from 2026-01-01 --limit 20
  drawdown --data ./data usage wallet-000034 --by model
  drawdown --data ./data usage --all --by day")]
pub(crate) struct Args {
    /// The wallet's id; left out, the sums are of all wallets
    wallet: Option<String>,
    /// Sum over all wallets
    #[arg(long, conflicts_with = "wallet")]
    all: bool,
    /// Sum by feature, type, day, subject, or a field of the data such as model
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,
    /// Sum all of it
    #[arg(long)]
    sums: bool,
    /// Only of this event type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only by this subject
    #[arg(long)]
    subject: Option<String>,
    /// Only what counts at this time or later (2026-01-31, or RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Instant>,
    /// Only what counts before this time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Instant>,
    /// How many usages at most, where they are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = page_length())]
    limit: u32,
    /// Go on after the usage that the page before ended with
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["by", "sums", "all"])]
    after: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, all: _, by, sums, kind, subject, from, to, limit, after } = args;
    let reading = Reading::open(context).await?;
    let filter = Filter { kind, subject, from, to };
    let by = by.as_deref().map(By::parse);
    let Some(wallet) = wallet else {
        context.print(&Sums::of_all(&reading, &filter, by.as_ref()).await?)?;
        return Ok(Exit::Ok);
    };
    let now = reading.wallet(&wallet).await?;
    if sums || by.is_some() {
        context.print(&Sums::of_wallet(&reading, &now, &filter, by.as_ref()).await?)?;
    } else {
        context.print(&List::read(&reading, &now, &filter, after.map(Offset), limit).await?)?;
    }
    Ok(Exit::Ok)
}
