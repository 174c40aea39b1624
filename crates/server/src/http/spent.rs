//! Lots that are used up, and out of their wallet's document, while their time is not over.

use std::collections::BTreeMap;

use ledger::{Amount, Instant, Scope};
use serde::Deserialize;
use store::Store;
use tokio::time::timeout;

use super::App;
use super::problem::Problem;
use super::seen::FromPosition;
use crate::view::WalletNow;
use crate::view::entry::amount;
use crate::view::history::{Cut, Known, Standing};

/// Most grants of a wallet that are looked at.
const MOST_GRANTS: u32 = 100_000;

/// A lot of which nothing is left.
pub(super) struct Spent {
    pub(super) unit: String,
    pub(super) applies_to: Scope,
    /// What it had at its beginning, without what was taken since.
    pub(super) issued: Amount,
    pub(super) consumed: Amount,
    starts_at: Instant,
    ends_at: Option<Instant>,
}

/// What a grant's lots may pay.
#[derive(Deserialize)]
struct Terms {
    #[serde(default)]
    applies_to: Scope,
}

impl Spent {
    /// Whether a moment lies in its time.
    pub(super) fn holds(&self, at: Instant) -> bool {
        self.starts_at <= at && self.ends_at.is_none_or(|end| at < end)
    }

    /// Those of a wallet as it was known at a moment.
    pub(super) fn then(known: &Known) -> anyhow::Result<Vec<Self>> {
        let standing = Standing::of(&known.moves()?, Cut::AsOf(known.at))?;
        let here = known.wallet.lots();
        let gone = standing.lots.keys().filter(|id| !here.iter().any(|lot| lot.id == **id));
        let spent = gone.filter_map(|id| known.lot(id)).map(|lot| Self {
            unit: lot.unit.to_string(),
            applies_to: lot.terms().applies_to.clone(),
            issued: lot.issued.above(lot.voided).above(lot.moved),
            consumed: lot.consumed,
            starts_at: lot.starts_at,
            ends_at: lot.ends_at,
        });
        Ok(spent.collect())
    }
}

impl App {
    /// A wallet's lots that are used up now.
    pub(super) async fn spent(&self, now: &WalletNow) -> Result<Vec<Spent>, Problem> {
        let reading = self.rows(&now.id, &FromPosition::default()).await?;
        let read = async {
            let here = now.wallet.lots();
            let mut rows = reading.store.lots(now.no).await?;
            rows.retain(|row| !here.iter().any(|lot| *lot.id == *row.lot) && is_zero(&row.remaining));
            rows.retain(|row| row.ends_at.is_none_or(|end| now.wallet.clock.0 < end));
            let known = now.wallet.grants().iter().map(|grant| grant.terms());
            let mut scopes: BTreeMap<String, Scope> =
                known.map(|terms| (terms.grant_id.clone(), terms.applies_to.clone())).collect();
            if rows.iter().any(|row| !scopes.contains_key(&row.grant)) {
                for row in reading.store.grants(now.no, None, MOST_GRANTS).await? {
                    let terms: Terms = serde_json::from_str(&row.body)?;
                    scopes.insert(row.grant, terms.applies_to);
                }
            }
            let spent = rows.into_iter().map(|row| {
                let [issued, voided, moved] =
                    [amount(&row.issued)?, amount(&row.voided)?, amount(&row.moved)?];
                Ok(Spent {
                    applies_to: scopes.get(&row.grant).cloned().unwrap_or_default(),
                    issued: issued.above(voided).above(moved),
                    consumed: amount(&row.consumed)?,
                    starts_at: Instant(row.starts_at),
                    ends_at: row.ends_at.map(Instant),
                    unit: row.unit,
                })
            });
            spent.collect::<anyhow::Result<Vec<Spent>>>()
        };
        match timeout(self.limits.wait, read).await {
            Ok(spent) => Ok(spent?),
            Err(_) => {
                Err(Problem::later("projections_unavailable", "the projections do not answer: try again"))
            }
        }
    }
}

fn is_zero(text: &str) -> bool {
    amount(text).is_ok_and(|amount| amount.is_zero())
}
