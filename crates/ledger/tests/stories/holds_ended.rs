//! Stories of holds that end by themselves or are voided, and of what became of their lots meanwhile (rules, section 7).

use crate::story::check;

#[test]
fn a_hold_ends_by_itself_at_its_time_however_late_anybody_looks() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8 ttl PT5M
        01-10 03:00  use 10
        ------
        plan#1  0 of 10
        ledger
        01-01        issue 10    grants -> plan#1
        01-10        hold 8      plan#1 -> hold:h
        01-10 release 8 hold:h -> plan#1 booked 01-10 00:05
        01-10 03:00  usage 10    plan#1 -> usage
    ",
    );
}

#[test]
fn an_open_hold_is_due_when_it_ends() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 8 ttl PT5M
        01-10  hold k 1
        ------
        plan#1  1 of 10   held 9
        due 01-10 00:05
        hold h 8 of use   until 01-10 00:05
        hold k 1 of use   until 01-10 00:15
    ",
    );
}

#[test]
fn what_is_free_again_pays_overage_back_at_once() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8 ttl PT5M
        01-10 00:01  use 7
        now 01-10 03:00
        ------
        plan#1   3 of 10
        overage  0
        ledger
        01-01        issue 10    grants -> plan#1
        01-10        hold 8      plan#1 -> hold:h
        01-10 00:01  usage 2     plan#1 -> usage
        01-10 00:01  overage 5   overage -> usage
        01-10 release 8 hold:h -> plan#1 booked 01-10 00:05
        01-10 00:05  repay 5     plan#1 -> overage
    ",
    );
}

#[test]
fn a_hold_lives_longer_when_it_is_extended_but_never_beyond_its_longest_life() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8 ttl PT1H
        01-10 00:30  extend h ttl PT10M
        01-10 00:50  extend h ttl PT1H
        ------
        plan#1  2 of 10   held 8
        hold h 8 of use   until 01-10 01:50
    ",
    );
    check(
        "
        01-01        wallet holds life PT2H
        01-01        grant plan 10
        01-10        hold h 2 ttl P3D
        01-10        hold k 2 ttl PT1H
        01-10 00:50  extend k ttl PT5H
        ------
        plan#1  6 of 10   held 4
        hold h 2 of use   until 01-10 02:00
        hold k 2 of use   until 01-10 02:00
    ",
    );
}

#[test]
fn a_day_is_the_longest_life_unless_a_policy_says_otherwise() {
    check(
        "
        01-01  grant plan 10
        01-10  hold h 2 ttl P3D
        ------
        plan#1  8 of 10   held 2
        hold h 2 of use   until 01-11
    ",
    );
}

#[test]
fn an_extension_sets_more_aside_or_changes_nothing() {
    check(
        "
        01-01        grant a 5
        01-01        grant b 5
        01-10        hold h 4 of chat
        01-10 00:10  extend h 3 of chat ttl PT1H
        01-10 00:20  extend h 4 of chat ttl PT5H
        01-10 00:30  extend h 1 of search
        ------
        a#1  0 of 5   held 5
        b#1  2 of 5   held 3
        hold h 7 of chat 1 of search   until 01-10 01:10
        ! 01-10 00:20 declined insufficient {\"credits\":\"1\"}
        ledger
        01-01        issue 5   grants -> a#1
        01-01        issue 5   grants -> b#1
        01-10        hold 4    a#1 -> hold:h
        01-10 hold 1 a#1 -> hold:h booked 01-10 00:10
        01-10 hold 2 b#1 -> hold:h booked 01-10 00:10
        01-10 hold 1 b#1 -> hold:h booked 01-10 00:30
    ",
    );
}

#[test]
fn a_hold_that_is_over_is_not_extended() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8 ttl PT5M
        01-10 00:05  extend h ttl PT1H
        ------
        plan#1  10 of 10
        ! 01-10 00:05 declined not_open
    ",
    );
}

