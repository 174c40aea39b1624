//! A wallet's record as the fold took it.

use ledger::{Entry, Event, Instant, Offset, Outcome, Position, Record, Step};

/// A record of a wallet and what it did.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) at: Position,
    /// The wallet's clock when it was applied.
    pub(crate) clock: Instant,
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) by: String,
    pub(crate) reason: Option<String>,
    pub(crate) subject: Option<String>,
    /// When it happened.
    pub(crate) time: Instant,
    pub(crate) recorded_at: Instant,
    /// Of usage: the product's own type.
    pub(crate) usage: Option<String>,
    /// The grants that it issues.
    pub(crate) grants: Vec<String>,
    /// None for timers.
    pub(crate) outcome: Option<Outcome>,
    /// What it booked; first what time alone had made due before it.
    pub(crate) entries: Vec<Entry>,
    /// How many of the entries are time's.
    pub(crate) by_time: usize,
    /// The usage that it corrects.
    pub(crate) corrects: Option<Offset>,
    /// Id and source of the usage that it is, or corrects.
    pub(crate) about: Option<(String, String)>,
}

/// An entry, with the record that booked it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booked<'a> {
    pub(crate) entry: &'a Entry,
    /// None where time alone did it and no record has booked it yet.
    pub(crate) by: Option<&'a Recorded>,
    /// Whether time alone did it.
    pub(crate) is_times: bool,
}

impl Recorded {
    /// What the envelope says; what it did is added when it is folded.
    pub(crate) fn of(at: Position, clock: Instant, record: &Record<'_>) -> Self {
        let e = &record.envelope;
        let text = |text: &Option<ledger::Text<'_>>| text.as_ref().map(ToString::to_string);
        Self {
            at,
            clock,
            kind: record.event.word(),
            id: e.id.to_string(),
            source: e.source.to_string(),
            by: e.by.to_string(),
            reason: text(&e.reason),
            subject: text(&e.subject),
            time: record.time(),
            recorded_at: e.recorded_at,
            usage: usage(&record.event),
            grants: grants(&record.event),
            outcome: None,
            entries: Vec::new(),
            by_time: 0,
            corrects: None,
            about: about(record),
        }
    }

    /// Whether it is usage that took effect.
    pub(crate) fn is_applied_usage(&self) -> bool {
        self.usage.is_some() && matches!(self.outcome, Some(Outcome::Applied(_)))
    }

    /// Its entries, time's first.
    pub(crate) fn booked(&self) -> impl DoubleEndedIterator<Item = Booked<'_>> {
        let entries = self.entries.iter().enumerate();
        entries.map(|(n, entry)| Booked { entry, by: Some(self), is_times: n < self.by_time })
    }
}

fn usage(event: &Event<'_>) -> Option<String> {
    if let Event::HoldSettled(settled) = event {
        return Some(settled.event().map_or_else(|| "something".to_owned(), |event| event.kind.to_string()));
    }
    if let Event::Usage(usage) = event { Some(usage.kind.to_string()) } else { None }
}

/// Id and source of the usage that a record is.
fn about(record: &Record<'_>) -> Option<(String, String)> {
    if let Some((source, id)) = record.usage_name() {
        return Some((id.to_owned(), source.to_owned()));
    }
    let e = &record.envelope;
    matches!(record.event, Event::Usage(_)).then(|| (e.id.to_string(), e.source.to_string()))
}

fn grants(event: &Event<'_>) -> Vec<String> {
    if let Event::GrantIssued(terms) = event {
        return vec![terms.grant_id.clone()];
    }
    let Event::WalletChanged(steps) = event else { return Vec::new() };
    let issued =
        |step: &Step| if let Step::Grant(terms, _) = step { Some(terms.grant_id.clone()) } else { None };
    steps.iter().filter_map(issued).collect()
}
