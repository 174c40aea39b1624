//! What is asked about.

use anyhow::{bail, ensure};
use ledger::{Offset, Outcome};

use crate::view::history::{Known, Recorded};

/// A lot, or a record and perhaps one of its entries.
pub(crate) enum Target {
    Lot(String),
    Record { offset: Offset, line: Option<u32> },
}

/// Finds what a text names in a wallet: a lot, a position (`P:N`, `N`; an entry has `.line` behind it), or a record's id.
pub(crate) fn find(known: &Known, text: &str, source: Option<&str>) -> anyhow::Result<Target> {
    if source.is_none() && (known.lot(text).is_some() || known.quiet(known.at).any(|lot| *lot.id == *text)) {
        return Ok(Target::Lot(text.to_owned()));
    }
    if source.is_none()
        && let Some((partition, offset, line)) = position(text)
    {
        let here = known.partition;
        if let Some(partition) = partition {
            ensure!(partition == here.0, "the wallet `{}` has its records in partition {here}", known.id);
        }
        if let Some(record) = known.records.iter().find(|record| record.at.offset == offset) {
            let has_line = line.is_none_or(|line| record.entries.iter().any(|entry| entry.line == line));
            ensure!(
                has_line,
                "the record at {} has {} entries: count from 0",
                record.at,
                record.entries.len()
            );
            return Ok(Target::Record { offset, line });
        }
        ensure!(
            partition.is_none() && line.is_none(),
            "the record at {here}:{offset} is not of the wallet `{}`: see `drawdown ledger {0}`",
            known.id
        );
    }
    by_id(known, text, source)
}

fn by_id(known: &Known, id: &str, source: Option<&str>) -> anyhow::Result<Target> {
    let is_named = |name: &str, by: &str| name == id && source.is_none_or(|source| by == source);
    let is_usage =
        |r: &Recorded| r.usage.is_some() && r.about.as_ref().is_some_and(|(id, by)| is_named(id, by));
    let is_it = |r: &&Recorded| is_named(&r.id, &r.source) || is_usage(r);
    let is_first = |r: &&Recorded| !matches!(r.outcome, Some(Outcome::Duplicate(_) | Outcome::Conflict(_)));
    let found: Vec<&Recorded> = known.records.iter().filter(is_it).filter(is_first).collect();
    match found.as_slice() {
        [record] => Ok(Target::Record { offset: record.at.offset, line: None }),
        [] => bail!(
            "nothing of the wallet `{}` is called {id:?}: name a usage by its id, a record by its position, an entry as \
             0:14.2, a lot as plan#1; see `drawdown ledger {0}` and `drawdown usage {0}`",
            known.id
        ),
        several => {
            let all: Vec<String> = several.iter().map(|r| format!("{} of {}", r.at, r.source)).collect();
            bail!("{} records have the id {id:?}: {}. Name one by its position", all.len(), all.join(", "))
        }
    }
}

/// `P:N`, `N`, and a line behind either of them: `P:N.line`, or `P:N:line` as the ledger shows it.
fn position(text: &str) -> Option<(Option<u32>, Offset, Option<u32>)> {
    let (place, line) = match text.split_once('.') {
        Some((place, line)) => (place, Some(line)),
        None => match text.match_indices(':').nth(1) {
            Some((at, _)) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        },
    };
    let (partition, offset) = match place.split_once(':') {
        Some((partition, offset)) => (Some(partition.parse().ok()?), offset),
        None => (None, place),
    };
    let line = match line {
        Some(line) => Some(line.parse().ok()?),
        None => None,
    };
    Some((partition, Offset(offset.parse().ok()?), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_shown() {
        let shown = |text| position(text).map(|(partition, offset, line)| (partition, offset.0, line));
        assert_eq!(shown("0:14"), Some((Some(0), 14, None)));
        assert_eq!(shown("14"), Some((None, 14, None)));
        assert_eq!(shown("0:14.2"), Some((Some(0), 14, Some(2))));
        assert_eq!(shown("0:14:2"), Some((Some(0), 14, Some(2))));
        assert_eq!(shown("14.2"), Some((None, 14, Some(2))));
        assert_eq!(shown("chat-14"), None);
        assert_eq!(shown("0:14:2:3"), None);
    }
}
