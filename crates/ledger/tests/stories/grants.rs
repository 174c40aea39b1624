//! Stories of grants and the lots that they make (rules, section 4).

use crate::story::check;

#[test]
fn a_one_off_grant_is_one_lot() {
    check(
        "
        01-01  grant gift 100
        01-10  use 30
        ------
        gift#1   70 of 100   01-01 ..
        available 70
        due never
    ",
    );
}

#[test]
fn a_recurring_grant_is_a_lot_each_cycle() {
    check(
        "
        01-01  grant plan 100 monthly
        01-10  use 60
        02-10  use 30
        ------
        plan#1    0 of 100   expired 40   01-01 .. 02-01
        plan#2   70 of 100                02-01 .. 03-01
        available 70
        due 03-01
    ",
    );
}

#[test]
fn a_future_grant_waits_for_its_start() {
    check(
        "
        01-01  grant later 10 from 02-01
        01-15  use 4
        ------
        overage  4 of use in 2026-01
        available 0
        due 02-01
    ",
    );
}

#[test]
fn a_future_grant_pays_from_its_start() {
    check(
        "
        01-01  grant later 10 from 02-01
        01-15  use 4
        now 01-31 23:59:59.999999999
        02-01  use 1
        ------
        later#1   5 of 10   02-01 ..
        overage   0
    ",
    );
}

#[test]
fn a_grant_may_be_expired_on_arrival() {
    check(
        "
        01-15  use 4
        02-10  grant old 10 from 01-01 ends 02-01
        ------
        old#1    0 of 10   expired 10
        overage  4 of use in 2026-01
        ledger
        01-15  overage 4   overage -> usage
        01-01  issue 10    grants -> old#1    booked 02-10
        02-01  expire 10   old#1 -> expired   booked 02-10
    ",
    );
}

#[test]
fn a_grant_expired_on_arrival_pays_late_usage_within_its_lateness() {
    check(
        "
        02-02  grant old 10 from 01-01 ends 02-01
        02-03  use 4 at 01-20
        02-03  use 1
        ------
        old#1    0 of 10   expired 6
        overage  1 of use in 2026-02
    ",
    );
}

#[test]
fn a_backdated_grant_pays_open_overage_from_then_on() {
    check(
        "
        01-10  use 5
        01-20  grant back 20 from 01-01
        01-25  use 1
        ------
        back#1   14 of 20   01-01 ..
        overage  0
        ledger
        01-10  overage 5   overage -> usage    leaves 0
        01-01  issue 20    grants -> back#1    booked 01-20   leaves 20
        01-20  repay 5     back#1 -> overage   leaves 15
        01-25  usage 1     back#1 -> usage     leaves 14
    ",
    );
}

#[test]
fn a_backdated_recurring_grant_starts_with_what_is_open_or_within_its_lateness() {
    check(
        "
        03-03  grant plan 10 monthly from 01-01
        ------
        plan#2    0 of 10   expired 10   02-01 .. 03-01
        plan#3   10 of 10                03-01 .. 04-01
    ",
    );
}

#[test]
fn a_backdated_recurring_grant_leaves_out_what_is_past_its_lateness() {
    check(
        "
        03-04  grant plan 10 monthly from 01-01
        ------
        plan#3   10 of 10   03-01 .. 04-01
    ",
    );
}

#[test]
fn a_backdated_grant_carries_over_what_its_lots_leave() {
    check(
        "
        02-03  grant plan 10 monthly from 01-01 carry 30% for P7D
        ------
        plan#1      0 of 10   expired 7 carried 3         01-01 .. 02-01
        plan#1/1    3 of 3                from plan#1     02-01 .. 02-08
        plan#2     10 of 10                               02-01 .. 03-01
        ledger
        01-01  issue 10   grants -> plan#1     booked 02-03
        02-01  carry 3    plan#1 -> plan#1/1   booked 02-03
        02-01  expire 7   plan#1 -> expired    booked 02-03
        02-01  issue 10   grants -> plan#2     booked 02-03
    ",
    );
}

#[test]
fn the_senders_own_time_is_the_start_where_none_is_given() {
    check(
        "
        01-10  grant gift 10 at 01-05
        ------
        gift#1   10 of 10   01-05 ..
    ",
    );
}

#[test]
fn a_life_counts_from_the_start_by_the_calendar() {
    check(
        "
        01-31  grant a 10 for P1M
        01-31  grant b 10 for PT36H
        01-31  grant c 10 for P1M from 03-31
        03-31  use 1
        ------
        a#1    0 of 10   expired 10   01-31 .. 02-28
        b#1    0 of 10   expired 10   01-31 .. 02-01 12:00
        c#1    9 of 10                03-31 .. 04-30
    ",
    );
}

#[test]
fn an_end_beyond_the_calendar_is_never() {
    check(
        "
        01-01  grant long 10 for P236Y
        01-02  use 1
        ------
        long#1   9 of 10   01-01 ..
        due never
    ",
    );
}

#[test]
fn the_same_grant_again_counts_once() {
    check(
        "
        01-01  grant gift 100 id a
        01-05  again a
        01-06  grant gift 100 id b
        01-07  use 30
        ------
        gift#1   70 of 100   01-01 ..
        ! 01-05  duplicate of 01-01
        ! 01-06  duplicate of 01-01
    ",
    );
}

#[test]
fn a_huge_grant_is_used_to_the_last() {
    check(
        "
        01-01  grant huge 1000000000000000000
        01-02  use 999999999999999999.999999999
        ------
        huge#1   0.000000001 of 1000000000000000000
    ",
    );
}

#[test]
fn units_do_not_pay_for_each_other() {
    check(
        "
        01-01  grant money 10 of usd
        01-02  use 3
        ------
        money#1   10 of 10 usd
        overage    3 of use in 2026-01
        available  0
        available 10 usd
    ",
    );
}

#[test]
fn usage_or_a_grant_opens_a_wallet_that_nobody_claimed() {
    check(
        "
        01-01  use 3
        01-02  grant gift 10
        ------
        gift#1   7 of 10
        overage  0
        unclaimed
    ",
    );
}

#[test]
fn a_configuration_claims_the_wallet() {
    check(
        "
        01-01  use 3
        01-02  wallet repay no
        ------
        overage  3 of use in 2026-01
        claimed
    ",
    );
}

#[test]
fn a_grants_name_may_hold_any_sign() {
    check(
        "
        01-01  grant org/plan#1 10 monthly until 03-01 carry all for P3M
        03-02  use 1
        ------
        org/plan#1#1      0 of 10   carried 10
        org/plan#1#1/1    9 of 10   from org/plan#1#1
        org/plan#1#2      0 of 10   carried 10
        org/plan#1#2/1   10 of 10   from org/plan#1#2
    ",
    );
}

#[test]
fn a_backdated_recurring_grant_leaves_out_what_is_past_its_lateness_to_the_nanosecond() {
    check(
        "
        01-04 23:59:59.999999999  grant plan 10 daily from 01-01
        ------
        plan#3   0 of 10   expired 10   01-03 .. 01-04
        plan#4  10 of 10                01-04 .. 01-05
    ",
    );
    check(
        "
        01-05  grant plan 10 daily from 01-01
        ------
        plan#4   0 of 10   expired 10   01-04 .. 01-05
        plan#5  10 of 10                01-05 .. 01-06
    ",
    );
}
