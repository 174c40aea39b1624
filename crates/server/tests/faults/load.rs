//! Producers that send every event three times: each all of them, in an order of its own.

use std::process::Stdio;
use std::time::{Duration, Instant};

use ledger::Instant as Nanos;

use crate::chance::{Chance, since_1970};
use crate::drawdown::{IMAGES, Started, event};
use crate::world::World;

pub(crate) const WALLETS: u64 = 60;
const PRODUCERS: u64 = 3;
const EVENTS_A_FILE: u64 = 1_200;

/// The producers, each an `ingest` of one file after another.
pub(crate) struct Load {
    producers: Vec<Producer>,
    /// How often an `ingest` was begun.
    pub(crate) begun: u64,
}

#[derive(Default)]
struct Producer {
    number: u64,
    /// The file it is at: all before it were acknowledged to it.
    file: u64,
    ingesting: Option<Started>,
}

impl Load {
    /// With a catalogue, and wallets whose hours end one after another.
    pub(crate) fn new(world: &World) -> Self {
        let grants = world.drawdown.file("grants.yaml", grants());
        world.json(&["apply", "--backfill", &grants]);
        world.json(&["apply", &world.drawdown.file("catalogue.yaml", IMAGES)]);
        Self::of_usage()
    }

    /// With usage alone.
    pub(crate) fn of_usage() -> Self {
        let producer = |number| Producer { number, ..Producer::default() };
        Self { producers: (0..PRODUCERS).map(producer).collect(), begun: 0 }
    }

    /// Begins what does not run; sees to what has ended. What fails is begun anew where `may_fail`.
    pub(crate) fn go_on(&mut self, world: &World, chance: &mut Chance, fails: Fails) {
        for producer in &mut self.producers {
            if let Some(status) =
                producer.ingesting.as_mut().and_then(|started| started.child().try_wait().unwrap())
            {
                assert!(status.success() || fails == Fails::MayBe, "ingest ended with {status}");
                producer.file += u64::from(status.success());
                producer.ingesting = None;
            }
            if producer.ingesting.is_none() {
                producer.begin(world, chance);
                self.begun += 1;
            }
        }
    }

    /// Loads for a while.
    pub(crate) fn go_on_for(&mut self, time: Duration, world: &World, chance: &mut Chance, fails: Fails) {
        let began = Instant::now();
        while began.elapsed() < time {
            self.go_on(world, chance, fails);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills one of the producers; answers whether it was at work.
    pub(crate) fn kill_one(&mut self, chance: &mut Chance) -> bool {
        let producer = &mut self.producers[chance.below(PRODUCERS) as usize];
        let Some(mut ingesting) = producer.ingesting.take() else { return false };
        ingesting.child().kill().unwrap();
        let status = ingesting.child().wait().unwrap();
        producer.file += u64::from(status.success());
        status.code().is_none()
    }

    /// Sends all files to their ends, by all producers; answers how many there are: each event was acknowledged.
    pub(crate) fn finish(mut self, world: &World, chance: &mut Chance) -> u64 {
        let files = self.producers.iter().map(|producer| producer.file).max().unwrap() + 1;
        for producer in &mut self.producers {
            loop {
                if let Some(mut ingesting) = producer.ingesting.take() {
                    let status = ingesting.child().wait().unwrap();
                    producer.file += u64::from(status.success());
                }
                if producer.file >= files {
                    break;
                }
                producer.begin(world, chance);
            }
        }
        files
    }
}

/// Whether an `ingest` may end otherwise than well: where it is the broker that fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    Never,
    MayBe,
}

impl Producer {
    /// The events of the file that is its turn, shuffled.
    fn begin(&mut self, world: &World, chance: &mut Chance) {
        let mut numbers: Vec<u64> = (0..EVENTS_A_FILE).collect();
        for at in (1..numbers.len()).rev() {
            numbers.swap(at, chance.below(at as u64 + 1) as usize);
        }
        let lines: String =
            numbers.into_iter().map(|n| event(format!("{}-{n}", self.file), &wallet(n % WALLETS))).collect();
        let file = world.drawdown.file(&format!("usage-{}.ndjson", self.number), lines);
        let said = world.drawdown.data().with_file_name(format!("ingest-{}.log", self.number));
        let said = std::fs::OpenOptions::new().append(true).create(true).open(said).unwrap();
        let mut command = world.command(&["ingest", &file]);
        self.ingesting = Some(Started::new(command.stdout(Stdio::null()).stderr(said)));
    }
}

/// Each wallet gets a hundred credits an hour; the hours of one begin a second after those of the one before, so that all the
/// while the hours of some end.
fn grants() -> String {
    let now = i64::try_from(since_1970().as_nanos()).unwrap();
    let first = Nanos(now).plus(-2 * 3_600_000_000_000);
    let mut documents = format!("{{kind: unit, name: credits, time: \"{first}\"}}\n");
    for n in 0..WALLETS {
        let begins = first.plus(n as i64 * 1_000_000_000);
        documents += &format!(
            "---\n{{kind: grant, wallet: {}, grant_id: hourly, unit: credits, amount: \"100\", effective_at: \"{begins}\", \
             recurrence: {{interval: PT1H}}}}\n",
            wallet(n)
        );
    }
    documents
}

pub(crate) fn wallet(n: u64) -> String {
    format!("team-{n}")
}

/// How many events of so many files are a wallet's.
pub(crate) fn expected(files: u64) -> u64 {
    files * EVENTS_A_FILE / WALLETS
}
