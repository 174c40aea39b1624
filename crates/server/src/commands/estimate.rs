//! `drawdown estimate`: what an event would cost.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ingest::Stamp;
use serde_json::value::{RawValue, to_raw_value};

use crate::context::Context;
use crate::exit::Exit;
use crate::view::Reading;
use crate::view::estimate::Estimate;

/// Show what an event would cost now, which lots would pay it, and how many more such the wallet could pay.
///
/// The event is priced and charged on a copy of the wallet; nothing is appended. Its `id`, `source` and `specversion` may be left out,
/// and its time is now, whatever it says.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  drawdown --data ./data estimate wallet-000034 event.json
  echo '{"type": "image.generated", "data": {"images": 4}}' | drawdown --data ./data estimate wallet-000034 -"#)]
pub(crate) struct Args {
    /// The wallet's id
    wallet: String,
    /// A CloudEvent as the product would send it; - for the standard input
    event: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, event } = args;
    let text = read(&event)?;
    let reading = Reading::open(context).await?;
    let now = reading.wallet(&wallet).await?;
    let event = addressed(&text, &wallet).with_context(|| format!("{} is no event", event.display()))?;
    // The wallet's clock may be a little ahead of this machine's.
    let stamp = Stamp { now: now.wallet.clock.max(reading.now), by: "operator", backfill: false };
    let record = match ingest::usage(&event, &stamp) {
        Ok(record) => record,
        Err(refusal) => {
            eprintln!("drawdown: the event would be refused: {refusal}");
            return Ok(Exit::Refused);
        }
    };
    context.print(&Estimate::of(&now, &record.bytes)?)?;
    Ok(Exit::Ok)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(text)
}

/// The event as if the product had sent it now for this wallet.
fn addressed(text: &str, wallet: &str) -> anyhow::Result<Vec<u8>> {
    let mut event: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(text).context("it is one JSON object: {\"type\": …, \"data\": …}")?;
    let named = event.get("wallet").map(|named| serde_json::from_str::<String>(named.get()));
    if named.is_some_and(|named| named.ok().as_deref() != Some(wallet)) {
        bail!("it names another wallet than `{wallet}`: leave its `wallet` out, or estimate for that one");
    }
    for (name, value) in [("specversion", "1.0"), ("id", "estimate"), ("source", "drawdown estimate")] {
        event.entry(name.to_owned()).or_insert(to_raw_value(value)?);
    }
    event.insert("wallet".to_owned(), to_raw_value(wallet)?);
    event.remove("time");
    Ok(serde_json::to_vec(&event)?)
}
