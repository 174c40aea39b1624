//! Stories of who pays when a usage is charged anew (rules, section 5).

use crate::story::check;

#[test]
fn a_grant_of_that_time_came_late() {
    check(
        "
        01-01  wallet repay no
        01-10  use 10 id u
        01-20  grant plan 30 from 01-01 ends 02-01
        01-21  rerate u
        ------
        plan#1   20 of 30
        overage  0
        ledger
        01-10  overage 10           overage -> usage
        01-01  issue 30             grants -> plan#1   booked 01-20
        01-10  reverse_overage 10   usage -> overage   booked 01-21
        01-10  usage 10             plan#1 -> usage    booked 01-21
    ",
    );
    // It had paid it back already: now it pays the usage itself.
    check(
        "
        01-10  use 10 id u
        01-20  grant plan 30 from 01-01 ends 02-01
        01-21  rerate u
        ------
        plan#1   20 of 30
        ledger
        01-10  overage 10           overage -> usage
        01-01  issue 30             grants -> plan#1   booked 01-20
        01-20  repay 10             plan#1 -> overage
        01-10  reverse_overage 10   usage -> overage   booked 01-21
        01-20  unrepay 10           overage -> plan#1  booked 01-21
        01-10  usage 10             plan#1 -> usage    booked 01-21
    ",
    );
    // It had ended by then, and is within its lateness.
    check(
        "
        01-10  use 10 id u
        02-02  grant plan 30 from 01-01 ends 02-01
        02-03  rerate u
        ------
        plan#1   0 of 30   expired 20
        overage  0
    ",
    );
}

#[test]
fn what_it_gave_back_may_pay_it_again_whatever_the_lateness() {
    check(
        r#"
        01-01  grant plan 10 ends 02-01
        01-10  use 4 id u
        02-10  rerate u {"n": 3}
        ------
        plan#1   0 of 10   expired 7
        overage  0
        ledger
        01-01  issue 10     grants -> plan#1
        01-10  usage 4      plan#1 -> usage
        02-01  expire 6     plan#1 -> expired
        01-10  reversal 4   usage -> plan#1     booked 02-10
        01-10  usage 3      plan#1 -> usage     booked 02-10
        02-01  expire 1     plan#1 -> expired   booked 02-10
    "#,
    );
    // No more than that: the lateness is over.
    check(
        r#"
        01-01  grant plan 10 ends 02-01
        01-10  use 4 id u
        02-10  rerate u {"n": 5}
        ------
        plan#1   0 of 10   expired 6
        overage  1 of use in 2026-01
    "#,
    );
    // Within the lateness what expired pays too.
    check(
        r#"
        01-01  grant plan 10 ends 02-01
        01-10  use 4 id u
        02-02  rerate u {"n": 5}
        ------
        plan#1   0 of 10   expired 5
        overage  0
    "#,
    );
}

#[test]
fn over_a_rollover() {
    check(
        r#"
        01-01  grant plan 10 ends 02-01 carry all for P28D
        01-10  use 4 id u
        02-10  rerate u {"n": 1}
        ------
        plan#1     0 of 10   carried 9
        plan#1/1   9 of 9    from plan#1
        ledger
        01-01  issue 10     grants -> plan#1
        01-10  usage 4      plan#1 -> usage
        02-01  carry 6      plan#1 -> plan#1/1
        01-10  reversal 4   usage -> plan#1      booked 02-10
        01-10  usage 1      plan#1 -> usage      booked 02-10
        02-01  carry 3      plan#1 -> plan#1/1   booked 02-10
    "#,
    );
    // More than before: what was carried over pays late, within the lateness.
    check(
        r#"
        01-01  grant plan 10 ends 02-01 carry all for P28D
        01-10  use 4 id u
        02-02  rerate u {"n": 6}
        ------
        plan#1     0 of 10   carried 4
        plan#1/1   4 of 6    returned 2   from plan#1
    "#,
    );
    // And after it, it pays back what is left open.
    check(
        r#"
        01-01  grant plan 10 ends 02-01 carry all for P28D
        01-10  use 4 id u
        02-10  rerate u {"n": 6}
        ------
        plan#1     0 of 10   carried 6
        plan#1/1   4 of 6    from plan#1
        overage    0
        ledger
        01-01  issue 10     grants -> plan#1
        01-10  usage 4      plan#1 -> usage
        02-01  carry 6      plan#1 -> plan#1/1
        01-10  reversal 4   usage -> plan#1       booked 02-10
        01-10  usage 4      plan#1 -> usage       booked 02-10
        01-10  overage 2    overage -> usage      booked 02-10
        02-10  repay 2      plan#1/1 -> overage
    "#,
    );
}

#[test]
fn of_a_month_that_was_billed_a_credit_is_due_and_the_new_charge_is_billed() {
    check(
        r#"
        01-01  wallet month end bill
        01-10  use 10 id u
        02-10  rerate u {"n": 6}
        ------
        overage  0
        ledger
        01-10  overage 10           overage -> usage
        02-04  bill 10              billed -> overage
        01-10  reverse_overage 10   usage -> overage        booked 02-10
        02-04  credit_due 10        overage -> credit_due   booked 02-10
        01-10  overage 6            overage -> usage        booked 02-10
        02-10  bill 6               billed -> overage
    "#,
    );
}

