//! Stories of holds that are settled: with less, as much or more, in parts, late, twice (rules, section 7).

use crate::story::check;

#[test]
fn less_than_was_held_frees_the_rest_at_once() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8
        01-10 00:05  settle h 5
        ------
        plan#1  5 of 10
        available 5
        ledger
        01-01        issue 10       grants -> plan#1
        01-10        hold 8         plan#1 -> hold:h
        01-10        held_usage 5   hold:h -> usage     booked 01-10 00:05
        01-10 release 3 hold:h -> plan#1 booked 01-10 00:05
    ",
    );
}

#[test]
fn as_much_as_was_held() {
    check(
        "
        01-01  grant a 5
        01-01  grant b 5
        01-10  hold h 8
        01-10  settle h 8
        ------
        a#1  0 of 5
        b#1  2 of 5
        ledger
        01-01  issue 5        grants -> a#1
        01-01  issue 5        grants -> b#1
        01-10  hold 5         a#1 -> hold:h
        01-10  hold 3         b#1 -> hold:h
        01-10  held_usage 5   hold:h -> usage
        01-10  held_usage 3   hold:h -> usage
    ",
    );
}

#[test]
fn more_than_was_held_is_a_fact_and_burns_like_usage() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  settle h 13
        ------
        plan#1   0 of 10
        overage  3 of use in 2026-01
        ledger
        01-01  issue 10       grants -> plan#1
        01-10  hold 8         plan#1 -> hold:h
        01-10  held_usage 8   hold:h -> usage
        01-10  usage 2        plan#1 -> usage
        01-10  overage 3      overage -> usage
    ",
    );
}

#[test]
fn nothing_was_used_after_all() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  settle h nothing
        ------
        plan#1  10 of 10
        ledger
        01-01  issue 10    grants -> plan#1
        01-10  hold 8      plan#1 -> hold:h
        01-10  release 8   hold:h -> plan#1
    ",
    );
}

#[test]
fn parts_are_taken_while_the_hold_stays_open() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8
        01-10 00:05  settle h 3 usage one part
        01-10 00:06  settle h 4 usage two part
        01-10 00:07  settle h 3 usage three part
        01-10 00:08  hold k 1
        01-10 00:14  settle h nothing usage four
        ------
        plan#1  0 of 10
        ! 01-10 00:08 declined insufficient {\"credits\":\"1\"}
    ",
    );
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8
        01-10 00:05  settle h 3 usage one part
        01-10 00:14  settle h 1 usage two
        ------
        plan#1  6 of 10
    ",
    );
}

#[test]
fn a_settlement_is_of_its_usage_and_counts_once() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8
        01-10 00:05  settle h 5 usage u id s
        01-10 00:06  settle h 5 usage u id t
        01-10 00:07  settle h 6 usage u
        01-10 00:08  use 5 id u
        01-10 00:09  use 5 id u for h
        01-10 00:10  again s
        01-10 00:11  settle h 6 usage u id s
        ------
        plan#1  5 of 10
        ! 01-10 00:06 duplicate of 01-10 00:05
        ! 01-10 00:07 duplicate of 01-10 00:05
        ! 01-10 00:08 duplicate of 01-10 00:05
        ! 01-10 00:09 duplicate of 01-10 00:05
        ! 01-10 00:10 duplicate of 01-10 00:05
        ! 01-10 00:11 conflict with 01-10 00:05
    ",
    );
}

#[test]
fn a_usage_that_names_its_hold_settles_it_and_counts_once() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8
        01-10 00:05  use 5 id u for h
        01-10 00:06  settle h 5 usage u
        01-10 00:07  settle h 5 usage u id u
        01-10 00:08  use 5 id u for h
        ------
        plan#1  5 of 10
        ! 01-10 00:06 duplicate of 01-10 00:05
        ! 01-10 00:07 duplicate of 01-10 00:05
        ! 01-10 00:08 duplicate of 01-10 00:05
        ledger
        01-01        issue 10       grants -> plan#1
        01-10        hold 8         plan#1 -> hold:h
        01-10        held_usage 5   hold:h -> usage     booked 01-10 00:05
        01-10 release 3 hold:h -> plan#1 booked 01-10 00:05
    ",
    );
}

#[test]
fn a_settlement_may_bear_the_id_of_its_usage() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  settle h 5 usage u id u
        01-11  use 5 id u for h
        01-12  settle h 5 usage u id u
        ------
        plan#1  5 of 10
        ! 01-11 duplicate of 01-10
        ! 01-12 duplicate of 01-10
    ",
    );
}

