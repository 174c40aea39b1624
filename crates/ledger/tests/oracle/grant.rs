//! A grant: what it promises, why it is refused, and the cycles it is scheduled to issue.

use super::lot::Lot;
use super::text::{Json, SECOND, Span, amount, cut, instant};
use super::zone::Zone;

/// How a grant comes again.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    pub(crate) interval: Span,
    pub(crate) anchor: i64,
    pub(crate) until: Option<i64>,
    first: String,
    pub(crate) quiet: bool,
}

/// What becomes of a lot's rest at its end.
#[derive(Clone, Debug)]
pub(crate) struct Rollover {
    /// Billionths of a percent.
    pub(crate) percent: i128,
    pub(crate) max: Option<i128>,
    pub(crate) expires_after: Option<Span>,
    pub(crate) max_times: i64,
}

/// One lot as scheduled.
#[derive(Clone, Debug)]
pub(crate) struct Cycle {
    pub(crate) number: i64,
    pub(crate) start: i64,
    pub(crate) amount: i128,
    pub(crate) money: i128,
}

/// What a reset leaves in a lot at least and at most.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) min: Option<i128>,
    pub(crate) max: Option<i128>,
}

/// A promise of lots.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) unit: String,
    pub(crate) amount: i128,
    /// Currency and money; nothing if it was free.
    pub(crate) cost: Option<(String, i128)>,
    pub(crate) priority: u8,
    pub(crate) effective_at: i64,
    expires_at: Option<i64>,
    pub(crate) expires_after: Option<Span>,
    pub(crate) features: Vec<String>,
    pub(crate) subjects: Vec<String>,
    pub(crate) recurrence: Option<Recurrence>,
    pub(crate) rollover: Option<Rollover>,
    pub(crate) reset: Option<Bounds>,
    pub(crate) allowed_lateness: Option<i64>,
    pub(crate) purchase_id: Option<String>,
    zone: Zone,
    /// When all of it was voided.
    pub(crate) void_at: Option<i64>,
    /// When what was carried then was voided.
    pub(crate) carried_void_at: Vec<i64>,
    /// The next cycle that has not begun yet.
    pub(crate) next: Option<Cycle>,
}

impl Bounds {
    fn cross(&self) -> bool {
        matches!((self.min, self.max), (Some(min), Some(max)) if min > max)
    }
}

impl Grant {
    /// Reads a `grant.issued`; it takes effect when it happened, unless it says when.
    pub(crate) fn parse(data: &Json, happened: i64, zone: Zone) -> Grant {
        let span = |value: &Json, key: &str| value.text(key).map(Span::parse);
        let effective_at = data.text("effective_at").map_or(happened, instant);
        let cost = data.get("cost_basis").map(|basis| {
            let currency = basis.text("currency").expect("a cost basis has a currency").to_owned();
            (currency, amount(basis.text("money").expect("a cost basis has money")))
        });
        let recurrence = data.get("recurrence").map(|recurrence| Recurrence {
            interval: span(recurrence, "interval").expect("a recurrence has an interval"),
            anchor: recurrence.text("anchor").map_or(effective_at, instant),
            until: recurrence.text("until").map(instant),
            first: recurrence.text("first").unwrap_or("full").to_owned(),
            quiet: recurrence.flag("quiet").unwrap_or(false),
        });
        let rollover = data.get("rollover").map(|rollover| Rollover {
            percent: amount(rollover.text("percent").unwrap_or("100")),
            max: rollover.text("max").map(amount),
            expires_after: span(rollover, "expires_after"),
            max_times: rollover.whole("max_times").unwrap_or(1),
        });
        let scope = |key: &str| data.get("applies_to").map(|scope| scope.texts(key)).unwrap_or_default();
        Grant {
            id: data.text("grant_id").expect("a grant has an id").to_owned(),
            unit: data.text("unit").expect("a grant has a unit").to_owned(),
            amount: amount(data.text("amount").expect("a grant has an amount")),
            cost: cost.filter(|(_, money)| *money > 0),
            priority: data.whole("priority").unwrap_or(50) as u8,
            effective_at,
            expires_at: data.text("expires_at").map(instant),
            expires_after: span(data, "expires_after"),
            features: scope("feature"),
            subjects: scope("subject"),
            recurrence,
            rollover,
            reset: data.get("reset").map(|reset| Bounds {
                min: reset.text("min").map(amount),
                max: reset.text("max").map(amount),
            }),
            purchase_id: data.text("purchase_id").map(str::to_owned),
            void_at: None,
            carried_void_at: Vec::new(),
            allowed_lateness: span(data, "allowed_lateness").map(|span| span.rough()),
            zone,
            next: None,
        }
    }

