//! Stories of why: each lot that was considered for a charge, and why it was used or passed over (design, section 3).

use crate::story::check;

#[test]
fn lots_are_considered_in_the_order_of_burning_until_all_is_paid() {
    check(
        "
        01-01  grant second 10 ends 03-01
        01-01  grant first 10 ends 02-01
        01-01  grant third 10
        01-10  use 12
        ------
        first#1    0 of 10
        second#1   8 of 10
        third#1   10 of 10
        why
        01-10  first#1 had 10 for 12 of use: pays
        01-10  second#1 had 10 for 2 of use: pays
    ",
    );
}

#[test]
fn a_lot_is_passed_over_for_its_window() {
    check(
        "
        01-01  grant old 10 ends 01-15 priority 1
        01-01  grant now 10 ends 02-01 priority 3
        01-16  grant new 10 ends 02-01 priority 2
        01-17  use 3 at 01-15
        ------
        new#1   10 of 10
        now#1    7 of 10
        old#1    0 of 10   expired 10
        why
        01-17  old#1 had 10 for 3 of use: ended at 2026-01-15T00:00:00Z
        01-17  new#1 had 10 for 3 of use: begins only at 2026-01-16T00:00:00Z
        01-17  now#1 had 10 for 3 of use: pays
    ",
    );
}

#[test]
fn a_lot_is_passed_over_for_its_scope() {
    check(
        "
        01-01  grant search 10 feature search priority 1
        01-01  grant ann 10 subject ann priority 2
        01-01  grant any 10 priority 3
        01-01  grant cash 10 of usd priority 0
        01-17  use 3 of chat by bob
        ------
        ann#1     10 of 10
        any#1      7 of 10
        cash#1    10 of 10 usd
        search#1  10 of 10
        why
        01-17  search#1 had 10 for 3 of chat: may not pay for this feature
        01-17  ann#1 had 10 for 3 of chat: may not pay for this subject
        01-17  any#1 had 10 for 3 of chat: pays
    ",
    );
}

#[test]
fn a_lot_that_ended_pays_late_or_no_more() {
    check(
        "
        01-01  grant short 10 ends 02-01 lateness P1D carry all for P28D
        01-01  grant long 10 ends 02-01 lateness P20D
        02-02 12:00  use 3 at 01-20
        ------
        long#1     0 of 10   expired 7
        short#1    0 of 10   carried 10
        short#1/1  10 of 10   from short#1
        why
        02-02 12:00  long#1 had 10 for 3 of use: pays late usage of its time
    ",
    );
}

#[test]
fn a_lot_whose_lateness_is_over_says_so_while_it_is_there() {
    // The carried lot is over for good, but has to wait for the lot it came from, which is within its lateness.
    check(
        "
        01-01  grant plan 10 ends 02-01 lateness P20D carry all for PT12H
        02-02  use 3 at 02-01 06:00
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   expired 10   from plan#1
        overage    3 of use in 2026-02
        why
        02-02  plan#1 had 0 for 3 of use: ended at 2026-02-01T00:00:00Z
        02-02  plan#1/1 had 0 for 3 of use: has ended, and its lateness is over
    ",
    );
}

#[test]
fn a_void_lot_and_an_empty_one_have_nothing() {
    check(
        "
        01-01  grant gone 10 priority 1 ends 02-01 reset max 5
        01-01  grant used 10 priority 2 ends 02-01 reset max 5
        01-02  reset
        01-03  use 10
        01-03  use 0.5
        01-04  void gone
        01-05  use 1
        ------
        gone#1   0 of 10   expired 5
        used#1   0 of 10   expired 5
        overage  1.5 of use in 2026-01
        why
        01-03  gone#1 had 5 for 10 of use: pays
        01-03  used#1 had 5 for 5 of use: pays
        01-03  gone#1 had 0 for 0.5 of use: is empty
        01-03  used#1 had 0 for 0.5 of use: is empty
        01-05  gone#1 had 0 for 1 of use: was voided
        01-05  used#1 had 0 for 1 of use: is empty
    ",
    );
}

#[test]
fn a_re_rating_considers_what_it_gave_back() {
    check(
        r#"
        01-01  grant plan 10 ends 02-01
        01-10  use 4 id u
        02-10  rerate u {"n": 5}
        ------
        plan#1   0 of 10   expired 6
        overage  1 of use in 2026-01
        why
        01-10  plan#1 had 10 for 4 of use: pays
        02-10  plan#1 had 4 for 5 of use: pays
    "#,
    );
}

#[test]
fn a_lot_pays_from_its_first_instant_on() {
    check(
        "
        01-01  grant plan 10 from 01-10
        01-10  use 3
        ------
        plan#1   7 of 10
        why
        01-10  plan#1 had 10 for 3 of use: pays
    ",
    );
}

#[test]
fn a_late_lot_that_has_paid_all_is_empty() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [
            {"unit": "credits", "feature": "in", "quantity": {"field": "n"}, "amount": "1"},
            {"name": "out", "unit": "credits", "feature": "out", "quantity": {"field": "n"}, "amount": "1"}]}
        01-01  grant plan 10 ends 02-01
        02-02  use 10 at 01-20
        ------
        plan#1    0 of 10
        overage  10 of out in 2026-01
        why
        02-02  plan#1 had 10 for 10 of in: pays late usage of its time
        02-02  plan#1 had 0 for 10 of out: is empty
    "#,
    );
}
