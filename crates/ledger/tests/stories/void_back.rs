//! Stories of what comes back to void lots, and of who asks them in vain (rules, section 4).

use crate::story::check;

#[test]
fn late_usage_gets_nothing_of_a_void_grant() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        02-02  void plan
        02-03  use 4 at 01-20
        ------
        plan#1   0 of 10   expired 10
        overage  4 of use in 2026-01
    ",
    );
    // Only its carried lots are void: what expired of it still pays.
    check(
        "
        01-01  grant plan 10 ends 02-01 carry 50% for P28D
        02-02  void plan carried
        02-03  use 7 at 01-20
        ------
        plan#1     0 of 10   carried 5
        plan#1/1   0 of 5    voided 5   from plan#1
        overage    2 of use in 2026-01
    ",
    );
}

#[test]
fn what_was_added_by_a_reset_goes_with_its_lot() {
    check(
        "
        01-01  grant plan 10 monthly carry all reset min 10
        01-10  use 4
        01-12  reset
        01-15  void plan open
        now 02-02
        ------
        plan#1     0 of 10   voided 6
        plan#1+1   0 of 4    voided 4
        plan#2    10 of 10
    ",
    );
}

#[test]
fn what_comes_back_to_a_void_lot_is_void() {
    check(
        "
        01-01  grant gift 100 ends 02-01
        01-10  use 30 id u
        01-15  void gift
        01-20  reverse u
        ------
        gift#1   0 of 100   voided 100
        ledger
        01-01  issue 100     grants -> gift#1
        01-10  usage 30      gift#1 -> usage
        01-15  void 70       gift#1 -> voided
        01-10  reversal 30   usage -> gift#1    booked 01-20
        01-15  void 30       gift#1 -> voided   booked 01-20
    ",
    );
}

#[test]
fn what_comes_back_to_an_empty_lot_of_a_void_grant_is_void() {
    for what in ["", "open", "all"] {
        check(&format!(
            "
            01-01  grant gift 30 ends 02-01
            01-10  use 30 id u
            01-15  void gift {what}
            01-20  reverse u
            ------
            gift#1   0 of 30   voided 30
        "
        ));
    }
    check(
        "
        01-01  grant gift 30 ends 02-01
        01-10  use 30 id u
        01-15  void gift future
        01-20  reverse u
        ------
        gift#1   30 of 30
    ",
    );
}

#[test]
fn what_comes_back_to_a_lot_that_ended_before_all_was_void_is_void() {
    check(
        "
        01-01  grant gift 30 monthly
        01-10  use 10 id u
        04-15  void gift
        04-20  reverse u
        ------
        gift#1   0 of 30   expired 20   voided 10
        gift#2   0 of 30   expired 30
        gift#3   0 of 30   expired 30
        gift#4   0 of 30   voided 30
    ",
    );
    // Only what was open then is void: January's lot had ended.
    check(
        "
        01-01  grant gift 30 monthly
        01-10  use 10 id u
        02-15  void gift open
        02-20  reverse u
        ------
        gift#1   0 of 30   expired 30
        gift#2   0 of 30   voided 30
    ",
    );
}

#[test]
fn what_comes_back_to_an_empty_carried_lot_is_void_with_it() {
    check(
        "
        01-01  grant plan 10 monthly carry all
        02-02  use 10 id u
        02-10  void plan carried
        02-11  reverse u
        ------
        plan#1      0 of 10   carried 10
        plan#1/1    0 of 10   voided 10   from plan#1
        plan#2     10 of 10
    ",
    );
}

#[test]
fn what_was_void_twice_was_void_since_the_first() {
    check(
        "
        01-01  grant gift 10
        01-10  use 11 id u
        01-15  void gift
        01-16  void gift open
        01-20  reverse u
        ------
        gift#1   0 of 10   voided 10
        overage  0
        ledger
        01-01  issue 10            grants -> gift#1
        01-10  usage 10            gift#1 -> usage
        01-10  overage 1           overage -> usage
        01-10  reverse_overage 1   usage -> overage   booked 01-20
        01-10  reversal 10         usage -> gift#1    booked 01-20
        01-15  void 10             gift#1 -> voided   booked 01-20
    ",
    );
}

#[test]
fn a_lot_that_is_carried_after_its_grant_was_voided_is_void_and_no_reset_adds_to_it() {
    check(
        "
        01-01  grant plan 10 monthly carry all reset min 5
        01-10  use 10 id u
        02-05  void plan carried
        02-10  reverse u
        02-15  reset
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   voided 10   from plan#1
        plan#2     10 of 10
        ",
    );
}

#[test]
fn what_is_carried_over_afterwards_has_the_lateness_of_the_lots_end() {
    check(
        "
        01-01  defaults lateness P1D
        01-01  grant plan 10 ends 02-01 carry all for P28D
        01-10  use 10 id u
        02-10  defaults lateness P20D
        02-12  reverse u
        03-05  use 5 at 02-15
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   expired 10   from plan#1
        overage    5 of use in 2026-02
    ",
    );
}
