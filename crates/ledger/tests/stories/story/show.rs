//! What becomes of the wallet, in the words of stories.

use ledger::{Amount, Entry, Lot};

use super::Teller;
use super::words::time;

/// The lines below the dashes: what is always shown, and what the story asks for.
pub(super) fn wallet(teller: &Teller, asked: &str) -> Vec<String> {
    let asks =
        |word: &str| asked.lines().any(|l| l.trim() == word || l.trim().starts_with(&format!("{word} ")));
    let mut lines: Vec<String> = Vec::new();
    for lot in teller.book.lots.values() {
        lines.push(row(lot, asked));
    }
    let wallet = teller.book.wallet("w");
    let overage = wallet.map_or(&[][..], |w| w.overage());
    for o in overage {
        lines.push(format!("overage {}{} of {} in {}", o.amount, unit(&o.unit), o.feature, o.month));
    }
    if overage.is_empty() && asks("overage") {
        lines.push("overage 0".into());
    }
    if let Some(wallet) = wallet {
        for of in ["credits", "usd"] {
            let shown = format!("available {}{}", wallet.available(of, teller.clock), unit(of));
            if asked
                .lines()
                .any(|l| l.trim().starts_with("available") && (l.contains("usd") == (of == "usd")))
            {
                lines.push(shown);
            }
        }
        if asks("unpriced") {
            lines.push(format!("unpriced {}", wallet.unpriced));
        }
        if asks("claimed") || asks("unclaimed") {
            lines.push(if wallet.claimed { "claimed" } else { "unclaimed" }.into());
        }
        if asks("due") {
            lines.push(format!("due {}", wallet.next_due_at().map_or("never".into(), time)));
        }
    }
    for (id, hold) in wallet.iter().flat_map(|w| w.holds()) {
        let mut line = format!("hold {id}");
        for held in &hold.lines {
            let lots: Amount = held.lots.iter().map(|part| part.amount).sum();
            line.push_str(&format!(" {}{} of {}", lots, unit(&held.unit), held.feature));
            if !held.overdraft.is_zero() {
                line.push_str(&format!(" overdraft {}", held.overdraft));
            }
        }
        line.extend(asked.contains("until").then(|| format!(" until {}", time(hold.ends_at))));
        lines.push(line);
    }
    if asks("suspended") || asks("active") {
        lines.push(if wallet.is_some_and(|w| w.suspended) { "suspended" } else { "active" }.into());
    }
    lines.extend(teller.notes.iter().cloned());
    if asks("why") {
        lines.push("why".into());
        lines.extend(teller.book.considered.iter().flatten().map(|(at, c)| {
            let (had, owed, words) = (c.had, c.owed, c.verdict.words());
            format!("{} {} had {had} for {owed} of {}: {words}", time(teller.recorded(*at)), c.lot, c.feature)
        }));
    }
    if asks("ledger") {
        lines.push("ledger".into());
        lines.extend(teller.book.entries.iter().map(|(_, _, e)| entry(e, asked)));
    }
    lines
}

fn unit(unit: &str) -> String {
    if unit == "credits" { String::new() } else { format!(" {unit}") }
}

fn row(lot: &Lot, asked: &str) -> String {
    let mut row = format!("{} {} of {}{}", lot.id, lot.remaining, lot.issued, unit(&lot.unit));
    let mut part = |word: &str, amount: Amount| {
        if !amount.is_zero() {
            row.push_str(&format!(" {word} {amount}"));
        }
    };
    part("held", lot.held);
    part("expired", lot.expired);
    part("carried", lot.rolled_over);
    part("returned", lot.returned);
    part("voided", lot.voided);
    if let Some(origin) = &lot.origin {
        row.push_str(&format!(" from {origin}"));
    }
    if asked.contains("worth") {
        row.push_str(&format!(" worth {}", lot.money));
    }
    if asked.contains("..") {
        row.push_str(&format!(" {} .. {}", time(lot.starts_at), lot.ends_at.map_or(String::new(), time)));
    }
    row
}

fn entry(e: &Entry, asked: &str) -> String {
    let (debit, credit) = e.kind.accounts(e.lot.as_deref(), e.other_lot.as_deref());
    let (from, to) = (debit.trim_start_matches("lot:"), credit.trim_start_matches("lot:"));
    let mut line =
        format!("{} {} {}{} {from} -> {to}", time(e.effective_at), e.kind.word(), e.amount, unit(&e.unit));
    if e.effective_at != e.booked_at {
        line.push_str(&format!(" booked {}", time(e.booked_at)));
    }
    if asked.contains("leaves") {
        line.push_str(&format!(" leaves {}", e.available_after));
    }
    if asked.contains('@') {
        line.extend(e.price.iter().map(|p| format!(" by {p}")));
    }
    line
}
