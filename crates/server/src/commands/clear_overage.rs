//! `drawdown clear-overage`: overage of a month is taken out for good.

use anyhow::anyhow;
use clap::ValueEnum;
use ingest::Correction;
use ledger::{Amount, Cleared, ClearedAs, Month};

use super::reset::reason;
use crate::context::Context;
use crate::correcting::{Correcting, Id, print_one};
use crate::exit::Exit;

/// Take open overage of a month out for good, because it is on a bill or nobody will pay it: credits never pay it again.
///
/// With a --reference the same again is a duplicate. Without one it is another record each time: give it an --id, so that a retry is
/// not counted twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data clear-overage acme --month 2026-01 --unit credits --as billed --reference \"invoice 117\"
  drawdown --data ./data clear-overage acme --month 2026-01 --unit credits --feature chat --amount 12.5 --as forgiven")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// The month of the usage
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Month,
    /// The unit
    #[arg(long)]
    unit: String,
    /// Only what this feature used
    #[arg(long)]
    feature: Option<String>,
    /// Only so much of it
    #[arg(long, value_parser = Amount::parse)]
    amount: Option<Amount>,
    /// What became of it
    #[arg(long = "as", value_name = "FATE", value_enum)]
    by: Fate,
    /// An invoice, a ticket
    #[arg(long)]
    reference: Option<String>,
    /// Why, if there is more to say
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    /// The record's id: the same id again is a duplicate [default: with a reference, it follows from all of the above; else a new one
    /// each time]
    #[arg(long)]
    id: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Fate {
    /// It is on a bill
    Billed,
    /// Nobody pays it
    Forgiven,
}

fn month(text: &str) -> anyhow::Result<Month> {
    Month::parse(text).ok_or_else(|| anyhow!("write a month as 2026-01"))
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, month, unit, feature, amount, by, reference, reason, id } = args;
    let by = match by {
        Fate::Billed => ClearedAs::Billed,
        Fate::Forgiven => ClearedAs::Forgiven,
    };
    let cleared = Cleared { month, unit, feature, amount, by, reference };
    let id = match (&id, &cleared.reference) {
        (Some(id), _) => Id::Given(id),
        (None, Some(_)) => Id::OfContent,
        (None, None) => Id::Fresh,
    };
    let mut correcting = Correcting::open(context).await?;
    let answers = correcting.say(&[wallet], id, reason.as_deref(), Correction::Clear(&cleared)).await?;
    correcting.close().await?;
    print_one(context, &answers[0])
}
