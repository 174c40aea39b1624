//! `drawdown keys`: the keys of the HTTP API.

mod create;
mod ends;
mod list;
mod revoke;
mod rotate;
mod token;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use ledger::{ApiKey, Instant};
use projector::Published;

use crate::applying::{Became, apply};
use crate::context::Context;
use crate::documents::{Body, Document, explain_rejection};
use crate::exit::Exit;
use crate::keys::{self, Keyring, Scopes, SecretPlace, Standing, Token};
use crate::view::Reading;

/// Make, list, revoke and rotate the keys of the HTTP API.
///
/// A key is shown once, when it is made: the log has its hash under the servers' secret, and nothing else does. What is said here is
/// in force on every node within a second.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data keys create --scope ingest,read --description 'the image service'
  drawdown --data ./data keys rotate k3f9a0c27b1de --overlap P7D")]
pub(crate) struct Args {
    #[command(flatten)]
    secret: SecretPlace,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Create(create::Args),
    List(list::Args),
    Revoke(revoke::Args),
    Rotate(rotate::Args),
    Token(token::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    match args.action {
        Action::Create(create) => create::run(create, &args.secret, context).await,
        Action::List(list) => list::run(list, context).await,
        Action::Revoke(revoke) => revoke::run(revoke, context).await,
        Action::Rotate(rotate) => rotate::run(rotate, &args.secret, context).await,
        Action::Token(token) => token::run(token, &args.secret, context).await,
    }
}

/// A new key; none, which is told, if the log does not take it.
pub(crate) async fn make(
    context: &Context,
    secret: &SecretPlace,
    scopes: Scopes,
    description: Option<String>,
    expires_at: Option<Instant>,
) -> anyhow::Result<Option<String>> {
    let token = Token::fresh().context("the system has no randomness to make a key of")?;
    let (made, key) = keys::make(&token, &secret.open(context)?, scopes, description, expires_at);
    Ok(publish(context, vec![(made.id, key)]).await?.then_some(made.key))
}

/// All keys that are in the log now, folded or not.
async fn keyring(context: &Context) -> anyhow::Result<Keyring> {
    let reading = Reading::open(context).await?;
    let mut published = Published::open(reading.log, reading.store).await?;
    while published.step().await? {}
    Ok(Keyring::of(published.catalogue()))
}

/// The key of this id; none, which is told, if there is none.
fn known<'a>(keyring: &'a Keyring, id: &str) -> Option<&'a Standing> {
    let found = keyring.get(id);
    if found.is_none() {
        eprintln!("there is no key {id}: `drawdown keys list` shows all");
    }
    found
}

/// Publishes keys, all or none; returns when every partition has them. Answers whether they were taken; if not, it is told why.
async fn publish(context: &Context, keys: Vec<(String, ApiKey)>) -> anyhow::Result<bool> {
    let mut documents = Vec::with_capacity(keys.len());
    for (name, key) in keys {
        let body = Body::Catalogue { kind: "key", name, body: serde_json::to_string(&key)?, time: None };
        documents.push(Document { file: PathBuf::new(), line: 0, body });
    }
    let log = context.open_log().await?;
    let mut taken = true;
    for became in apply(context, &log, &documents, false).await? {
        match became {
            Became::Appended | Became::Unchanged => {}
            Became::Rejected(why) => {
                eprintln!("{why}: {}", explain_rejection(&why));
                taken = false;
            }
            Became::LeftOut => taken = false,
        }
    }
    Ok(taken)
}
