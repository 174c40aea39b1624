//! `drawdown forecast`: how long a wallet's credits last.

use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::forecast::{Burned, Forecast, MOST_DAYS, USUAL_DAYS};

/// Show how fast a wallet uses its credits, when they are used up at that rate, what ends soon and what comes next.
///
/// The fold charges usage at the rate of the days before to a copy of the wallet, with lots that end and recur as they will; nothing is
/// appended.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data forecast wallet-000034 --days 30")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// The usage of how many days is looked at
    #[arg(long, value_name = "N", default_value_t = USUAL_DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DAYS)))]
    days: u32,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let reading = Reading::open(context).await?;
    let now = reading.wallet(&args.wallet).await?;
    let burned = Burned::read(&reading, &now, args.days).await?;
    context.print(&Forecast::of(&now, &burned)?)?;
    Ok(Exit::Ok)
}
