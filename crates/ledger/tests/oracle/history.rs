//! Histories of one partition, each from a seed: small amounts, shared boundaries, everything late at times.

mod administration;
mod catalogue;
mod corrections;
mod events;
mod grants;
mod holds;
mod random;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Oracle;
use super::records::Record;
use super::text::{DAY, SECOND, instant};
use random::Random;

const HOUR: i64 = 3600 * SECOND;

/// How fast a history goes, so that its recurring grants make hundreds of lots and not millions.
struct Scale {
    /// Nearly all times stand on this grid.
    grid: i64,
    /// How far the next thing mostly is.
    gap: i64,
    /// How far late usage goes back.
    late: i64,
    intervals: &'static [&'static str],
    /// Intervals that make many lots: rare.
    dense: &'static [&'static str],
    spans: &'static [&'static str],
    lateness: &'static [&'static str],
}

const SCALES: [Scale; 3] = [
    Scale {
        grid: HOUR,
        gap: 8 * HOUR,
        late: 10 * HOUR,
        intervals: &["PT1H", "PT2H", "PT3H", "PT6H", "P1D", "PT24H", "PT90M"],
        dense: &["PT1H"],
        spans: &["PT1H", "PT2H", "PT5H", "PT12H", "P1D", "PT0.000000001S"],
        lateness: &["PT2H", "PT1H", "PT6H", "P1D", "PT0.000000002S"],
    },
    Scale {
        grid: 12 * HOUR,
        gap: 8 * DAY,
        late: 9 * DAY,
        intervals: &["P1D", "P2D", "P7D", "P1W", "PT24H", "PT36H", "P28D", "P1M"],
        dense: &["PT2H", "PT6H"],
        spans: &["P1D", "P2D", "PT36H", "P7D", "P1M", "P10D", "P1DT1H"],
        lateness: &["PT72H", "P1D", "P7D", "PT12H"],
    },
    Scale {
        grid: DAY,
        gap: 70 * DAY,
        late: 60 * DAY,
        intervals: &["P1M", "P1M", "P28D", "P3M", "P1Y", "P30D"],
        dense: &["P1D", "P7D"],
        spans: &["P1M", "P28D", "P3M", "P1Y", "P31D", "P2M"],
        lateness: &["PT72H", "P10D", "P45D", "P1D"],
    },
];

/// A history and the wallets that occur in it.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) records: Vec<Record>,
    pub(crate) wallets: Vec<String>,
}

impl History {
    /// The history of a seed.
    pub(crate) fn new(seed: u64) -> History {
        let mut teller = Teller::new(seed);
        teller.open_catalogue();
        // The lesser of two numbers: short histories are quick and fail clearly, long ones happen too.
        let steps = 3 + teller.random.below(50).min(teller.random.below(50));
        for _ in 0..1 + teller.random.below(4) {
            teller.grant();
        }
        for _ in 0..steps {
            teller.step();
        }
        History { records: teller.records, wallets: teller.wallets }
    }
}

/// What has been told so far.
struct Teller {
    random: Random,
    scale: &'static Scale,
    start: i64,
    now: i64,
    /// Instants that matter, so that others fall on them.
    moments: Vec<i64>,
    records: Vec<Record>,
    wallets: Vec<String>,
    zones: Vec<&'static str>,
    cards: &'static [&'static str],
    published: BTreeMap<(&'static str, String), String>,
    /// What has become of it all, so that corrections find something to correct.
    oracle: Oracle,
    grants: Vec<Map<String, Value>>,
    /// What may be sent again.
    sent: Vec<Record>,
    /// How many holds were requested.
    holds: usize,
}

