//! `drawdown wallets`: who there is.

use store::WalletFilter;

use super::ledger::page_length;
use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::wallets::Wallets;

/// List wallets with what they have now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data wallets --prefix team- --unclaimed")]
pub(crate) struct Args {
    /// Only those whose id begins so
    #[arg(long)]
    prefix: Option<String>,
    /// Only those that somebody has configured
    #[arg(long, conflicts_with = "unclaimed")]
    claimed: bool,
    /// Only those that usage or a grant has opened, and nobody has configured
    #[arg(long)]
    unclaimed: bool,
    /// How many wallets at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = page_length())]
    limit: u32,
    /// Go on after this wallet
    #[arg(long, value_name = "WALLET")]
    after: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { prefix, claimed, unclaimed, limit, after } = args;
    let claimed = (claimed || unclaimed).then_some(claimed);
    let reading = Reading::open(context).await?;
    context.print(&Wallets::read(&reading, WalletFilter { prefix, claimed, after, limit }).await?)?;
    Ok(Exit::Ok)
}
