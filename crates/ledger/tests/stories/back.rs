//! Stories of what comes back to a lot that has ended: what its end would have done with it (rules, section 4).

use crate::story::check;

#[test]
fn of_a_lot_that_expired_it_expires() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-10  use 4 id u
        02-10  reverse u
        ------
        plan#1   0 of 10   expired 10
        ledger
        01-01  issue 10     grants -> plan#1
        01-10  usage 4      plan#1 -> usage
        02-01  expire 6     plan#1 -> expired
        01-10  reversal 4   usage -> plan#1     booked 02-10
        02-01  expire 4     plan#1 -> expired   booked 02-10
    ",
    );
}

#[test]
fn within_the_lateness_it_pays_late_usage_again() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-10  use 10 id u
        02-02  reverse u
        02-03  use 7 at 01-20
        ------
        plan#1   0 of 10   expired 3
        overage  0
    ",
    );
}

#[test]
fn of_a_lot_that_rolled_over_it_rolls_over() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D costs 10 USD
        01-10  use 4 id u
        02-10  reverse u
        ------
        plan#1     0 of 10   carried 10   worth 0
        plan#1/1  10 of 10   from plan#1   worth 10
        ledger
        01-01  issue 10     grants -> plan#1      leaves 10
        01-10  usage 4      plan#1 -> usage       leaves 6
        02-01  carry 6      plan#1 -> plan#1/1    leaves 6
        01-10  reversal 4   usage -> plan#1       booked 02-10   leaves 6
        02-01  carry 4      plan#1 -> plan#1/1    booked 02-10   leaves 10
    ",
    );
}

#[test]
fn within_what_is_left_of_the_max() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry 8 for P28D
        01-10  use 4 id u
        02-10  reverse u
        ------
        plan#1     0 of 10   expired 2   carried 8
        plan#1/1   8 of 8    from plan#1
    ",
    );
    // What was used of the carried lot since makes no room: its end would have carried 8 at most.
    check(
        "
        01-01  grant plan 10 ends 02-01 carry 8 for P28D
        01-10  use 4 id u
        02-05  use 5
        02-10  reverse u
        ------
        plan#1     0 of 10   expired 2   carried 8
        plan#1/1   3 of 8    from plan#1
    ",
    );
}

#[test]
fn what_other_lots_of_the_grant_carried_counts() {
    check(
        "
        01-01  grant plan 10 monthly carry 12 for P3M
        01-10  use 10 id u
        03-10  reverse u
        ------
        plan#1     0 of 10   expired 8   carried 2
        plan#1/1   2 of 2    from plan#1
        plan#2     0 of 10   carried 10
        plan#2/1  10 of 10   from plan#2
        plan#3    10 of 10
    ",
    );
}

#[test]
fn of_a_share_the_share_is_carried_over() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry 50% for P28D
        01-10  use 4 id u
        02-10  reverse u
        ------
        plan#1     0 of 10   expired 5   carried 5
        plan#1/1   5 of 5    from plan#1
    ",
    );
}

#[test]
fn a_carried_lot_is_made_if_there_was_nothing_to_carry() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D costs 5 USD
        01-10  use 10 id u
        02-10  reverse u 6 credits
        ------
        plan#1     0 of 10   carried 6   worth 2    01-01 .. 02-01
        plan#1/1   6 of 6    from plan#1   worth 3  02-01 .. 03-01
        due 03-01
    ",
    );
}

#[test]
fn a_carried_lot_that_is_over_too_lets_it_expire() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D
        01-10  use 10 id u
        03-10  reverse u
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   expired 10   from plan#1
        due never
        ledger
        01-01  issue 10      grants -> plan#1
        01-10  usage 10      plan#1 -> usage
        01-10  reversal 10   usage -> plan#1       booked 03-10
        02-01  carry 10      plan#1 -> plan#1/1    booked 03-10
        03-01  expire 10     plan#1/1 -> expired   booked 03-10
    ",
    );
}

#[test]
fn along_the_chain_as_far_as_it_may_be_carried() {
    check(
        "
        01-01  grant plan 10 monthly carry all times 2 until 01-15
        01-10  use 4 id u
        03-10  reverse u
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   carried 10   from plan#1
        plan#1/2  10 of 10   from plan#1/1
        due 04-01
    ",
    );
    check(
        "
        01-01  grant plan 10 monthly carry all times 2 until 01-15
        01-10  use 4 id u
        06-10  reverse u
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   carried 10   from plan#1
        plan#1/2   0 of 10   expired 10   from plan#1/1
        due never
    ",
    );
}