impl Teller {
    fn new(seed: u64) -> Teller {
        let mut random = Random::new(seed);
        let scale = &SCALES[random.below(SCALES.len())];
        let starts = [
            "2026-01-01T00:00:00Z",
            "2026-01-30T23:00:00Z",
            "2026-03-27T23:00:00Z",
            "2026-10-23T22:00:00Z",
            "2026-12-30T00:00:00Z",
            "2028-02-28T12:00:00Z",
        ];
        let start = instant(random.pick(&starts));
        let mut moments = grants::months(start);
        moments.extend(moments.clone().into_iter().map(|month| month - HOUR));
        for zone in catalogue::ZONES {
            let transitions = catalogue::transitions(zone).into_iter().map(|[at, _]| at * SECOND);
            moments.extend(transitions.filter(|at| (start - DAY..start + 600 * DAY).contains(at)));
        }
        moments.extend((0..30).map(|step| start + step * scale.grid));
        let wallets = (1..=[1, 1, 1, 2, 3][random.below(5)]).map(|number| format!("w{number}")).collect();
        Teller {
            random,
            scale,
            start,
            now: start,
            moments,
            records: Vec::new(),
            wallets,
            zones: Vec::new(),
            cards: &["standard"],
            published: BTreeMap::new(),
            oracle: Oracle::new(),
            grants: Vec::new(),
            sent: Vec::new(),
            holds: 0,
        }
    }

    fn step(&mut self) {
        self.pass_time();
        match self.random.below(130) {
            100..112 => self.hold_and_more(),
            112..115 => self.extend(),
            115..123 => self.settle(),
            123..127 => self.usage_of_hold(),
            127..130 => self.unhold(),
            0..36 => self.usage(),
            36..52 => self.grant(),
            52..57 => self.timer(),
            57..62 => self.configure(),
            62..67 => self.repeat(),
            67..70 => self.publish_price(),
            70..72 => self.publish_policies(),
            72..80 => self.reverse(),
            80..88 => self.rerate(),
            88..92 => self.administer("grant.voided"),
            92..95 => self.administer("wallet.reset"),
            95 => self.administer("overage.cleared"),
            96 | 97 => self.administer("wallet.changed"),
            98 => {
                let kind = self.random.pick(&["wallet.suspended", "wallet.resumed"]);
                self.administer(kind);
            }
            _ => self.publish_fold(),
        }
    }

    /// Moves on to when the next record is stamped: mostly later, by nanoseconds or months.
    fn pass_time(&mut self) {
        self.now = match self.random.below(100) {
            0..30 => self.now,
            30..36 => self.now + self.random.between(1, 3),
            36..80 => self.moment(self.now, self.now + self.scale.gap / 2),
            80..92 => self.moment(self.now, self.now + self.scale.gap),
            92..95 => self.now + self.random.between(0, 2 * self.scale.gap),
            _ => self.moment(self.now - self.scale.gap / 4, self.now),
        };
        self.now = self.now.min(self.start + 40 * self.scale.gap.min(15 * DAY)).max(self.start);
    }

    /// An instant between two: mostly one that matters, or just beside it.
    fn moment(&mut self, from: i64, to: i64) -> i64 {
        let within: Vec<i64> = self.moments.iter().copied().filter(|at| (from..=to).contains(at)).collect();
        let anywhere = self.random.between(from, to);
        let aligned = anywhere - anywhere.rem_euclid(self.scale.grid);
        match self.random.below(100) {
            0..70 if !within.is_empty() => within[self.random.below(within.len())],
            70..76 if !within.is_empty() => {
                within[self.random.below(within.len())] + self.random.between(-1, 1)
            }
            76..80 => anywhere,
            _ => aligned,
        }
    }

    fn remember(&mut self, moment: i64) {
        self.moments.push(moment);
    }

    fn wallet(&mut self) -> String {
        self.wallets[self.random.below(self.wallets.len())].clone()
    }

    fn id(&mut self) -> String {
        format!("e{}", self.records.len())
    }

    fn send(&mut self, record: Record) {
        self.sent.push(record.clone());
        self.append(record);
    }

    fn append(&mut self, record: Record) {
        self.oracle.record(self.records.len() as u64, &record.json());
        self.records.push(record);
    }
}
