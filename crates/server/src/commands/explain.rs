//! `drawdown explain`: why.

use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::explain::Explanation;

/// Explain a usage, another record, an entry or a lot of a wallet, in sentences that can be passed on.
///
/// Of a record: what it says, the version of the price that rated it, each lot that was considered with the reason why it paid
/// or was passed over, what was booked, the balance before and after, and what corrected it since. Of a lot: where every
/// credit of it went.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data explain wallet-000034 chat-17
  drawdown --data ./data explain wallet-000034 0:120
  drawdown --data ./data explain wallet-000034 plan#1")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// A usage by its id, a record as P:N, an entry as P:N.LINE, a lot as plan#1
    about: String,
    /// Who sent the usage, where several have sent one of that id
    #[arg(long)]
    source: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, about, source } = args;
    let reading = Reading::open(context).await?;
    context.print(&Explanation::read(&reading, &wallet, &about, source.as_deref()).await?)?;
    Ok(Exit::Ok)
}
