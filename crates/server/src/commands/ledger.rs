//! `drawdown ledger`: a wallet's entries.

use anyhow::{Context as _, anyhow};
use ledger::{EntryKind, Instant, Offset};

use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::statement::{Cursor, Statement, Wanted};
use crate::view::sums::Sums;

/// Show a wallet's ledger: each transfer from one account to another, in the order of the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data ledger wallet-000034 --lot plan#1 --limit 20
  drawdown --data ./data ledger wallet-000034 --from 2026-01-01 --to 2026-02-01 --sums")]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// Only of this unit
    #[arg(long)]
    unit: Option<String>,
    /// Only of this kind, such as usage or expire
    #[arg(long, value_parser = kind)]
    kind: Option<EntryKind>,
    /// Only of this lot
    #[arg(long)]
    lot: Option<String>,
    /// Only of this feature
    #[arg(long)]
    feature: Option<String>,
    /// Only what counts at this time or later (2026-01-31, or RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Instant>,
    /// Only what counts before this time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Instant>,
    /// How many entries at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = page_length(), conflicts_with = "sums")]
    limit: u32,
    /// Go on after the entry that the page before ended with
    #[arg(long, value_name = "CURSOR", value_parser = cursor, conflicts_with = "sums")]
    after: Option<Cursor>,
    /// Add all of them up, by kind and by account
    #[arg(long)]
    sums: bool,
}

/// How many lines a page may have.
pub(crate) fn page_length() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=100_000)
}

/// A time on the command line: RFC 3339, or a date, which is its midnight in UTC.
pub(crate) fn instant(text: &str) -> Result<Instant, ledger::TimeError> {
    if text.len() == "2026-01-31".len() {
        Instant::parse(&format!("{text}T00:00:00Z"))
    } else {
        Instant::parse(text)
    }
}

fn kind(text: &str) -> anyhow::Result<EntryKind> {
    let words = || EntryKind::ALL.map(EntryKind::word).join(", ");
    let kind = EntryKind::ALL.into_iter().find(|kind| kind.word() == text);
    kind.ok_or_else(|| anyhow!("there is no such kind of entry: use one of {}", words()))
}

fn cursor(text: &str) -> anyhow::Result<Cursor> {
    let parts =
        text.split_once(':').and_then(|(offset, line)| Some((offset.parse().ok()?, line.parse().ok()?)));
    let (offset, line) =
        parts.context("give what the page before said behind `more: --after`, such as 120:1")?;
    Ok((Offset(offset), line))
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, unit, kind, lot, feature, from, to, limit, after, sums } = args;
    let reading = Reading::open(context).await?;
    let now = reading.wallet(&wallet).await?;
    let wanted = Wanted { unit, kind, lot, feature, from, to };
    if sums {
        context.print(&Sums::read(&reading, &now, &wanted).await?)?;
    } else {
        context.print(&Statement::read(&reading, &now, &wanted, after, limit).await?)?;
    }
    Ok(Exit::Ok)
}
