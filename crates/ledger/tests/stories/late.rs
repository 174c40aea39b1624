//! Stories of late usage: it counts as of its own time (rules, sections 3 and 4).

use crate::story::check;

#[test]
fn late_usage_takes_what_expired_within_the_lateness() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        02-02  use 4 at 01-20
        ------
        plan#1   0 of 10   expired 6
        ledger
        01-01  issue 10      grants -> plan#1
        02-01  expire 10     plan#1 -> expired
        01-20  late_usage 4  expired -> usage    booked 02-02
    ",
    );
}

#[test]
fn the_lateness_ends_exactly() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        02-03 23:59:59.999999999  use 1 at 01-20
        02-04  use 2 at 01-20
        ------
        plan#1   0 of 10   expired 9
        overage  2 of use in 2026-01
    ",
    );
}

#[test]
fn lateness_is_never_longer_than_the_lot_lived() {
    check(
        "
        01-01  grant short 10 for PT6H
        01-01 11:59:59.999999999  use 1 at 01-01 03:00
        01-01 12:00  use 2 at 01-01 03:00
        ------
        short#1   0 of 10   expired 9
        overage   2 of use in 2026-01
    ",
    );
}

#[test]
fn a_grant_may_have_its_own_lateness() {
    check(
        "
        01-01  grant long 10 ends 02-01 lateness P10D
        01-01  grant none 10 ends 02-01 lateness PT0.000000001S
        02-10 23:00  use 4 at 01-20
        02-11  use 2 at 01-20
        ------
        long#1   0 of 10   expired 6
        none#1   0 of 10   expired 10
        overage  2 of use in 2026-01
    ",
    );
}

#[test]
fn the_catalogues_lateness_is_fixed_when_a_lot_is_issued() {
    check(
        "
        01-01  defaults lateness P10D
        01-02  grant old 10 ends 02-01
        01-20  defaults lateness P1D
        01-21  grant new 10 ends 02-01
        02-05  use 12 at 01-25
        ------
        new#1   0 of 10   expired 10
        old#1   0 of 10
        overage  2 of use in 2026-01
    ",
    );
}

#[test]
fn late_usage_over_a_rollover_half_spent() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry 50% for P28D
        02-02  use 3
        02-03  use 8 at 01-20
        ------
        plan#1     0 of 10   carried 3
        plan#1/1   0 of 5    returned 2 from plan#1
        overage    1 of use in 2026-01
        ledger
        01-01  issue 10      grants -> plan#1     leaves 10
        02-01  carry 5       plan#1 -> plan#1/1   leaves 5
        02-01  expire 5      plan#1 -> expired    leaves 5
        02-02  usage 3       plan#1/1 -> usage    leaves 2
        01-20  late_usage 5  expired -> usage     booked 02-03   leaves 2
        01-20  return 2      plan#1/1 -> plan#1   booked 02-03   leaves 0
        01-20  usage 2       plan#1 -> usage      booked 02-03   leaves 0
        01-20  overage 1     overage -> usage     booked 02-03   leaves 0
    ",
    );
}

#[test]
fn what_is_left_in_a_carried_lot_stays_there() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D
        02-03  use 4 at 01-20
        02-04  use 1
        ------
        plan#1     0 of 10   carried 6
        plan#1/1   5 of 10   returned 4 from plan#1
        available  5
    ",
    );
}

#[test]
fn late_usage_goes_through_a_chain_of_carried_lots_nearest_first() {
    check(
        "
        01-01  grant plan 10 ends 01-05 carry 80% for P1D times 2
        01-06 12:00  use 9 at 01-02
        ------
        plan#1     0 of 10    carried 1
        plan#1/1   0 of 8     carried 1 returned 7 from plan#1
        plan#1/2   1 of 6.4   returned 5.4 from plan#1/1
        ledger
        01-01  issue 10            grants -> plan#1
        01-05  carry 8             plan#1 -> plan#1/1
        01-05  expire 2            plan#1 -> expired
        01-06  carry 6.4           plan#1/1 -> plan#1/2
        01-06  expire 1.6          plan#1/1 -> expired
        01-02  late_usage 2        expired -> usage       booked 01-06 12:00
        01-02  return_expired 1.6  expired -> plan#1      booked 01-06 12:00
        01-02  usage 1.6           plan#1 -> usage        booked 01-06 12:00
        01-02  return 5.4          plan#1/2 -> plan#1/1   booked 01-06 12:00
        01-02  return 5.4          plan#1/1 -> plan#1     booked 01-06 12:00
        01-02  usage 5.4           plan#1 -> usage        booked 01-06 12:00
    ",
    );
}

#[test]
fn an_ended_carried_lot_gives_back_within_its_own_lateness() {
    check(
        "
        01-01  grant plan 10 ends 01-03 carry all for PT12H
        01-03 23:59  use 3 at 01-02
        01-04  use 4 at 01-02
        ------
        plan#1     0 of 10   carried 7
        plan#1/1   0 of 10   expired 7 returned 3 from plan#1
        overage    4 of use in 2026-01
    ",
    );
}

