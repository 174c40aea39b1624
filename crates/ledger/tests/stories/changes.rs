//! Stories of what an operator changes: steps all or none, suspension, claimed wallets (rules, sections 5 and 8).

use crate::story::check;

#[test]
fn a_plan_is_upgraded_in_mid_cycle() {
    // 50 of 100 were used; the old plan goes, the new one begins now and keeps the first of the month.
    check(
        "
        01-01  grant basic 100 monthly costs 10 USD
        01-16  use 50
        01-20  change { void basic; grant pro 1000 monthly anchor 01-01 first prorated; wallet month end bill }
        02-02  use 10
        ------
        basic#1     0 of 100          voided 50
        pro#1       0 of 387.096774193   expired 387.096774193
        pro#2     990 of 1000
        claimed
        ledger
        01-01  issue 100             grants -> basic#1
        01-16  usage 50              basic#1 -> usage
        01-20  void 50               basic#1 -> voided
        01-20  issue 387.096774193   grants -> pro#1
        02-01  expire 387.096774193  pro#1 -> expired
        02-01  issue 1000            grants -> pro#2
        02-02  usage 10              pro#2 -> usage
    ",
    );
}

#[test]
fn all_steps_or_none() {
    check(
        "
        01-01  grant basic 100 ends 02-01
        01-20  change { void basic; grant pro 1000; wallet month end bill; suspend; grant bad 0 }
        ------
        basic#1   100 of 100
        unclaimed
        due 02-01
        active
        ! 01-20  rejected step 5: amount_zero
        ledger
        01-01  issue 100   grants -> basic#1
    ",
    );
}

#[test]
fn what_time_did_before_the_steps_stays() {
    check(
        "
        01-01  grant basic 100 monthly
        02-10  change { void basic; reset gold }
        ------
        basic#1     0 of 100   expired 100
        basic#2   100 of 100
        ! 02-10  rejected step 2: unknown_unit
    ",
    );
}

#[test]
fn each_step_is_refused_with_its_own_reason() {
    check(
        r#"
        01-01  grant there 10
        01-20  change { grant there 10 }
        01-20  change { grant a 10; grant a 10 }
        01-20  change { void nothing }
        01-20  change { resume }
        01-20  change { suspend; suspend }
        01-20  change { clear 2026-01 credits as billed }
        01-20  change { wallet card gold }
        01-20  change { wallet reset every PT1M }
        01-20  change { }
        ------
        there#1   10 of 10
        active
        ! 01-20  rejected step 1: grant_exists
        ! 01-20  rejected step 2: grant_exists
        ! 01-20  rejected step 1: unknown_grant
        ! 01-20  rejected step 1: not_suspended
        ! 01-20  rejected step 2: already_suspended
        ! 01-20  rejected step 1: nothing_open
        ! 01-20  rejected step 1: unknown_rate_card
        ! 01-20  rejected step 1: bad_interval
        ! 01-20  rejected no_steps
    "#,
    );
}

#[test]
fn steps_that_want_a_reason_have_that_of_the_record() {
    check(
        r#"
        01-01  grant gift 10
        01-20  record wallet.changed because no {"steps": [{"type": "grant.voided", "data": {"grant_id": "gift"}}]}
        01-20  record wallet.changed because no {"steps": [{"type": "wallet.reset", "data": {}}]}
        01-20  record wallet.changed because no {"steps": [{"type": "wallet.suspended", "data": {}}]}
        ------
        gift#1   10 of 10
        suspended
        ! 01-20  rejected step 1: no_reason
        ! 01-20  rejected step 1: no_reason
    "#,
    );
}

#[test]
fn a_hundred_steps_and_not_one_more() {
    let steps = |n: usize| vec!["suspend; resume"; n / 2].join("; ");
    check(&format!(
        "
        01-20  change {{ {}; suspend }}
        01-20  change {{ {} }}
        ------
        active
        ! 01-20  rejected too_many_steps
    ",
        steps(100),
        steps(100)
    ));
}

