//! Stories of quotas: quiet grants, whose lots book nothing until something touches them (rules, section 4).

use crate::story::check;

#[test]
fn a_quiet_lot_that_nothing_touches_books_nothing() {
    check(
        "
        01-01  grant quota 10 monthly quiet
        now 03-15
        ------
        available 10
        due never
        ledger
    ",
    );
}

#[test]
fn a_quiet_lot_enters_the_ledger_when_it_first_pays() {
    check(
        "
        01-01  grant quota 10 monthly quiet
        02-15  use 3
        02-16  use 1
        ------
        quota#2   6 of 10   02-01 .. 03-01
        due 03-01
        ledger
        02-01  issue 10   grants -> quota#2   booked 02-15   leaves 10
        02-15  usage 3    quota#2 -> usage    leaves 7
        02-16  usage 1    quota#2 -> usage    leaves 6
    ",
    );
}

#[test]
fn what_is_left_of_a_touched_quiet_lot_expires() {
    check(
        "
        01-01  grant quota 10 monthly quiet
        01-15  use 3
        03-15  use 0
        ------
        quota#1   0 of 10   expired 7
        available 10
        due never
        ledger
        01-01  issue 10   grants -> quota#1    booked 01-15   leaves 10
        01-15  usage 3    quota#1 -> usage     leaves 7
        02-01  expire 7   quota#1 -> expired   leaves 0
    ",
    );
}

#[test]
fn a_quiet_grant_pays_overage_back_when_its_next_lot_begins() {
    check(
        "
        01-01  grant quota 10 monthly quiet
        01-15  use 14
        ------
        quota#1   0 of 10
        overage   4 of use in 2026-01
        due 02-01
    ",
    );
    check(
        "
        01-01  grant quota 10 monthly quiet
        01-15  use 14
        now 02-20
        ------
        quota#1   0 of 10
        quota#2   6 of 10
        overage   0
        due 03-01
        ledger
        01-01  issue 10    grants -> quota#1     booked 01-15
        01-15  usage 10    quota#1 -> usage
        01-15  overage 4   overage -> usage
        02-01  issue 10    grants -> quota#2
        02-01  repay 4     quota#2 -> overage
    ",
    );
}

#[test]
fn overage_of_another_feature_wakes_no_quiet_grant() {
    check(
        "
        01-01  grant quota 10 monthly quiet feature search
        01-15  use 4 of chat
        now 03-01
        ------
        overage   4 of chat in 2026-01
        available 10
        due never
        ledger
        01-15  overage 4   overage -> usage
    ",
    );
}

#[test]
fn an_untouched_quiet_lot_pays_late_usage() {
    check(
        "
        01-01  grant quota 10 monthly quiet
        02-02  use 3 at 01-20
        ------
        quota#1   0 of 10   expired 7
        available 10
        ledger
        01-01  issue 10       grants -> quota#1    booked 02-02
        02-01  expire 10      quota#1 -> expired   booked 02-02
        01-20  late_usage 3   expired -> usage     booked 02-02
    ",
    );
}

#[test]
fn an_untouched_quiet_lot_pays_nothing_past_its_lateness() {
    check(
        "
        01-01  grant quota 10 monthly quiet subject ann
        02-04  use 3 by ann at 01-20
        ------
        overage 3 of use in 2026-01
        available 10
    ",
    );
}

#[test]
fn an_untouched_quiet_lot_is_behind_all_that_have_their_place() {
    check(
        "
        01-01  grant quota 10 monthly quiet
        01-02  grant plan 10 ends 02-01
        01-03  use 4
        ------
        plan#1   6 of 10
        available 16
    ",
    );
}

#[test]
fn a_quiet_lot_has_its_place_from_the_charge_that_first_touches_it() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [
                   {"unit": "credits", "feature": "b", "quantity": {"field": "n"}, "amount": "1"},
                   {"name": "and", "unit": "credits", "feature": "c", "quantity": {"field": "n"}, "amount": "1"}]}
        01-01  grant one 10 monthly quiet feature a,c
        01-01  grant two 10 monthly quiet feature b,c
        01-02  use 3
        ------
        two#1   4 of 10
        available 14
    "#,
    );
}

#[test]
fn a_quiet_lot_has_its_place_from_the_overage_that_first_touches_it() {
    check(
        "
        01-01  grant one 10 monthly quiet feature a,c from 02-01
        01-01  grant two 10 monthly quiet feature b,c from 02-01
        01-02  use 3 of b
        01-03  use 3 of c
        now 02-02
        ------
        two#1   4 of 10
        overage 0
        available 14
    ",
    );
}
