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
    end(context, std::slice::from_ref(answer))
}

/// Prints the sums of what became of many wallets' records, and how the process ends.
pub(crate) fn print_all(context: &Context, answers: &[Answer]) -> anyhow::Result<Exit> {
    context.print(&Report::of(answers))?;
    end(context, answers)
}

fn end(context: &Context, answers: &[Answer]) -> anyhow::Result<Exit> {
    let refused = || answers.iter().filter(|answer| !answer.became.as_ref().is_some_and(Became::is_well));
    if !context.json {
        for answer in refused().take(MOST) {
            if let Some((word, what)) = answer.became.as_ref().and_then(Became::why) {
                eprintln!("{}: {word}: {what}", answer.wallet);
            }
        }
        if let Some(more) = refused().count().checked_sub(MOST).filter(|more| *more > 0) {
            eprintln!("and {more} more: --json shows all");
        }
    }
    Ok(if refused().next().is_none() { Exit::Ok } else { Exit::Refused })
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

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    counts: BTreeMap<&'static str, usize>,
    booked: Vec<Booked>,
    refusals: Vec<&'a Answer>,
}

/// What was booked of a unit by entries of a kind.
#[derive(Serialize)]
struct Booked {
    kind: &'static str,
    unit: String,
    amount: Amount,
}

impl<'a> Report<'a> {
    fn of(answers: &'a [Answer]) -> Self {
        let mut counts: BTreeMap<&'static str, usize> = Became::WORDS.iter().map(|word| (*word, 0)).collect();
        let mut sums: BTreeMap<(&'static str, &str), Amount> = BTreeMap::new();
        for answer in answers {
            *counts.entry(answer.became.as_ref().map_or("refused", Became::word)).or_default() += 1;
            for entry in &answer.entries {
                sums.entry((entry.kind, &entry.unit)).or_default().add(entry.amount);
            }
        }
        let booked =
            sums.into_iter().map(|((kind, unit), amount)| Booked { kind, unit: unit.to_owned(), amount });
        let refusals = answers.iter().filter(|answer| !answer.became.as_ref().is_some_and(Became::is_well));
        Self { counts, booked: booked.collect(), refusals: refusals.collect() }
    }
}

impl fmt::Display for Report<'_> {
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
