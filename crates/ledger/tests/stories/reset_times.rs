//! Stories of when resets happen, and what happens with them at one instant (rules, sections 3 and 4).

use crate::story::check;

#[test]
fn twice_at_one_instant_changes_nothing_more() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset min 40 max 60
        01-10  use 90
        01-15  reset
        01-15  reset
        01-15  use 10
        01-15  reset
        ------
        plan#1     0 of 100
        plan#1+1  30 of 30
        plan#1+2  10 of 10
        available 40
    ",
    );
}

#[test]
fn by_interval_it_happens_when_it_is_due_whoever_comes_late() {
    check(
        "
        01-01  wallet reset every P7D
        01-01  grant plan 100 ends 02-01 reset max 50
        01-02  use 20
        01-20  use 5
        ------
        plan#1   45 of 100   expired 30
        due 01-22
        ledger
        01-01  issue 100   grants -> plan#1
        01-02  usage 20    plan#1 -> usage
        01-08  reset 30    plan#1 -> expired
        01-20  usage 5     plan#1 -> usage
    ",
    );
}

#[test]
fn by_interval_overage_is_forgiven_too() {
    check(
        "
        01-01  wallet reset every P1M anchor 2025-01-15
        01-10  use 5
        now 01-20
        01-21  use 2
        ------
        overage  2 of use in 2026-01
        due 02-04
        ledger
        01-10  overage 5   overage -> usage
        01-15  forgive 5   forgiven -> overage
        01-21  overage 2   overage -> usage
    ",
    );
    check(
        "
        01-01  wallet reset every P1M anchor 2025-01-15 keep overage
        01-10  use 5
        now 01-20
        ------
        overage  5 of use in 2026-01
        due 02-04
    ",
    );
}

#[test]
fn days_of_a_policy_are_those_of_the_wallets_zone() {
    check(
        "
        03-20  wallet zone Berlin reset every P1D anchor 03-20 12:00
        03-20  grant plan 100 reset max 50
        now 04-01
        ------
        plan#1   50 of 100  expired 50
        due 04-01 11:00
        ledger
        03-20        issue 100   grants -> plan#1
        03-20 12:00  reset 50    plan#1 -> expired
    ",
    );
}

#[test]
fn the_same_policy_keeps_its_schedule_and_another_starts_anew() {
    check(
        "
        01-01  wallet reset every P10D
        01-04  wallet reset every P10D month end bill
        ------
        due 01-11
    ",
    );
    check(
        "
        01-01  wallet reset every P10D
        01-04  wallet reset every P10D keep overage
        ------
        due 01-14
    ",
    );
    check(
        "
        01-01  wallet reset every P10D
        01-02  wallet
        01-04  wallet reset every P10D
        ------
        due 01-14
    ",
    );
    check(
        "
        01-01  wallet reset every P10D
        01-02  wallet
        ------
        due never
    ",
    );
}

#[test]
fn a_policy_lasts_an_hour_at_least() {
    check(
        "
        01-01  wallet reset every PT59M
        01-01  wallet reset every PT60M
        ------
        claimed
        due 01-01 01:00
        ! 01-01  rejected bad_interval
    ",
    );
}

#[test]
fn on_a_recurrence_the_ending_lot_is_left_alone_and_the_new_one_is_not_yet_there() {
    check(
        "
        01-01  wallet reset every P1M anchor 01-01
        01-01  grant plan 100 monthly reset max 30
        01-10  use 20
        02-02  use 1
        ------
        plan#1    0 of 100   expired 80
        plan#2   99 of 100
        ledger
        01-01  issue 100   grants -> plan#1
        01-10  usage 20    plan#1 -> usage
        02-01  expire 80   plan#1 -> expired
        02-01  issue 100   grants -> plan#2
        02-02  usage 1     plan#2 -> usage
    ",
    );
}

#[test]
fn on_an_end_what_was_carried_over_is_reset_too() {
    check(
        "
        01-01  wallet reset every P1M anchor 01-01
        01-01  grant plan 100 monthly carry all reset max 30
        now 02-02
        ------
        plan#1      0 of 100   carried 100
        plan#1/1   30 of 100   expired 70   from plan#1
        plan#2    100 of 100
        ledger
        01-01  issue 100   grants -> plan#1
        02-01  carry 100   plan#1 -> plan#1/1
        02-01  reset 70    plan#1/1 -> expired
        02-01  issue 100   grants -> plan#2
    ",
    );
}

#[test]
fn on_a_months_end_what_is_forgiven_is_not_billed() {
    check(
        "
        01-01  defaults lateness PT0.000000001S
        01-01  wallet month end bill reset every P1M anchor 01-01 00:00:00.000000001
        01-10  use 5
        now 03-01
        ------
        overage 0
        ledger
        01-10  overage 5   overage -> usage
        02-01 00:00:00.000000001  forgive 5   forgiven -> overage
    ",
    );
}

#[test]
fn a_record_resets_what_has_just_begun_at_its_instant() {
    check(
        "
        01-01  grant plan 100 monthly reset max 30
        02-01  reset
        ------
        plan#1    0 of 100   expired 100
        plan#2   30 of 100   expired 70
    ",
    );
}

#[test]
fn a_reset_fills_a_quiet_quota_that_was_used_and_touches_no_other() {
    check(
        "
        01-01  grant quota 10 daily quiet reset min 10 max 10
        01-05 10:00  use 3
        01-05 11:00  reset
        01-06 11:00  reset
        ------
        quota#5     0 of 10   expired 7
        quota#5+1   0 of 3    expired 3
        available 10
        due never
    ",
    );
    check(
        "
        01-01  grant quota 10 daily quiet reset max 4
        01-05 11:00  reset
        ------
        quota#5   4 of 10   expired 6
        due 01-06
    ",
    );
}
