//! `drawdown grants`: a wallet's grants.

use ledger::Offset;

use super::ledger::page_length;
use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::grants::Grants;

/// Show a wallet's grants, and what became of what each has given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data grants wallet-000034")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// How many grants at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = page_length())]
    limit: u32,
    /// Go on after the grant that the page before ended with
    #[arg(long, value_name = "CURSOR")]
    after: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let reading = Reading::open(context).await?;
    let now = reading.wallet(&args.wallet).await?;
    context.print(&Grants::read(&reading, &now, args.after.map(Offset), args.limit).await?)?;
    Ok(Exit::Ok)
}
