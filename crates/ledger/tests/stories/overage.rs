//! Stories of overage: usage that no lot covers, and how it is paid back (rules, section 5).

use crate::story::check;

#[test]
fn usage_that_no_lot_covers_is_booked_all_the_same() {
    check(
        "
        01-10  use 3
        ------
        overage  3 of use in 2026-01
        available 0
    ",
    );
}

#[test]
fn overage_is_kept_by_month_and_feature() {
    check(
        "
        01-10  use 3 of search
        01-20  use 4 of chat
        01-31 23:59:59.999999999  use 1 of search
        02-01  use 5 of search
        ------
        overage  4 of chat in 2026-01
        overage  4 of search in 2026-01
        overage  5 of search in 2026-02
    ",
    );
}

#[test]
fn overage_is_kept_by_unit() {
    check(
        r#"
        01-01  price api {"match": {"type": {"exact": "api"}}, "charges": [{"unit": "usd", "amount": "0.5"}]}
        01-10  use 3 of api
        01-11  use 3
        01-12  grant credits 10
        ------
        credits#1   7 of 10
        overage     0.5 usd of api in 2026-01
    "#,
    );
}

#[test]
fn the_oldest_month_is_paid_back_first_then_by_feature() {
    check(
        "
        01-10  use 3 of search
        01-20  use 4 of chat
        02-02  use 5 of chat
        02-03  grant back 8
        ------
        back#1   0 of 8
        overage  4 of chat in 2026-02
        ledger
        01-10  overage 3   overage -> usage
        01-20  overage 4   overage -> usage
        02-02  overage 5   overage -> usage
        02-03  issue 8     grants -> back#1
        02-03  repay 4     back#1 -> overage
        02-03  repay 3     back#1 -> overage
        02-03  repay 1     back#1 -> overage
    ",
    );
}

#[test]
fn a_lot_pays_back_what_it_may_pay_for() {
    check(
        "
        01-10  use 3 of search
        01-20  use 4 of chat
        02-03  grant chats 10 feature chat
        ------
        chats#1   6 of 10
        overage   3 of search in 2026-01
    ",
    );
}

#[test]
fn a_lot_limited_to_subjects_pays_nothing_back() {
    check(
        "
        01-10  use 3 by ann
        01-11  grant anns 10 subject ann
        01-12  use 1 by ann
        ------
        anns#1    9 of 10
        overage   3 of use in 2026-01
        available 9
    ",
    );
}

#[test]
fn lots_pay_back_in_the_order_of_burning() {
    check(
        "
        01-10  use 12
        01-11  grant later 10 ends 06-01 from 02-01
        01-11  grant sooner 10 ends 03-01 from 02-01
        now 02-01
        ------
        later#1    8 of 10
        sooner#1   0 of 10
        overage    0
    ",
    );
}

#[test]
fn what_the_record_itself_left_over_is_paid_back_at_once() {
    check(
        "
        01-01  grant january 10 ends 02-01
        02-01  grant february 10
        02-10  use 3 at 01-20
        ------
        february#1    7 of 10
        january#1     0 of 10   expired 10
        overage       0
    ",
    );
}

#[test]
fn an_ended_lot_pays_nothing_back() {
    check(
        "
        01-01  grant search 10 feature search ends 02-01
        01-10  use 3 of chat
        02-02  wallet repay yes
        ------
        search#1   0 of 10   expired 10
        overage    3 of chat in 2026-01
    ",
    );
}

#[test]
fn a_wallet_may_leave_its_overage_open() {
    check(
        "
        01-01  wallet repay no
        01-10  use 3
        01-11  grant gift 10
        01-12  use 1
        ------
        gift#1    9 of 10
        overage   3 of use in 2026-01
        available 9
    ",
    );
}

#[test]
fn a_change_of_policy_pays_back_at_once() {
    check(
        "
        01-01  wallet repay no
        01-10  use 3
        01-11  grant gift 10
        01-12  wallet repay yes
        ------
        gift#1   7 of 10
        overage  0
        ledger
        01-10  overage 3   overage -> usage
        01-11  issue 10    grants -> gift#1
        01-12  repay 3     gift#1 -> overage
    ",
    );
}

#[test]
fn available_takes_no_overage_off() {
    check(
        "
        01-01  grant search 10 feature search
        01-10  use 3 of chat
        ------
        search#1   10 of 10
        overage    3 of chat in 2026-01
        available  10
    ",
    );
}

#[test]
fn that_a_lot_ends_with_nothing_in_it_pays_nothing_back() {
    check(
        "
        01-01  defaults repay no
        01-01  grant promo 3 ends 01-20 reset max 10
        01-02  use 5
        01-03  grant pack 100
        01-10  defaults
        01-25  use 1
        ------
        pack#1    97 of 100
        promo#1   0 of 3
        ledger
        01-01  issue 3     grants -> promo#1
        01-02  usage 3     promo#1 -> usage
        01-02  overage 2   overage -> usage
        01-03  issue 100   grants -> pack#1
        01-25  usage 1     pack#1 -> usage
        01-25  repay 2     pack#1 -> overage
        ",
    );
}
