//! What usage cost at vendors, and what is left of what was paid for it.

use ledger::Offset;
use store::{CostRow, Head, LotRow, Spread, Store};

use super::place::Place;
use super::views::{show, taken, two_months};
use crate::fixtures::*;

pub(super) fn cost(wallet: i64, day: &str, cost: &str) -> CostRow {
    CostRow {
        wallet,
        day: day.into(),
        feature: "completion".into(),
        model: Some("a\0b".into()),
        currency: "USD".into(),
        usages: 2,
        cost: cost.into(),
    }
}

/// Writes the costs of all usage below a head.
pub(super) async fn reckon(place: &Place, head: &Head, rows: &[CostRow]) {
    let stores = Spread::one(place.store().await);
    let mut costs = stores.costs(FIRST, head.next).await.unwrap();
    for row in rows {
        costs.add(std::slice::from_ref(row)).await.unwrap();
    }
    costs.keep().await.unwrap();
}

#[tokio::test]
async fn margin_is_what_was_earned_less_what_was_reckoned_that_it_cost() {
    let (place, store, head) = taken().await;
    let mut batch = two_months(&head);
    // Of 100 for 20 USD the first wallet used 1.5 - 0.5 in January and 4 in February; of what it had not paid for, nothing is earned.
    let bought = LotRow {
        issued: "100".into(),
        consumed: "5".into(),
        cost: Some("20".into()),
        currency: Some("USD".into()),
        ..lot(0, "plan#1")
    };
    batch.lots = vec![bought, LotRow { cost: None, currency: None, ..lot(4, "plan#1") }];
    store.commit(&batch).await.unwrap();
    let all = "select month, wallet, currency, earned, cost, margin, as_of from cost_and_margin \
               order by month, wallet";
    let before = [
        "2026-01-01 | wallet-0000 | USD | 0.2 | - | - | -",
        "2026-02-01 | wallet-0000 | USD | 0.8 | - | - | -",
    ];
    assert_eq!(show(&place, all).await, before, "nothing is reckoned yet");
    assert_eq!(
        show(&place, "select trim_scale(sum(earned)) from earned_by_month").await,
        show(&place, "select trim_scale(sum(earned)) from credits_sold").await
    );

    let (first, day) = ("2026-01-01", "2026-01-31");
    let rows = [cost(0, first, "0.05"), cost(0, day, "0.1"), cost(0, day, "0.000000001"), cost(4, day, "3")];
    reckon(&place, &batch.head, &rows[..1]).await;
    reckon(&place, &batch.head, &rows).await;
    let by_day = "select day, wallet, feature, model = U&'a\\FDD00b', currency, usages, cost, as_of from vendor_cost_by_day \
                  order by day, wallet";
    let expected = [
        "2026-01-01 | wallet-0000 | completion | t | USD | 2 | 0.05 | 0:5",
        "2026-01-31 | wallet-0000 | completion | t | USD | 4 | 0.100000001 | 0:5",
        "2026-01-31 | wallet-0004 | completion | t | USD | 2 | 3 | 0:5",
    ];
    assert_eq!(show(&place, by_day).await, expected, "what was reckoned first is gone");
    let expected = [
        "2026-01-01 | wallet-0000 | USD | 0.2 | 0.150000001 | 0.049999999 | 0:5",
        "2026-01-01 | wallet-0004 | USD | 0 | 3 | -3 | 0:5",
        "2026-02-01 | wallet-0000 | USD | 0.8 | 0 | 0.8 | 0:5",
    ];
    assert_eq!(show(&place, all).await, expected);
}

#[tokio::test]
async fn costs_that_are_not_kept_change_nothing() {
    let (place, store, head) = taken().await;
    let batch = two_months(&head);
    store.commit(&batch).await.unwrap();
    reckon(&place, &batch.head, &[cost(0, "2026-01-31", "1")]).await;
    let stores = Spread::one(place.store().await);
    let mut costs = stores.costs(FIRST, Offset(9)).await.unwrap();
    costs.add(&[cost(4, "2026-01-31", "2")]).await.unwrap();
    drop(costs);
    let all = "select wallet, cost, as_of from vendor_cost_by_day";
    assert_eq!(show(&place, all).await, ["wallet-0000 | 1 | 0:5"]);
}
