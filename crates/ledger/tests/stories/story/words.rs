//! The words of a step.

use std::collections::VecDeque;

use ledger::Instant;
use serde_json::{Value, json};

/// Zones that every story's catalogue has, with their changes from 2025 to 2028.
pub(crate) const ZONES: [(&str, &str); 3] = [
    (
        "Berlin",
        r#"{"before":3600,"transitions":[[1743296400,7200],[1761440400,3600],[1774746000,7200],[1792890000,3600],[1806195600,7200],[1824944400,3600]]}"#,
    ),
    (
        "New_York",
        r#"{"before":-18000,"transitions":[[1741503600,-14400],[1762063200,-18000],[1772953200,-14400],[1793512800,-18000],[1805007600,-14400],[1825567200,-18000]]}"#,
    ),
    ("Tokyo", r#"{"before":32400}"#),
];

/// What is left of a step to read.
pub(crate) struct Words<'a> {
    pub(crate) rest: VecDeque<&'a str>,
}

impl<'a> Words<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { rest: text.split_whitespace().collect() }
    }

    pub(crate) fn word(&mut self) -> &'a str {
        self.rest.pop_front().expect("the step says more")
    }

    /// The word after this one, both taken out.
    pub(crate) fn after(&mut self, word: &str) -> Option<&'a str> {
        let at = self.rest.iter().position(|w| *w == word)?;
        self.rest.remove(at);
        self.rest.remove(at)
    }

    /// The next word, taken out if it is one of these.
    pub(crate) fn one_of(&mut self, words: &[&str]) -> Option<&'a str> {
        self.rest.front().is_some_and(|next| words.contains(next)).then(|| self.word())
    }

    /// Whether `keep overage` is next, and takes it out.
    pub(crate) fn keeps_overage(&mut self) -> bool {
        let keeps = self.one_of(&["keep"]).is_some();
        assert!(!keeps || self.word() == "overage", "keep overage");
        keeps
    }

    /// A date, and a time of day if one follows.
    pub(crate) fn time(&mut self) -> Instant {
        let date = self.word();
        let year = if date.len() == 5 { "2026-" } else { "" };
        let clock = self.rest.front().copied().filter(|w| w.contains(':')).unwrap_or("00:00");
        if clock != "00:00" || self.rest.front() == Some(&"00:00") {
            self.rest.pop_front();
        }
        let seconds = if clock.len() == 5 { ":00" } else { "" };
        let text = format!("{year}{date}T{clock}{seconds}Z");
        Instant::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }
}

/// An instant as stories write it.
pub(crate) fn time(at: Instant) -> String {
    let text = at.to_string();
    let text = text.trim_start_matches("2026-").trim_end_matches('Z').replace('T', " ");
    let text = text.strip_suffix(" 00:00:00").unwrap_or(&text);
    let is_whole = text.len() > 9 && text.ends_with(":00");
    (if is_whole { &text[..text.len() - 3] } else { text }).to_owned()
}

/// The data of a grant; what is no word of grants is left.
pub(crate) fn grant(words: &mut Words<'_>) -> String {
    let mut data = json!({"grant_id": words.word(), "unit": "credits", "amount": words.word()});
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    while let Some(word) = words.rest.pop_front() {
        match word {
            "hourly" => data["recurrence"]["interval"] = json!("PT1H"),
            "daily" => data["recurrence"]["interval"] = json!("P1D"),
            "monthly" => data["recurrence"]["interval"] = json!("P1M"),
            "yearly" => data["recurrence"]["interval"] = json!("P1Y"),
            "every" => data["recurrence"]["interval"] = json!(words.word()),
            "anchor" => data["recurrence"]["anchor"] = json!(words.time()),
            "until" => data["recurrence"]["until"] = json!(words.time()),
            "first" => data["recurrence"]["first"] = json!(words.word()),
            "quiet" => data["recurrence"]["quiet"] = json!(true),
            "from" => data["effective_at"] = json!(words.time()),
            "ends" => data["expires_at"] = json!(words.time()),
            "for" => {
                let carried = data.get("rollover").is_some();
                let of = if carried { &mut data["rollover"] } else { &mut data };
                of["expires_after"] = json!(words.word());
            }
            "carry" => {
                let part = words.word();
                data["rollover"] = match part.strip_suffix('%') {
                    Some(percent) => json!({ "percent": percent }),
                    None if part == "all" => json!({}),
                    None => json!({ "max": part }),
                };
            }
            "max" => data["rollover"]["max"] = json!(words.word()),
            "reset" => {
                data["reset"] = json!({});
                while let Some(bound) = words.one_of(&["min", "max"]) {
                    data["reset"][bound] = json!(words.word());
                }
            }
            "purchase" => data["purchase_id"] = json!(words.word()),
            "times" => data["rollover"]["max_times"] = json!(words.word().parse::<u32>().unwrap()),
            "priority" => data["priority"] = json!(words.word().parse::<u8>().unwrap()),
            "costs" => data["cost_basis"] = json!({"money": words.word(), "currency": words.word()}),
            "feature" | "subject" => data["applies_to"][word] = json!(list(words.word())),
            "lateness" => data["allowed_lateness"] = json!(words.word()),
            "of" => data["unit"] = json!(words.word()),
            "paid" | "promotional" | "included" | "compensation" => data["category"] = json!(word),
            other => {
                words.rest.push_front(other);
                break;
            }
        }
    }
    data.to_string()
}

/// What a wallet's configuration and the default policies say alike.
pub(crate) fn policies(words: &mut Words<'_>) -> Value {
    let mut data = json!({});
    while let Some(word) = words.rest.pop_front() {
        match word {
            "zone" => data["zone"] = json!(words.word()),
            "card" => data["rate_card"] = json!(words.word()),
            "lateness" => data["lateness"] = json!(words.word()),
            "repay" => data["overage"]["repay"] = json!(words.word() == "yes"),
            "month" => {
                let end = words.after("end").expect("month end keep, bill or forgive");
                data["overage"]["at_month_end"] = json!(end);
            }
            "reset" => {
                assert_eq!(words.word(), "every");
                data["reset"]["interval"] = json!(words.word());
                if words.one_of(&["anchor"]).is_some() {
                    data["reset"]["anchor"] = json!(words.time());
                }
                if words.keeps_overage() {
                    data["reset"]["preserve_overage"] = json!(true);
                }
            }
            "holds" => data["holds"] = super::holds::policy(words),
            other => panic!("no policy is called {other:?}"),
        }
    }
    data
}
