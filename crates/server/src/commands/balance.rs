//! `drawdown balance`: what a wallet has.

use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::balance::Balance;

/// Show what a wallet has now, lot by lot, and why each lot is where it is in the order of burning.
///
/// It is true now, whether or not the scheduler ran. Available is what open lots hold; overage is not taken off.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data balance wallet-000034")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let reading = Reading::open(context).await?;
    let now = reading.wallet(&args.wallet).await?;
    context.print(&Balance::of(&now))?;
    Ok(Exit::Ok)
}
