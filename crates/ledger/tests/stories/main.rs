//! What is promised to a customer, as tables of dates and deeds, one file for each part of the rules.
#![allow(clippy::unwrap_used)]

#[path = "../book/mod.rs"]
mod book;
mod scenario;
mod story;

mod back;
mod burning;
mod calendar;
mod changes;
mod documents;
mod explained;
mod grants;
mod holds;
mod holds_after;
mod holds_declined;
mod holds_ended;
mod holds_settled;
mod identity;
mod late;
mod matching;
mod months;
mod numbers;
mod overage;
mod prices;
mod quiet;
mod records;
mod recurrence;
mod refusals;
mod rerating;
mod rerating_lots;
mod reset;
mod reset_times;
mod reversal;
mod reversal_overage;
mod rollover;
mod tiers;
mod times;
mod versions;
mod void;
mod void_back;
mod year;
