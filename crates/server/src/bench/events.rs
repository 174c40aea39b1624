//! Events like those of a language model's users: the same ones for the same arguments.

use ingest::Stamp;
use ledger::{Instant, Terms};

/// When the first event happens.
pub(super) const START: Instant = Instant(1_700_000_000_000_000_000);
/// How far events are apart: a thousandth of a second.
const STEP: i64 = 1_000_000;

macro_rules! price {
    ($model:literal, $input:literal, $output:literal) => {
        concat!(
            r#"{"match":{"type":{"exact":"llm.completion"},"data":{"model":{"exact":""#,
            $model,
            r#""}}},"charges":[{"unit":"credits","quantity":{"field":"input_tokens"},"per":"1000","amount":""#,
            $input,
            r#""},{"unit":"credits","quantity":{"field":"output_tokens"},"per":"1000","amount":""#,
            $output,
            r#""}]}"#
        )
    };
}

/// A catalogue with a price for each of three models.
pub(crate) const CATALOGUE: [(&str, &str, &str); 4] = [
    ("unit", "credits", "{}"),
    ("price", "small", price!("small", "0.5", "1.5")),
    ("price", "large", price!("large", "2", "6")),
    ("price", "vision", price!("vision", "3", "9")),
];

/// How events are spread over wallets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// A few wallets have most of the traffic, as in practice: each tenfold of wallets has the same share.
    Skewed,
    /// Each wallet has the same traffic: the worst for a cache.
    Even,
}

/// An endless series of events.
pub(crate) struct Series {
    wallets: u64,
    spread: Spread,
    state: u64,
    next: u64,
}

impl Series {
    pub(crate) fn new(wallets: u64, spread: Spread) -> Self {
        Self { wallets, spread, state: 0x9e37_79b9_7f4a_7c15, next: 0 }
    }

    fn draw(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn wallet(&mut self) -> u64 {
        match self.spread {
            Spread::Even => self.draw() % self.wallets,
            Spread::Skewed => {
                let share = (self.draw() >> 11) as f64 / (1u64 << 53) as f64;
                let rank = (self.wallets as f64).powf(share) as u64 - 1;
                (rank + self.draw() % 3).min(self.wallets - 1)
            }
        }
    }

    /// The next event as a product sends it.
    pub(crate) fn event(&mut self) -> String {
        let (wallet, draw, n) = (self.wallet(), self.draw(), self.next);
        self.next += 1;
        let model = ["small", "small", "large", "vision"][(draw % 4) as usize];
        let (input, output) = (draw / 4 % 4000, draw / 16_000 % 1000);
        let time = START.plus(i64::try_from(n).expect("a bench ends") * STEP);
        format!(
            r#"{{"specversion":"1.0","id":"0-{n}","source":"/llm/chat","type":"llm.completion","subject":"wallet-{wallet:06}","time":"{time}","datacontenttype":"application/json","data":{{"model":"{model}","input_tokens":{input},"output_tokens":{output}}}}}"#
        )
    }

    /// The next event as a record of the log.
    pub(crate) fn record(&mut self) -> Vec<u8> {
        let event = self.event();
        ingest::usage(event.as_bytes(), &stamp()).expect("the event is right").bytes
    }
}

/// Everything is stamped with its own time.
pub(crate) fn stamp() -> Stamp<'static> {
    Stamp { now: Instant::MAX, by: "operator", backfill: true }
}

/// What comes before the first event.
pub(crate) fn early() -> Stamp<'static> {
    Stamp { now: START.plus(-1), by: "operator", backfill: false }
}

/// The records that come before usage: genesis and catalogue.
pub(crate) fn beginning() -> Vec<Vec<u8>> {
    let genesis = ingest::genesis("0123456789abcdef0123456789abcdef", 1, None, &early());
    let catalogue = CATALOGUE.iter().map(|(kind, name, body)| {
        ingest::published(kind, name, body, None, &early()).expect("the catalogue is right").bytes
    });
    std::iter::once(genesis).chain(catalogue).collect()
}

/// A monthly grant for each wallet.
pub(crate) fn grants(wallets: u64) -> impl Iterator<Item = (String, Vec<u8>)> {
    let terms: Terms = serde_json::from_str(
        r#"{"grant_id":"plan","unit":"credits","amount":"1000000","recurrence":{"interval":"P1M"},"rollover":{"percent":"50"}}"#,
    )
    .expect("the grant is right");
    (0..wallets).map(move |n| {
        let wallet = format!("wallet-{n:06}");
        let time = Some(START.plus(-1));
        let grant =
            ingest::Grant { wallet: &wallet, source: None, id: None, time, terms: &terms, reason: None };
        let bytes = ingest::grant(&grant, &stamp()).expect("the grant is right").bytes;
        (wallet, bytes)
    })
}
