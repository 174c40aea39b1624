//! Stories of recurrence: when lots begin and end (rules, section 4). Days and months in named zones: `calendar`.

use crate::story::check;

#[test]
fn an_hour_is_the_shortest_cycle() {
    check(
        "
        01-01  grant rate 5 hourly until 01-01 03:00
        01-01 02:30  use 2
        ------
        rate#1   0 of 5   expired 5   01-01 .. 01-01 01:00
        rate#2   0 of 5   expired 5   01-01 01:00 .. 01-01 02:00
        rate#3   3 of 5               01-01 02:00 .. 01-01 03:00
        due 01-01 03:00
    ",
    );
}

#[test]
fn weeks_and_days_are_cycles_too() {
    check(
        "
        01-01  grant weekly 10 every P1W until 01-09
        01-01  grant both 10 every P1DT1H until 01-03
        01-03  use 1
        ------
        both#1     0 of 10   expired 10   01-01 .. 01-02 01:00
        both#2     9 of 10                01-02 01:00 .. 01-03 02:00
        weekly#1  10 of 10                01-01 .. 01-08
    ",
    );
}

#[test]
fn the_31st_is_the_last_day_of_each_month_and_never_drifts() {
    check(
        "
        01-31  grant plan 10 monthly until 06-01
        now 06-01
        ------
        plan#1    0 of 10   expired 10   01-31 .. 02-28
        plan#2    0 of 10   expired 10   02-28 .. 03-31
        plan#3    0 of 10   expired 10   03-31 .. 04-30
        plan#4    0 of 10   expired 10   04-30 .. 05-31
        plan#5   10 of 10                05-31 .. 06-30
        due 06-30
    ",
    );
}

#[test]
fn the_29th_and_30th_meet_a_short_february() {
    check(
        "
        01-29  grant a 10 monthly until 04-01
        01-30  grant b 10 monthly until 04-01
        now 04-01
        ------
        a#1    0 of 10   expired 10   01-29 .. 02-28
        a#2    0 of 10   expired 10   02-28 .. 03-29
        a#3   10 of 10                03-29 .. 04-29
        b#1    0 of 10   expired 10   01-30 .. 02-28
        b#2    0 of 10   expired 10   02-28 .. 03-30
        b#3   10 of 10                03-30 .. 04-30
    ",
    );
}

#[test]
fn a_leap_year_has_a_29th_of_february() {
    check(
        "
        2028-01-30  grant plan 10 monthly until 2028-04-01
        now 2028-04-01
        ------
        plan#1    0 of 10   expired 10   2028-01-30 .. 2028-02-29
        plan#2    0 of 10   expired 10   2028-02-29 .. 2028-03-30
        plan#3   10 of 10                2028-03-30 .. 2028-04-30
    ",
    );
}

#[test]
fn years_from_the_29th_of_february_come_back_to_it() {
    check(
        "
        2028-02-29  grant plan 10 yearly
        now 2032-03-01
        ------
        plan#1    0 of 10   expired 10   2028-02-29 .. 2029-02-28
        plan#2    0 of 10   expired 10   2029-02-28 .. 2030-02-28
        plan#3    0 of 10   expired 10   2030-02-28 .. 2031-02-28
        plan#4    0 of 10   expired 10   2031-02-28 .. 2032-02-29
        plan#5   10 of 10                2032-02-29 .. 2033-02-28
    ",
    );
}

#[test]
fn an_anchor_may_lie_before_the_start() {
    check(
        "
        01-10  grant plan 31 monthly anchor 2025-12-01
        now 02-01
        ------
        plan#1    0 of 31   expired 31   01-10 .. 02-01
        plan#2   31 of 31                02-01 .. 03-01
    ",
    );
}

#[test]
fn an_anchor_may_lie_after_the_start() {
    check(
        "
        02-10  grant plan 10 monthly anchor 07-31
        now 03-31
        ------
        plan#1    0 of 10   expired 10   02-10 .. 02-28
        plan#2    0 of 10   expired 10   02-28 .. 03-31
        plan#3   10 of 10                03-31 .. 04-30
    ",
    );
}

#[test]
fn a_first_lot_may_be_prorated() {
    check(
        "
        01-11  grant plan 31 monthly anchor 01-01 first prorated costs 6.2 USD
        now 02-01
        ------
        plan#1    0 of 21   expired 21   worth 4.2   01-11 .. 02-01
        plan#2   31 of 31                worth 6.2   02-01 .. 03-01
    ",
    );
}

