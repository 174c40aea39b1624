//! Stories of what a settlement leaves: overage, counters, usage that is corrected (rules, section 7).

use crate::story::check;

#[test]
fn what_was_held_against_the_overdraft_is_overage_when_it_was_used() {
    check(
        "
        01-01  wallet holds overdraft 10
        01-01  grant plan 5
        01-10  hold h 12
        01-10  hold k 3
        01-10  settle h 9 part
        01-10  hold l 1
        01-10  settle h 1 usage two
        01-10  hold m 2
        ------
        plan#1   0 of 5
        overage  5 of use in 2026-01
        hold k   0 of use overdraft 3
        hold m   0 of use overdraft 2
        ! 01-10 declined insufficient {\"credits\":\"1\"}
        ledger
        01-01  issue 5               grants -> plan#1
        01-10  hold 5                plan#1 -> hold:h
        01-10  hold_overdraft 7      overdraft -> hold:h
        01-10  hold_overdraft 3      overdraft -> hold:k
        01-10  held_usage 5          hold:h -> usage
        01-10  release_overdraft 4   hold:h -> overdraft
        01-10  overage 4             overage -> usage
        01-10  release_overdraft 1   hold:h -> overdraft
        01-10  overage 1             overage -> usage
        01-10  release_overdraft 2   hold:h -> overdraft
        01-10  hold_overdraft 2      overdraft -> hold:m
    ",
    );
}

#[test]
fn what_came_since_pays_what_was_held_against_the_overdraft() {
    check(
        "
        01-01        wallet holds overdraft
        01-10        hold h 12
        01-10 00:01  grant plan 20
        01-10 00:02  settle h 12
        ------
        plan#1   8 of 20
        ledger
        01-10        hold_overdraft 12      overdraft -> hold:h
        01-10 00:01  issue 20               grants -> plan#1
        01-10 release_overdraft 12 hold:h -> overdraft booked 01-10 00:02
        01-10        overage 12             overage -> usage      booked 01-10 00:02
        01-10 00:02  repay 12               plan#1 -> overage
    ",
    );
}

#[test]
fn an_event_without_a_price_is_counted_and_its_hold_is_over() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  send use id u for h {\"n\": \"many\"}
        01-11  rerate u {\"n\": 3}
        ------
        plan#1  7 of 10
        unpriced 0
        ! 01-10 unpriced not_a_number
    ",
    );
}

#[test]
fn a_settled_usage_is_reversed_like_any_other() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  settle h 5 usage u
        01-11  reverse u 2 credits
        01-12  reverse u
        01-13  reverse u
        ------
        plan#1  10 of 10
        ! 01-13 rejected already_reversed
    ",
    );
}

#[test]
fn a_settled_event_is_charged_anew_and_plain_amounts_are_not() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  hold k 2
        01-10  settle h usage u use {\"n\": 5}
        01-10  settle k 2 usage v
        01-11  rerate u {\"n\": 3}
        01-11  rerate v {\"n\": 3}
        ------
        plan#1  5 of 10
        ! 01-11 rejected no_event
    ",
    );
}

#[test]
fn tiers_count_what_was_settled_in_the_period_of_the_hold() {
    check(
        "
        01-01        price chat {\"match\": {\"type\": {\"exact\": \"chat\"}}, \"charges\": [{\"unit\": \"credits\",
                       \"quantity\": {\"field\": \"n\"}, \"tiers\": {\"mode\": \"graduated\", \"period\": \"month\",
                       \"steps\": [{\"up_to\": \"10\", \"amount\": \"1\"}, {\"amount\": \"3\"}]}}]}
        01-01        grant plan 100
        01-31 23:50  hold h chat {\"n\": 8}
        01-31 23:51  hold k chat {\"n\": 8}
        02-01        send chat for h {\"n\": 8}
        02-01        send chat for k {\"n\": 8}
        02-01        send chat {\"n\": 8}
        ------
        plan#1  64 of 100
    ",
    );
}
