//! Stories of holds that are declined, of requests that come twice, and of what nobody can ask for (rules, section 7).

use crate::story::check;

#[test]
fn what_is_declined_changes_nothing() {
    check(
        "
        01-01  grant plan 10 costs 10 USD
        01-01  grant quota 5 daily quiet
        01-10  hold h 16
        ------
        plan#1  10 of 10
        available 15
        ! 01-10 declined insufficient {\"credits\":\"1\"}
        ledger
        01-01  issue 10   grants -> plan#1
    ",
    );
}

#[test]
fn a_suspended_wallet_approves_nothing_until_it_is_resumed() {
    check(
        "
        01-01        grant plan 10
        01-10        hold a 5 ttl PT20H
        01-10 01:00  suspend
        01-10 02:00  hold b 1
        01-10 03:00  extend a ttl PT20H
        01-10 04:00  settle a 5
        01-10 05:00  resume
        01-10 06:00  hold c 1 ttl PT1H
        ------
        plan#1  4 of 10   held 1
        hold c 1 of use   until 01-10 07:00
        ! 01-10 02:00 declined suspended
        ! 01-10 03:00 declined suspended
    ",
    );
}

#[test]
fn a_wallet_that_nobody_opened_is_unknown() {
    check(
        "
        01-10  defaults holds soft
        01-10  hold a 5
        01-11  extend a 5
        01-12  unhold b
        01-13  hold c 5
        01-14  use 1
        01-15  hold d 5
        ------
        overage 1 of use in 2026-01
        unclaimed
        hold d 0 of use overdraft 5
        ! 01-10 declined unknown_wallet
        ! 01-11 declined not_open
        ! 01-13 declined unknown_wallet
        ! 01-15 approved beyond lots
    ",
    );
}

#[test]
fn a_grant_or_a_configuration_opens_a_wallet_and_a_settlement_is_usage() {
    for opens in ["grant plan 9", "wallet zone Berlin", "settle z 1"] {
        let story = format!(
            "
            01-09  defaults holds overdraft
            01-10  hold a 5
            01-11  {opens}
            01-12  hold b 5
            ------
            ! 01-10 declined unknown_wallet
        "
        );
        let below = match opens {
            "grant plan 9" => "plan#1 4 of 9 held 5\nhold b 5 of use",
            "settle z 1" => "overage 1 of use in 2026-01\nhold b 0 of use overdraft 5",
            _ => "hold b 0 of use overdraft 5",
        };
        check(&story.replace("------", &format!("------\n{below}")));
    }
}

#[test]
fn what_has_no_price_is_not_approved() {
    check(
        "
        01-01  grant plan 10
        01-10  hold a use {\"n\": \"many\"}
        01-10  hold b use {\"m\": 1}
        ------
        plan#1  10 of 10
        unpriced 0
        ! 01-10 declined unpriced:not_a_number
        ! 01-10 declined unpriced:missing_quantity
    ",
    );
}

#[test]
fn a_request_that_nobody_waits_for_is_too_late() {
    check(
        "
        01-01        grant plan 10
        01-10        hold a 1 valid 01-10 00:00:01
        01-10 00:01  hold b 1 valid 01-10 00:01
        01-10 00:01  hold c 1 valid 01-10
        01-10 00:01  hold d 1
        ------
        plan#1  8 of 10   held 2
        hold a 1 of use
        hold d 1 of use
        ! 01-10 00:01 declined too_late
        ! 01-10 00:01 declined too_late
    ",
    );
}

#[test]
fn the_wallets_clock_tells_what_is_too_late() {
    check(
        "
        01-01        grant plan 10
        01-10        use 1
        01-09 23:50  hold a 1 ttl PT10M
        01-09 23:50  hold b 1 ttl PT11M
        ------
        plan#1  8 of 10   held 1
        hold b 1 of use   until 01-10 00:01
        ! 01-09 23:50 declined too_late
    ",
    );
}

#[test]
fn the_largest_single_draw_bounds_a_hold_with_all_its_extensions() {
    check(
        "
        01-01  wallet holds largest 10
        01-01  grant plan 100
        01-10  hold a 11
        01-10  hold b 6 of chat and 5 of search
        01-10  hold c 10
        01-10  hold d 8
        01-10  extend d 3
        01-10  extend d 2
        01-10  use 50
        ------
        plan#1   30 of 100   held 20
        hold c 10 of use
        hold d 10 of use
        ! 01-10 declined too_large {\"credits\":\"1\"}
        ! 01-10 declined too_large {\"credits\":\"1\"}
        ! 01-10 declined too_large {\"credits\":\"1\"}
    ",
    );
}

#[test]
fn no_wallet_has_more_holds_than_its_document_may_hold() {
    let mut story = "01-01 defaults holds overdraft\n01-01 wallet\n".to_owned();
    for n in 0..ledger::MOST_HOLDS {
        story.push_str(&format!("01-10 hold h{n} use {{\"n\":0}}\n"));
    }
    story.push_str("01-10 hold last 1\n01-10 unhold h7\n01-10 hold next 1\n------\n");
    let mut ids: Vec<String> = (0..ledger::MOST_HOLDS).filter(|n| *n != 7).map(|n| format!("h{n}")).collect();
    ids.sort();
    ids.iter().for_each(|id| story.push_str(&format!("hold {id}\n")));
    story.push_str("hold next 0 of use overdraft 1\n! 01-10 declined too_many_holds");
    check(&story);
}

#[test]
fn a_request_again_gets_the_first_answer() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 6
        01-10  hold k 6
        01-10  grant more 10
        01-11  again h
        01-12  again k
        ------
        more#1  10 of 10
        plan#1  10 of 10
        ! 01-10 declined insufficient {\"credits\":\"2\"}
        ! 01-11 duplicate of 01-10
        ! 01-12 duplicate of 01-10
    ",
    );
}

#[test]
fn a_request_again_is_the_same_however_long_somebody_waits_for_its_answer() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 6 valid 01-10 00:05
        01-10 00:01  hold h 6 valid 01-10 00:06
        01-10 00:02  hold h 6
        01-10 00:20  hold h 6 valid 01-10 00:05
        01-10 00:20  hold h 7 valid 01-10 00:05
        01-10 00:20  hold k 6 valid 01-10 00:10
        01-10 00:21  hold k 6 valid 01-10 00:30
        ------
        plan#1  10 of 10
        ! 01-10 00:01 duplicate of 01-10
        ! 01-10 00:02 duplicate of 01-10
        ! 01-10 00:20 duplicate of 01-10
        ! 01-10 00:20 conflict with 01-10
        ! 01-10 00:20 declined too_late
        ! 01-10 00:21 duplicate of 01-10 00:20
    ",
    );
}

#[test]
fn a_holds_id_is_its_wallets_whoever_made_it() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 6 source one
        01-10  hold h 6 source two
        01-10  hold h 7 source three
        01-10  hold h 7 source one
        01-10  hold h 4 in other
        ------
        plan#1  4 of 10   held 6
        hold h 6 of use
        ! 01-10 duplicate of 01-10
        ! 01-10 conflict with 01-10
        ! 01-10 conflict with 01-10
        ! 01-10 declined unknown_wallet
    ",
    );
}

#[test]
fn a_void_that_comes_first_is_kept_and_the_request_declined() {
    check(
        "
        01-01  grant plan 10
        01-10  unhold h
        01-11  unhold h
        01-12  hold h 5
        01-13  hold h 5 source elsewhere
        ------
        plan#1  10 of 10
        ! 01-11 rejected not_open
        ! 01-12 declined voided
        ! 01-13 declined voided
    ",
    );
}

#[test]
fn nothing_and_what_nobody_knows_cannot_be_asked_for() {
    check(
        "
        01-01  grant plan 10
        01-10  hold a 0
        01-10  record hold.requested {\"estimate\": {\"amounts\": []}}
        01-10  hold b 5 gold
        01-10  hold c 5
        01-10  extend c
        01-10  extend c 0
        01-10  extend d ttl PT1H
        01-10  settle c 1 gold
        01-10  wallet holds largest 5 gold
        01-10  record hold.requested {\"estimate\": {\"amounts\": [], \"event\": {\"type\": \"use\"}}}
        ------
        plan#1  5 of 10   held 5
        hold c 5 of use
        ! 01-10 rejected amount_zero
        ! 01-10 rejected no_amounts
        ! 01-10 rejected unknown_unit
        ! 01-10 rejected nothing_asked
        ! 01-10 rejected amount_zero
        ! 01-10 declined not_open
        ! 01-10 rejected unknown_unit
        ! 01-10 rejected unknown_unit
        ! 01-10 quarantined: the data of hold.requested: expected value
    ",
    );
}
