//! Stories of resets: lots brought back to the bounds that their grants name (rules, section 4).

use crate::story::check;

#[test]
fn what_is_above_the_max_expires() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset max 30
        01-10  use 20
        01-15  reset
        ------
        plan#1   30 of 100   expired 50
        available 30
        ledger
        01-01  issue 100   grants -> plan#1
        01-10  usage 20    plan#1 -> usage
        01-15  reset 50    plan#1 -> expired
    ",
    );
}

#[test]
fn what_lacks_to_the_min_is_a_new_lot_that_ends_with_it() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset min 40
        01-10  use 75
        01-15  reset
        ------
        plan#1     25 of 100   01-01 .. 02-01
        plan#1+1   15 of 15    01-15 .. 02-01
        available  40
        ledger
        01-01  issue 100   grants -> plan#1
        01-10  usage 75    plan#1 -> usage
        01-15  issue 15    grants -> plan#1+1
    ",
    );
}

#[test]
fn between_its_bounds_a_lot_stays_as_it_is() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset min 40 max 60
        01-01  grant free 7
        01-10  use 50 of plan
        01-15  reset
        01-16  reset
        ------
        free#1     7 of 7
        plan#1    50 of 100
        ledger
        01-01  issue 100   grants -> plan#1
        01-01  issue 7     grants -> free#1
        01-10  usage 50    plan#1 -> usage
    ",
    );
}

#[test]
fn an_empty_lot_is_filled_again_as_long_as_its_window_is_open() {
    check(
        "
        01-01  grant plan 10 ends 02-01 reset min 10
        01-10  use 10
        01-20  reset
        01-25  use 4
        02-02  reset
        ------
        plan#1     0 of 10
        plan#1+1   0 of 10   expired 6
        available  0
    ",
    );
}

#[test]
fn what_earlier_resets_added_counts() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset min 50
        01-10  use 90
        01-12  reset
        01-13  use 20
        01-15  reset
        ------
        plan#1      0 of 100
        plan#1+1   30 of 40
        plan#1+2   20 of 20
        available  50
    ",
    );
}

#[test]
fn a_lot_that_was_added_is_free_and_burns_before_what_was_paid_for() {
    check(
        "
        01-01  grant plan 10 ends 02-01 reset min 10 costs 5 USD
        01-10  use 4
        01-12  reset
        01-13  use 3
        ------
        plan#1     6 of 10   worth 5
        plan#1+1   1 of 4    worth 0
    ",
    );
}

#[test]
fn open_overage_is_forgiven_unless_it_is_to_be_kept() {
    check(
        "
        01-10  use 5
        01-11  use 3 of chat
        01-12  reset
        ------
        overage  0
        ledger
        01-10  overage 5   overage -> usage
        01-11  overage 3   overage -> usage
        01-12  forgive 3   forgiven -> overage
        01-12  forgive 5   forgiven -> overage
    ",
    );
    check(
        "
        01-10  use 5
        01-12  reset keep overage
        ------
        overage  5 of use in 2026-01
    ",
    );
}

#[test]
fn overage_that_is_kept_is_paid_back_by_what_was_added() {
    check(
        "
        01-01  grant plan 10 ends 02-01 reset min 10
        01-10  use 14
        01-12  reset keep overage
        ------
        plan#1     0 of 10
        plan#1+1   6 of 10
        overage    0
        ledger
        01-01  issue 10    grants -> plan#1
        01-10  usage 10    plan#1 -> usage
        01-10  overage 4   overage -> usage
        01-12  issue 10    grants -> plan#1+1
        01-12  repay 4     plan#1+1 -> overage
    ",
    );
}

#[test]
fn one_unit_can_be_reset_alone() {
    check(
        "
        01-01  grant plan 10 reset max 5
        01-01  grant cash 10 of usd reset max 5
        01-02  reset usd
        01-03  reset gold
        ------
        cash#1    5 of 10 usd   expired 5
        plan#1   10 of 10
        ! 01-03  rejected unknown_unit
    ",
    );
}

#[test]
fn a_reset_says_why_and_its_bounds_are_in_order() {
    check(
        "
        01-01  grant plan 10 reset min 20 max 10
        01-01  grant plan 10 reset max 5
        01-02  reset because no
        ------
        plan#1   10 of 10
        ! 01-01  rejected reset_min_over_max
        ! 01-02  rejected no_reason
    ",
    );
}

#[test]
fn carried_lots_have_bounds_of_their_own() {
    check(
        "
        01-01  grant plan 100 monthly carry all reset min 20 max 50
        02-02  use 95
        02-03  reset
        ------
        plan#1       0 of 100   carried 100
        plan#1/1     5 of 100   from plan#1
        plan#1/1+1  15 of 15
        plan#2      50 of 100   expired 50
    ",
    );
}