    /// Why the grant cannot be: all reasons that hold, with `|` between them; none if it can.
    pub(crate) fn refusal(&self, unit_is_known: bool) -> String {
        let recurrence = self.recurrence.as_ref();
        let one_off = recurrence.is_none();
        let never_ends = self.expires_at.is_none() && self.expires_after.is_none();
        let interval = recurrence.map(|recurrence| recurrence.interval);
        let short = |span: Span| (span.months, span.days) == (0, 0) && span.nanos < 3600 * SECOND;
        let carries_nowhere =
            |rollover: &Rollover| one_off && (rollover.expires_after.is_none() || never_ends);
        let until = recurrence.and_then(|recurrence| recurrence.until);
        let checks = [
            (self.amount == 0, "amount_zero"),
            (!unit_is_known, "unknown_unit"),
            (interval.is_some_and(short), "bad_interval"),
            (self.expires_at.is_some() && self.expires_after.is_some(), "expires_both"),
            (self.expires_at.is_some() && !one_off, "expires_at_with_recurrence"),
            (self.expires_at.is_some_and(|end| end <= self.effective_at), "ends_before_start"),
            (self.rollover.as_ref().is_some_and(carries_nowhere), "rollover_without_end"),
            (self.is_quiet() && self.rollover.is_some(), "quiet_with_rollover"),
            (self.could_be_open() > 1000, "too_many_lots"),
            (until.is_some_and(|until| until <= self.effective_at), "until_before_start"),
            (self.percent() > 100_000_000_000, "percent_over_100"),
            (self.reset.as_ref().is_some_and(Bounds::cross), "reset_min_over_max"),
        ];
        let reasons = checks.iter().filter(|(holds, _)| *holds).map(|(_, reason)| *reason);
        reasons.collect::<Vec<_>>().join("|")
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.recurrence.as_ref().is_some_and(|recurrence| recurrence.quiet)
    }

    /// What is paid for a whole lot.
    pub(crate) fn money(&self) -> i128 {
        self.cost.as_ref().map_or(0, |(_, money)| *money)
    }

    fn percent(&self) -> i128 {
        self.rollover.as_ref().map_or(0, |rollover| rollover.percent)
    }

    /// Roughly how many lots can be open at a time; histories keep far from the bound.
    fn could_be_open(&self) -> i64 {
        let Some(recurrence) = &self.recurrence else { return 1 };
        let interval = recurrence.interval.rough();
        let own = self.expires_after.map_or(interval, |span| span.rough());
        let carried = self.rollover.as_ref().map_or(0, |rollover| {
            rollover.max_times * rollover.expires_after.map_or(interval, |span| span.rough())
        });
        (own + carried) / interval
    }

    /// Whether a lot that was carried so many times can be carried again.
    pub(crate) fn can_carry(&self, times: i64) -> bool {
        self.rollover.as_ref().is_some_and(|rollover| rollover.percent > 0 && times < rollover.max_times)
    }

    /// When a lot that starts then ends: never, if nothing is said.
    pub(crate) fn end_of(&self, start: i64) -> Option<i64> {
        if let Some(span) = &self.expires_after {
            Some(self.zone.plus(start, span, 1))
        } else if let Some(recurrence) = &self.recurrence {
            Some(self.next_occurrence(recurrence, start))
        } else {
            self.expires_at
        }
    }

    /// When a lot that is carried at the end of another ends.
    pub(crate) fn carried_end(&self, end: i64) -> i64 {
        let rollover = self.rollover.as_ref().expect("what is carried has a rollover");
        match (&rollover.expires_after, &self.recurrence) {
            (Some(span), _) => self.zone.plus(end, span, 1),
            (None, Some(recurrence)) => self.next_occurrence(recurrence, end),
            (None, None) => panic!("a one-off grant that rolls over says for how long"),
        }
    }

    fn next_occurrence(&self, recurrence: &Recurrence, instant: i64) -> i64 {
        self.zone.occurrences_around(recurrence.anchor, &recurrence.interval, instant).1
    }

    /// The lot of a cycle, of the grant at that place; it has no number yet.
    pub(crate) fn new_lot(&self, place: usize, cycle: &Cycle, end: Option<i64>, lateness: i64) -> Lot {
        Lot {
            grant: place,
            origin: format!("{}#{}", self.id, cycle.number),
            times: 0,
            from: None,
            tops_up: None,
            free: self.cost.is_none(),
            number: None,
            cycle: cycle.number,
            start: cycle.start,
            end,
            lateness,
            ended: false,
            void_at: None,
            room: None,
            over: 0,
            issued: cycle.amount,
            remaining: cycle.amount,
            held: 0,
            consumed: 0,
            expired: 0,
            voided: 0,
            rolled_over: 0,
            returned: 0,
            money: cycle.money,
        }
    }

    /// The first cycle that issues a lot.
    pub(crate) fn first_cycle(&self) -> Option<Cycle> {
        let money = self.money();
        let whole = Cycle { number: 1, start: self.effective_at, amount: self.amount, money };
        let Some(recurrence) = &self.recurrence else { return Some(whole) };
        let (before, next) =
            self.zone.occurrences_around(recurrence.anchor, &recurrence.interval, self.effective_at);
        if before == self.effective_at || recurrence.first == "full" {
            return Some(whole);
        }
        if recurrence.first == "skip" {
            return self.bounded(Cycle { start: next, ..whole });
        }
        let share = (next - self.effective_at, next - before);
        let part = |whole| cut(whole, i128::from(share.0), i128::from(share.1));
        let prorated = part(self.amount);
        let first = Cycle { amount: prorated, money: part(money), ..whole };
        if prorated > 0 { Some(first) } else { self.cycle_after(&first) }
    }

    /// The cycle that follows another, if the grant has one.
    pub(crate) fn cycle_after(&self, cycle: &Cycle) -> Option<Cycle> {
        let recurrence = self.recurrence.as_ref()?;
        let start = self.next_occurrence(recurrence, cycle.start);
        let occurrence = |at| self.zone.last_occurrence(recurrence.anchor, &recurrence.interval, at);
        let number = cycle.number + occurrence(start) - occurrence(cycle.start);
        self.bounded(Cycle { number, start, amount: self.amount, money: self.money() })
    }

    fn bounded(&self, cycle: Cycle) -> Option<Cycle> {
        let until = self.recurrence.as_ref()?.until;
        until.is_none_or(|until| cycle.start < until).then_some(cycle)
    }
}
