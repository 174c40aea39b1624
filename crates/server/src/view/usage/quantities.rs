//! Sums of the numbers in events' data: exact, from their literal text.

use std::collections::BTreeMap;
use std::fmt;

use ledger::{Quantity, Text};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// How deep objects within the data are looked into.
const DEPTH: u32 = 8;
/// How many fields are summed; data whose keys are ids would have any number.
const MOST_FIELDS: usize = 1_000;

/// The sum of one field's numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    above: Quantity,
    below: Quantity,
    /// Whether it, or a number in it, has more digits than can be kept exactly.
    is_lost: bool,
}

/// The sums of all number fields, by path.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Quantities(BTreeMap<String, Sum>);

/// The number fields of one event, each path with the number's literal.
pub(crate) type Numbers<'a> = Vec<(String, &'a str)>;

/// Finds the numbers in an event's data: of objects, also those within objects.
pub(crate) fn numbers(data: Option<&RawValue>) -> Numbers<'_> {
    let mut found = Vec::new();
    if let Some(data) = data {
        walk(data, "", DEPTH, &mut found);
    }
    found
}

fn walk<'a>(value: &'a RawValue, path: &str, depth: u32, found: &mut Numbers<'a>) {
    match value.get().as_bytes().first() {
        Some(b'-' | b'0'..=b'9') if !path.is_empty() => found.push((path.to_owned(), value.get())),
        Some(b'{') if depth > 0 => {
            let members: BTreeMap<Text<'a>, &'a RawValue> =
                serde_json::from_str(value.get()).unwrap_or_default();
            for (name, value) in members {
                let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                walk(value, &path, depth - 1, found);
            }
        }
        _ => {}
    }
}

impl Quantities {
    pub(crate) fn add(&mut self, numbers: &Numbers<'_>) {
        for (path, literal) in numbers {
            let is_full = self.0.len() >= MOST_FIELDS;
            match self.0.get_mut(path) {
                Some(sum) => sum.add(literal),
                None if is_full => {}
                None => self.0.entry(path.clone()).or_default().add(literal),
            }
        }
    }

    /// The sum of a field as text; empty if it is nowhere.
    pub(crate) fn sum(&self, path: &str) -> String {
        self.0.get(path).map(Sum::to_string).unwrap_or_default()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Sum)> {
        self.0.iter().map(|(path, sum)| (path.as_str(), sum))
    }
}

impl Sum {
    fn add(&mut self, literal: &str) {
        let (side, literal) = match literal.strip_prefix('-') {
            Some(literal) => (&mut self.below, literal),
            None => (&mut self.above, literal),
        };
        match Quantity::parse(literal).ok().and_then(|number| side.plus(number)) {
            Some(sum) => *side = sum,
            None => self.is_lost = true,
        }
    }

    /// The sum with its sign; none if it is not exact.
    fn exact(&self) -> Option<String> {
        if self.is_lost {
            return None;
        }
        match self.above.minus(self.below) {
            Some(sum) => Some(sum.to_string()),
            None => self.below.minus(self.above).map(|sum| format!("-{sum}")),
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.exact().as_deref().unwrap_or("beyond 38 digits"))
    }
}

impl Serialize for Sum {
    /// A decimal string; `null` if it is not exact.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.exact().serialize(s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_summed_exactly_wherever_they_stand() {
        let mut sums = Quantities::default();
        for data in [
            r#"{"tokens":{"in":374,"out":0.1},"model":"small","text":"12","n":[1,2],"cost":1e-05}"#,
            r#"{"tokens":{"in":1,"out":0.2},"credit":-3}"#,
            r#"{"tokens":{"in":99999999999999999999999999999999999999}, "credit":1}"#,
        ] {
            let data: Box<RawValue> = serde_json::from_str(data).expect("JSON");
            sums.add(&numbers(Some(&data)));
        }
        let shown: Vec<String> = sums.iter().map(|(path, sum)| format!("{path}={sum}")).collect();
        assert_eq!(shown.join(" "), "cost=0.00001 credit=-2 tokens.in=beyond 38 digits tokens.out=0.3");
        assert_eq!(serde_json::to_value(&sums).expect("JSON")["tokens.in"], serde_json::Value::Null);
    }
}
