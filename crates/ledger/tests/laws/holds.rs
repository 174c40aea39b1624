//! What holds for any history of holds. That what holds hold is held in their lots is asserted by the book after every record.

use std::collections::BTreeMap;

use ledger::{Amount, Beyond, EntryKind, Outcome};
use proptest::prelude::*;

use super::{Book, History, Told, config, history, offset, tell};
use crate::oracle::records::Record;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_approved_hold_overdraws_a_wallet_beyond_its_bound(told in history()) {
        let mut book = Book::default();
        for (at, record) in told.0.records.iter().enumerate() {
            let before = book.entries.len();
            let outcome = book.fold(offset(at), record.json().as_bytes());
            let (Some(Outcome::Approved(answer)), Some(id)) = (outcome, &record.wallet) else { continue };
            let wallet = book.wallet(id).unwrap();
            let policy = wallet.hold_policy(&book.catalogue);
            let own = book.entries[before..].iter().map(|(_, _, e)| e);
            let overdrawn: Vec<_> = own.filter(|e| e.kind == EntryKind::HoldOverdraft).collect();
            prop_assert_eq!(answer.beyond_lots, policy.beyond == Beyond::SoftCap && !overdrawn.is_empty());
            for entry in overdrawn {
                let owed = wallet.overage().iter().filter(|o| o.unit == entry.unit).map(|o| o.amount);
                let owed: Amount = owed.chain([wallet.held_overdraft(&entry.unit)]).sum();
                let bound = match &policy.beyond {
                    Beyond::Block => Some(Amount::ZERO),
                    Beyond::Overdraft(bounds) => bounds.get(&*entry.unit).copied(),
                    Beyond::SoftCap => None,
                };
                prop_assert!(bound.is_none_or(|bound| owed <= bound), "{} is beyond {:?}", owed, bound);
            }
            let asked = |unit: &str| {
                let sets_aside = |kind| matches!(kind, EntryKind::Hold | EntryKind::HoldOverdraft);
                book.entries[before..].iter().any(|(_, _, e)| *e.unit == *unit && sets_aside(e.kind))
            };
            let hold = wallet.holds().get(record.id.as_str()).filter(|_| record.kind == "hold.requested");
            for (unit, largest) in policy.largest.iter().filter(|(unit, _)| asked(unit)) {
                prop_assert!(hold.is_none_or(|hold| hold.amount(unit) <= *largest));
            }
        }
    }

    #[test]
    fn nothing_is_held_when_all_holds_have_ended(told in history()) {
        let mut book = tell(&told);
        for (at, wallet) in told.0.wallets.iter().enumerate() {
            let Some(now) = book.wallet(wallet) else { continue };
            let last = now.holds().values().map(|hold| hold.ends_at).max();
            let later = last.unwrap_or(now.clock).max(now.clock);
            let timer = Record::timer(wallet, later.0, later.0);
            book.fold(offset(told.0.records.len() + at), timer.json().as_bytes());
            let now = book.wallet(wallet).unwrap();
            prop_assert!(now.holds().is_empty());
            prop_assert!(now.lots().iter().all(|lot| lot.held.is_zero()));
        }
        prop_assert!(book.lots.values().all(|lot| lot.held.is_zero()));
        let mut holds: BTreeMap<(&str, String), i128> = BTreeMap::new();
        for (_, wallet, e) in &book.entries {
            let (debit, credit) = e.kind.accounts(e.lot.as_deref(), e.other_lot.as_deref());
            *holds.entry((wallet, debit)).or_default() -= e.amount.billionths();
            *holds.entry((wallet, credit)).or_default() += e.amount.billionths();
        }
        holds.retain(|(_, account), sum| (account.starts_with("hold:") || account == "overdraft") && *sum != 0);
        prop_assert_eq!(holds, BTreeMap::new());
    }
}

#[test]
fn histories_tell_of_every_answer() {
    let (mut kinds, mut answers): (BTreeMap<EntryKind, u32>, BTreeMap<String, u32>) = Default::default();
    for seed in 0..3000 {
        let book = tell(&Told(History::new(seed)));
        book.entries.iter().for_each(|(_, _, e)| *kinds.entry(e.kind).or_default() += 1);
        for (_, _, outcome) in &book.outcomes {
            let answer = match outcome {
                Outcome::Approved(answer) if answer.beyond_lots => "beyond".to_owned(),
                Outcome::Approved(_) => "approved".to_owned(),
                Outcome::Declined(answer) => answer.why.word().split(':').next().unwrap().to_owned(),
                Outcome::Applied(_) | Outcome::Duplicate(_) | Outcome::Conflict(_) | Outcome::Rejected(_) => {
                    continue;
                }
            };
            *answers.entry(answer).or_default() += 1;
        }
    }
    for kind in [
        EntryKind::Hold,
        EntryKind::HeldUsage,
        EntryKind::Release,
        EntryKind::HoldOverdraft,
        EntryKind::ReleaseOverdraft,
    ] {
        assert!(kinds.get(&kind).is_some_and(|n| *n > 300), "{kinds:?}");
    }
    let all = ["approved", "beyond", "insufficient", "not_open", "suspended", "too_large", "too_late"];
    let more = ["unknown_wallet", "unpriced", "voided"];
    let rare: Vec<_> = all.iter().chain(&more).filter(|a| answers.get(**a).is_none_or(|n| *n < 20)).collect();
    assert!(rare.is_empty(), "{rare:?}: {answers:?} {kinds:?}");
}