#[test]
fn beyond_an_ended_carried_lot_its_successor_gives_back() {
    check(
        "
        01-01  grant plan 10 ends 01-03 carry all for PT12H times 2
        01-04 11:00  use 1
        01-04 11:00  use 4 at 01-02
        ------
        plan#1     0 of 10   carried 6
        plan#1/1   0 of 10   carried 6 returned 4 from plan#1
        plan#1/2   0 of 10   expired 6 returned 4 from plan#1/1
        overage    1 of use in 2026-01
    ",
    );
}

#[test]
fn usage_may_arrive_in_any_order() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-20  use 1 at 01-15
        01-21  use 2 at 01-05
        01-22  use 3 at 01-20
        01-23  use 4 at 01-01
        01-24  use 5 at 2025-12-31 23:59:59
        ------
        plan#1   0 of 10
        overage  5 of use in 2025-12
    ",
    );
}

#[test]
fn the_end_does_not_hang_on_the_order_within_the_lateness() {
    check(
        "
        01-01  wallet repay no
        01-01  grant january 10 ends 02-01
        02-01  grant february 10
        02-01 10:00  use 4
        02-01 11:00  use 6 at 01-31
        ------
        february#1   6 of 10
        january#1    0 of 10   expired 4
    ",
    );
    check(
        "
        01-01  wallet repay no
        01-01  grant january 10 ends 02-01
        02-01  grant february 10
        02-01 10:00  use 6 at 01-31
        02-01 11:00  use 4
        ------
        february#1   6 of 10
        january#1    0 of 10   expired 4
    ",
    );
}

#[test]
fn a_record_stamped_earlier_is_applied_at_the_clock() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        02-05  use 1
        01-31  use 2
        02-01  grant second 10
        ------
        plan#1     0 of 10   expired 10
        second#1   7 of 10
        overage    0
        ledger
        01-01  issue 10    grants -> plan#1
        02-01  expire 10   plan#1 -> expired
        02-05  overage 1   overage -> usage
        01-31  overage 2   overage -> usage      booked 02-05
        02-01  issue 10    grants -> second#1    booked 02-05
        02-05  repay 2     second#1 -> overage
        02-05  repay 1     second#1 -> overage
    ",
    );
}

#[test]
fn usage_ahead_of_the_clock_counts_at_the_clock() {
    check(
        "
        01-01  wallet repay no
        01-01  grant now 10 ends 01-11
        01-11  grant then 10
        01-10  use 3 at 01-12
        01-11  use 4 at 01-12
        ------
        now#1    0 of 10   expired 10
        then#1   3 of 10
    ",
    );
    check(
        "
        01-01  grant now 10 ends 01-11
        01-10  use 3 at 01-12
        ------
        now#1    7 of 10
        ledger
        01-01  issue 10   grants -> now#1
        01-10  usage 3    now#1 -> usage
    ",
    );
}

#[test]
fn past_its_lateness_other_lots_of_that_time_pay() {
    check(
        "
        01-01  grant ended 10 ends 02-01
        01-01  grant open 10
        02-10  use 4 at 01-20
        ------
        ended#1   0 of 10   expired 10
        open#1    6 of 10
    ",
    );
}

#[test]
fn what_no_lot_of_that_time_covers_is_paid_back_by_what_is_open() {
    check(
        "
        01-01  grant ended 10 ends 02-01
        02-01  grant open 10
        02-10  use 4 at 01-20
        ------
        ended#1   0 of 10   expired 10
        open#1    6 of 10
        overage   0
        ledger
        01-01  issue 10    grants -> ended#1
        02-01  expire 10   ended#1 -> expired
        02-01  issue 10    grants -> open#1
        01-20  overage 4   overage -> usage      booked 02-10
        02-10  repay 4     open#1 -> overage
    ",
    );
}

#[test]
fn late_usage_obeys_scopes() {
    check(
        "
        01-01  grant ann 10 subject ann ends 02-01
        01-01  grant search 10 feature search ends 02-01 carry all for P7D
        02-02  use 1 at 01-20
        02-02  use 2 by ann at 01-20
        02-02  use 4 of search at 01-20
        ------
        ann#1      0 of 10   expired 8
        search#1   0 of 10   carried 6
        search#1/1   6 of 10   returned 4 from search#1
        overage    1 of use in 2026-01
    ",
    );
}

#[test]
fn a_month_is_billed_in_time_though_late_usage_left_something() {
    check(
        r#"
        01-01  wallet month end bill
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [
            {"unit": "usd", "quantity": {"field": "n"}, "amount": "1"},
            {"name": "credits", "unit": "credits", "quantity": {"field": "n"}, "amount": "1"}]}
        01-01  grant plan 10 ends 01-31 lateness P20D
        now 01-31 12:00
        02-01  use 3 at 01-20
        now 02-05
        ------
        plan#1   0 of 10   expired 7
        overage  0
    "#,
    );
}