#[test]
fn who_had_paid_it_back_pays_it_back_again_first() {
    // Another lot would burn sooner now.
    check(
        r#"
        01-10  use 8 id u
        01-11  grant first 20 priority 90
        01-12  grant second 20 priority 50
        01-13  rerate u {"n": 5}
        ------
        first#1    15 of 20
        second#1   20 of 20
        overage     0
        ledger
        01-10  overage 8           overage -> usage
        01-11  issue 20            grants -> first#1
        01-11  repay 8             first#1 -> overage
        01-12  issue 20            grants -> second#1
        01-10  reverse_overage 8   usage -> overage     booked 01-13
        01-11  unrepay 8           overage -> first#1   booked 01-13
        01-10  overage 5           overage -> usage     booked 01-13
        01-13  repay 5             first#1 -> overage
    "#,
    );
    // It has ended since.
    check(
        r#"
        01-10  use 8 id u
        01-11  grant gift 20 ends 02-01
        02-10  rerate u {"n": 5}
        ------
        gift#1   0 of 20   expired 15
        overage  0
    "#,
    );
    // It was voided since.
    check(
        r#"
        01-10  use 8 id u
        01-11  grant gift 20 ends 02-01
        01-12  void gift
        01-13  rerate u {"n": 5}
        ------
        gift#1   0 of 20   voided 15
        overage  0
    "#,
    );
    // Nothing is paid back any more; but this was.
    check(
        r#"
        01-10  use 8 id u
        01-11  grant gift 20 ends 02-01
        01-12  wallet repay no
        01-13  rerate u {"n": 10}
        ------
        gift#1   12 of 20
        overage   2 of use in 2026-01
    "#,
    );
}

#[test]
fn with_no_more_than_it_got_back() {
    // The first to pay back does it first again, each with its own: 4 and 2 of 6.
    check(
        r#"
        01-10  use 10 id u
        01-11  grant a 4 priority 90
        01-12  grant b 30 priority 90
        01-12  grant c 30 priority 10
        01-13  rerate u {"n": 12}
        ------
        a#1    0 of 4
        b#1   24 of 30
        c#1   28 of 30
        overage 0
    "#,
    );
}

#[test]
fn a_void_lot_pays_again_with_what_it_gave_back_and_the_rest_is_void() {
    check(
        r#"
        01-01  grant gift 100
        01-10  use 30 id u
        01-15  void gift
        01-16  rerate u {"n": 20}
        01-17  rerate u {"n": 25}
        ------
        gift#1   0 of 100   voided 80
        overage  5 of use in 2026-01
    "#,
    );
}

#[test]
fn a_lot_that_was_reset_pays_again_with_what_it_gave_back() {
    check(
        r#"
        01-01  grant plan 100 ends 02-01 reset max 30
        01-10  use 50 id u
        01-15  reset
        01-16  rerate u {"n": 40}
        ------
        plan#1   30 of 100   expired 30
        ledger
        01-01  issue 100     grants -> plan#1
        01-10  usage 50      plan#1 -> usage
        01-15  reset 20      plan#1 -> expired
        01-10  reversal 50   usage -> plan#1     booked 01-16
        01-10  usage 40      plan#1 -> usage     booked 01-16
        01-15  reset 10      plan#1 -> expired   booked 01-16
    "#,
    );
}

#[test]
fn the_order_of_burning_is_that_of_now_within_its_time() {
    // A promotion of that time came late; one that begins later does not count.
    check(
        "
        01-01  grant plan 100
        01-10  use 10 id u
        01-11  grant promo 6 from 01-05 priority 10
        01-11  grant later 6 from 01-11 priority 1
        01-12  rerate u
        ------
        later#1    6 of 6
        plan#1    96 of 100
        promo#1    0 of 6
    ",
    );
}

#[test]
fn its_subject_is_the_same() {
    check(
        r#"
        01-01  grant ann 10 subject ann
        01-10  use 4 id u by ann
        01-11  rerate u {"n": 7}
        ------
        ann#1   3 of 10
        overage 0
    "#,
    );
}

#[test]
fn a_month_that_is_waited_for_keeps_its_closing_time() {
    check(
        r#"
        01-01  defaults lateness PT12H
        01-01  wallet month end forgive repay no
        01-10  use 6 id u
        01-11  defaults lateness P20D
        01-12  rerate u {"n": 9}
        ------
        overage 9 of use in 2026-01
        due 02-01 12:00
    "#,
    );
}

#[test]
fn features_or_units_that_change_places_are_charged_anew() {
    let price = |a: &str, b: &str| {
        format!(
            r#"01-01  price use {{"match": {{"type": {{"exact": "use"}}}}, "charges": [
            {{{a}, "quantity": {{"field": "a"}}, "amount": "1"}}, {{{b}, "quantity": {{"field": "b"}}, "amount": "1"}}]}}
        01-10  send use id u {{"a": 3, "b": 2}}
        01-11  rerate u {{"a": 2, "b": 3}}"#
        )
    };
    check(&format!(
        "
        {}
        ------
        overage  2 of chat in 2026-01
        overage  3 of search in 2026-01
    ",
        price(r#""unit": "credits", "feature": "chat""#, r#""unit": "credits", "feature": "search""#)
    ));
    check(&format!(
        "
        {}
        ------
        overage  2 of use in 2026-01
        overage  3 usd of use in 2026-01
    ",
        price(r#""unit": "credits""#, r#""unit": "usd""#)
    ));
}
