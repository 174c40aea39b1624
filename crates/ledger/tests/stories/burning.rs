//! Stories of burning: in which order lots pay, and which (rules, section 4).
//!
//! The lot that a key puts first is last by every key behind it, so that each story shows its key and its place.

use crate::story::check;

#[test]
fn the_lower_priority_number_burns_first() {
    check(
        "
        01-01  grant last 10 feature use subject ann ends 02-01
        01-01  grant first 10 priority 49 for P1Y carry all for P1M costs 100 USD
        01-02  use 4 by ann
        ------
        first#1    6 of 10
        last#1    10 of 10
    ",
    );
}

#[test]
fn priorities_go_from_nothing_to_255() {
    check(
        "
        01-01  grant a 10 priority 255
        01-01  grant b 10 priority 0
        01-02  use 12
        ------
        a#1   8 of 10
        b#1   0 of 10
    ",
    );
}

#[test]
fn the_soonest_end_burns_first_and_never_last() {
    check(
        "
        01-01  grant never 10 feature use subject ann
        01-01  grant march 10 feature use subject ann ends 03-01
        01-01  grant february 10 ends 02-01 carry all for P1M costs 100 USD
        01-02  use 14 by ann
        01-03  use 7 by ann
        ------
        february#1    0 of 10
        march#1       0 of 10
        never#1       9 of 10
    ",
    );
}

#[test]
fn a_nanosecond_decides_which_end_is_sooner() {
    check(
        "
        01-01  grant later 10 ends 02-01
        01-01  grant sooner 10 ends 01-31 23:59:59.999999999
        01-02  use 4
        ------
        later#1   10 of 10
        sooner#1   6 of 10
    ",
    );
}

#[test]
fn what_cannot_roll_over_burns_before_what_can() {
    check(
        "
        01-01  grant rolls 10 ends 02-01 carry all for P1M feature use
        01-01  grant stays 10 ends 02-01 costs 100 USD
        01-02  use 4
        ------
        rolls#1   10 of 10
        stays#1    6 of 10
    ",
    );
}

#[test]
fn what_was_carried_its_last_time_burns_before_what_can_roll_over() {
    check(
        "
        01-01  grant plan 10 monthly carry all
        02-10  use 4
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   6 of 10   from plan#1
        plan#2    10 of 10
    ",
    );
}

#[test]
fn a_rollover_of_nothing_is_none() {
    check(
        "
        01-01  grant none 10 ends 02-01 carry 0% for P1M
        01-01  grant stays 10 ends 02-01
        01-02  use 4
        ------
        none#1     6 of 10
        stays#1   10 of 10
    ",
    );
}

#[test]
fn the_cheapest_burns_first_and_free_before_all() {
    check(
        "
        01-01  grant costly 10 costs 10 USD feature use
        01-01  grant cheap 20 costs 10 USD feature use
        01-01  grant free 10
        01-02  use 35
        ------
        cheap#1     0 of 20
        costly#1    5 of 10
        free#1      0 of 10
    ",
    );
}

#[test]
fn what_cost_nothing_is_free() {
    check(
        "
        01-01  grant a 10 costs 0 USD
        01-01  grant b 10
        01-02  use 4
        ------
        a#1    6 of 10
        b#1   10 of 10
    ",
    );
}

#[test]
fn unit_costs_are_compared_exactly() {
    check(
        "
        01-01  grant third 3 costs 1 USD
        01-01  grant less 1000000000 costs 333333333.333333333 USD
        01-02  use 1
        ------
        less#1    999999999 of 1000000000
        third#1           3 of 3
    ",
    );
}

#[test]
fn currencies_are_compared_by_their_code() {
    check(
        "
        01-01  grant dollars 10 costs 1 USD
        01-01  grant euros 10 costs 5 EUR
        01-02  use 4
        ------
        dollars#1   10 of 10
        euros#1      6 of 10
    ",
    );
}

#[test]
fn more_dimensions_are_narrower_than_fewer_values() {
    check(
        "
        01-01  grant any 10
        01-01  grant one 10 feature use
        01-01  grant both 10 feature use,chat,search subject ann,bob
        01-02  use 14 by ann
        01-03  use 8 by ann
        ------
        any#1     8 of 10
        both#1    0 of 10
        one#1     0 of 10
    ",
    );
}

