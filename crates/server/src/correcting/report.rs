//! What corrections came to, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;

use ledger::Amount;
use serde::Serialize;

use super::{Answer, Became};
use crate::context::Context;
use crate::exit::Exit;
use crate::view::{Align, Table};

/// So many refusals are shown to people.
const MOST: usize = 50;

/// Prints what became of one wallet's record, and how the process ends.
pub(crate) fn print_one(context: &Context, answer: &Answer) -> anyhow::Result<Exit> {
    context.print(answer)?;
    let is_well = answer.became.as_ref().is_some_and(Became::is_well);
    Ok(end(context, if is_well { &[] } else { std::slice::from_ref(answer) }))
}

fn end(context: &Context, refused: &[Answer]) -> Exit {
    if !context.json {
        for answer in refused.iter().take(MOST) {
            if let Some((word, what)) = answer.became.as_ref().and_then(Became::why) {
                eprintln!("{}: {word}: {what}", answer.wallet);
            }
        }
        if let Some(more) = refused.len().checked_sub(MOST).filter(|more| *more > 0) {
            eprintln!("and {more} more: --json shows all");
        }
    }
    if refused.is_empty() { Exit::Ok } else { Exit::Refused }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.wallet, self.record)?;
        if let Some(position) = self.position {
            write!(f, " at {position}")?;
        }
        match &self.became {
            Some(Became::Duplicate(of)) => writeln!(f, ": duplicate of {of}, nothing changed")?,
            Some(Became::Refused(..)) => writeln!(f, ": not appended")?,
            Some(Became::Approved(answer)) => writeln!(f, ": approved {answer}")?,
            Some(became) => writeln!(f, ": {}", became.word())?,
            None => writeln!(f)?,
        }
        let mut table = Table::new([
            ("kind", Align::Left),
            ("amount", Align::Right),
            ("unit", Align::Left),
            ("from", Align::Left),
            ("to", Align::Left),
            ("available", Align::Right),
        ]);
        for entry in &self.entries {
            table.add([
                entry.kind.to_owned(),
                entry.amount.to_string(),
                entry.unit.clone(),
                entry.debit.clone(),
                entry.credit.clone(),
                entry.available_after.to_string(),
            ]);
        }
        if table.is_empty() && self.became == Some(Became::Applied) {
            writeln!(f, "  it books nothing")?;
        }
        write!(f, "{table}")
    }
}

/// The sums of what became of many wallets' records.
#[derive(Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    counts: BTreeMap<&'static str, u64>,
    booked: Vec<Booked>,
    refusals: Vec<Answer>,
}

/// What was booked of a unit by entries of a kind.
#[derive(Serialize)]
struct Booked {
    kind: &'static str,
    unit: String,
    amount: Amount,
}

impl Default for Report {
    fn default() -> Self {
        let counts = Became::WORDS.iter().map(|word| (*word, 0)).collect();
        Self { counts, booked: Vec::new(), refusals: Vec::new() }
    }
}

impl Report {
    /// Takes in what became of a record.
    pub(crate) fn add(&mut self, answer: Answer) {
        let word = answer.became.as_ref().map_or("refused", Became::word);
        *self.counts.entry(word).or_default() += 1;
        for entry in &answer.entries {
            let same = |b: &&mut Booked| b.kind == entry.kind && b.unit == entry.unit;
            match self.booked.iter_mut().find(same) {
                Some(booked) => booked.amount.add(entry.amount),
                None => {
                    let (kind, unit, amount) = (entry.kind, entry.unit.clone(), entry.amount);
                    self.booked.push(Booked { kind, unit, amount });
                }
            }
        }
        if !answer.became.as_ref().is_some_and(Became::is_well) {
            self.refusals.push(answer);
        }
    }

    /// Prints it, and how the process ends.
    pub(crate) fn print(&self, context: &Context) -> anyhow::Result<Exit> {
        context.print(self)?;
        Ok(end(context, &self.refusals))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in Became::WORDS {
            writeln!(f, "{word:<12} {:>12}", self.counts[word])?;
        }
        let mut table =
            Table::new([("booked", Align::Left), ("amount", Align::Right), ("unit", Align::Left)]);
        for Booked { kind, unit, amount } in &self.booked {
            table.add([(*kind).to_owned(), amount.to_string(), unit.clone()]);
        }
        write!(f, "{table}")
    }
}
