//! Stories of rollover, and of ends to the nanosecond (rules, section 4).

use crate::story::check;

#[test]
fn without_a_rollover_all_that_is_left_expires() {
    check(
        "
        01-01  grant plan 100 monthly
        01-10  use 60
        now 02-01
        ------
        plan#1     0 of 100   expired 40
        plan#2   100 of 100
    ",
    );
}

#[test]
fn an_ended_lot_carries_up_to_its_cap_and_the_rest_expires() {
    check(
        "
        01-01  grant plan 100 monthly carry 30 for P28D
        01-10  use 50
        02-02  use 10
        ------
        plan#1      0 of 100   expired 20 carried 30
        plan#1/1   20 of  30   from plan#1
        plan#2    100 of 100
        overage     0
    ",
    );
}

#[test]
fn all_that_is_left_may_be_carried_until_the_next_occurrence() {
    check(
        "
        01-01  grant plan 100 monthly carry all
        01-10  use 60
        now 02-01
        ------
        plan#1      0 of 100   carried 40        01-01 .. 02-01
        plan#1/1   40 of  40   from plan#1       02-01 .. 03-01
        plan#2    100 of 100                     02-01 .. 03-01
        available 140
        ledger
        01-01  issue 100   grants -> plan#1     leaves 100
        01-10  usage 60    plan#1 -> usage      leaves 40
        02-01  carry 40    plan#1 -> plan#1/1   leaves 40
        02-01  issue 100   grants -> plan#2     leaves 140
    ",
    );
}

#[test]
fn what_was_carried_expires_at_its_own_end() {
    check(
        "
        01-01  grant plan 100 monthly carry all for P7D
        01-10  use 60
        02-07 23:59:59.999999999  use 5
        02-08  use 1
        ------
        plan#1      0 of 100   carried 40               01-01 .. 02-01
        plan#1/1    0 of  40   expired 35 from plan#1   02-01 .. 02-08
        plan#2     99 of 100                            02-01 .. 03-01
    ",
    );
}

#[test]
fn a_share_is_cut_and_the_remainder_expires() {
    check(
        "
        01-01  grant plan 33.333333333 monthly carry 50%
        now 02-01
        ------
        plan#1     0 of 33.333333333    expired 16.666666667 carried 16.666666666
        plan#1/1   16.666666666 of 16.666666666   from plan#1
        plan#2     33.333333333 of 33.333333333
    ",
    );
}

#[test]
fn a_share_of_what_is_left_counts_and_not_of_what_was_issued() {
    check(
        "
        01-01  grant plan 100 monthly carry 50%
        01-10  use 60
        now 02-01
        ------
        plan#1      0 of 100   expired 20 carried 20
        plan#1/1   20 of  20   from plan#1
        plan#2    100 of 100
    ",
    );
}

#[test]
fn a_share_and_a_cap_hold_together() {
    check(
        "
        01-01  grant plan 100 monthly carry 50% max 15
        01-10  use 60
        02-10  use 105
        now 03-01
        ------
        plan#1      0 of 100   expired 25 carried 15
        plan#1/1    0 of  15   from plan#1
        plan#2      0 of 100   expired 5 carried 5
        plan#2/1    5 of   5   from plan#2
        plan#3    100 of 100
    ",
    );
}

#[test]
fn a_share_too_small_to_carry_makes_no_lot() {
    check(
        "
        01-01  grant plan 0.000000001 monthly until 02-01 carry 50%
        now 02-01
        ------
        plan#1   0 of 0.000000001   expired 0.000000001
        due never
    ",
    );
}

#[test]
fn a_lot_that_is_used_up_carries_nothing() {
    check(
        "
        01-01  grant plan 10 monthly until 02-01 carry all
        01-10  use 10
        now 02-01
        ------
        plan#1   0 of 10
        due never
    ",
    );
}

#[test]
fn the_cap_bounds_all_open_carried_lots_together() {
    check(
        "
        01-01  grant daily 10 daily carry 15 for P3D
        now 01-05
        ------
        daily#1      0 of 10   carried 10                01-01 .. 01-02
        daily#1/1    0 of 10   expired 10 from daily#1   01-02 .. 01-05
        daily#2      0 of 10   expired 5 carried 5       01-02 .. 01-03
        daily#2/1    5 of  5   from daily#2              01-03 .. 01-06
        daily#3      0 of 10   expired 10                01-03 .. 01-04
        daily#4      0 of 10   carried 10                01-04 .. 01-05
        daily#4/1   10 of 10   from daily#4              01-05 .. 01-08
        daily#5     10 of 10                             01-05 .. 01-06
    ",
    );
}

#[test]
fn what_carried_lots_have_spent_makes_room_under_the_cap() {
    check(
        "
        01-01  grant daily 10 daily carry 15 for P3D
        01-02 12:00  use 18
        now 01-04
        ------
        daily#1      0 of 10   carried 10
        daily#1/1    2 of 10   from daily#1
        daily#2      0 of 10
        daily#3      0 of 10   carried 10
        daily#3/1   10 of 10   from daily#3
        daily#4     10 of 10
    ",
    );
}

