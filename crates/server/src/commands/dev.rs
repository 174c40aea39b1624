//! `drawdown dev`: a server to try things on, in one step.

use std::fmt;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use serde::Serialize;

use super::keys;
use super::run;
use crate::applying::{Became, apply};
use crate::context::Context;
use crate::documents;
use crate::exit::Exit;
use crate::http::{ListenArgs, Serving};
use crate::keys::SecretPlace;
use crate::places::{LogPlace, StorePlace};

/// What the sample sells: chat by the token, pictures by the piece.
const SAMPLE: &str = include_str!("sample.yaml");
/// Where its data is, if nobody says.
const DATA: &str = "./drawdown-dev";
/// How long its key lives.
const KEY_LIVES: i64 = 24 * 3_600_000_000_000;

/// Serve the API with sample data, to try it: prints the address, a key, and requests that work.
///
/// What is there from the last time stays: it goes on with it. The key is a new one each time, and lives for a day.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown dev --listen 127.0.0.1:8420")]
pub(crate) struct Args {
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    secret: SecretPlace,
}

/// What somebody needs who tries it.
#[derive(Serialize)]
struct Hello {
    serves: String,
    key: String,
    data: PathBuf,
    wallet: &'static str,
    /// An id that no hold has yet.
    hold: String,
}

impl fmt::Display for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { serves, key, data, wallet, hold } = self;
        writeln!(f, "serves {serves}")?;
        writeln!(f, "key    {key}")?;
        writeln!(f, "data   {}", data.display())?;
        writeln!(f, "docs   {serves}/docs\n")?;
        writeln!(f, "May this go ahead? Credits are set aside for it:\n")?;
        writeln!(
            f,
            "  curl {serves}/v1/wallets/{wallet}/holds -H 'Authorization: Bearer {key}' -H 'Idempotency-Key: {hold}' \\\n    -d '{{\"event\": {{\"type\": \"chat.completion\", \"data\": {{\"input_tokens\": 2000, \"output_tokens\": 4000}}}}}}'\n"
        )?;
        writeln!(f, "It is done, and took less:\n")?;
        writeln!(
            f,
            "  curl {serves}/v1/holds/{hold}/settle -H 'Authorization: Bearer {key}' \\\n    -d '{{\"wallet\": \"{wallet}\", \"event\": {{\"type\": \"chat.completion\", \"data\": {{\"input_tokens\": 2000, \"output_tokens\": 700}}}}}}'\n"
        )?;
        writeln!(f, "What is left?\n")?;
        writeln!(f, "  curl {serves}/v1/wallets/{wallet} -H 'Authorization: Bearer {key}'\n")?;
        writeln!(f, "Ctrl-C ends it.")
    }
}

pub(crate) async fn run(args: Args, data: Option<PathBuf>, context: &Context) -> anyhow::Result<Exit> {
    if !matches!((&context.log, &context.store), (LogPlace::Directory, StorePlace::Directory)) {
        bail!("dev has its own log and projections: leave --log and --store out, or use `serve`");
    }
    let context = Context { data: data.unwrap_or_else(|| DATA.into()), ..context.clone() };
    context.create_directory()?;
    let serving = Serving::open(&args.listen, &args.secret, &context).await?;
    let file = context.data.join("sample.yaml");
    std::fs::write(&file, SAMPLE)?;
    let documents =
        documents::read(&[file]).map_err(|errors| anyhow!("the sample is not read: {errors:?}"))?;
    let log = context.open_log().await?;
    let became = apply(&context, &log, &documents, false).await?;
    log.close().await?;
    if became.iter().any(|b| !matches!(b, Became::Appended | Became::Unchanged)) {
        let data = context.data.display();
        bail!("the sample does not go with what is in {data}: give another --data, or remove it");
    }
    let expires_at = Some(context.now().plus(KEY_LIVES));
    let scopes = "ingest,authorize,read,admin".parse().map_err(|e| anyhow!("{e}"))?;
    let Some(key) = keys::make(&context, &args.secret, scopes, Some("dev".into()), expires_at).await? else {
        bail!("no key could be made");
    };
    let (data, hold) = (context.data.clone(), format!("try-{}", &context.fresh_id()[..6]));
    let hello = Hello { serves: serving.url()?, key, data, wallet: "acme", hold };
    context.print(&hello)?;
    run::with_server(serving, &context).await
}
