//! Stories of holds: what is set aside, and from where (rules, section 7).

use crate::story::check;

#[test]
fn what_lots_have_is_set_aside_in_the_order_of_burning() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-01  grant pack 10
        01-10  hold h 12 ttl PT1H
        ------
        pack#1   8 of 10   held 2
        plan#1   0 of 10   held 10
        available 8
        hold h 12 of use   until 01-10 01:00
        ledger
        01-01  issue 10   grants -> plan#1
        01-01  issue 10   grants -> pack#1
        01-10  hold 10    plan#1 -> hold:h
        01-10  hold 2     pack#1 -> hold:h
    ",
    );
}

#[test]
fn what_is_set_aside_is_not_available_to_others() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8
        01-10  use 5
        ------
        plan#1   0 of 10   held 8
        overage 3 of use in 2026-01
        hold h 8 of use
    ",
    );
}

#[test]
fn an_event_is_priced_and_its_amount_set_aside() {
    check(
        "
        01-01  price chat {\"match\": {\"type\": {\"exact\": \"chat\"}}, \"charges\":
                 [{\"unit\": \"credits\", \"quantity\": {\"field\": \"tokens\"}, \"amount\": \"2\"}]}
        01-01  grant plan 10
        01-10  hold h chat {\"tokens\": 3}
        ------
        plan#1   4 of 10   held 6
        hold h 6 of chat
        ledger
        01-01  issue 10   grants -> plan#1
        01-10  hold 6     plan#1 -> hold:h   by chat@1
    ",
    );
}

#[test]
fn several_units_are_set_aside_all_or_none() {
    check(
        "
        01-01  grant plan 10
        01-01  grant cash 5 of usd
        01-10  hold h 4 of chat and 5 usd of tax
        01-10 00:10  hold k 4 of chat and 1 usd of tax
        ------
        cash#1   0 of 5 usd   held 5
        plan#1   6 of 10      held 4
        hold h 4 of chat 5 usd of tax   until 01-10 00:15
        ! 01-10 00:10 declined insufficient {\"usd\":\"1\"}
    ",
    );
}

#[test]
fn lots_for_another_feature_or_subject_are_passed_over() {
    check(
        "
        01-01  grant a 10 feature search
        01-01  grant b 10 subject bob
        01-01  grant c 10
        01-10  hold h 12 of chat by ann
        01-10  hold k 12 of chat by bob
        ------
        a#1  10 of 10
        b#1   0 of 10   held 10
        c#1   8 of 10   held 2
        hold k 12 of chat
        ! 01-10 declined insufficient {\"credits\":\"2\"}
    ",
    );
}

#[test]
fn a_quiet_lot_enters_the_ledger_when_it_is_held() {
    check(
        "
        01-01        grant quota 10 daily quiet
        01-10 12:00  hold h 4 ttl PT24H
        now 01-11 18:00
        ------
        quota#10  0 of 10   expired 10
        ledger
        01-10        issue 10    grants -> quota#10      booked 01-10 12:00
        01-10 12:00  hold 4      quota#10 -> hold:h
        01-11        expire 6    quota#10 -> expired
        01-10 12:00 release 4 hold:h -> quota#10 booked 01-11 12:00
        01-11        expire 4    quota#10 -> expired     booked 01-11 12:00
    ",
    );
}

#[test]
fn a_second_hold_finds_what_the_first_left() {
    check(
        "
        01-01  grant plan 10
        01-10  hold a 6
        01-10  hold b 6
        01-10  hold c 4
        ------
        plan#1   0 of 10   held 10
        hold a 6 of use
        hold c 4 of use
        ! 01-10 declined insufficient {\"credits\":\"2\"}
    ",
    );
}

#[test]
fn a_free_event_holds_nothing_and_is_approved() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h use {\"n\": 0}
        ------
        plan#1  10 of 10
        hold h
    ",
    );
}

#[test]
fn an_overdraft_is_held_up_to_its_bound() {
    check(
        "
        01-01  wallet holds overdraft 10
        01-01  grant plan 5
        01-10  hold a 9
        01-10  hold b 7
        01-10  hold c 6
        ------
        plan#1   0 of 5   held 5
        hold a 5 of use overdraft 4
        hold c 0 of use overdraft 6
        ! 01-10 declined insufficient {\"credits\":\"1\"}
        ledger
        01-01  issue 5            grants -> plan#1
        01-10  hold 5             plan#1 -> hold:a
        01-10  hold_overdraft 4   overdraft -> hold:a
        01-10  hold_overdraft 6   overdraft -> hold:c
    ",
    );
}

#[test]
fn open_overage_counts_against_the_bound_and_what_was_billed_does_not() {
    check(
        "
        01-01  wallet holds overdraft 10
        01-05  use 8
        01-10  hold a 3
        01-11  clear 2026-01 6 credits as billed
        01-12  hold b 8
        ------
        overage 2 of use in 2026-01
        hold b 0 of use overdraft 8
        ! 01-10 declined insufficient {\"credits\":\"1\"}
    ",
    );
}

#[test]
fn an_overdraft_without_a_bound_lets_all_pass() {
    check(
        "
        01-01  wallet holds overdraft
        01-10  hold a 1000
        ------
        hold a 0 of use overdraft 1000
    ",
    );
}

#[test]
fn a_soft_cap_lets_all_pass_and_warns() {
    check(
        "
        01-01  defaults holds soft
        01-01  grant plan 10
        01-10  hold a 10
        01-10  hold b 1
        ------
        plan#1   0 of 10   held 10
        hold a 10 of use
        hold b 0 of use overdraft 1
        ! 01-10 approved beyond lots
    ",
    );
}

#[test]
fn the_wallets_own_policy_goes_first() {
    check(
        "
        01-01  defaults holds soft
        01-01  wallet holds block
        01-10  hold a 10
        ------
        ! 01-10 declined insufficient {\"credits\":\"10\"}
    ",
    );
}
