//! Why: a record with what it met and did, or a lot from its grant to its end.

mod charges;
mod lot;
mod price;
mod record;
mod target;
mod words;

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::view::history::Known;
use crate::view::{NoAnswer, Reading};
use lot::OfLot;
use record::OfRecord;
use target::Target;

pub(crate) use words::RecordNow;

/// What is explained.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Explanation {
    Record(Box<OfRecord>),
    Lot(Box<OfLot>),
}

impl Explanation {
    /// Explains what `about` names in a wallet: a record or an entry by position, a usage by its id, a lot by its name.
    ///
    /// # Errors
    ///
    /// If it names nothing of the wallet's, or more than one thing.
    pub(crate) async fn read(
        reading: &Reading,
        wallet: &str,
        about: &str,
        source: Option<&str>,
    ) -> anyhow::Result<Self> {
        let known = Known::read(reading, wallet, None, &[]).await?;
        let target = target::find(&known, about, source).map_err(|error| NoAnswer(error.to_string()))?;
        Ok(match target {
            Target::Lot(id) => Self::Lot(Box::new(OfLot::new(&known, &id)?)),
            Target::Record { offset, line } => {
                Self::Record(Box::new(OfRecord::read(reading, &known, offset, line).await?))
            }
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => record.fmt(f),
            Self::Lot(lot) => lot.fmt(f),
        }
    }
}
