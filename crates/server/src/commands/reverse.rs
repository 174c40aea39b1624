//! `drawdown reverse`: a usage is undone.

use ingest::{Correction, Usage};
use ledger::{Amount, Part};

use super::reset::reason;
use crate::context::Context;
use crate::correcting::{Answer, Correcting, Id, print_one, source_of};
use crate::exit::Exit;

/// Undo a usage, wholly or in part: what it took goes back to the very lots.
///
/// To reverse all of it again is a duplicate. A part may be reversed more than once: give it an --id, so that a retry is not counted
/// twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data reverse acme req-17 --reason \"the request failed\"
  drawdown --data ./data reverse acme req-17 --amount 2.5 --unit credits --id ticket-4 --reason \"one image was blank\"")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// The usage event's id
    usage: String,
    /// The usage event's source; left out, it is looked up by the id
    #[arg(long)]
    source: Option<String>,
    /// Only so much of it
    #[arg(long, requires = "unit", value_parser = Amount::parse)]
    amount: Option<Amount>,
    /// The unit of the amount
    #[arg(long, requires = "amount")]
    unit: Option<String>,
    /// Only what this feature was charged
    #[arg(long, requires = "amount")]
    feature: Option<String>,
    /// Why: the rules want to know
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// The record's id: the same id again is a duplicate [default: of all of it, it follows from the usage and the reason; of a part,
    /// a new one each time]
    #[arg(long)]
    id: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, usage, source, amount, unit, feature, reason, id } = args;
    let part = amount.zip(unit).map(|(amount, unit)| Part { unit, feature, amount });
    let mut correcting = Correcting::open(context).await?;
    let answer = match source_of(correcting.store().await?, &wallet, &usage, source).await? {
        Err((word, what)) => Answer::refused_as(&wallet, "usage.reversed", word, what),
        Ok(source) => {
            let usage = Usage { source: &source, id: &usage };
            let id = match (&id, &part) {
                (Some(id), _) => Id::Given(id),
                (None, None) => Id::OfContent,
                (None, Some(_)) => Id::Fresh,
            };
            let says = Correction::Reverse(usage, part.as_ref().map(std::slice::from_ref));
            correcting.say(std::slice::from_ref(&wallet), id, Some(&reason), says).await?.remove(0)
        }
    };
    correcting.close().await?;
    print_one(context, &answer)
}
