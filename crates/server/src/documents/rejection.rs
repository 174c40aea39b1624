//! The sentence for each reason that the fold rejects a record for.

/// What the reason of a rejection means and what to do, for people. A name may follow the reason's word, as in
/// `unknown_unit: credits`.
///
/// A reason that this build does not know gets a sentence that says so.
pub fn explain_rejection(reason: &str) -> &'static str {
    let (_, reason) = step_of(reason);
    let word = reason.split([':', ' ']).next().unwrap_or_default();
    explained(word)
        .map_or("the rules refuse it for a reason that this build has no words for", |(_, sentence)| sentence)
}

/// The path of the field that a reason is about; none of one that is about the whole.
pub(crate) fn field_of(reason: &str) -> Option<&'static str> {
    let (_, reason) = step_of(reason);
    let word = reason.split([':', ' ']).next().unwrap_or_default();
    explained(word).map(|(field, _)| field).filter(|field| !field.is_empty())
}

/// Of the reason why several steps are refused, the step, counted from 1, and its own reason; else all of it.
pub(crate) fn step_of(reason: &str) -> (Option<usize>, &str) {
    let step = reason.strip_prefix("step ").and_then(|rest| rest.split_once(": "));
    match step.and_then(|(step, reason)| Some((step.parse().ok()?, reason))) {
        Some((step, reason)) => (Some(step), reason),
        None => (None, reason),
    }
}

/// The field that the reason is about, and the sentence.
pub(super) fn explained(word: &str) -> Option<(&'static str, &'static str)> {
    let (field, sentence) = match word {
        "amount_zero" => ("amount", "nothing is no amount: give one above zero"),
        "expires_both" => {
            ("expires_after", "`expires_at` and `expires_after` both say when it ends: leave one out")
        }
        "expires_at_with_recurrence" => (
            "expires_at",
            "a recurring grant has many ends: use `expires_after` for its lots and `recurrence.until` for it",
        ),
        "ends_before_start" => {
            ("expires_at", "it would end before it begins: `expires_at` lies after `effective_at`")
        }
        "bad_interval" => {
            ("recurrence.interval", "lots would begin too often: the interval is an hour at least")
        }
        "until_before_start" => {
            ("recurrence.until", "no lot would ever begin: `until` lies after `effective_at`")
        }
        "quiet_with_rollover" => (
            "rollover",
            "a quiet grant books nothing until it is used, so nothing can roll over: leave one of the two out",
        ),
        "rollover_without_end" => (
            "rollover",
            "a one-off grant rolls over when it ends, and into what ends: give it an end and `rollover.expires_after`",
        ),
        "percent_over_100" => {
            ("rollover.percent", "more than everything cannot roll over: give at most \"100\"")
        }
        "max_times" => {
            ("rollover.max_times", "credits roll over from 1 to 1000 times: give a number in between")
        }
        "too_many_lots" => (
            "",
            "more than 1000 lots of the wallet could be open at one time: let them end sooner or begin less often",
        ),
        "unknown_unit" => {
            ("unit", "no document publishes this unit: apply a `kind: unit` of this name first")
        }
        "unknown_rate_card" => (
            "rate_card",
            "no document publishes this rate card: apply a `kind: rate_card` of this name first",
        ),
        "unknown_zone" => {
            ("zone", "no document publishes this zone: apply a `kind: zone` of this name first")
        }
        "invalid" => ("", "the document breaks a rule of its own: mend the field that is named"),
        "replaces_mismatch" => ("", "something else was published in between: look at it, then apply again"),
        "reset_min_over_max" => (
            "reset.min",
            "a reset cannot leave at least `min` and at most `max`: give a `min` that is not above `max`",
        ),
        word => return corrected(word),
    };
    Some((field, sentence))
}

/// As [`explained`], of corrections.
fn corrected(word: &str) -> Option<(&'static str, &'static str)> {
    let (field, sentence) = match word {
        "no_reason" => ("reason", "the rules want a reason: say why"),
        "unknown_wallet" => {
            ("wallet", "no record names this wallet: check its spelling with `drawdown wallets`")
        }
        "one_of_grant_and_purchase" => ("grant_id", "name a grant or a purchase, and not both"),
        "unknown_grant" => {
            ("grant_id", "the wallet was never issued such a grant: look for it with `drawdown grants`")
        }
        "grant_exists" => {
            ("grant_id", "a grant of this id was issued before, and is never edited: give another id")
        }
        "unknown_usage" => {
            ("usage", "no usage of the wallet has this source and id: look for it with `drawdown usage`")
        }
        "already_reversed" => ("usage", "all of this usage was reversed before: nothing of it is in effect"),
        "no_amounts" => ("amounts", "name at least one amount, or leave them out to reverse all of it"),
        "more_than_used" => (
            "amounts",
            "the usage took less than that of this unit and feature, or less of it is still in effect",
        ),
        "unpriced" => (
            "data",
            "the usage cannot be priced: apply a price for it, or give data that has what the price counts",
        ),
        "nothing_open" => ("month", "no overage of this month, unit and feature is open"),
        "more_than_open" => {
            ("amount", "less overage than that is open: leave the amount out to take all of it")
        }
        "no_steps" => ("steps", "there is nothing to do: write at least one step"),
        "too_many_steps" => ("steps", "there are more than 100 steps: write several documents"),
        "already_suspended" => ("wallet", "the wallet is suspended already"),
        "not_suspended" => ("wallet", "the wallet is not suspended"),
        "insufficient" => (
            "estimate",
            "lots, and what may be held against the overdraft, do not cover it: the answer says by how much",
        ),
        "too_large" => ("estimate", "it is above the largest single draw: the answer says by how much"),
        "too_late" => ("ttl", "its time was over before it came: ask again"),
        "too_many_holds" => ("wallet", "the wallet has a thousand open holds: settle or void some"),
        "suspended" => ("wallet", "the wallet is suspended: nothing is approved until it is resumed"),
        "voided" => ("id", "it was voided before it came: ask again under another id"),
        "not_open" => {
            ("hold", "no such hold is open: it was settled, voided or is over, or was never approved")
        }
        "nothing_asked" => ("more", "say for how long, or how much more"),
        "no_event" => ("usage", "it was settled in plain amounts, which no price is for: reverse it instead"),
        "revoked" => ("revoked", "the key is revoked, which is for ever: create another one"),
        "another_key" => ("hash", "an id stands for one key for ever: create another one"),
        "not_newer" => {
            ("version", "the fold's version only rises: this one, or a newer one, is in force already")
        }
        _ => return None,
    };
    Some((field, sentence))
}
