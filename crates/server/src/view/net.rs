//! Sums that may be below zero.

use std::fmt;
use std::iter::Sum;

use ledger::Amount;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// What was added, less what was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Net {
    added: Amount,
    taken: Amount,
}

impl Net {
    pub(crate) fn add(&mut self, adds: bool, amount: Amount) {
        let side = if adds { &mut self.added } else { &mut self.taken };
        side.add(amount);
    }

    /// Something that there is, or was.
    pub(crate) fn there(amount: Amount) -> Self {
        Self { added: amount, taken: Amount::ZERO }
    }

    /// The same amount with the other sign.
    #[must_use]
    pub(crate) fn negated(self) -> Self {
        Self { added: self.taken, taken: self.added }
    }

    /// The sum, if it is not below zero.
    pub(crate) fn above(self) -> Option<Amount> {
        (self.added >= self.taken).then(|| self.added.above(self.taken))
    }

    /// What was taken more than added, if it was.
    pub(crate) fn below(self) -> Option<Amount> {
        self.negated().above()
    }

    pub(crate) fn is_zero(self) -> bool {
        self.added == self.taken
    }
}

impl Sum for Net {
    fn sum<I: Iterator<Item = Self>>(nets: I) -> Self {
        nets.fold(Self::default(), |mut sum, net| {
            sum.added.add(net.added);
            sum.taken.add(net.taken);
            sum
        })
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.above() {
            Some(amount) => write!(f, "{amount}"),
            None => write!(f, "-{}", self.taken.above(self.added)),
        }
    }
}

impl Serialize for Net {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl JsonSchema for Net {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Net".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A sum that may be below zero: a decimal with at most nine places, perhaps behind a minus.",
            "pattern": "^-?(0|[1-9][0-9]*)(\\.[0-9]{1,9})?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_its_sign() {
        let amount = |text| Amount::parse(text).expect("a decimal");
        let mut net = Net::there(amount("2"));
        assert_eq!((net.to_string().as_str(), net.below()), ("2", None));
        net.add(false, amount("3.5"));
        assert_eq!((net.to_string().as_str(), net.negated().to_string().as_str()), ("-1.5", "1.5"));
        assert_eq!(net.below(), Some(amount("1.5")));
        net.add(true, amount("1.5"));
        assert!(net.is_zero());
    }
}