#[test]
fn of_usage_that_a_carried_lot_paid_it_comes_back_there() {
    check(
        "
        01-01  grant plan 10 monthly carry all until 01-15
        02-10  use 4 id u
        02-20  reverse u 1 credits
        03-10  reverse u
        ------
        plan#1     0 of 10   carried 10
        plan#1/1   0 of 10   expired 10   from plan#1
        ledger
        01-01  issue 10     grants -> plan#1
        02-01  carry 10     plan#1 -> plan#1/1
        02-10  usage 4      plan#1/1 -> usage
        02-10  reversal 1   usage -> plan#1/1     booked 02-20
        03-01  expire 7     plan#1/1 -> expired
        02-10  reversal 3   usage -> plan#1/1     booked 03-10
        03-01  expire 3     plan#1/1 -> expired   booked 03-10
    ",
    );
}

#[test]
fn late_usage_that_took_what_had_expired_lets_it_expire_again() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        02-02  use 4 at 01-20 id u
        02-03  reverse u
        ------
        plan#1   0 of 10   expired 10
        ledger
        01-01  issue 10       grants -> plan#1
        02-01  expire 10      plan#1 -> expired
        01-20  late_usage 4   expired -> usage    booked 02-02
        01-20  reversal 4     usage -> plan#1     booked 02-03
        02-01  expire 4       plan#1 -> expired   booked 02-03
    ",
    );
}

#[test]
fn late_usage_that_took_back_what_was_carried_over_lets_it_roll_over_again() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D costs 10 USD
        02-03  use 4 at 01-20 id u
        02-10  reverse u
        ------
        plan#1     0 of 10   carried 10   worth 0
        plan#1/1  10 of 14   returned 4   from plan#1   worth 10
    ",
    );
}

#[test]
fn overage_paid_back_by_a_lot_that_has_ended_expires_there() {
    check(
        "
        01-10  use 10 id u
        01-15  grant gift 30 ends 02-01
        02-10  reverse u
        ------
        gift#1   0 of 30   expired 30
        ledger
        01-10  overage 10           overage -> usage
        01-15  issue 30             grants -> gift#1
        01-15  repay 10             gift#1 -> overage
        02-01  expire 20            gift#1 -> expired
        01-10  reverse_overage 10   usage -> overage    booked 02-10
        01-15  unrepay 10           overage -> gift#1   booked 02-10
        02-01  expire 10            gift#1 -> expired   booked 02-10
    ",
    );
}

#[test]
fn to_a_quiet_quota_it_comes_back_while_its_day_lasts() {
    check(
        "
        01-01  grant quota 10 daily quiet
        01-05 10:00  use 10 id u
        01-05 20:00  reverse u 4 credits
        01-06 10:00  reverse u
        ------
        quota#5   0 of 10   expired 10
        available 10
        ledger
        01-05        issue 10     grants -> quota#5   booked 01-05 10:00
        01-05 10:00  usage 10     quota#5 -> usage
        01-05 10:00  reversal 4   usage -> quota#5    booked 01-05 20:00
        01-06        expire 4     quota#5 -> expired
        01-05 10:00  reversal 6   usage -> quota#5    booked 01-06 10:00
        01-06        expire 6     quota#5 -> expired  booked 01-06 10:00
    ",
    );
}

#[test]
fn to_an_empty_lot_that_is_still_open_it_comes_back_whole() {
    check(
        "
        01-01  grant plan 10
        01-10  use 10 id u
        02-10  reverse u
        02-11  use 3
        ------
        plan#1   7 of 10
    ",
    );
}

#[test]
fn an_empty_lot_that_got_something_back_ends_at_its_time() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-10  use 10 id u
        01-20  reverse u
        ------
        plan#1   10 of 10
        due 02-01
    ",
    );
}

#[test]
fn a_grants_name_may_look_like_a_lots() {
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D
        01-01  grant plan#1 10 ends 02-01 carry all for P28D
        01-01  grant plan#1/1 10 ends 02-01 carry all for P28D
        01-01  grant a/1+b 10 ends 02-01 carry all for P28D
        01-10  use 40 id u
        02-10  reverse u
        ------
        a/1+b#1        0 of 10    carried 10
        a/1+b#1/1     10 of 10   from a/1+b#1
        plan#1         0 of 10    carried 10
        plan#1#1       0 of 10    carried 10
        plan#1#1/1    10 of 10   from plan#1#1
        plan#1/1      10 of 10   from plan#1
        plan#1/1#1     0 of 10    carried 10
        plan#1/1#1/1  10 of 10   from plan#1/1#1
    ",
    );
}

#[test]
fn however_often_the_most_that_can_be_goes_over_and_back() {
    let most = "1000000000000000000";
    check(&format!(
        "
        01-01  grant plan {most} ends 02-01 carry all for P28D
        02-02  use {most} at 01-20 id a
        02-02  reverse a
        02-02  use {most} at 01-20 id b
        02-02  reverse b
        02-03  use 1
        ------
        plan#1     0 of {most}   carried {most}
        plan#1/1   999999999999999999 of 3000000000000000000   returned 2000000000000000000   from plan#1
    "
    ));
}
