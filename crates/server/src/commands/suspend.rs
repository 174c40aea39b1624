//! `drawdown suspend` and `drawdown resume`.

use ingest::Correction;

use super::reset::reason;
use crate::context::Context;
use crate::correcting::{Correcting, Id, print_one};
use crate::exit::Exit;

/// Suspend a wallet, until it is resumed: usage that happens is booked all the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data suspend acme --reason unpaid")]
pub(crate) struct SuspendArgs {
    #[command(flatten)]
    wanted: Wanted,
}

/// Resume a wallet that is suspended.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data resume acme")]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    wanted: Wanted,
}

#[derive(Debug, clap::Args)]
struct Wanted {
    /// The wallet's id
    wallet: String,
    /// Why, if there is something to say
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    /// The record's id: the same id again is a duplicate [default: a new one each time]
    #[arg(long)]
    id: Option<String>,
}

pub(crate) async fn suspend(args: SuspendArgs, context: &Context) -> anyhow::Result<Exit> {
    say(args.wanted, Correction::Suspend, context).await
}

pub(crate) async fn resume(args: ResumeArgs, context: &Context) -> anyhow::Result<Exit> {
    say(args.wanted, Correction::Resume, context).await
}

async fn say(wanted: Wanted, says: Correction<'_>, context: &Context) -> anyhow::Result<Exit> {
    let Wanted { wallet, reason, id } = wanted;
    let id = id.as_deref().map_or(Id::Fresh, Id::Given);
    let mut correcting = Correcting::open(context).await?;
    let answers = correcting.say(&[wallet], id, reason.as_deref(), says).await?;
    correcting.close().await?;
    print_one(context, &answers[0])
}
