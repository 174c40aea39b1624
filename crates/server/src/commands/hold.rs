//! `drawdown hold`, `extend`, `settle` and `unhold`: credits set aside for work to come.

use ingest::{Event, Hold, Measure, Usage};
use ledger::{Amount, Line, Span};
use serde_json::value::RawValue;

use crate::context::Context;
use crate::correcting::{Correcting, print_one};
use crate::exit::Exit;

/// Set credits aside for work to come, in the very lots that will pay; or be told why not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data hold acme --id job-7 --amount 50 --unit credits --feature chat --ttl PT5M
  drawdown --data ./data hold acme --id job-8 --type llm.completion --event '{\"max_tokens\":4000}'")]
pub(crate) struct HoldArgs {
    /// The wallet's id
    wallet: String,
    #[command(flatten)]
    measure: Measured,
    /// How long it lives, such as PT5M [default: PT15M]
    #[arg(long, value_parser = Span::parse)]
    ttl: Option<Span>,
    /// Who uses
    #[arg(long)]
    subject: Option<String>,
    /// The hold's id: the same again gets the same answer
    #[arg(long)]
    id: String,
}

/// Let a hold live longer, or set more aside.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data extend acme job-7 --ttl PT1H")]
pub(crate) struct ExtendArgs {
    /// The wallet's id
    wallet: String,
    /// The hold's id
    hold: String,
    #[command(flatten)]
    measure: Measured,
    /// How long it lives from now on
    #[arg(long, value_parser = Span::parse)]
    ttl: Option<Span>,
    /// The record's id: the same id again is a duplicate [default: a new one each time]
    #[arg(long)]
    id: Option<String>,
}

/// Take what was used out of a hold; the rest is free at once.
///
/// If the hold is over, it is usage like any other. The same usage counts once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data settle acme job-7 --amount 31.5 --unit credits --feature chat
  drawdown --data ./data settle acme job-8 --usage completion-8 --type llm.completion --event '{\"tokens\":418}'")]
pub(crate) struct SettleArgs {
    /// The wallet's id
    wallet: String,
    /// The hold's id
    hold: String,
    #[command(flatten)]
    measure: Measured,
    /// The id of the usage that this books [default: the hold's, with `:used` behind it]
    #[arg(long)]
    usage: Option<String>,
    /// The source of the usage's id
    #[arg(long, default_value = "operator")]
    source: String,
    /// What is left stays set aside
    #[arg(long)]
    part: bool,
}

/// End a hold unused. One that was not requested yet will be declined.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data unhold acme job-7")]
pub(crate) struct UnholdArgs {
    /// The wallet's id
    wallet: String,
    /// The hold's id
    hold: String,
}

/// How much: an amount, or an event that a price makes one of.
#[derive(Debug, clap::Args)]
struct Measured {
    /// How much
    #[arg(long, requires = "unit", requires = "feature", value_parser = Amount::parse, conflicts_with = "type")]
    amount: Option<Amount>,
    /// The unit of the amount
    #[arg(long, requires = "amount")]
    unit: Option<String>,
    /// What is used
    #[arg(long, requires = "amount")]
    feature: Option<String>,
    /// The type of an event to be priced
    #[arg(long = "type", id = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// The event's data, JSON
    #[arg(long, requires = "type", value_name = "JSON", value_parser = json)]
    event: Option<Box<RawValue>>,
}

fn json(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::from_str(text)
}

impl Measured {
    /// The amount as a line of a record; none if there is none.
    fn lines(&self) -> Vec<Line> {
        let names = self.unit.clone().zip(self.feature.clone()).zip(self.amount);
        names.map(|((unit, feature), amount)| Line { unit, feature, amount }).into_iter().collect()
    }

    fn of<'a>(&'a self, lines: &'a [Line]) -> Option<Measure<'a>> {
        let event = self.kind.as_deref().map(|kind| Event { kind, data: self.event.as_deref() });
        event.map(Measure::Event).or((!lines.is_empty()).then_some(Measure::Amounts(lines)))
    }
}

pub(crate) async fn hold(args: HoldArgs, context: &Context) -> anyhow::Result<Exit> {
    let lines = args.measure.lines();
    let estimate = args.measure.of(&lines).unwrap_or(Measure::Amounts(&[]));
    let says = Hold::Request { estimate, ttl: args.ttl, valid_until: None };
    say(context, &args.wallet, &args.id, args.subject.as_deref(), says).await
}

pub(crate) async fn extend(args: ExtendArgs, context: &Context) -> anyhow::Result<Exit> {
    let lines = args.measure.lines();
    let says = Hold::Extend { hold: &args.hold, ttl: args.ttl, more: args.measure.of(&lines) };
    let id = args.id.unwrap_or_else(|| context.fresh_id());
    say(context, &args.wallet, &id, None, says).await
}

pub(crate) async fn settle(args: SettleArgs, context: &Context) -> anyhow::Result<Exit> {
    let lines = args.measure.lines();
    let actual = args.measure.of(&lines).unwrap_or(Measure::Amounts(&[]));
    let usage = args.usage.unwrap_or_else(|| format!("{}:used", args.hold));
    let id = format!("settle:{}:{usage}", args.hold);
    let usage = Usage { source: &args.source, id: &usage };
    let says = Hold::Settle { hold: &args.hold, usage, actual, is_final: !args.part };
    say(context, &args.wallet, &id, None, says).await
}

pub(crate) async fn unhold(args: UnholdArgs, context: &Context) -> anyhow::Result<Exit> {
    let id = format!("unhold:{}", args.hold);
    say(context, &args.wallet, &id, None, Hold::Void { hold: &args.hold }).await
}

async fn say(
    context: &Context,
    wallet: &str,
    id: &str,
    subject: Option<&str>,
    says: Hold<'_>,
) -> anyhow::Result<Exit> {
    let mut correcting = Correcting::open(context).await?;
    let answer = correcting.hold(wallet, id, subject, says).await?;
    correcting.close().await?;
    print_one(context, &answer)
}
