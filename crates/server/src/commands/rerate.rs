//! `drawdown rerate`: usage is charged anew.

use anyhow::{Context as _, bail};
use eventlog::EventLog;
use ingest::{Corrected, Correction, Stamp, Usage, rerating_id};
use ledger::{Instant, Offset, Partition};
use serde_json::value::RawValue;
use store::{Projections, Store, WalletRow};

use super::ledger::instant;
use super::reset::reason;
use crate::context::Context;
use crate::correcting::{Answer, BATCH, Correcting, Id, Report, print_one, source_of};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::rerating::{Filter, Preview, matching, try_out};
use crate::view::Reading;

/// Charge a usage anew, at its own time, by the price that stands now for it; or much usage.
///
/// One usage: WALLET USAGE, perhaps with other --event-data. Much of it: a wallet alone, or --all, and which usage; with --preview it is shown
/// what would change, and nothing is appended. Only usage whose charge or overage changes gets a record, so a run that broke off is begun anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data rerate acme req-17 --event-data '{\"images\": 3}' --reason \"counted twice\"
  drawdown --data ./data rerate --all --price image --from 2026-01-01 --preview
  drawdown --data ./data rerate --all --price image --from 2026-01-01 --reason \"the price was wrong\"")]
pub(crate) struct Args {
    /// The wallet's id
    #[arg(required_unless_present = "all")]
    wallet: Option<String>,
    /// The usage event's id; left out, all usage that the filters leave
    #[arg(conflicts_with_all = ["all", "preview", "price", "feature", "from", "to", "lots"])]
    usage: Option<String>,
    /// The usage event's source; left out, it is looked up by the id
    #[arg(long, requires = "usage")]
    source: Option<String>,
    /// What the event's data should have been, JSON, or @FILE
    #[arg(id = "event_data", long = "event-data", value_name = "JSON", requires = "usage")]
    data: Option<String>,
    /// The usage of all wallets
    #[arg(long, conflicts_with = "wallet")]
    all: bool,
    /// Only what this price charged
    #[arg(long, value_name = "NAME")]
    price: Option<String>,
    /// Only what charged this feature
    #[arg(long)]
    feature: Option<String>,
    /// Only what counts at this time or later (2026-01-31, or RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Instant>,
    /// Only what counts before this time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Instant>,
    /// Also what is charged the same, and other lots would pay: because a grant came late
    #[arg(long)]
    lots: bool,
    /// Show what would change for whom, and append nothing
    #[arg(long)]
    preview: bool,
    /// Why: the rules want to know
    #[arg(long, value_name = "TEXT", value_parser = reason, required_unless_present = "preview")]
    reason: Option<String>,
    /// The record's id, of one usage: the same id again is a duplicate [default: a new one each time, for to do it twice changes
    /// nothing more]
    #[arg(long, requires = "usage")]
    id: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, usage, source, data, all: _, price, feature, from, to, lots, preview, reason, id } =
        args;
    let reason = reason.unwrap_or_default();
    let filter = Filter { price, feature, from, to, lots };
    match (wallet, usage) {
        (Some(wallet), Some(usage)) => one(wallet, usage, source, data, &reason, id, context).await,
        (wallet, _) if preview => show(wallet.as_deref(), &filter, context).await,
        (wallet, _) => append(wallet.as_deref(), &filter, &reason, context).await,
    }
}

async fn one(
    wallet: String,
    usage: String,
    source: Option<String>,
    data: Option<String>,
    reason: &str,
    id: Option<String>,
    context: &Context,
) -> anyhow::Result<Exit> {
    let data = data.map(|data| json(&data)).transpose()?;
    let mut correcting = Correcting::open(context).await?;
    let answer = match source_of(correcting.store().await?, &wallet, &usage, source).await? {
        Err((word, what)) => Answer::refused_as(&wallet, "usage.rerated", word, what),
        Ok(source) => {
            let says = Correction::Rerate(Usage { source: &source, id: &usage }, data.as_deref());
            let id = id.as_deref().map_or(Id::Fresh, Id::Given);
            correcting.say(std::slice::from_ref(&wallet), id, Some(reason), says).await?.remove(0)
        }
    };
    correcting.close().await?;
    print_one(context, &answer)
}

