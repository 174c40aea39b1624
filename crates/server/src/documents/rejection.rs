//! The sentence for each reason that the fold rejects a record for.

/// What the reason of a rejection means and what to do, for people. A name may follow the reason's word, as in
/// `unknown_unit: credits`.
///
/// A reason that this build does not know gets a sentence that says so.
pub fn explain_rejection(reason: &str) -> &'static str {
    let word = reason.split(':').next().unwrap_or_default();
    explained(word)
        .map_or("the rules refuse it for a reason that this build has no words for", |(_, sentence)| sentence)
}

/// The field that the reason is about, and the sentence.
pub(super) fn explained(word: &str) -> Option<(&'static str, &'static str)> {
    let (field, sentence) = match word {
        "amount_zero" => ("amount", "a grant of nothing: give an amount above zero"),
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
        _ => return None,
    };
    Some((field, sentence))
}
