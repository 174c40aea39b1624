//! What is charged for, by name: for whoever asks about a feature before any event comes.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Catalogue, PriceList, Version};
use crate::price::Pattern;
use crate::time::Instant;

impl Catalogue {
    /// The features that prices in force at `at` on this rate card name, each with the units that it is charged in.
    pub fn features(&self, card: &str, at: Instant) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut features: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for version in self.prices.in_force(card, at) {
            for (unit, feature) in &version.names {
                if let Some(feature) = feature {
                    features.entry(feature).or_default().insert(unit);
                }
            }
        }
        features
    }

    /// The units that a feature is charged in. A price that names no feature and is for events of many types charges for each
    /// such type.
    pub fn units_of(&self, card: &str, feature: &str, at: Instant) -> BTreeSet<&str> {
        let charges = |version: &Version, named: Option<&str>| match (named, &version.price.matches.kind) {
            (Some(named), _) => named == feature,
            (None, Pattern::Prefix(prefix)) => feature.starts_with(prefix.as_str()),
            (None, Pattern::Any(_)) => true,
            (None, Pattern::Exact(kind)) => kind == feature,
        };
        let mut units = BTreeSet::new();
        for version in self.prices.in_force(card, at) {
            let of = version.names.iter().filter(|(_, named)| charges(version, named.as_deref()));
            units.extend(of.map(|(unit, _)| &**unit));
        }
        units
    }
}

impl PriceList {
    /// Of each price of this card, the version in force at `at`.
    fn in_force(&self, card: &str, at: Instant) -> impl Iterator<Item = &Version> {
        let newest = move |name| self.newest(name, at);
        self.names().filter_map(newest).filter(move |version| version.price.rate_card == card)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Accepted;

    fn price(name: &str, body: &str) -> Accepted {
        Accepted {
            kind: "price".into(),
            name: name.into(),
            id: format!("{name}-{}", body.len()),
            recorded_at: Instant(1),
            body: body.into(),
        }
    }

    #[test]
    fn features_are_those_of_the_versions_in_force_on_the_card() {
        let mut catalogue = Catalogue::default();
        for unit in ["credits", "seconds"] {
            let unit = Accepted { kind: "unit".into(), ..price(unit, "{}") };
            catalogue.publish(unit, None).expect("a unit");
        }
        let card = Accepted { kind: "rate_card".into(), ..price("other", "{}") };
        catalogue.publish(card, None).expect("a rate card");
        let image = r#"{"match":{"type":{"exact":"image"}},"charges":[{"unit":"credits","amount":"1"}]}"#;
        let call = r#"{"match":{"type":{"prefix":"llm."}},"feature":"calls","charges":[
            {"unit":"credits","amount":"1"},{"unit":"seconds","amount":"2","name":"s"},
            {"unit":"credits","amount":"3","feature":"tools","name":"t"}]}"#;
        let loose = r#"{"match":{"type":{"prefix":"raw."}},"charges":[{"unit":"seconds","amount":"1"}]}"#;
        let other = r#"{"rate_card":"other","match":{"type":{"exact":"gold"}},"charges":[{"unit":"credits","amount":"1"}]}"#;
        for (name, body) in [("image", image), ("call", call), ("loose", loose), ("other", other)] {
            catalogue.publish(price(name, body), None).expect("a price");
        }
        let later = image.replace(
            "\"charges\"",
            "\"feature\":\"pictures\",\"effective_from\":\"2026-01-01T00:00:00Z\",\"charges\"",
        );
        catalogue.publish(price("image", &later), Some(&price("image", image).id)).expect("its next version");

        let at = |at: &str| Instant::parse(at).expect("a time");
        let names = |card, when| catalogue.features(card, at(when)).into_keys().collect::<Vec<_>>().join(" ");
        assert_eq!(names("standard", "2025-12-31T00:00:00Z"), "calls image tools");
        assert_eq!(names("standard", "2026-01-01T00:00:00Z"), "calls pictures tools");
        assert_eq!(names("other", "2026-01-01T00:00:00Z"), "gold");
        let units = |feature| {
            let units = catalogue.units_of("standard", feature, at("2026-01-01T00:00:00Z"));
            units.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            [units("calls"), units("tools"), units("pictures")],
            ["credits seconds", "credits", "credits"]
        );
        assert_eq!([units("raw.any"), units("image"), units("gold")], ["seconds", "", ""]);
    }
}
