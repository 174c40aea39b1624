//! `drawdown costs`: what usage cost at vendors, for people with SQL.

use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::usage::costs::Reckoned;

/// Reckon what all usage cost at vendors, and keep it in the database for the views `vendor_cost_by_day` and `cost_and_margin`.
///
/// Vendor costs are read by reports alone, and no fold books them: run this as often as the views shall be anew, and after a
/// rebuild. It changes no balance; who looks meanwhile sees what was reckoned before.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  drawdown --log kafka://localhost/credits --store postgres://folds@localhost/drawdown costs")]
pub(crate) struct Args {}

pub(crate) async fn run(_: Args, context: &Context) -> anyhow::Result<Exit> {
    let reading = Reading::open(context).await?;
    context.print(&Reckoned::keep(&reading).await?)?;
    Ok(Exit::Ok)
}
