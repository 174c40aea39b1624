//! Stories of what changes in mid-cycle: cards, zones, overage cleared by hand, the version of the fold (rules, section 5).

use crate::story::check;

#[test]
fn overage_is_cleared_by_hand() {
    check(
        "
        01-10  use 8
        01-11  use 3 of chat
        01-12  clear 2026-01 2 credits of use as billed
        01-13  clear 2026-01 4 credits as forgiven
        01-14  clear 2026-01 credits as billed
        01-15  grant gift 5
        ------
        gift#1   5 of 5
        overage  0
        ledger
        01-10  overage 8   overage -> usage
        01-11  overage 3   overage -> usage
        01-12  bill 2      billed -> overage
        01-13  forgive 3   forgiven -> overage
        01-13  forgive 1   forgiven -> overage
        01-14  bill 5      billed -> overage
        01-15  issue 5     grants -> gift#1
    ",
    );
}

#[test]
fn only_what_is_open_can_be_cleared() {
    check(
        "
        01-10  use 8
        01-12  clear 2025-12 credits as billed
        01-12  clear 2026-01 usd as billed
        01-12  clear 2026-01 credits of chat as billed
        01-12  clear 2026-01 0 credits as billed
        01-12  clear 2026-01 8.000000001 credits as billed
        ------
        overage 8 of use in 2026-01
        ! 01-12  rejected nothing_open
        ! 01-12  rejected nothing_open
        ! 01-12  rejected nothing_open
        ! 01-12  rejected amount_zero
        ! 01-12  rejected more_than_open
    ",
    );
}

#[test]
fn late_overage_belongs_to_its_own_month_and_is_cleared_there() {
    check(
        "
        01-10  use 8
        02-02  use 5
        02-03  use 2 at 01-20
        02-05  clear 2026-01 credits as billed
        02-06  use 1 at 01-21
        02-07  clear 2026-01 credits as billed
        ------
        overage 5 of use in 2026-02
        ledger
        01-10  overage 8   overage -> usage
        02-02  overage 5   overage -> usage
        01-20  overage 2   overage -> usage   booked 02-03
        02-05  bill 10     billed -> overage
        01-21  overage 1   overage -> usage   booked 02-06
        02-07  bill 1      billed -> overage
    ",
    );
}

#[test]
fn the_rate_card_changes_in_mid_cycle() {
    check(
        r#"
        01-01  card gold
        01-01  price golden {"rate_card": "gold", "match": {"type": {"any": true}},
            "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "0.5"}]}
        01-01  grant plan 100 monthly
        01-10  use 10
        01-15  change { wallet card gold }
        01-16  use 10
        01-17  use 10 at 01-14
        ------
        plan#1   75 of 100
        ledger
        01-01  issue 100   grants -> plan#1
        01-10  usage 10    plan#1 -> usage   by any@1
        01-16  usage 5     plan#1 -> usage   by golden@1
        01-14  usage 10    plan#1 -> usage   booked 01-17   by any@1
    "#,
    );
}

#[test]
fn the_zone_changes_in_mid_cycle_and_a_grant_keeps_its_own() {
    check(
        "
        01-01  grant plan 100 monthly
        01-15  wallet zone Tokyo
        01-15  grant extra 100 monthly anchor 01-31 15:00
        01-31 18:00  use 250
        ------
        extra#1    0 of 100   expired 100   01-15 .. 01-31 15:00
        extra#2    0 of 100   01-31 15:00 .. 02-28 15:00
        plan#1     0 of 100   01-01 .. 02-01
        overage   50 of use in 2026-02
    ",
    );
}

#[test]
fn money_follows_what_goes_back_since_fold_2() {
    // A carried lot of 10 for 10 USD: late usage takes 5 of it, and 5 again.
    check(
        "
        01-01  grant plan 10 ends 02-01 carry all for P28D costs 10 USD
        02-02  use 5 at 01-20
        02-03  use 5 at 01-20
        ------
        plan#1     0 of 10   worth 10
        plan#1/1   0 of 10   returned 10   from plan#1   worth 0
    ",
    );
    check(
        "
        01-01  genesis 1
        01-01  grant plan 10 ends 02-01 carry all for P28D costs 10 USD
        02-02  use 5 at 01-20
        02-03  use 5 at 01-20
        ------
        plan#1     0 of 10   worth 0
        plan#1/1   0 of 10   returned 10   from plan#1   worth 10
    ",
    );
}

#[test]
fn the_fold_version_is_raised_in_mid_log() {
    check(
        "
        01-01  genesis 1
        01-01  grant plan 10 ends 02-01 carry all for P28D costs 10 USD
        02-02  use 4 at 01-20
        02-03  fold 2
        02-03  use 3 at 01-20
        ------
        plan#1     0 of 10   carried 3   worth 5
        plan#1/1   3 of 10   returned 7   from plan#1   worth 5
    ",
    );
}

#[test]
fn a_fold_version_only_rises() {
    check(
        "
        01-01  genesis 1
        01-02  fold 1
        01-03  fold 2
        01-04  fold 2
        01-05  fold 1
        ------
        ! 01-02  rejected not_newer
        ! 01-04  rejected not_newer
        ! 01-05  rejected not_newer
    ",
    );
}

#[test]
#[should_panic(expected = "fold version 3: this needs a newer build")]
fn a_fold_version_that_is_not_known_needs_a_newer_build() {
    check(
        "
        01-02  fold 3
        ------
    ",
    );
}
