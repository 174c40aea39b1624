//! `drawdown project`: folds what is new.

use std::fmt;

use ledger::Instant;
use serde::Serialize;
use store::rows::Counts;

use crate::context::Context;
use crate::exit::Exit;
use crate::projecting::Projecting;
use crate::stop::Stop;

/// Fold what is new in the log into balances and ledger, and count what became of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data project")]
pub(crate) struct Args {
    /// Go on with what comes, until stopped
    #[arg(long)]
    follow: bool,
}

/// What became of the records folded, and where each partition stands now.
#[derive(Serialize)]
pub(crate) struct Report {
    applied: u64,
    duplicate: u64,
    conflicting: u64,
    rejected: u64,
    quarantined: u64,
    timers: u64,
    /// Of those applied: usage without a price.
    unpriced: u64,
    positions: Vec<Stands>,
    /// When the first record will be folded that was recorded ahead of this machine's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_until: Option<Instant>,
}

#[derive(Serialize)]
struct Stands {
    partition: u32,
    /// The next record to fold.
    offset: u64,
}

impl Report {
    pub(crate) fn new(projecting: &Projecting, waits_until: Option<Instant>) -> Self {
        let Counts { applied, duplicate, conflict, rejected, quarantined, timers, unpriced } =
            projecting.counts();
        let stands =
            |p: &projector::Projector<_, _>| Stands { partition: p.partition().0, offset: p.next().0 };
        let positions = projecting.projectors().each().iter().map(stands).collect();
        Self {
            applied,
            duplicate,
            conflicting: conflict,
            rejected,
            quarantined,
            timers,
            unpriced,
            positions,
            waits_until,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            ("applied", self.applied),
            ("duplicate", self.duplicate),
            ("conflicting", self.conflicting),
            ("rejected", self.rejected),
            ("quarantined", self.quarantined),
            ("timers", self.timers),
            ("unpriced", self.unpriced),
        ];
        for (word, count) in counts {
            writeln!(f, "{word:<12} {count:>12}")?;
        }
        for Stands { partition, offset } in &self.positions {
            writeln!(f, "partition {partition:<2} {offset:>12}")?;
        }
        if let Some(until) = self.waits_until {
            writeln!(
                f,
                "the next record was recorded at {until}, ahead of this machine's clock, and waits till then"
            )?;
        }
        Ok(())
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let lock = context.lock_projector()?;
    let log = context.open_log().await?;
    let mut projecting = Projecting::open(context, log, lock).await?;
    let waits_until = if args.follow {
        projecting.follow(context, &mut Stop::on_signal()?).await?;
        None
    } else {
        projecting.catch_up(context).await?
    };
    let report = Report::new(&projecting, waits_until);
    projecting.close().await?;
    context.print(&report)?;
    Ok(Exit::Ok)
}
