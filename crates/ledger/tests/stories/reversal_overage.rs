//! Stories of reversals of what no lot had covered: open, paid back, billed, forgiven (rules, section 5).

use crate::story::check;

#[test]
fn what_no_lot_covered_is_undone_before_what_lots_paid() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-10  use 15 id u
        01-20  reverse u 7 credits
        ------
        plan#1   2 of 10
        overage  0
        ledger
        01-01  issue 10            grants -> plan#1
        01-10  usage 10            plan#1 -> usage
        01-10  overage 5           overage -> usage
        01-10  reverse_overage 5   usage -> overage   booked 01-20
        01-10  reversal 2          usage -> plan#1    booked 01-20
    ",
    );
}

#[test]
fn open_overage_is_lowered() {
    check(
        "
        01-10  use 10 id u
        01-11  use 4
        01-20  reverse u 3 credits
        ------
        overage 11 of use in 2026-01
    ",
    );
}

#[test]
fn overage_that_was_paid_back_returns_to_the_lots_that_paid() {
    check(
        "
        01-10  use 10 id u
        01-15  grant gift 30
        01-20  reverse u
        ------
        gift#1   30 of 30
        overage  0
        ledger
        01-10  overage 10           overage -> usage
        01-15  issue 30             grants -> gift#1
        01-15  repay 10             gift#1 -> overage
        01-10  reverse_overage 10   usage -> overage   booked 01-20
        01-15  unrepay 10           overage -> gift#1  booked 01-20
    ",
    );
}

#[test]
fn who_paid_back_last_gets_it_back_first() {
    check(
        "
        01-10  use 10 id u
        01-11  grant a 4
        01-12  grant b 6
        01-20  reverse u 5 credits
        01-21  reverse u 3 credits
        ------
        a#1   2 of 4
        b#1   6 of 6
        ledger
        01-10  overage 10          overage -> usage
        01-11  issue 4             grants -> a#1
        01-11  repay 4             a#1 -> overage
        01-12  issue 6             grants -> b#1
        01-12  repay 6             b#1 -> overage
        01-10  reverse_overage 5   usage -> overage   booked 01-20
        01-12  unrepay 5           overage -> b#1     booked 01-20
        01-10  reverse_overage 1   usage -> overage   booked 01-21
        01-12  unrepay 1           overage -> b#1     booked 01-21
        01-10  reverse_overage 2   usage -> overage   booked 01-21
        01-11  unrepay 2           overage -> a#1     booked 01-21
    ",
    );
}

#[test]
fn what_is_open_of_the_feature_goes_first_whoever_left_it_open() {
    check(
        "
        01-10  use 10 id u
        01-11  use 5
        01-15  grant gift 12
        01-20  reverse u
        ------
        gift#1   7 of 12
        overage  0
    ",
    );
}

#[test]
fn overage_of_another_feature_or_month_is_another() {
    check(
        "
        01-10  use 10 id u
        01-11  use 5 of chat
        02-01  use 3
        02-02  reverse u
        ------
        overage 5 of chat in 2026-01
        overage 3 of use in 2026-02
    ",
    );
}

#[test]
fn of_what_was_billed_a_credit_is_due() {
    check(
        "
        01-01  wallet month end bill
        01-10  use 10 id u
        02-10  reverse u
        02-11  grant gift 5
        ------
        gift#1   5 of 5
        overage  0
        ledger
        01-10  overage 10           overage -> usage
        02-04  bill 10              billed -> overage
        01-10  reverse_overage 10   usage -> overage        booked 02-10
        02-04  credit_due 10        overage -> credit_due   booked 02-10
        02-11  issue 5              grants -> gift#1
    ",
    );
}

#[test]
fn what_was_forgiven_returns_nothing() {
    check(
        "
        01-01  wallet month end forgive
        01-01  grant plan 5 ends 02-01
        01-10  use 10 id u
        02-10  reverse u 7 credits
        ------
        plan#1   0 of 5   expired 2
        overage  0
        ledger
        01-01  issue 5             grants -> plan#1
        01-10  usage 5             plan#1 -> usage
        01-10  overage 5           overage -> usage
        02-04  forgive 5           forgiven -> overage
        01-10  reverse_overage 5   usage -> overage      booked 02-10
        02-04  unforgive 5         overage -> forgiven   booked 02-10
        01-10  reversal 2          usage -> plan#1       booked 02-10
        02-01  expire 2            plan#1 -> expired     booked 02-10
    ",
    );
}

#[test]
fn first_from_who_paid_back_then_from_the_bill_then_from_what_was_forgiven() {
    check(
        "
        01-10  use 10 id u
        01-11  clear 2026-01 2 credits as forgiven
        01-12  clear 2026-01 3 credits as billed
        01-13  grant gift 4
        01-20  reverse u 2 credits
        01-21  reverse u 7 credits
        01-22  reverse u
        ------
        gift#1   4 of 4
        overage  0
        ledger
        01-10  overage 10          overage -> usage
        01-11  forgive 2           forgiven -> overage
        01-12  bill 3              billed -> overage
        01-13  issue 4             grants -> gift#1
        01-13  repay 4             gift#1 -> overage
        01-10  reverse_overage 1   usage -> overage        booked 01-20
        01-10  reverse_overage 1   usage -> overage        booked 01-20
        01-13  unrepay 1           overage -> gift#1       booked 01-20
        01-10  reverse_overage 3   usage -> overage        booked 01-21
        01-13  unrepay 3           overage -> gift#1       booked 01-21
        01-10  reverse_overage 3   usage -> overage        booked 01-21
        01-12  credit_due 3        overage -> credit_due   booked 01-21
        01-10  reverse_overage 1   usage -> overage        booked 01-21
        01-11  unforgive 1         overage -> forgiven     booked 01-21
        01-10  reverse_overage 1   usage -> overage        booked 01-22
        01-11  unforgive 1         overage -> forgiven     booked 01-22
    ",
    );
}

#[test]
fn what_comes_back_pays_open_overage_at_once() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-10  use 10 id u
        01-11  use 6 of chat
        01-20  reverse u
        ------
        plan#1   4 of 10
        overage  0
    ",
    );
}
