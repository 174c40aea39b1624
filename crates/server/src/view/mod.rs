//! What the commands that read show, true as of a moment: built from log and projections, printed as text or as JSON.
//!
//! A report is a value that is `Serialize` (JSON: amounts as decimal strings, times as RFC 3339) and `Display` (text for
//! people). What time alone has done since a wallet's last record is in it, whether or not a scheduler ran.

pub(crate) mod balance;
pub(crate) mod diff;
pub(crate) mod divergence;
pub(crate) mod entry;
pub(crate) mod estimate;
pub(crate) mod explain;
pub(crate) mod forecast;
pub(crate) mod grants;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod meter;
pub(crate) mod monthly;
pub(crate) mod net;
mod order;
mod reading;
mod show;
pub(crate) mod statement;
pub(crate) mod step;
pub(crate) mod sums;
mod table;
pub(crate) mod units;
pub(crate) mod usage;
pub(crate) mod wallets;
pub(crate) mod what_if;

pub(crate) use reading::{AsOf, NoAnswer, NoSuchWallet, Reading, WalletNow};
pub(crate) use show::{behind, moment, number, when};
pub(crate) use table::{Align, Table};
