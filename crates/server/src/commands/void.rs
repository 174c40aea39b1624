//! `drawdown void`: what is left of a grant is taken.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use ingest::Correction;
use ledger::{Voided, What};

use super::reset::reason;
use crate::context::Context;
use crate::correcting::{Answer, BATCH, Correcting, Id, Report, print_one};
use crate::exit::Exit;
use crate::progress::Progress;

/// Take what is left of a grant, or of all grants of a purchase; what it paid for stays.
///
/// The same again, for the same reason, is there already and changes nothing: so a run over many wallets that broke off is begun
/// anew. Give another --id to say it once more.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data void acme --grant plan --reason \"the plan was cancelled\"
  drawdown --data ./data void acme --purchase order-1001 --what open --reason refunded
  drawdown --data ./data void --wallets wallets.txt --grant promo --what future --reason \"the campaign is over\"")]
pub(crate) struct Args {
    /// The wallet's id
    #[arg(required_unless_present = "wallets")]
    wallet: Option<String>,
    /// Instead of one wallet: a file with a wallet's id on each line; - is the standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["wallet", "id"])]
    wallets: Option<PathBuf>,
    /// The grant's id
    #[arg(long, value_name = "ID", required_unless_present = "purchase", conflicts_with = "purchase")]
    grant: Option<String>,
    /// All grants of this purchase
    #[arg(long, value_name = "ID")]
    purchase: Option<String>,
    /// Which part of what is left
    #[arg(long, value_enum, default_value_t = Part::All)]
    what: Part,
    /// Why: the rules want to know
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// The record's id: the same id again is a duplicate [default: it follows from all of the above]
    #[arg(long)]
    id: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// All of it, and whatever comes back to its lots later
    All,
    /// What remains in open lots
    Open,
    /// The lots that would begin later
    Future,
    /// What remains in lots that were carried over
    Carried,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args { wallet, wallets, grant, purchase, what, reason, id } = args;
    let what = match what {
        Part::All => What::All,
        Part::Open => What::Open,
        Part::Future => What::Future,
        Part::Carried => What::Carried,
    };
    let voided = Voided { grant_id: grant, purchase_id: purchase, what };
    let says = Correction::Void(&voided);
    let id = id.as_deref().map_or(Id::OfContent, Id::Given);
    let listed = wallets.as_deref().map(listed).transpose()?;
    let mut correcting = Correcting::open(context).await?;
    let exit = match (listed, wallet) {
        (Some(lines), _) => {
            let (wallets, refused) = sorted_out(lines, says.kind());
            let mut report = Report::default();
            refused.into_iter().for_each(|answer| report.add(answer));
            let progress = Progress::new("wallets", Some(wallets.len() as u64));
            for batch in wallets.chunks(BATCH) {
                let answers = correcting.say(batch, id, Some(&reason), says).await?;
                answers.into_iter().for_each(|answer| report.add(answer));
                progress.add(batch.len());
            }
            drop(progress);
            report.print(context)?
        }
        (None, wallet) => {
            let wallet = wallet.context("name a wallet")?;
            let answers = correcting.say(&[wallet], id, Some(&reason), says).await?;
            print_one(context, &answers[0])?
        }
    };
    correcting.close().await?;
    Ok(exit)
}

/// The lines of a file that lists wallets.
fn listed(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes.split(|byte| *byte == b'\n').map(|line| line.trim_ascii().to_vec()).collect())
}

/// The wallets on these lines, each once; and of lines that are none, why not.
fn sorted_out(lines: Vec<Vec<u8>>, kind: &'static str) -> (Vec<String>, Vec<Answer>) {
    let (mut wallets, mut refused) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for (at, line) in lines.into_iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let no_id = || {
            let shown: String = String::from_utf8_lossy(&line).chars().take(80).collect();
            let what = format!(
                "line {} holds no wallet's id (1 to 256 bytes of text without control characters)",
                at + 1
            );
            Answer::refused_as(&shown.escape_debug().to_string(), kind, "no_wallet_id", what)
        };
        match String::from_utf8(line.clone()) {
            Ok(id) if id.len() <= 256 && !id.chars().any(char::is_control) => {
                if seen.insert(id.clone()) {
                    wallets.push(id);
                }
            }
            Ok(_) | Err(_) => refused.push(no_id()),
        }
    }
    (wallets, refused)
}
