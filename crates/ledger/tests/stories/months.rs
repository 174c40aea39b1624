//! Stories of what becomes of overage when its month is over (rules, section 5).

use crate::story::check;

#[test]
fn by_default_overage_stays_open_when_its_month_is_over() {
    check(
        "
        01-10  use 3
        now 05-01
        05-02  grant gift 10
        ------
        gift#1   7 of 10
        overage  0
    ",
    );
}

#[test]
fn a_month_is_billed_when_it_and_the_lateness_are_over() {
    check(
        "
        01-01  wallet month end bill
        01-10  use 3
        01-20  use 4 of chat
        02-02  use 1
        02-03 23:59:59.999999999  use 1 at 01-31
        ------
        overage  4 of chat in 2026-01
        overage  4 of use in 2026-01
        overage  1 of use in 2026-02
        due 02-04
    ",
    );
    check(
        "
        01-01  wallet month end bill
        01-10  use 3
        01-20  use 4 of chat
        02-02  use 1
        now 02-20
        ------
        overage  1 of use in 2026-02
        due 03-04
        ledger
        01-10  overage 3   overage -> usage
        01-20  overage 4   overage -> usage
        02-02  overage 1   overage -> usage
        02-04  bill 4      billed -> overage
        02-04  bill 3      billed -> overage
    ",
    );
}

#[test]
fn what_was_billed_no_credits_pay() {
    check(
        "
        01-01  wallet month end bill
        01-10  use 3
        02-04  grant late 10
        ------
        late#1   10 of 10
        overage  0
    ",
    );
}

#[test]
fn what_is_paid_back_in_time_is_not_billed() {
    check(
        "
        01-01  wallet month end bill
        01-10  use 3
        02-03 23:59:59.999999999  grant gift 10
        now 02-04
        ------
        gift#1   7 of 10
        overage  0
        ledger
        01-10  overage 3   overage -> usage
        02-03 23:59:59.999999999  issue 10   grants -> gift#1
        02-03 23:59:59.999999999  repay 3    gift#1 -> overage
    ",
    );
}

#[test]
fn a_lot_that_begins_as_the_month_closes_pays_first() {
    check(
        "
        01-01  wallet month end bill
        01-05  grant february 10 from 02-04
        01-10  use 13
        now 02-10
        ------
        february#1   0 of 10
        overage      0
        ledger
        01-10  overage 13   overage -> usage
        02-04  issue 10     grants -> february#1
        02-04  repay 10     february#1 -> overage
        02-04  bill 3       billed -> overage
    ",
    );
}

#[test]
fn a_month_may_be_forgiven() {
    check(
        "
        01-01  wallet month end forgive
        01-10  use 3
        02-05  grant gift 10
        ------
        gift#1   10 of 10
        overage  0
        ledger
        01-10  overage 3   overage -> usage
        02-04  forgive 3   forgiven -> overage
        02-05  issue 10    grants -> gift#1
    ",
    );
}

#[test]
fn late_usage_of_a_closed_month_is_billed_at_once() {
    check(
        "
        01-01  wallet month end bill
        02-10  use 3 at 01-20
        ------
        overage  0
        ledger
        01-20  overage 3   overage -> usage    booked 02-10
        02-10  bill 3      billed -> overage
    ",
    );
}

#[test]
fn late_usage_of_a_closed_month_is_paid_by_what_is_open_first() {
    check(
        "
        01-01  wallet month end bill
        02-01  grant gift 2
        02-10  use 3 at 01-20
        ------
        gift#1   0 of 2
        overage  0
        ledger
        02-01  issue 2     grants -> gift#1
        01-20  overage 3   overage -> usage    booked 02-10
        02-10  repay 2     gift#1 -> overage
        02-10  bill 1      billed -> overage
    ",
    );
}

#[test]
fn a_change_of_policy_bills_the_months_that_are_closed() {
    check(
        "
        01-10  use 3
        02-10  use 4
        03-01  wallet month end bill
        ------
        overage  4 of use in 2026-02
        due 03-04
        ledger
        01-10  overage 3   overage -> usage
        02-10  overage 4   overage -> usage
        03-01  bill 3      billed -> overage
    ",
    );
}

#[test]
fn the_catalogue_says_what_happens_to_those_who_say_nothing() {
    check(
        "
        01-01  defaults month end bill repay no
        01-10  use 3
        01-11  grant gift 1
        now 02-04
        ------
        gift#1   1 of 1
        overage  0
        ledger
        01-10  overage 3   overage -> usage
        01-11  issue 1     grants -> gift#1
        02-04  bill 3      billed -> overage
    ",
    );
    check(
        "
        01-01  defaults month end bill
        01-01  wallet month end keep
        01-10  use 3
        now 02-04
        ------
        overage  3 of use in 2026-01
    ",
    );
}

#[test]
fn the_policy_of_the_moment_closes_a_month() {
    check(
        "
        01-01  defaults month end bill
        01-10  use 3
        02-04  defaults month end forgive
        now 03-01
        ------
        overage  0
        ledger
        01-10  overage 3   overage -> usage
        02-04  bill 3      billed -> overage
    ",
    );
    check(
        "
        01-01  defaults month end bill
        01-10  use 3
        02-03 23:59:59.999999999  defaults month end forgive
        now 03-01
        ------
        overage  0
        ledger
        01-10  overage 3   overage -> usage
        02-04  forgive 3   forgiven -> overage
    ",
    );
}

#[test]
fn when_a_month_closes_is_fixed_when_it_first_has_overage() {
    check(
        "
        01-01  defaults lateness P1D month end bill
        01-10  use 3
        01-20  defaults lateness P10D month end bill
        01-25  use 4
        01-26  use 5 of chat
        ------
        overage  5 of chat in 2026-01
        overage  7 of use in 2026-01
        due 02-02
    ",
    );
}

#[test]
fn a_month_is_one_of_the_wallets_zone() {
    check(
        "
        01-01  wallet zone Tokyo month end bill
        01-31 14:59:59.999999999  use 3
        01-31 15:00  use 4
        ------
        overage  3 of use in 2026-01
        overage  4 of use in 2026-02
        due 02-03 15:00
    ",
    );
}

#[test]
fn a_month_is_one_of_the_zone_at_the_usages_time() {
    check(
        "
        02-01  wallet zone Tokyo
        02-01  use 3 at 01-31 16:00
        02-28 16:00  use 4
        ------
        overage  3 of use in 2026-01
        overage  4 of use in 2026-03
    ",
    );
}

#[test]
fn a_month_that_closed_in_the_last_records_instant_closes_once() {
    check(
        "
        01-10  use 5
        01-10  grant plan 1 ends 02-10 feature chat
        02-04  use 0
        02-05  defaults month end bill
        now 02-20
        ------
        plan#1   0 of 1   expired 1
        overage  5 of use in 2026-01
    ",
    );
}
