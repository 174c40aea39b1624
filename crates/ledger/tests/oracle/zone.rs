//! Local time: one offset between two transitions, calendar steps, occurrences and calendar periods.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::text::{DAY, Json, SECOND, Span};

/// A time zone: the offset before the first transition, then each transition's own, in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    before: i64,
    transitions: Vec<(i64, i64)>,
}

impl Zone {
    pub(crate) fn utc() -> Zone {
        Zone { before: 0, transitions: Vec::new() }
    }

    /// Reads the body of a zone's catalogue record.
    pub(crate) fn parse(body: &Json) -> Zone {
        let transitions = body.list("transitions").iter().map(|pair| {
            let Json::List(pair) = pair else { panic!("a transition is a pair") };
            let [Json::Number(at), Json::Number(offset)] = &pair[..] else { panic!("a pair of numbers") };
            let seconds = |text: &str| text.parse::<i64>().expect("whole seconds") * SECOND;
            (seconds(at), seconds(offset))
        });
        let before = body.whole("before").expect("a zone has an offset before its transitions") * SECOND;
        Zone { before, transitions: transitions.collect() }
    }

    /// The local time shown at an instant, written as if it were UTC.
    pub(crate) fn local(&self, instant: i64) -> i64 {
        let passed = self.transitions.iter().rev().find(|(at, _)| *at <= instant);
        instant + passed.map_or(self.before, |(_, offset)| *offset)
    }

    /// The instant of a local time: the earlier of two, the first one after a gap.
    pub(crate) fn instant(&self, local: i64) -> i64 {
        for stretch in 0..=self.transitions.len() {
            let offset = if stretch == 0 { self.before } else { self.transitions[stretch - 1].1 };
            let begins = if stretch == 0 { i64::MIN } else { self.transitions[stretch - 1].0 };
            let ends = self.transitions.get(stretch).map_or(i64::MAX, |(at, _)| *at);
            let candidate = local - offset;
            if candidate < begins {
                return begins; // no stretch before showed this time, and this one begins after it
            }
            if candidate < ends {
                return candidate;
            }
        }
        unreachable!("the last stretch never ends")
    }

    /// `start` and `times` spans: months (cut to the last day) and days by the calendar, the rest exactly.
    pub(crate) fn plus(&self, start: i64, span: &Span, times: i64) -> i64 {
        let exact = times * span.nanos;
        if (times * span.months, times * span.days) == (0, 0) {
            return start + exact;
        }
        let local = self.local(start);
        let months = shift_months(date_of(local), times * span.months);
        let date = shift_days(months, times * span.days);
        self.instant(midnight(date) + local.rem_euclid(DAY)) + exact
    }

    /// The last occurrence of `anchor` + n × `interval` at or before an instant, and the first one after it.
    pub(crate) fn occurrences_around(&self, anchor: i64, interval: &Span, instant: i64) -> (i64, i64) {
        let number = self.last_occurrence(anchor, interval, instant);
        (self.plus(anchor, interval, number), self.plus(anchor, interval, number + 1))
    }

    /// The number of the last occurrence at or before an instant: two fall together on a day that the zone skips.
    pub(crate) fn last_occurrence(&self, anchor: i64, interval: &Span, instant: i64) -> i64 {
        let mut number = (instant - anchor).div_euclid(interval.rough()) - 1;
        while self.plus(anchor, interval, number) > instant {
            number -= 1;
        }
        while self.plus(anchor, interval, number + 1) <= instant {
            number += 1;
        }
        number
    }

    /// The calendar month that holds an instant: its name, and the instant at which it ends.
    pub(crate) fn month(&self, instant: i64) -> (String, i64) {
        let date = date_of(self.local(instant));
        let first = date.with_day(1).expect("every month has a first");
        (first.format("%Y-%m").to_string(), self.instant(midnight(shift_months(first, 1))))
    }

    /// The start of the calendar `day`, `month` or `year` that holds an instant.
    pub(crate) fn period_start(&self, period: &str, instant: i64) -> i64 {
        let date = date_of(self.local(instant));
        let first = match period {
            "day" => Some(date),
            "month" => date.with_day(1),
            "year" => NaiveDate::from_ymd_opt(date.year(), 1, 1),
            other => panic!("no period {other}"),
        };
        self.instant(midnight(first.expect("every month has a first")))
    }
}

fn date_of(local: i64) -> NaiveDate {
    let days = local.div_euclid(DAY);
    NaiveDate::from_epoch_days(days as i32).expect("a date of our era")
}

fn midnight(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * DAY
}

fn shift_months(date: NaiveDate, months: i64) -> NaiveDate {
    let by = Months::new(months.unsigned_abs() as u32);
    let shifted = if months < 0 { date.checked_sub_months(by) } else { date.checked_add_months(by) };
    shifted.expect("a date of our era")
}

fn shift_days(date: NaiveDate, days: i64) -> NaiveDate {
    let by = Days::new(days.unsigned_abs());
    let shifted = if days < 0 { date.checked_sub_days(by) } else { date.checked_add_days(by) };
    shifted.expect("a date of our era")
}
