//! The commands, each with its arguments, what it does, and what it prints.

pub(crate) mod apply;
pub(crate) mod balance;
pub(crate) mod bench;
pub(crate) mod clear_overage;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod fold_version;
pub(crate) mod grants;
pub(crate) mod ingest;
pub(crate) mod init;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod project;
pub(crate) mod rebuild;
pub(crate) mod rerate;
pub(crate) mod reset;
pub(crate) mod reverse;
pub(crate) mod run;
pub(crate) mod suspend;
pub(crate) mod tick;
pub(crate) mod usage;
pub(crate) mod verify;
pub(crate) mod void;
pub(crate) mod wallets;
