//! A month's statement: what a wallet began with, what came and went, and what it ended with.
//!
//! What ends at the instant at which the month ends belongs to it; what begins there, to the next (rules, section 3).

mod csv;
mod show;

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use ledger::{Amount, Instant, Month, Name};
use schemars::JsonSchema;
use serde::Serialize;

use crate::view::history::{Cut, Known, Leg, Moves, OfOverage, Standing, What, Where};
use crate::view::net::Net;
use crate::view::{AsOf, NoAnswer, Reading, WalletNow, when};

/// A wallet's statement of a month.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MonthlyStatement")]
pub(crate) struct Monthly {
    wallet: String,
    as_of: AsOf,
    /// By what was recorded up to then.
    known_at: Instant,
    month: Month,
    /// The wallet's zone, as it stood when the month began.
    zone: String,
    from: Instant,
    to: Instant,
    /// Whether the month was over then; otherwise this is how it stood so far.
    is_over: bool,
    units: BTreeMap<String, InUnit>,
    behind: u64,
}

/// One unit: opening + granted + carried in + reversed − used − repaid − expired − voided − carried out = closing.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "MonthOfUnit")]
struct InUnit {
    opening: Amount,
    granted: Net,
    carried_in: Net,
    /// Given back to the lots that had paid.
    reversed: Net,
    /// By feature, what was reversed not taken off.
    used: BTreeMap<String, Net>,
    /// Overage paid back.
    repaid: Net,
    expired: Net,
    voided: Net,
    carried_out: Net,
    closing: Amount,
    /// What lots of quiet grants hold at the end that nothing has touched: they are booked with their first use, not before.
    untouched: Amount,
    /// Overage by month of the usage and by feature.
    overage: Vec<OfMonth>,
}

/// Overage: opening + opened − reversed − repaid − billed − forgiven = open.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OverageOfMonth")]
struct OfMonth {
    month: Month,
    feature: String,
    opening: Amount,
    opened: Net,
    reversed: Net,
    repaid: Net,
    billed: Net,
    forgiven: Net,
    open: Amount,
}

impl Monthly {
    /// Adds a month up, by what was known at a moment; left out, now.
    ///
    /// # Errors
    ///
    /// If no record names the wallet, the month had not begun, or the sums do not agree.
    pub(crate) async fn read(
        reading: &Reading,
        wallet: &str,
        month: Month,
        known_at: Option<Instant>,
    ) -> anyhow::Result<Self> {
        let now = reading.wallet(wallet).await?;
        let bounds = bounds(&now, month);
        let (zone, from, to) = bounds.ok_or_else(|| NoAnswer(format!("{month} is no month that can be")))?;
        let known = Known::read(reading, wallet, known_at, &[to.plus(-1)]).await?;
        if from > known.at {
            let (from, at) = (when(from), when(known.at));
            return Err(NoAnswer(format!("{month} begins at {from}: at {at} it had not begun")).into());
        }
        let is_over = to <= known.at;
        let end = if is_over { Cut::Before(to) } else { Cut::AsOf(known.at) };
        let moves = known.moves()?;
        let mut units = add_up(&moves, Cut::Before(from), end)?;
        let last = if is_over { to.plus(-1) } else { known.at };
        let closing = Standing::of(&moves, end)?;
        for lot in known.quiet(last).filter(|lot| !closing.lots.contains_key(&lot.id)) {
            units.entry(lot.unit.clone()).or_default().untouched.add(lot.issued);
        }
        for (unit, in_unit) in &units {
            in_unit
                .check()
                .with_context(|| format!("the statement of {unit} does not add up: run `drawdown verify`"))?;
        }
        Ok(Self {
            wallet: known.id.clone(),
            as_of: known.as_of(if is_over { to } else { known.at }),
            known_at: known.at,
            month,
            zone,
            from,
            to,
            is_over,
            units: units.into_iter().map(|(unit, in_unit)| (unit.to_string(), in_unit)).collect(),
            behind: known.behind,
        })
    }
}

/// The name of the zone in which a month begins, and the instants at which it and the next one do: each in the wallet's zone as
/// it stood then, so that no instant is in two months or in none.
fn bounds(now: &WalletNow, month: Month) -> Option<(String, Instant, Instant)> {
    let begins = |month: Month| {
        let about = Instant::parse(&format!("{month}-01T00:00:00Z")).ok()?;
        let (name, zone) = now.wallet.zone(&now.catalogue, about);
        let (from, to) = month.bounds(&zone)?;
        Some((name.to_owned(), from, zone.month(to).0))
    };
    let (zone, from, next) = begins(month)?;
    Some((zone, from, begins(next)?.1))
}

