//! What each command that writes does, and what it says of bad input: the real process, on a real directory.
#![allow(clippy::unwrap_used)]

mod apply;
mod changes;
mod corrections;
mod drawdown;
mod fold_version;
mod folding;
mod full;
mod halts;
mod holds;
mod ingest;
mod keys;
mod place;
mod project;
mod rerating;
mod shell;
