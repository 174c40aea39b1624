//! `drawdown rebuild`: makes the projections again from the log.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use eventlog::{EventLog, Log};
use ledger::{Offset, Partition};
use projector::Projector;
use serde::Serialize;
use store::rows::Head;
use store::{Projections, SqliteStore, Store};

use super::project::Report;
use crate::context::Context;
use crate::exit::Exit;
use crate::places::{Databases, StorePlace};
use crate::progress::Progress;
use crate::projecting::Projecting;
use crate::upto::UpTo;
use crate::view::{Align, Table, number};

/// Drop the projections and make them again from the log; or make them beside the live ones, and compare.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data rebuild
  drawdown --data ./data rebuild --shadow")]
pub(crate) struct Args {
    /// Make them beside the live ones, compare digests, chains and counts, and remove them again; works beside `run`
    #[arg(long)]
    shadow: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    if args.shadow {
        return shadow(context).await;
    }
    let lock = context.lock_projector()?;
    let Some(log) = context.open_log_if_any().await? else {
        bail!("there is no log {} to rebuild from", context.log_place());
    };
    if let StorePlace::Postgres(_) = context.store {
        // Nobody folds what is dropped.
        Projecting::open(context, log.clone(), context.lock_projector()?).await?.release().await?;
    }
    context.drop_store().await?;
    let mut projecting = Projecting::open(context, log, lock).await?;
    let waits_until = projecting.catch_up(context).await?;
    let report = Report::new(&projecting, waits_until);
    projecting.close().await?;
    context.print(&report)?;
    Ok(Exit::Ok)
}

/// What the comparison of the live projections with new ones came to.
#[derive(Serialize)]
struct Compared {
    equal: bool,
    partitions: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    partition: u32,
    /// Up to which record they were compared.
    offset: u64,
    equal: bool,
    digest: String,
    chain: String,
    /// What differs, where something does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<&'static str>,
}

async fn shadow(context: &Context) -> anyhow::Result<Exit> {
    let Some(log) = context.open_log_if_any().await? else {
        bail!("there is no log {} to rebuild from", context.log_place());
    };
    let Some(live) = context.open_store_read_only(log.partitions()).await? else {
        bail!("nothing has been folded {}: run `drawdown project`", context.store_place());
    };
    let mut heads = Vec::new();
    for partition in (0..log.partitions()).map(Partition) {
        heads.push(live.head(partition).await?);
    }
    live.close().await?;
    let shadow = Shadow::make(context).await?;
    let made = fold(context, &log, &shadow.store, &heads).await;
    shadow.remove().await?;
    let made = made?;
    let partitions: Vec<Part> =
        heads.iter().flatten().zip(made).map(|(live, made)| Part::new(live, &made)).collect();
    let compared = Compared { equal: partitions.iter().all(|part| part.equal), partitions };
    context.print(&compared)?;
    Ok(if compared.equal { Exit::Ok } else { Exit::Diverged })
}

/// Folds every partition up to where its live projection stands, and answers the heads.
async fn fold(
    context: &Context,
    log: &Arc<Log>,
    store: &Arc<Projections>,
    live: &[Option<Head>],
) -> anyhow::Result<Vec<Head>> {
    let ends = live.iter().map(|head| head.as_ref().map_or(Offset(0), |head| head.next)).collect::<Vec<_>>();
    let progress = Progress::new("records", Some(ends.iter().map(|end| end.0).sum()));
    let upto = Arc::new(UpTo::new(log.clone(), ends));
    let mut heads = Vec::new();
    for live in live.iter().flatten() {
        let mut projector = Projector::open(upto.clone(), store.clone(), live.partition, &live.log).await?;
        loop {
            let step = projector.step(context.now()).await?;
            progress.add(step.folded);
            if step.folded == 0 {
                break;
            }
        }
        projector.committed().await?;
        heads.push(store.head(live.partition).await?.context("a projection that was folded has a head")?);
    }
    Ok(heads)
}

/// Projections beside the live ones.
struct Shadow {
    place: Place,
    store: Arc<Projections>,
}

enum Place {
    File(PathBuf),
    Schemas(Databases),
}

impl Shadow {
    async fn make(context: &Context) -> anyhow::Result<Self> {
        let place = match &context.store {
            StorePlace::Directory => Place::File(context.data.join("projections.shadow.db")),
            StorePlace::Postgres(databases) => {
                Place::Schemas(databases.with_schema(|name| format!("{name}_shadow")))
            }
        };
        // One that a crash left behind.
        place.remove().await?;
        let store = match &place {
            Place::File(path) => SqliteStore::open(path).await.map(Projections::from),
            Place::Schemas(databases) => {
                databases.migrate().await?;
                databases.connect().await
            }
        };
        let store = store.with_context(|| format!("{place} cannot be made"))?;
        Ok(Self { place, store: Arc::new(store) })
    }

    async fn remove(self) -> anyhow::Result<()> {
        let store =
            Arc::into_inner(self.store).ok_or_else(|| anyhow!("the new projections are still in use"))?;
        store.close().await?;
        self.place.remove().await
    }
}

impl Place {
    async fn remove(&self) -> anyhow::Result<()> {
        match self {
            Self::File(path) => Ok(SqliteStore::remove(path).await?),
            Self::Schemas(databases) => Ok(databases.remove().await?),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Schemas(databases) => write!(f, "{databases}"),
        }
    }
}

impl Part {
    fn new(live: &Head, made: &Head) -> Self {
        let differs = [
            ("position", live.next != made.next),
            ("chain", live.chain != made.chain),
            ("digest", live.digest != made.digest),
            ("counts", live.counts != made.counts),
            ("wallets", live.wallets != made.wallets),
            ("clock", live.clock != made.clock),
            ("fold version", live.fold != made.fold),
        ];
        let differs: Vec<&str> =
            differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            partition: live.partition.0,
            offset: live.next.0,
            equal: differs.is_empty(),
            digest: hex(&made.digest),
            chain: hex(&made.chain),
            differs,
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new([
            ("partition", Align::Right),
            ("records", Align::Right),
            ("digest", Align::Left),
            ("chain", Align::Left),
            ("live", Align::Left),
        ]);
        for part in &self.partitions {
            let live =
                if part.equal { "equal".to_owned() } else { format!("differs: {}", part.differs.join(", ")) };
            let start = |digest: &str| digest.get(..16).unwrap_or(digest).to_owned();
            let records = number(part.offset);
            table.add([part.partition.to_string(), records, start(&part.digest), start(&part.chain), live]);
        }
        write!(f, "{table}")?;
        match self.equal {
            true => writeln!(f, "the live projections are what the log says"),
            false => writeln!(
                f,
                "the live projections are not what the log says: see `drawdown verify`, then `drawdown rebuild`"
            ),
        }
    }
}