#[test]
fn what_was_added_is_carried_over_like_its_lot() {
    check(
        "
        01-01  grant plan 10 monthly carry all reset min 10 until 01-15 costs 5 USD
        01-10  use 4
        01-12  reset
        01-13  use 1
        now 02-02
        ------
        plan#1       0 of 10   carried 6   worth 2
        plan#1+1     0 of 4    carried 3   worth 0
        plan#1+1/1   3 of 3    from plan#1+1   worth 0
        plan#1/1     6 of 6    from plan#1   worth 3
    ",
    );
}

#[test]
fn a_void_lot_is_not_filled() {
    check(
        "
        01-01  grant plan 10 ends 02-01 reset min 10
        01-05  void plan open
        01-06  reset
        ------
        plan#1   0 of 10   voided 10
        available 0
    ",
    );
}

#[test]
fn late_usage_of_before_a_reset_takes_what_is_left_now() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset max 30
        01-15  reset
        01-16  use 40 at 01-14
        ------
        plan#1    0 of 100   expired 70
        overage  10 of use in 2026-01
    ",
    );
}

#[test]
fn what_comes_back_after_a_reset_stays_up_to_its_room() {
    // 60 were used; the reset left 30 of at most 50: 20 have room.
    check(
        "
        01-01  grant plan 90 ends 02-01 reset max 50
        01-10  use 60 id u
        01-15  reset
        01-20  reverse u
        ------
        plan#1   50 of 90   expired 40
        ledger
        01-01  issue 90      grants -> plan#1
        01-10  usage 60      plan#1 -> usage
        01-10  reversal 60   usage -> plan#1     booked 01-20
        01-15  reset 40      plan#1 -> expired   booked 01-20
    ",
    );
}

#[test]
fn the_room_shrinks_with_what_came_back() {
    check(
        "
        01-01  grant plan 90 ends 02-01 reset max 50
        01-10  use 60 id u
        01-15  reset
        01-20  reverse u 15 credits
        01-21  reverse u 15 credits
        ------
        plan#1   50 of 90   expired 10
    ",
    );
}

#[test]
fn what_was_used_since_the_reset_comes_back_whole() {
    check(
        "
        01-01  grant plan 90 ends 02-01 reset max 50
        01-15  reset
        01-16  use 30 id u
        01-15  use 10 id v
        01-20  reverse u
        01-20  reverse v
        ------
        plan#1   50 of 90   expired 40
    ",
    );
}

#[test]
fn what_was_filled_up_has_no_room_for_what_comes_back() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset min 100 max 100
        01-10  use 60 id u
        01-15  reset
        01-20  reverse u
        ------
        plan#1    40 of 100   expired 60
        plan#1+1  60 of 60
        available 100
    ",
    );
}

#[test]
fn a_lot_and_what_was_added_to_it_have_one_room() {
    check(
        "
        01-01  grant plan 10 ends 02-01 reset min 10 max 12
        01-02  use 10 id u
        01-03  reset
        01-04  use 10 id v
        01-05  reset
        01-06  reverse u
        01-07  reverse v
        ------
        plan#1     2 of 10   expired 8
        plan#1+1   0 of 10   expired 10
        plan#1+2  10 of 10
        available 12
    ",
    );
}

#[test]
fn an_empty_lot_was_reset_too() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset max 30
        01-10  use 100 id u
        01-15  reset
        01-20  reverse u
        ------
        plan#1   30 of 100   expired 70
    ",
    );
}

#[test]
fn the_last_reset_counts() {
    // The first left room for 20, the second, when 30 were there, none.
    check(
        "
        01-01  grant plan 90 ends 02-01 reset max 50
        01-10  use 60 id u
        01-15  reset
        01-16  reverse u 20 credits
        01-17  reset
        01-18  reverse u 10 credits
        ------
        plan#1   50 of 90   expired 10
    ",
    );
}

#[test]
fn a_wallet_full_of_lots_gets_what_lacks_in_the_last_one_that_was_added() {
    let mut steps = String::from("        01-01  grant plan 10 ends 02-01 reset min 10\n");
    for n in 0..998 {
        steps.push_str(&format!("        01-01  grant g{n} 1 priority 200\n"));
    }
    steps
        .push_str("        01-02  use 3\n        01-03  reset\n        01-04  use 9\n        01-05  reset\n");
    let lots = (0..998).map(|n| format!("g{n}#1"));
    let mut lots: Vec<String> = lots.map(|lot| format!("        {lot}   1 of 1\n")).collect();
    lots.sort_by_key(|l| l.split_whitespace().next().unwrap_or_default().to_owned());
    check(&format!(
        "{steps}        ------\n{}        plan#1   0 of 10\n        plan#1+1   10 of 12\n",
        lots.concat()
    ));
}
