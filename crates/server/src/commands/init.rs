//! `drawdown init`: a new log.

use std::fmt;

use serde::Serialize;

use crate::context::{Context, PARTITIONS};
use crate::exit::Exit;

/// Make a log. The other commands do so too, where there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data init --partitions 8")]
pub(crate) struct Args {
    /// In how many parts the log is folded side by side; it can never be changed
    #[arg(long, value_name = "N", default_value_t = PARTITIONS, value_parser = clap::value_parser!(u32).range(1..=1024))]
    partitions: u32,
}

#[derive(Serialize)]
struct Report {
    log: String,
    partitions: u32,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log {} with {} partitions", self.log, self.partitions)
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let log = context.create_log(args.partitions).await?;
    let id = projector::log_id(&*log).await?;
    log.close().await?;
    context.print(&Report { log: id, partitions: args.partitions })?;
    Ok(Exit::Ok)
}