#[test]
fn what_is_no_step_is_set_aside() {
    check(
        r#"
        01-20  record wallet.changed {"steps": [{"type": "usage", "data": {"type": "use"}}]}
        01-20  record wallet.changed {"steps": [{"type": "wallet.suspended", "data": {"for": "ever"}}]}
        01-20  record wallet.changed {"steps": [{"type": "grant.voided", "data": {"what": "half"}}]}
        01-21  use 1
        ------
        overage 1 of use in 2026-01
        ! 01-20  quarantined: "usage" is no step
        ! 01-20  quarantined: the step wallet.suspended: unknown field `for`, there are no fields
        ! 01-20  quarantined: the step grant.voided: unknown variant `half`, expected one of `all`, `open`, `future`, `carried`
    "#,
    );
}

#[test]
fn a_grant_may_be_voided_in_the_step_after_it() {
    check(
        "
        01-20  change { grant a 10 purchase p; grant b 10 purchase p; void purchase p }
        ------
        a#1   0 of 10   voided 10
        b#1   0 of 10   voided 10
    ",
    );
}

#[test]
fn what_steps_issued_has_its_name_for_ever() {
    check(
        "
        01-20  change { grant a 10 }
        01-21  grant a 10
        01-22  grant a 20
        01-23  change { grant a 10 }
        ------
        a#1   10 of 10
        ! 01-21  duplicate of 01-20
        ! 01-22  conflict with 01-20
        ! 01-23  rejected step 1: grant_exists
    ",
    );
    // But not if the steps were refused.
    check(
        "
        01-20  change { grant a 10; resume }
        01-21  grant a 20
        ------
        a#1   20 of 20
        ! 01-20  rejected step 2: not_suspended
    ",
    );
}

#[test]
fn overage_is_paid_back_once_at_the_end() {
    check(
        "
        01-10  use 8
        01-20  change { grant a 5 ends 02-01; void a; grant b 5 }
        ------
        a#1   0 of 5   voided 5
        b#1   0 of 5
        overage 3 of use in 2026-01
        ledger
        01-10  overage 8   overage -> usage
        01-20  issue 5     grants -> a#1
        01-20  void 5      a#1 -> voided
        01-20  issue 5     grants -> b#1
        01-20  repay 5     b#1 -> overage
    ",
    );
}

#[test]
fn the_same_steps_again_are_a_duplicate() {
    check(
        "
        01-20  change id c { grant a 5; suspend }
        01-21  again c
        ------
        a#1   5 of 5
        suspended
        ! 01-21  duplicate of 01-20
    ",
    );
}

#[test]
fn a_configuration_in_steps_has_the_id_of_the_record() {
    check(
        "
        01-01  wallet month end bill
        01-20  change id c { wallet zone Tokyo; wallet zone Tokyo month end forgive }
        01-31 18:00  use 3
        02-10  wallet
        ------
        overage 3 of use in 2026-02
        claimed
        due 03-03 15:00
    ",
    );
}

#[test]
fn usage_of_a_suspended_wallet_is_booked_all_the_same() {
    check(
        "
        01-01  grant plan 10
        01-02  suspend
        01-03  use 4
        ------
        plan#1   6 of 10
        suspended
    ",
    );
    check(
        "
        01-01  grant plan 10
        01-02  suspend
        01-03  suspend
        01-04  resume
        01-05  resume
        ------
        plan#1   10 of 10
        active
        ! 01-03  rejected already_suspended
        ! 01-05  rejected not_suspended
    ",
    );
}

#[test]
fn a_wallet_that_usage_opened_is_claimed_by_its_configuration() {
    check(
        "
        01-02  use 4
        01-03  suspend
        ------
        overage 4 of use in 2026-01
        unclaimed
        suspended
    ",
    );
    check(
        "
        01-02  use 4
        01-03  change { wallet month end bill; grant gift 10 }
        ------
        gift#1  6 of 10
        overage 0
        claimed
    ",
    );
}
