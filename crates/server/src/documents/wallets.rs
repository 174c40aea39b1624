//! The wallets that a document is for: one, a list, or a range such as `wallet-{000..199}`.

use super::node::{Field, Node, Problem, Value};

/// Most wallets of one document.
const MOST_WALLETS: usize = 100_000;

/// Each wallet that the field names, in order.
pub(super) fn wallets(field: &Field) -> Result<Vec<String>, Problem> {
    let mut wallets = Vec::new();
    match &field.value.value {
        Value::List(items) => {
            for (i, item) in items.iter().enumerate() {
                add(item, &format!("wallet[{i}]"), &mut wallets)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
            add(&field.value, "wallet", &mut wallets)?;
        }
    }
    if wallets.is_empty() {
        return Err(Problem::new(field.line, "wallet", "names no wallet: write one at least"));
    }
    Ok(wallets)
}

fn add(node: &Node, path: &str, wallets: &mut Vec<String>) -> Result<(), Problem> {
    let refused = |what: String| Problem::new(node.line, path, what);
    let text = match &node.value {
        Value::Text(text) => text,
        Value::Number(literal) => {
            return Err(refused(format!("a wallet's id is text: write it in quotes: \"{literal}\"")));
        }
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => {
            return Err(refused(
                "write a wallet's id, a range such as \"w-{000..199}\", or a list of them".into(),
            ));
        }
    };
    let before = wallets.len();
    match range(text).map_err(&refused)? {
        Some((head, numbers, width, tail)) => {
            let room = u64::try_from(MOST_WALLETS - before).expect("a small number");
            if numbers.end() - numbers.start() >= room {
                return Err(refused(format!(
                    "names more than {MOST_WALLETS} wallets: write several documents"
                )));
            }
            wallets.extend(numbers.map(|n| format!("{head}{n:0width$}{tail}")));
        }
        None if before == MOST_WALLETS => {
            return Err(refused(format!("names more than {MOST_WALLETS} wallets: write several documents")));
        }
        None => wallets.push(text.clone()),
    }
    wallets[before..].iter().try_for_each(|w| id(w)).map_err(refused)
}

type Range<'a> = (&'a str, std::ops::RangeInclusive<u64>, usize, &'a str);

/// `head{from..to}tail`, and to how many digits the numbers are filled up.
fn range(text: &str) -> Result<Option<Range<'_>>, String> {
    if !text.contains(['{', '}']) {
        return Ok(None);
    }
    let parts = || {
        let (head, rest) = text.split_once('{')?;
        let (bounds, tail) = rest.split_once('}')?;
        let (from, to) = bounds.split_once("..")?;
        let digits = |s: &str| !s.is_empty() && s.len() <= 18 && s.bytes().all(|b| b.is_ascii_digit());
        (digits(from) && digits(to) && !tail.contains(['{', '}'])).then_some((head, from, to, tail))
    };
    let Some((head, from, to, tail)) = parts() else {
        return Err(format!("braces hold one range of numbers, as in \"w-{{000..199}}\", not {text:?}"));
    };
    let number = |s: &str| s.parse::<u64>().expect("at most 18 digits");
    let filled = from.len() > 1 && from.starts_with('0');
    if number(from) > number(to) {
        return Err(format!("the range goes backwards: write {{{to}..{from}}}"));
    }
    if filled && from.len() != to.len() {
        return Err(format!(
            "write both ends with the same number of digits: {{{from}..{to:0>width$}}}",
            width = from.len()
        ));
    }
    Ok(Some((head, number(from)..=number(to), if filled { from.len() } else { 0 }, tail)))
}

/// Holds an id to what a record may carry.
pub(super) fn id(text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
        return Err("is 1 to 256 bytes long and has no control characters: write another".into());
    }
    Ok(())
}
