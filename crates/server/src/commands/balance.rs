//! `drawdown balance`: what a wallet has.

use ::ledger::Instant;

use super::ledger::instant;
use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::balance::Balance;

/// Show what a wallet has now, or had, lot by lot, and why each lot is where it is in the order of burning.
///
/// It is true now, whether or not the scheduler ran. Available is what open lots hold; overage is not taken off. With --at it is
/// what counts as of then, by all that is known now: of the past with usage that came late, of the future as if nothing
/// more happened. With --known-at nothing counts that was recorded later.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data balance wallet-000034
  drawdown --data ./data balance wallet-000034 --at 2026-01-31T23:59:59Z --known-at 2026-02-15")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// As of this time (2026-01-31, or RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Instant>,
    /// By what was recorded up to this time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    known_at: Option<Instant>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, at, known_at } = args;
    let reading = Reading::open(context).await?;
    if at.is_some() || known_at.is_some() {
        context.print(&Balance::read(&reading, &wallet, at, known_at).await?)?;
    } else {
        context.print(&Balance::of(&reading.wallet(&wallet).await?))?;
    }
    Ok(Exit::Ok)
}
