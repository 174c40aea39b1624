//! `drawdown demo`: what it does, shown on a small story.

mod stage;
mod story;
mod told;

use std::path::PathBuf;

use anyhow::bail;
use eventlog::EventLog;
use ledger::Partition;
use scheduler::InFlight;
use store::WalletFilter;

use super::verify::verify;
use crate::context::Context;
use crate::exit::Exit;
use crate::view::balance::Balance;
use crate::view::statement::{Statement, Wanted};
use crate::view::sums::Sums;
use crate::view::usage::Filter;
use crate::view::usage::sums::{By, Sums as UsageSums};
use crate::view::wallets::Wallets;
use stage::{Story, send, set_up};
use story::{A_MONTH_OF_USAGE, STUDIO, TIME_PASSES, WHAT_THINGS_COST, at, january, late};
use told::{Counted, Told};

/// When the story's second half is told.
const FEBRUARY: &str = "02-03T09:00";

/// See what it does, on a small story: a catalogue, three wallets, a month of usage, and what time makes of it.
///
/// It works in a temporary directory, or in that of --data if it is empty: look around there afterwards.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown demo")]
pub(crate) struct Args {}

/// Tells the story in `kept`, or in a temporary directory.
pub(crate) async fn run(_: Args, kept: Option<PathBuf>, context: &Context) -> anyhow::Result<Exit> {
    let temporary = tempfile::tempdir()?;
    let data = kept.clone().unwrap_or_else(|| temporary.path().to_owned());
    let context = Context { data, ..context.clone() };
    context.create_directory()?;
    if std::fs::read_dir(&context.data)?.next().is_some() {
        bail!("{} is not empty: give the demo a directory of its own, or none", context.data.display());
    }
    let told = tell(&context, kept).await?;
    context.print(&told)?;
    Ok(if told.verified { Exit::Ok } else { Exit::Diverged })
}

async fn tell(context: &Context, kept: Option<PathBuf>) -> anyhow::Result<Told> {
    let mut told = Told::new(kept);
    let log = context.open_log().await?;
    let scene = told.scene("What things cost, who pays, and what they were granted");
    scene.says(WHAT_THINGS_COST);
    let applied = set_up(context, "studio.yaml", STUDIO).await?;
    scene.counts("apply --backfill studio.yaml", &Counted(vec![("appended", applied)]))?;
    Box::pin(january_is_used(context, &mut told)).await?;
    Box::pin(time_passes(context, &mut told)).await?;
    let scene = told.scene("The proof");
    scene.says("All but the log can be dropped: it is folded anew here, and every stored row compared.");
    let report = verify(log.clone(), context).await?;
    scene.shows("verify", &report)?;
    told.verified = report.exit() == Exit::Ok;
    log.close().await?;
    Ok(told)
}

/// January: usage comes in and is folded.
async fn january_is_used(context: &Context, told: &mut Told) -> anyhow::Result<()> {
    let scene = told.scene("A month of usage");
    let events = january();
    let first = events.lines().next().unwrap_or_default();
    scene.says("The product reports usage as CloudEvents, one a line:");
    scene.says(&format!("  {}", first.replace(",\"time\"", ",\n   \"time\"")));
    scene.says(A_MONTH_OF_USAGE);
    let at = at("01-31T18:00");
    let taken = send(context, "january.ndjson", events, at).await?;
    scene.counts("ingest --backfill january.ndjson", &taken)?;
    let mut story = Story::open(context, at).await?;
    scene.counts("project", &story.project(context).await?)?;
    let acme = story.reading.wallet("acme").await?;
    scene.shows("balance acme", &Balance::of(&acme))?;
    let all = WalletFilter { limit: 50, ..WalletFilter::default() };
    scene.shows("wallets", &Wallets::read(&story.reading, all).await?)?;
    story.close().await
}

/// February: lots end and begin, and an event comes late.
async fn time_passes(context: &Context, told: &mut Told) -> anyhow::Result<()> {
    let now = at(FEBRUARY);
    let scene = told.scene("Time passes, and an event comes late");
    scene.says(TIME_PASSES);
    let mut story = Story::open(context, now).await?;
    let mut in_flight = InFlight::default();
    let partitions = (0..story.reading.log.partitions()).map(|n| (Partition(n), 0));
    let round =
        scheduler::round(&*story.reading.log, &*story.reading.store, partitions, now, &mut in_flight).await?;
    scene.counts("tick", &Counted(vec![("due", round.due as u64), ("appended", round.appended as u64)]))?;
    let taken = send(context, "late.ndjson", late(), now).await?;
    scene.counts("ingest --backfill late.ndjson", &taken)?;
    story.project(context).await?;
    let acme = story.reading.wallet("acme").await?;
    scene.shows("balance acme", &Balance::of(&acme))?;

    let scene = told.scene("Where every credit is");
    scene.says("The ledger is double entry: each line moves an amount from one account to another.");
    let bea = story.reading.wallet("bea").await?;
    let all = Wanted::default();
    scene.shows("ledger bea", &Statement::read(&story.reading, &bea, &all, None, 50).await?)?;
    scene.shows("ledger acme --sums", &Sums::read(&story.reading, &acme, &all).await?)?;
    let by = By::parse("feature");
    let sums = UsageSums::of_all(&story.reading, &Filter::default(), Some(&by)).await?;
    scene.shows("usage --all --by feature", &sums)?;
    story.close().await
}