#[test]
fn the_same_credits_may_be_carried_several_times() {
    check(
        "
        01-01  grant plan 10 monthly until 04-01 carry all times 2
        now 04-01
        ------
        plan#1      0 of 10   carried 10                    01-01 .. 02-01
        plan#1/1    0 of 10   carried 10 from plan#1        02-01 .. 03-01
        plan#1/2    0 of 10   expired 10 from plan#1/1      03-01 .. 04-01
        plan#2      0 of 10   carried 10                    02-01 .. 03-01
        plan#2/1    0 of 10   carried 10 from plan#2        03-01 .. 04-01
        plan#2/2   10 of 10   from plan#2/1                 04-01 .. 05-01
        plan#3      0 of 10   carried 10                    03-01 .. 04-01
        plan#3/1   10 of 10   from plan#3                   04-01 .. 05-01
    ",
    );
}

#[test]
fn a_share_is_taken_each_time() {
    check(
        "
        01-01  grant plan 100 monthly until 02-01 carry 50% times 3
        now 05-01
        ------
        plan#1        0 of 100    expired 50 carried 50                    01-01 .. 02-01
        plan#1/1      0 of 50     expired 25 carried 25 from plan#1        02-01 .. 03-01
        plan#1/2      0 of 25     expired 12.5 carried 12.5 from plan#1/1  03-01 .. 04-01
        plan#1/3      0 of 12.5   expired 12.5 from plan#1/2               04-01 .. 05-01
    ",
    );
}

#[test]
fn what_is_carried_lives_to_the_next_occurrence_beyond_until_too() {
    check(
        "
        01-31  grant plan 10 monthly until 02-28 carry all
        now 03-15
        ------
        plan#1      0 of 10   carried 10    01-31 .. 02-28
        plan#1/1   10 of 10   from plan#1   02-28 .. 03-31
        due 03-31
    ",
    );
}

#[test]
fn a_one_off_lot_is_carried_for_as_long_as_it_says() {
    check(
        "
        01-01  grant gift 10 ends 02-01 carry all for P28D
        02-02  use 4
        ------
        gift#1     0 of 10   carried 10    01-01 .. 02-01
        gift#1/1   6 of 10   from gift#1   02-01 .. 03-01
        due 03-01
    ",
    );
}

#[test]
fn a_carried_lot_keeps_its_unit_cost() {
    check(
        "
        01-01  grant plan 100 monthly until 02-01 costs 50 USD carry 30
        01-10  use 60
        now 02-01
        ------
        plan#1      0 of 100   expired 10 carried 30   worth 35
        plan#1/1   30 of  30   from plan#1             worth 15
    ",
    );
}

#[test]
fn a_carried_lot_keeps_its_scope_and_priority() {
    check(
        "
        01-01  grant plan 10 monthly until 02-01 carry all feature search priority 10
        02-01  grant other 10
        02-02  use 3 of chat
        02-03  use 4 of search
        ------
        other#1     7 of 10
        plan#1      0 of 10   carried 10
        plan#1/1    6 of 10   from plan#1
    ",
    );
}

#[test]
fn an_end_is_exact_to_the_nanosecond() {
    check(
        "
        01-01  grant a 10 ends 01-15 12:00:00.000000001
        01-15 12:00:00  use 1
        01-15 12:00:00.000000001  use 2
        ------
        a#1   0 of 10   expired 9
        overage  2 of use in 2026-01
    ",
    );
}

#[test]
fn a_lot_past_its_end_is_unspendable_whether_or_not_a_timer_ran() {
    check(
        "
        01-01  grant a 10 ends 02-01
        02-05  use 3
        ------
        a#1   0 of 10   expired 10
        overage  3 of use in 2026-02
        ledger
        01-01  issue 10    grants -> a#1
        02-01  expire 10   a#1 -> expired
        02-05  overage 3   overage -> usage
    ",
    );
}

#[test]
fn what_ends_at_one_instant_ends_in_the_order_of_issue() {
    check(
        "
        01-01  grant z 1 ends 02-01
        01-01  grant a 2 ends 02-01
        01-01  grant plan 4 monthly until 02-01 carry all
        now 03-01
        ------
        a#1        0 of 2   expired 2
        plan#1     0 of 4   carried 4
        plan#1/1   0 of 4   expired 4 from plan#1
        z#1        0 of 1   expired 1
        ledger
        01-01  issue 1    grants -> z#1
        01-01  issue 2    grants -> a#1
        01-01  issue 4    grants -> plan#1
        02-01  expire 1   z#1 -> expired
        02-01  expire 2   a#1 -> expired
        02-01  carry 4    plan#1 -> plan#1/1
        03-01  expire 4   plan#1/1 -> expired
    ",
    );
}