#[test]
fn a_prorated_lot_is_cut_to_nine_places() {
    check(
        "
        01-11  grant plan 10 monthly anchor 01-01 first prorated
        01-11  grant none 0.000000001 monthly anchor 01-01 first prorated
        ------
        plan#1   6.774193548 of 6.774193548   01-11 .. 02-01
        due 02-01
    ",
    );
}

#[test]
fn the_cycle_after_a_lot_prorated_to_nothing_is_its_second() {
    check(
        "
        01-11  grant tiny 0.000000001 monthly anchor 01-01 first prorated
        now 02-01
        ------
        tiny#2   0.000000001 of 0.000000001   02-01 .. 03-01
    ",
    );
}

#[test]
fn a_first_lot_may_be_skipped() {
    check(
        "
        01-11  grant plan 10 monthly anchor 01-01 first skip
        01-20  use 4
        now 02-01
        ------
        plan#1    6 of 10   02-01 .. 03-01
        overage   0
    ",
    );
}

#[test]
fn a_start_on_an_occurrence_is_whole() {
    check(
        "
        02-28  grant a 10 monthly anchor 03-31 first skip
        02-28  grant b 10 monthly anchor 03-31 first prorated
        ------
        a#1   10 of 10   02-28 .. 03-31
        b#1   10 of 10   02-28 .. 03-31
    ",
    );
}

#[test]
fn until_bounds_starts_and_not_ends() {
    check(
        "
        01-01  grant a 10 monthly until 03-01
        01-01  grant b 10 monthly until 03-01 00:00:00.000000001
        now 03-15
        ------
        a#1    0 of 10   expired 10   01-01 .. 02-01
        a#2    0 of 10   expired 10   02-01 .. 03-01
        b#1    0 of 10   expired 10   01-01 .. 02-01
        b#2    0 of 10   expired 10   02-01 .. 03-01
        b#3   10 of 10                03-01 .. 04-01
        due 04-01
    ",
    );
}

#[test]
fn lots_with_a_longer_life_overlap() {
    check(
        "
        01-01  grant daily 10 daily for P3D
        01-04  use 12
        ------
        daily#1    0 of 10   expired 10   01-01 .. 01-04
        daily#2    0 of 10                01-02 .. 01-05
        daily#3    8 of 10                01-03 .. 01-06
        daily#4   10 of 10                01-04 .. 01-07
        available 18
    ",
    );
}

#[test]
fn lots_with_a_shorter_life_leave_gaps() {
    check(
        "
        01-01  grant plan 10 monthly for P7D
        01-08  use 3
        02-01  use 1
        ------
        plan#1   0 of 10   expired 10   01-01 .. 01-08
        plan#2   6 of 10                02-01 .. 02-08
        overage  0
    ",
    );
}

#[test]
fn a_lot_ends_exactly_when_the_next_begins() {
    check(
        "
        01-01  grant plan 10 monthly
        01-31 23:59:59.999999999  use 1
        02-01  use 2
        ------
        plan#1   0 of 10   expired 9   01-01 .. 02-01
        plan#2   8 of 10               02-01 .. 03-01
        ledger
        01-01  issue 10   grants -> plan#1    leaves 10
        01-31 23:59:59.999999999  usage 1   plan#1 -> usage   leaves 9
        02-01  expire 9   plan#1 -> expired   leaves 0
        02-01  issue 10   grants -> plan#2    leaves 10
        02-01  usage 2    plan#2 -> usage     leaves 8
    ",
    );
}

#[test]
fn one_instant_is_an_end_a_start_and_a_repayment() {
    check(
        "
        01-01  grant plan 10 monthly
        01-01  grant chat 3 ends 02-01 feature chat
        01-20  use 15
        02-10  use 1
        ------
        chat#1   0 of 3    expired 3
        plan#1   0 of 10
        plan#2   4 of 10
        overage  0
        ledger
        01-01  issue 10    grants -> plan#1
        01-01  issue 3     grants -> chat#1
        01-20  usage 10    plan#1 -> usage
        01-20  overage 5   overage -> usage
        02-01  expire 3    chat#1 -> expired
        02-01  issue 10    grants -> plan#2
        02-01  repay 5     plan#2 -> overage
        02-10  usage 1     plan#2 -> usage
    ",
    );
}

#[test]
fn what_begins_at_one_instant_begins_in_the_order_of_the_grants() {
    check(
        "
        01-15  grant z 10 monthly anchor 02-01 first skip
        01-16  grant a 10 monthly anchor 02-01 first skip
        02-01  use 4
        ------
        a#1   10 of 10
        z#1    6 of 10
        ledger
        02-01  issue 10   grants -> z#1
        02-01  issue 10   grants -> a#1
        02-01  usage 4    z#1 -> usage
    ",
    );
}