/// JSON from the command line, or from the file that `@` names.
fn json(text: &str) -> anyhow::Result<Box<RawValue>> {
    let text = match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?,
        None => text.to_owned(),
    };
    serde_json::from_str(&text)
        .context("the event's data is no JSON: give it as '{\"images\": 3}', or as @FILE")
}

async fn show(wallet: Option<&str>, filter: &Filter, context: &Context) -> anyhow::Result<Exit> {
    let reading = Reading::open(context).await?;
    let mut lacking = 0;
    for partition in (0..reading.log.partitions()).map(Partition) {
        let next = reading.store.head(partition).await?.map_or(Offset(0), |head| head.next);
        lacking += reading.behind(partition, next).await?;
    }
    let mut preview = Preview::new(lacking);
    for (place, row) in meant(&reading.store, reading.log.partitions(), wallet, filter).await? {
        preview.add(&try_out(&reading.log, &reading.store, place, &row, filter, context.now()).await?);
    }
    context.print(&preview)?;
    Ok(Exit::Ok)
}

async fn append(
    wallet: Option<&str>,
    filter: &Filter,
    reason: &str,
    context: &Context,
) -> anyhow::Result<Exit> {
    let mut correcting = Correcting::open(context).await?;
    let log = correcting.log().clone();
    let meant = meant(correcting.store().await?, log.partitions(), wallet, filter).await?;
    let progress = Progress::new("wallets", Some(meant.len() as u64));
    let (mut report, mut answers, mut records) = (Report::default(), Vec::new(), Vec::new());
    for (place, row) in meant {
        let store = correcting.store().await?;
        let changed = try_out(&log, store, place, &row, filter, context.now()).await?;
        for change in &changed.changes {
            let usage = Usage { source: &change.source, id: &change.id };
            let id = rerating_id(usage, change.after, &change.price);
            let says = Correction::Rerate(usage, None);
            let stamp = Stamp { now: context.now(), by: "operator", backfill: false };
            let record = Corrected { wallet: &row.id, id: &id, time: None, reason: Some(reason), says };
            records.push((answers.len(), ingest::corrected(&record, &stamp)?.appending(log.partitions())));
            answers.push(Answer::appended(&row.id, says.kind(), &id));
            if records.len() == BATCH {
                correcting.append(std::mem::take(&mut records), &mut answers).await?;
                answers.drain(..).for_each(|answer| report.add(answer));
            }
        }
        progress.add(1);
    }
    correcting.append(records, &mut answers).await?;
    answers.into_iter().for_each(|answer| report.add(answer));
    drop(progress);
    correcting.close().await?;
    report.print(context)
}

/// The wallets that may have usage which is meant, each with its partition and how far that is folded.
async fn meant(
    store: &Projections,
    partitions: u32,
    wallet: Option<&str>,
    filter: &Filter,
) -> anyhow::Result<Vec<((Partition, Offset), WalletRow)>> {
    let mut meant = Vec::new();
    if let Some(wallet) = wallet {
        let Some((partition, row)) = store.wallet(wallet).await? else {
            bail!("no record names the wallet `{wallet}`: check its spelling with `drawdown wallets`");
        };
        let end = store.head(partition).await?.map_or(Offset(0), |head| head.next);
        return Ok(vec![((partition, end), row)]);
    }
    for partition in (0..partitions).map(Partition) {
        let end = store.head(partition).await?.map_or(Offset(0), |head| head.next);
        let rows = matching(store, partition, end, filter).await?;
        meant.extend(rows.into_iter().map(|row| ((partition, end), row)));
    }
    Ok(meant)
}