#[test]
fn fewer_values_are_narrower() {
    check(
        "
        01-01  grant two 10 feature use,chat
        01-01  grant one 10 feature use
        01-01  grant three 10 subject ann,bob,eve
        01-02  use 12 by ann
        ------
        one#1      0 of 10
        three#1   10 of 10
        two#1      8 of 10
    ",
    );
}

#[test]
fn identical_grants_burn_in_the_order_of_issue() {
    check(
        "
        01-01  grant z 10
        01-01  grant m 10
        01-01  grant a 10
        01-02  use 14
        ------
        a#1   10 of 10
        m#1    6 of 10
        z#1    0 of 10
    ",
    );
}

#[test]
fn the_order_of_issue_is_that_of_lots_and_not_of_starts() {
    check(
        "
        01-10  grant first 10 ends 06-01 from 01-05
        01-10  grant second 10 ends 06-01 from 01-01
        01-11  use 4
        ------
        first#1     6 of 10
        second#1   10 of 10
    ",
    );
}

#[test]
fn a_carried_lot_keeps_its_origins_place() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D
        01-01  grant other 10 ends 03-01
        02-10  use 4
        ------
        other#1   10 of 10
        plan#1     0 of 10   carried 10
        plan#1/1   6 of 10   from plan#1
    ",
    );
}

#[test]
fn a_lot_pays_only_for_the_features_it_applies_to() {
    check(
        "
        01-01  grant search 10 feature search,maps
        01-02  use 3 of search
        01-03  use 4 of chat
        01-04  use 2 of maps
        ------
        search#1   5 of 10
        overage    4 of chat in 2026-01
        available  5
    ",
    );
}

#[test]
fn a_lot_pays_only_for_the_subjects_it_applies_to() {
    check(
        "
        01-01  grant seats 10 subject ann,bob
        01-02  use 3 by ann
        01-03  use 4 by eve
        01-04  use 2
        ------
        seats#1   7 of 10
        overage   6 of use in 2026-01
    ",
    );
}

#[test]
fn one_usage_may_take_several_lots_and_leave_overage() {
    check(
        "
        01-01  grant a 3 ends 02-01
        01-01  grant b 4
        01-02  use 10
        ------
        a#1   0 of 3
        b#1   0 of 4
        overage  3 of use in 2026-01
        available 0
        ledger
        01-01  issue 3     grants -> a#1      leaves 3
        01-01  issue 4     grants -> b#1      leaves 7
        01-02  usage 3     a#1 -> usage       leaves 4
        01-02  usage 4     b#1 -> usage       leaves 0
        01-02  overage 3   overage -> usage   leaves 0
    ",
    );
}

#[test]
fn a_lot_pays_usage_of_its_window_alone() {
    check(
        "
        01-01  wallet repay no
        01-05  grant a 10 ends 02-01
        02-01  grant b 10
        02-03  use 1 at 01-04 23:59:59.999999999
        02-03  use 2 at 01-05
        02-03  use 3 at 01-31 23:59:59.999999999
        02-03  use 4 at 02-01
        ------
        a#1   0 of 10   expired 5
        b#1   6 of 10
        overage  1 of use in 2026-01
    ",
    );
}

#[test]
fn an_ended_lot_pays_late_usage_in_its_place_of_the_order() {
    check(
        "
        01-01  grant open 10 ends 06-01
        01-01  grant ended 10 ends 02-01
        02-02  use 14 at 01-20
        ------
        ended#1   0 of 10
        open#1    6 of 10
    ",
    );
}

#[test]
fn two_dimensions_are_narrower_than_one_however_few_its_values() {
    check(
        "
        01-01  grant one 10 feature use
        01-01  grant two 10 feature use,chat subject ann,bob
        01-02  use 4 by ann
        ------
        one#1   10 of 10
        two#1    6 of 10
    ",
    );
}

#[test]
fn what_costs_less_for_each_unit_burns_first_though_it_cost_more_in_all() {
    check(
        "
        01-01  grant dear 10 costs 11 USD
        01-01  grant cheap 190 costs 200 USD
        01-02  use 4
        ------
        cheap#1   186 of 190
        dear#1     10 of 10
    ",
    );
}