fn add_up(moves: &Moves<'_>, start: Cut, end: Cut) -> anyhow::Result<BTreeMap<Name, InUnit>> {
    let (opening, closing) = (Standing::of(moves, start)?, Standing::of(moves, end)?);
    let mut units = BTreeMap::<Name, InUnit>::new();
    for standing in [&opening, &closing] {
        for lot in standing.lots.values() {
            units.entry(lot.unit.clone()).or_default();
        }
    }
    for (unit, in_unit) in &mut units {
        (in_unit.opening, in_unit.closing) = (opening.balance(unit), closing.balance(unit));
    }
    let mut overage = BTreeMap::<(Name, Month, Name), OfMonth>::new();
    for (is_closing, standing) in [(false, &opening), (true, &closing)] {
        for (key, amount) in &standing.overage {
            let of_month = overage.entry(key.clone()).or_insert_with(|| OfMonth::new(key));
            let side = if is_closing { &mut of_month.open } else { &mut of_month.opening };
            *side = *amount;
        }
    }
    for leg in moves.legs.iter().filter(|leg| !start.holds(leg) && end.holds(leg)) {
        match &leg.place {
            Where::Lot { what, feature, .. } => {
                units.entry(leg.unit.clone()).or_default().add(leg, *what, feature.as_ref());
            }
            Where::Overage { month, feature, what } => {
                let key = (leg.unit.clone(), *month, feature.clone());
                overage.entry(key.clone()).or_insert_with(|| OfMonth::new(&key)).add(leg, *what);
            }
        }
    }
    for ((unit, ..), of_month) in overage.into_iter().filter(|(_, of_month)| !of_month.is_nothing()) {
        units.entry(unit).or_default().overage.push(of_month);
    }
    Ok(units)
}

impl InUnit {
    fn add(&mut self, leg: &Leg, what: What, feature: Option<&Name>) {
        let (net, comes) = match what {
            What::Granted => (&mut self.granted, true),
            What::CarriedIn => (&mut self.carried_in, true),
            What::Reversed => (&mut self.reversed, true),
            What::Used => {
                let feature = feature.map(ToString::to_string).unwrap_or_default();
                (self.used.entry(feature).or_default(), false)
            }
            What::Repaid => (&mut self.repaid, false),
            What::Expired => (&mut self.expired, false),
            What::Voided => (&mut self.voided, false),
            What::CarriedOut => (&mut self.carried_out, false),
            // What is held is part of the balance.
            What::Held => return,
        };
        net.add(leg.adds == comes, leg.amount);
    }

    /// Opening and all that came and went, each with its sign.
    fn lines(&self) -> Vec<(&'static str, Option<&str>, Net)> {
        let mut lines = vec![
            ("opening", None, Net::there(self.opening)),
            ("granted", None, self.granted),
            ("carried_in", None, self.carried_in),
            ("reversed", None, self.reversed),
        ];
        lines.extend(self.used.iter().map(|(feature, net)| ("used", Some(feature.as_str()), net.negated())));
        lines.extend([
            ("repaid", None, self.repaid.negated()),
            ("expired", None, self.expired.negated()),
            ("voided", None, self.voided.negated()),
            ("carried_out", None, self.carried_out.negated()),
        ]);
        lines
    }

    fn check(&self) -> anyhow::Result<()> {
        let sum: Net = self.lines().into_iter().map(|(.., net)| net).sum();
        ensure!(
            sum.above() == Some(self.closing),
            "its lines come to {sum}, and it closes with {}",
            self.closing
        );
        for of_month in &self.overage {
            let sum: Net = of_month.lines().into_iter().map(|(_, net)| net).sum();
            let OfMonth { month, feature, open, .. } = of_month;
            ensure!(
                sum.above() == Some(*open),
                "overage of {month} for {feature} comes to {sum}, and {open} is open"
            );
        }
        Ok(())
    }
}

impl OfMonth {
    fn new((_, month, feature): &(Name, Month, Name)) -> Self {
        let (opening, open, net) = (Amount::ZERO, Amount::ZERO, Net::default());
        let (opened, reversed, repaid, billed, forgiven) = (net, net, net, net, net);
        Self {
            month: *month,
            feature: feature.to_string(),
            opening,
            opened,
            reversed,
            repaid,
            billed,
            forgiven,
            open,
        }
    }

    fn add(&mut self, leg: &Leg, what: OfOverage) {
        let (net, comes) = match what {
            OfOverage::Opened => (&mut self.opened, true),
            OfOverage::Reversed => (&mut self.reversed, false),
            OfOverage::Repaid => (&mut self.repaid, false),
            OfOverage::Billed => (&mut self.billed, false),
            OfOverage::Forgiven => (&mut self.forgiven, false),
        };
        net.add(leg.adds == comes, leg.amount);
    }

    fn lines(&self) -> [(&'static str, Net); 6] {
        [
            ("opening", Net::there(self.opening)),
            ("opened", self.opened),
            ("reversed", self.reversed.negated()),
            ("repaid", self.repaid.negated()),
            ("billed", self.billed.negated()),
            ("forgiven", self.forgiven.negated()),
        ]
    }

    fn is_nothing(&self) -> bool {
        self.open.is_zero() && self.lines().into_iter().all(|(_, net)| net == Net::default())
    }
}
