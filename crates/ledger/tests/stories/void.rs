//! Stories of voids: what is left of a grant is taken, and what it paid for stays (rules, section 4).

use crate::story::check;

#[test]
fn what_is_left_is_taken_and_what_it_paid_for_stays() {
    check(
        "
        01-01  grant gift 100 ends 02-01
        01-10  use 30
        01-15  void gift
        01-20  use 5
        ------
        gift#1   0 of 100   voided 70
        overage  5 of use in 2026-01
        ledger
        01-01  issue 100   grants -> gift#1
        01-10  usage 30    gift#1 -> usage
        01-15  void 70     gift#1 -> voided
        01-20  overage 5   overage -> usage
    ",
    );
}

#[test]
fn before_its_use_all_is_taken_and_after_it_nothing() {
    check(
        "
        01-01  grant gift 100 ends 02-01
        01-01  void gift
        ------
        gift#1   0 of 100   voided 100
        due never
    ",
    );
    check(
        "
        01-01  grant gift 100 ends 02-01
        01-10  use 100
        01-15  void gift
        ------
        gift#1   0 of 100
        available 0
        ledger
        01-01  issue 100   grants -> gift#1
        01-10  usage 100   gift#1 -> usage
    ",
    );
}

#[test]
fn a_grant_to_come_never_begins() {
    check(
        "
        01-01  grant gift 100 from 02-01
        01-15  void gift
        02-02  use 1
        ------
        overage 1 of use in 2026-02
    ",
    );
    check(
        "
        01-01  grant gift 100 from 02-01
        01-15  void gift open
        now 02-02
        ------
        gift#1   100 of 100
    ",
    );
}

#[test]
fn open_takes_this_cycle_and_leaves_what_was_carried_and_what_comes() {
    check(
        "
        01-01  grant plan 10 monthly carry all
        02-02  use 2
        02-10  void plan open
        now 03-02
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   expired 8   from plan#1
        plan#2     0 of 10   voided 10
        plan#3    10 of 10
        ledger
        01-01  issue 10    grants -> plan#1
        02-01  carry 10    plan#1 -> plan#1/1
        02-01  issue 10    grants -> plan#2
        02-02  usage 2     plan#1/1 -> usage
        02-10  void 10     plan#2 -> voided
        03-01  expire 8    plan#1/1 -> expired
        03-01  issue 10    grants -> plan#3
    ",
    );
}

#[test]
fn carried_takes_what_came_over_and_leaves_this_cycle() {
    check(
        "
        01-01  grant plan 10 monthly carry all
        02-02  use 2
        02-10  void plan carried
        now 03-02
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   voided 8   from plan#1
        plan#2     0 of 10   carried 10
        plan#2/1  10 of 10   from plan#2
        plan#3    10 of 10
    ",
    );
}

#[test]
fn future_lets_this_cycle_end_as_it_would_have() {
    check(
        "
        01-01  grant plan 10 monthly carry all
        02-10  void plan future
        now 05-01
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   expired 10   from plan#1
        plan#2     0 of 10   carried 10
        plan#2/1   0 of 10   expired 10   from plan#2
        due never
    ",
    );
}

#[test]
fn all_takes_everything() {
    check(
        "
        01-01  grant plan 10 monthly carry all
        02-10  void plan
        now 05-01
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   voided 10   from plan#1
        plan#2     0 of 10   voided 10
        due never
        ledger
        01-01  issue 10    grants -> plan#1
        02-01  carry 10    plan#1 -> plan#1/1
        02-01  issue 10    grants -> plan#2
        02-10  void 10     plan#1/1 -> voided
        02-10  void 10     plan#2 -> voided
    ",
    );
}

#[test]
fn a_purchase_is_void_with_all_its_grants() {
    check(
        "
        01-01  grant credits 100 purchase p1
        01-01  grant bonus 20 purchase p1
        01-01  grant other 5 purchase p2
        01-02  use 5
        01-15  void purchase p1
        ------
        bonus#1     0 of 20    voided 20
        credits#1   0 of 100   voided 95
        other#1     5 of 5
        ledger
        01-01  issue 100   grants -> credits#1
        01-01  issue 20    grants -> bonus#1
        01-01  issue 5     grants -> other#1
        01-02  usage 5     credits#1 -> usage
        01-15  void 95     credits#1 -> voided
        01-15  void 20     bonus#1 -> voided
    ",
    );
}

#[test]
fn one_grant_or_one_purchase_that_is_known_and_why() {
    check(
        r#"
        01-01  grant gift 100 purchase p1
        01-02  void other
        01-02  void purchase p2
        01-02  void gift because no
        01-02  record grant.voided {}
        01-02  record grant.voided {"grant_id": "gift", "purchase_id": "p1"}
        01-03  void purchase p1 in someone
        ------
        gift#1   100 of 100
        ! 01-02  rejected unknown_grant
        ! 01-02  rejected unknown_grant
        ! 01-02  rejected no_reason
        ! 01-02  rejected one_of_grant_and_purchase
        ! 01-02  rejected one_of_grant_and_purchase
        ! 01-03  rejected unknown_grant
    "#,
    );
}

#[test]
fn a_grant_that_was_refused_is_not_known() {
    check(
        "
        01-01  grant gift 0
        01-02  void gift
        ------
        ! 01-01  rejected amount_zero
        ! 01-02  rejected unknown_grant
    ",
    );
}

#[test]
fn twice_is_once() {
    check(
        "
        01-01  grant gift 100
        01-02  void gift id v
        01-03  again v
        01-04  void gift
        ------
        gift#1   0 of 100   voided 100
        ! 01-03  duplicate of 01-02
    ",
    );
}

#[test]
fn the_name_of_a_void_grant_is_taken() {
    check(
        "
        01-01  grant gift 100
        01-02  void gift
        01-03  grant gift 100
        01-04  grant gift 50
        ------
        gift#1   0 of 100   voided 100
        ! 01-03  duplicate of 01-01
        ! 01-04  conflict with 01-01
    ",
    );
}

#[test]
fn a_quiet_lot_enters_the_ledger_before_it_is_taken() {
    check(
        "
        01-01  grant quota 10 daily quiet
        01-05 10:00  void quota
        01-06 10:00  use 1
        ------
        quota#5   0 of 10   voided 10
        overage   1 of use in 2026-01
        ledger
        01-05  issue 10   grants -> quota#5   booked 01-05 10:00
        01-05 10:00  void 10    quota#5 -> voided
        01-06 10:00  overage 1  overage -> usage
    ",
    );
    check(
        "
        01-01  grant quota 10 daily quiet
        01-05 10:00  void quota open
        01-05 11:00  use 1
        01-06 10:00  use 1
        ------
        quota#5   0 of 10   voided 10
        quota#6   8 of 10
        overage   0
    ",
    );
}