#[test]
fn a_usage_with_the_id_of_the_request_is_a_conflict() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  use 5 id h for h
        01-10  settle h 5 usage h
        01-10  settle h 5 usage h of-source app
        ------
        plan#1  5 of 10
        ! 01-10 conflict with 01-10
        ! 01-10 conflict with 01-10
    ",
    );
}

#[test]
fn after_its_time_a_settlement_is_usage() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8 ttl PT5M
        01-10 00:05  settle h 5
        ------
        plan#1  5 of 10
        ledger
        01-01        issue 10    grants -> plan#1
        01-10        hold 8      plan#1 -> hold:h
        01-10 release 8 hold:h -> plan#1 booked 01-10 00:05
        01-10 00:05  usage 5     plan#1 -> usage
    ",
    );
}

#[test]
fn what_settles_no_open_hold_is_usage() {
    check(
        "
        01-01  grant plan 10
        01-10  settle nobody 1 usage a
        01-10  use 1 for nobody
        01-10  hold h 5
        01-10  unhold h
        01-10  settle h 1 usage b
        01-10  hold k 5
        01-10  settle k 1 usage c
        01-10  settle k 1 usage d
        01-10  settle k usage e use {\"n\": 1}
        ------
        plan#1  4 of 10
    ",
    );
}

#[test]
fn the_price_of_the_holds_time_prices_its_settlement() {
    check(
        "
        01-01        price chat {\"match\": {\"type\": {\"exact\": \"chat\"}}, \"charges\":
                       [{\"unit\": \"credits\", \"quantity\": {\"field\": \"n\"}, \"amount\": \"2\"}]}
        01-01        grant plan 100
        01-10        hold a chat {\"n\": 10}
        01-10        hold b 20 of chat
        01-10        hold c chat {\"n\": 10}
        01-10 00:01  price chat {\"match\": {\"type\": {\"exact\": \"chat\"}}, \"effective_from\": \"2026-01-01T00:00:00Z\",
                       \"charges\": [{\"unit\": \"credits\", \"quantity\": {\"field\": \"n\"}, \"amount\": \"3\"}]}
        01-10 00:02  settle a chat {\"n\": 5}
        01-10 00:03  settle b chat {\"n\": 5}
        01-10 00:04  settle c other {\"n\": 5}
        01-10 00:05  send chat for nothing {\"n\": 1}
        ------
        plan#1  67 of 100
        ledger
        01-01        issue 100       grants -> plan#1
        01-10        hold 20         plan#1 -> hold:a     by chat@1
        01-10        hold 20         plan#1 -> hold:b
        01-10        hold 20         plan#1 -> hold:c     by chat@1
        01-10        held_usage 10   hold:a -> usage      booked 01-10 00:02   by chat@1
        01-10 release 10 hold:a -> plan#1 booked 01-10 00:02
        01-10        held_usage 15   hold:b -> usage      booked 01-10 00:03   by chat@2
        01-10 release 5 hold:b -> plan#1 booked 01-10 00:03
        01-10        held_usage 5    hold:c -> usage      booked 01-10 00:04   by any@1
        01-10 release 15 hold:c -> plan#1 booked 01-10 00:04
        01-10 00:05  usage 3         plan#1 -> usage      by chat@2
    ",
    );
}

#[test]
fn what_is_held_for_one_feature_pays_another_where_its_lots_may() {
    check(
        "
        01-01  grant a 5 feature chat
        01-01  grant b 10
        01-10  hold h 8 of chat
        01-10  settle h 4 of search
        ------
        a#1  5 of 5
        b#1  6 of 10
        ledger
        01-01  issue 5        grants -> a#1
        01-01  issue 10       grants -> b#1
        01-10  hold 5         a#1 -> hold:h
        01-10  hold 3         b#1 -> hold:h
        01-10  held_usage 3   hold:h -> usage
        01-10  usage 1        b#1 -> usage
        01-10  release 5      hold:h -> a#1
    ",
    );
}

#[test]
fn what_is_held_for_a_subject_pays_that_subject() {
    check(
        "
        01-01  grant a 5 subject ann
        01-01  grant b 5
        01-10  hold h 5 by ann
        01-10  hold k 5 by ann
        01-10  settle h 2
        01-10  settle k 2 by bob
        ------
        a#1  3 of 5
        b#1  3 of 5
    ",
    );
}