#[test]
fn a_hold_is_voided_once() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8
        01-10 00:01  unhold h
        01-10 00:02  unhold h
        01-10 00:03  again h
        ------
        plan#1  10 of 10
        ! 01-10 00:02 rejected not_open
        ! 01-10 00:03 duplicate of 01-10
        ledger
        01-01        issue 10    grants -> plan#1
        01-10        hold 8      plan#1 -> hold:h
        01-10 release 8 hold:h -> plan#1 booked 01-10 00:01
    ",
    );
}

#[test]
fn what_is_held_in_a_lot_that_expires_stays_spendable_and_the_rest_expires() {
    check(
        "
        01-01        grant plan 10 ends 02-01
        01-31 23:59  hold h 8 ttl PT1H
        02-01 00:10  settle h 5
        ------
        plan#1   0 of 10   expired 5
        overage  0
        ledger
        01-01        issue 10       grants -> plan#1
        01-31 23:59  hold 8         plan#1 -> hold:h
        02-01        expire 2       plan#1 -> expired
        01-31 23:59  held_usage 5   hold:h -> usage     booked 02-01 00:10
        01-31 23:59 release 3 hold:h -> plan#1 booked 02-01 00:10
        02-01        expire 3       plan#1 -> expired   booked 02-01 00:10
    ",
    );
}

