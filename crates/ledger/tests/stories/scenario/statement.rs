//! Monthly statements, computed from entries alone.

use std::collections::BTreeMap;

use ledger::{Amount, Entry, EntryKind, Instant};

use super::{ANN, Year};

/// What a month's statement says of credits, in billionths. What comes in is above the line, what goes out below.
#[derive(Clone, Copy, Debug, Default)]
struct Month {
    granted: i128,
    /// Reversals, to the lots that had paid.
    back: i128,
    used: i128,
    /// What paid overage back.
    repaid: i128,
    expired: i128,
    voided: i128,
    /// Usage that no lot covered.
    overage: i128,
}

impl Month {
    fn book(&mut self, entry: &Entry) {
        let amount = entry.amount.billionths();
        match entry.kind {
            EntryKind::Issue => self.granted += amount,
            EntryKind::Usage | EntryKind::HeldUsage => self.used += amount,
            // What had expired of a lot pays: it left the balance when it expired.
            EntryKind::LateUsage => {
                self.used += amount;
                self.expired -= amount;
            }
            EntryKind::Reversal => self.back += amount,
            EntryKind::Repay => self.repaid += amount,
            EntryKind::Unrepay => self.repaid -= amount,
            EntryKind::Expire | EntryKind::Reset => self.expired += amount,
            EntryKind::ReturnExpired => self.expired -= amount,
            EntryKind::Void => self.voided += amount,
            EntryKind::Overage => self.overage += amount,
            EntryKind::ReverseOverage => self.overage -= amount,
            EntryKind::Carry
            | EntryKind::Return
            | EntryKind::Bill
            | EntryKind::Forgive
            | EntryKind::CreditDue
            | EntryKind::Unforgive
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::HoldOverdraft
            | EntryKind::ReleaseOverdraft => {}
        }
    }

    fn change(&self) -> i128 {
        self.granted + self.back - self.used - self.repaid - self.expired - self.voided
    }
}

/// The month of 2026 in which an entry counts. What ends at midnight of the first belongs to the month that ends.
fn month(entry: &Entry) -> usize {
    let ends = matches!(entry.kind, EntryKind::Expire | EntryKind::Carry | EntryKind::Reset);
    let at = Instant(entry.effective_at.0 - i64::from(ends)).to_string();
    assert!(at.starts_with("2026-"), "the story is of one year: {at}");
    at[5..7].parse().unwrap()
}

impl Year {
    /// One line for each month of Ann's: opening + granted + back - used - repaid - expired - voided = closing; and the overage
    /// that is open at its end. They add up, and end with what her wallet has.
    pub fn statements(&self) -> Vec<String> {
        let mut months: BTreeMap<usize, Month> = (1..=12).map(|month| (month, Month::default())).collect();
        for (_, _, entry) in self.book.entries.iter().filter(|(_, wallet, _)| wallet == ANN) {
            months.get_mut(&month(entry)).unwrap().book(entry);
        }
        let (mut opening, mut overage) = (0, 0);
        let mut lines = Vec::new();
        for (number, month) in months {
            let closing = opening + month.change();
            assert!(closing >= 0, "2026-{number:02} closes below nothing");
            overage += month.overage - month.repaid;
            let Month { granted, back, used, repaid, expired, voided, .. } = month;
            let figures =
                [opening, granted, back, used, repaid, expired, voided, closing, overage].map(shown);
            lines.push(format!("2026-{number:02} {}", figures.join(" ")));
            opening = closing;
        }
        let wallet = self.book.wallet(ANN).unwrap();
        let there: Amount =
            [wallet.available("credits", wallet.clock), wallet.held("credits")].into_iter().sum();
        assert_eq!(opening, there.billionths(), "the last statement closes with what the wallet has");
        let open: Amount = wallet.overage().iter().map(|o| o.amount).sum();
        assert_eq!(overage, open.billionths(), "and with the overage that is open");
        lines
    }

    /// What became of a grant in all wallets: in how many, issued, used, voided, and what is left.
    pub fn of_grant(&self, grant: &str) -> String {
        let (mut wallets, mut sums) = (0, [Amount::ZERO; 4]);
        for lot in self.book.lots.values().filter(|lot| lot.id.split('#').next() == Some(grant)) {
            wallets += 1;
            for (sum, part) in sums.iter_mut().zip([lot.issued, lot.consumed, lot.voided, lot.remaining]) {
                sum.add(part);
            }
        }
        let [issued, used, voided, left] = sums;
        format!("{grant} in {wallets} wallets: issued {issued}, used {used}, voided {voided}, left {left}")
    }
}

fn shown(billionths: i128) -> String {
    const ONE: i128 = 1_000_000_000;
    assert_eq!(billionths % ONE, 0, "the story has whole credits alone");
    (billionths / ONE).to_string()
}
