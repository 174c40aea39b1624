//! `drawdown status`: where each partition stands, and who folds it.

use std::fmt;

use anyhow::bail;
use eventlog::EventLog;
use ledger::{Instant, Offset, Partition};
use projector::ProjectorError;
use serde::{Deserialize, Serialize};
use store::{Projections, Store};

use crate::context::Context;
use crate::exit::Exit;
use crate::outbound;
use crate::view::{Align, Table, number};

/// Show where each partition stands: who folds it, how far behind it is, its digest, and why it stands still where it does.
///
/// Where a partition cannot be folded on by this build, as with another log or a record of a newer build, the exit code is 6.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data status")]
pub(crate) struct Args {
    /// Show too how far this topic has got, which the role outbound of `run` writes
    #[arg(long, value_name = "TOPIC")]
    pub(crate) to_topic: Option<String>,
}

#[derive(Serialize)]
struct Report {
    log: String,
    nodes: Vec<String>,
    partitions: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    partition: u32,
    /// The node that folds it; none if nobody does.
    owner: Option<String>,
    /// Which acquisition of the partition may commit.
    epoch: i64,
    /// The next record to fold.
    offset: u64,
    /// How many records of the log are not folded yet …
    lag: u64,
    /// … and for how many seconds the first of them has been there.
    lag_seconds: f64,
    /// The latest instant at which a folded record was recorded.
    clock: Option<Instant>,
    digest: String,
    /// Why it cannot be folded on, until somebody mends that.
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
    /// The last record of which the outbound topic has something; none if it has nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Some(log) = context.open_log_if_any().await? else {
        bail!("there is no log {}: make one with `drawdown init`", context.log_place());
    };
    let id = projector::log_id(&*log).await?;
    let store = context.open_store_read_only(log.partitions()).await?;
    let fleet = match &store {
        Some(store) => store.fleet().await?,
        None => store::Fleet::default(),
    };
    let sent = match &args.to_topic {
        Some(topic) => outbound::reached(topic, context, (&id, log.partitions())).await?,
        None => vec![None; log.partitions() as usize],
    };
    let mut partitions = Vec::new();
    for partition in (0..log.partitions()).map(Partition) {
        let lease = fleet.leases.iter().find(|lease| lease.partition == partition && lease.lives_ms > 0);
        let owner = lease.map(|lease| lease.owner.clone());
        let part = part(&*log, &id, store.as_ref(), partition, owner, context.now()).await?;
        partitions.push(Part { sent: sent[partition.0 as usize].map(|offset| offset.0), ..part });
    }
    let is_halted = partitions.iter().any(|part| part.halted.is_some());
    context.print(&Report { log: id, nodes: fleet.nodes, partitions })?;
    Ok(if is_halted { Exit::Halted } else { Exit::Ok })
}

async fn part<L: EventLog>(
    log: &L,
    log_id: &str,
    store: Option<&Projections>,
    partition: Partition,
    owner: Option<String>,
    now: Instant,
) -> anyhow::Result<Part> {
    let head = match store {
        Some(store) => store.head(partition).await?,
        None => None,
    };
    let next = head.as_ref().map_or(Offset(0), |head| head.next);
    let lag = log.end(partition).await?.0.saturating_sub(next.0);
    let halted = match &head {
        Some(head) => projector::halted(log, head, log_id).await?,
        None => None,
    };
    let mut lag_seconds = 0.0;
    if lag > 0 && !matches!(halted, Some(ProjectorError::Log(_))) {
        let waiting = log.read(partition, next, 1).await?;
        if let Some(recorded_at) = (!waiting.is_empty()).then(|| recorded_at(waiting.get(0))).flatten() {
            let millis = (now.0 - recorded_at.0).max(0) / 1_000_000;
            #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
            let seconds = millis as f64 / 1_000.0;
            lag_seconds = seconds;
        }
    }
    let hex = |digest: [u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Part {
        partition: partition.0,
        owner,
        epoch: head.as_ref().map_or(0, |head| head.epoch),
        offset: next.0,
        lag,
        lag_seconds,
        clock: head.as_ref().filter(|head| head.clock > 0).map(|head| Instant(head.clock)),
        digest: head.map(|head| hex(head.digest)).unwrap_or_default(),
        halted: halted.map(|error| format!("{:#}", anyhow::Error::from(error))),
        sent: None,
    })
}

/// When a record was recorded, one of a newer build too.
fn recorded_at(bytes: &[u8]) -> Option<Instant> {
    #[derive(Deserialize)]
    struct Stamped {
        recorded_at: Instant,
    }
    serde_json::from_slice::<Stamped>(bytes).ok().map(|stamped| stamped.recorded_at)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "log {}", self.log)?;
        let mut table = Table::new([
            ("partition", Align::Right),
            ("owner", Align::Left),
            ("epoch", Align::Right),
            ("offset", Align::Right),
            ("lag", Align::Right),
            ("seconds", Align::Right),
            ("clock", Align::Left),
            ("digest", Align::Left),
            ("sent", Align::Right),
        ]);
        for part in &self.partitions {
            table.add([
                part.partition.to_string(),
                part.owner.clone().unwrap_or_else(|| "nobody".to_owned()),
                part.epoch.to_string(),
                number(part.offset),
                number(part.lag),
                format!("{:.1}", part.lag_seconds),
                part.clock.map(|clock| clock.to_string()).unwrap_or_default(),
                part.digest.get(..16).unwrap_or_default().to_owned(),
                part.sent.map(number).unwrap_or_default(),
            ]);
        }
        write!(f, "{table}")?;
        for part in &self.partitions {
            if let Some(why) = &part.halted {
                writeln!(f, "partition {} stands still: {why}", part.partition)?;
            }
        }
        let nodes = if self.nodes.is_empty() { "none".to_owned() } else { self.nodes.join(", ") };
        writeln!(f, "nodes: {nodes}")
    }
}