#[test]
fn what_is_held_outlives_the_lateness_of_its_lot() {
    check(
        "
        01-01        defaults lateness PT1M
        01-01        grant plan 10 ends 02-01
        01-31 23:59  hold h 8 ttl PT24H
        02-01 12:00  hold k 1
        02-01 12:00  settle h 5
        ------
        plan#1   0 of 10   expired 5
        overage  0
        ! 02-01 12:00 declined insufficient {\"credits\":\"1\"}
    ",
    );
}

#[test]
fn the_rest_of_a_hold_rolls_over_within_what_is_left_there() {
    check(
        "
        01-01        grant plan 10 monthly carry 6 costs 10 USD
        01-31 23:59  hold h 8 ttl PT1H
        02-01 00:10  settle h 1
        ------
        plan#1     0 of 10   expired 3   carried 6   worth 4
        plan#1/1   6 of 6    from plan#1   worth 6
        plan#2    10 of 10   worth 10
        ledger
        01-01        issue 10       grants -> plan#1
        01-31 23:59  hold 8         plan#1 -> hold:h
        02-01        carry 2        plan#1 -> plan#1/1
        02-01        issue 10       grants -> plan#2
        01-31 23:59  held_usage 1   hold:h -> usage        booked 02-01 00:10
        01-31 23:59 release 7 hold:h -> plan#1 booked 02-01 00:10
        02-01        carry 4        plan#1 -> plan#1/1     booked 02-01 00:10
        02-01        expire 3       plan#1 -> expired      booked 02-01 00:10
    ",
    );
}

#[test]
fn the_rest_joins_a_carried_lot_that_was_used_up_meanwhile() {
    check(
        "
        01-01        grant plan 10 ends 02-01 carry all for P28D lateness PT1M
        01-31 23:59  hold h 8 ttl PT24H
        02-01 10:00  use 2
        02-01 12:00  unhold h
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   8 of 10   from plan#1
        ledger
        01-01        issue 10    grants -> plan#1
        01-31 23:59  hold 8      plan#1 -> hold:h
        02-01        carry 2     plan#1 -> plan#1/1
        02-01 10:00  usage 2     plan#1/1 -> usage
        01-31 23:59 release 8 hold:h -> plan#1 booked 02-01 12:00
        02-01        carry 8     plan#1 -> plan#1/1   booked 02-01 12:00
    ",
    );
}

#[test]
fn a_hold_that_ends_with_its_lot_ends_first() {
    check(
        "
        01-01        grant plan 10 ends 02-01 carry 50% for P28D
        01-31 23:30  hold h 8 ttl PT30M
        now 02-02
        ------
        plan#1     0 of 10   expired 5   carried 5
        plan#1/1   5 of 5    from plan#1
        ledger
        01-01        issue 10    grants -> plan#1
        01-31 23:30  hold 8      plan#1 -> hold:h
        01-31 23:30 release 8 hold:h -> plan#1 booked 02-01
        02-01        carry 5     plan#1 -> plan#1/1
        02-01        expire 5    plan#1 -> expired
    ",
    );
}

#[test]
fn what_is_held_of_a_grant_that_is_voided_stays_spendable_and_the_rest_is_void() {
    check(
        "
        01-01        grant plan 10
        01-10        hold h 8
        01-10 00:01  void plan
        01-10 00:02  settle h 5
        ------
        plan#1  0 of 10   voided 5
        ledger
        01-01        issue 10       grants -> plan#1
        01-10        hold 8         plan#1 -> hold:h
        01-10 00:01  void 2         plan#1 -> voided
        01-10        held_usage 5   hold:h -> usage     booked 01-10 00:02
        01-10 release 3 hold:h -> plan#1 booked 01-10 00:02
        01-10 00:01  void 3         plan#1 -> voided    booked 01-10 00:02
    ",
    );
}

#[test]
fn a_reset_counts_what_is_held_and_takes_what_remains() {
    check(
        "
        01-01        grant plan 100 reset max 50
        01-10        hold h 30
        01-10 00:01  reset
        01-10 00:02  settle h 10
        ------
        plan#1  40 of 100   expired 50
        ledger
        01-01        issue 100       grants -> plan#1
        01-10        hold 30         plan#1 -> hold:h
        01-10 00:01  reset 50        plan#1 -> expired
        01-10        held_usage 10   hold:h -> usage     booked 01-10 00:02
        01-10 release 20 hold:h -> plan#1 booked 01-10 00:02
    ",
    );
}

#[test]
fn what_was_held_above_the_max_of_a_reset_is_reset_when_it_comes_back() {
    check(
        "
        01-01        grant plan 100 reset max 50
        01-10        hold a 40
        01-10        hold b 40
        01-10 00:01  reset
        01-10 00:02  unhold a
        01-10 00:03  unhold b
        ------
        plan#1  50 of 100   expired 50
        ledger
        01-01        issue 100    grants -> plan#1
        01-10        hold 40      plan#1 -> hold:a
        01-10        hold 40      plan#1 -> hold:b
        01-10 00:01  reset 20     plan#1 -> expired
        01-10 release 40 hold:a -> plan#1 booked 01-10 00:02
        01-10 00:01  reset 30     plan#1 -> expired   booked 01-10 00:02
        01-10 release 40 hold:b -> plan#1 booked 01-10 00:03
    ",
    );
}

#[test]
fn a_settlement_reversed_after_a_reset_comes_back_within_the_max() {
    check(
        "
        01-01        grant plan 100 reset max 50
        01-10        hold a 80
        01-10 00:01  reset
        01-10 00:02  settle a 80 usage u
        01-10 00:03  reverse u
        ------
        plan#1  50 of 100   expired 50
    ",
    );
}

#[test]
fn a_reset_adds_what_lacks_with_what_is_held() {
    check(
        "
        01-01        grant plan 10 reset min 10
        01-09        use 4
        01-10        hold h 4
        01-10 00:01  reset
        01-10 00:02  unhold h
        ------
        plan#1    6 of 10
        plan#1+1  4 of 4
    ",
    );
}

#[test]
fn a_late_usage_does_not_take_what_is_held() {
    check(
        "
        01-01        grant plan 10 monthly carry all times 2
        02-01        hold h 8 ttl PT20H
        02-01 01:00  use 15 at 01-31
        ------
        plan#1     0 of 10   carried 8
        plan#1/1   0 of 10   held 8   returned 2   from plan#1
        plan#2     0 of 10
        overage    3 of use in 2026-01
        hold h     8 of use
    ",
    );
}
