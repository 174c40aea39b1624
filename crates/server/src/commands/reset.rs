//! `drawdown reset`: a wallet's lots are brought back to their bounds.

use ingest::Correction;
use ledger::Reset;

use crate::context::Context;
use crate::correcting::{Correcting, Id, print_one};
use crate::exit::Exit;

/// Bring open lots back to the bounds that their grants name, and forgive open overage.
///
/// A grant names them as `reset: {min, max}`: what is above `max` expires, what lacks to `min` is added. A grant without them is left
/// as it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  drawdown --data ./data reset acme --unit credits --reason \"a new season\""
)]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// Only this unit
    #[arg(long)]
    unit: Option<String>,
    /// Leave open overage as it is
    #[arg(long)]
    preserve_overage: bool,
    /// Why: the rules want to know
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// The record's id: the same id again is a duplicate [default: a new one each time]
    #[arg(long)]
    id: Option<String>,
}

/// A reason on the command line.
pub(crate) fn reason(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("say why: the rules want a reason") } else { Ok(text.to_owned()) }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, unit, preserve_overage, reason, id } = args;
    let reset = Reset { unit, preserve_overage };
    let id = id.as_deref().map_or(Id::Fresh, Id::Given);
    let mut correcting = Correcting::open(context).await?;
    let answers = correcting.say(&[wallet], id, Some(&reason), Correction::Reset(&reset)).await?;
    correcting.close().await?;
    print_one(context, &answers[0])
}
