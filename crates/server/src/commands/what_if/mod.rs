//! `drawdown what-if`: the same history under another catalogue, or other rules for grants.

mod fold;
mod instead;
mod tally;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use eventlog::{EventLog, Log};
use ledger::{Instant, Offset, Partition};
use store::{Projections, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::ledger::instant;
use crate::context::Context;
use crate::documents::read_what_if;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::view::Reading;
use crate::view::what_if::WhatIf;

pub(crate) use fold::{Part, Stretch};
pub(crate) use instead::{Plan, Refused};
pub(crate) use tally::{Figure, InUnit, OfWallet};

/// How many partitions are folded at once.
const AT_ONCE: usize = 2;

/// Fold the same history under another catalogue or other rules for grants, and show what would have come of it.
///
/// Each FILE holds catalogue documents as `drawdown apply` takes them (prices with the names they replace, policies, rate cards),
/// which hold from --from on instead of what was published, and documents of the kind `grant_rules`, which change grants issued from
/// then on: of a `grant_id`, of a `category`, or `all: true`, with any of `rollover`, `expires_after`, `expires_at`, `priority`,
/// `amount` and `allowed_lateness` (null takes one out).
///
/// Nothing is appended. What is compared is what was booked from --from on, up to now: used is all that usage was charged, overage
/// what no lot covered of it, revenue the cost basis of what was consumed. Both histories are folded side by side in memory, about four
/// kilobytes for each wallet and 300 bytes for each event.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data what-if new-prices.yaml --from 2026-01-01
  drawdown --data ./data what-if rollover.yaml --from 2026-01-01 --limit 5 --json

  # rollover.yaml
  kind: grant_rules
  category: included
  rollover: {percent: \"50\"}")]
pub(crate) struct Args {
    /// Files, or directories of *.yaml, *.yml and *.json
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// From when on they hold (2026-01-31, or RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Instant,
    /// How many wallets are listed, those with the largest differences first
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let (documents, rules) = match read_what_if(&args.files) {
        Ok(read) => read,
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("{error}"));
            return Ok(Exit::Refused);
        }
    };
    let plan = Plan::new(args.from, documents, rules);
    let reading = Reading::open(context).await?;
    let (parts, behind) = match compare(&reading.log, &reading.store, plan, reading.now).await {
        Ok(compared) => compared,
        Err(error) if error.downcast_ref::<Refused>().is_some() => {
            eprintln!("drawdown: {error}");
            return Ok(Exit::Refused);
        }
        Err(error) => return Err(error),
    };
    if parts.is_empty() {
        bail!("nothing has been folded {}: run `drawdown project`", context.store_place());
    }
    context.print(&WhatIf::of(args.from, reading.now, parts, args.limit, behind))?;
    Ok(Exit::Ok)
}

/// Folds every partition as far as its projections have come; answers how many records lie behind that, too.
pub(crate) async fn compare(
    log: &Arc<Log>,
    store: &Arc<Projections>,
    plan: Plan,
    now: Instant,
) -> anyhow::Result<(Vec<Part>, u64)> {
    let plan = Arc::new(plan);
    let (mut stretches, mut behind) = (Vec::new(), 0);
    for partition in (0..log.partitions()).map(Partition) {
        let Some(head) = store.head(partition).await? else { continue };
        behind += log.end(partition).await?.0.saturating_sub(head.next.0);
        let corrected = store.corrected(partition).await?.into_iter().collect();
        stretches.push(Stretch { partition, end: head.next, log: head.log, corrected });
    }
    let total = stretches.iter().map(|stretch| stretch.end.0).sum();
    let progress = Arc::new(Progress::new("records", Some(total)));
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    // They end with whoever waits for them.
    let mut tasks = JoinSet::new();
    for stretch in stretches.into_iter().filter(|stretch| stretch.end > Offset(0)) {
        let (log, plan, progress) = (log.clone(), plan.clone(), progress.clone());
        let permits = permits.clone();
        tasks.spawn(async move {
            let _permit = permits.acquire().await.expect("the semaphore is never closed");
            let partition = stretch.partition;
            let part = fold::fold(&*log, stretch, &plan, now, |records| progress.add(records)).await?;
            anyhow::Ok((partition, part))
        });
    }
    let mut parts = BTreeMap::new();
    while let Some(task) = tasks.join_next().await {
        let (partition, part) = task.expect("folding does not panic")?;
        parts.insert(partition, part);
    }
    Ok((parts.into_values().collect(), behind))
}
