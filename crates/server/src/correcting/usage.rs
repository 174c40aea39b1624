//! The usage that somebody names by its id alone.

use std::collections::BTreeSet;

use ledger::Offset;
use store::rows::OutcomeCode;
use store::{Projections, Store, UsageFilter};

/// Rows read at once.
const PAGE: u32 = 4_096;

/// The source of the usage that has this id in the wallet; or why it cannot be told, as a word and a sentence.
pub(crate) async fn source_of(
    store: &Projections,
    wallet: &str,
    id: &str,
    source: Option<String>,
) -> anyhow::Result<Result<String, (&'static str, String)>> {
    if let Some(source) = source {
        return Ok(Ok(source));
    }
    let Some((_, row)) = store.wallet(wallet).await? else {
        return Ok(Err(("unknown_wallet", crate::documents::explain_rejection("unknown_wallet").to_owned())));
    };
    let mut sources = BTreeSet::new();
    let mut after: Option<Offset> = None;
    loop {
        let filter = UsageFilter { wallet: row.no, after, limit: PAGE, ..UsageFilter::default() };
        let page = store.usage(&filter).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.offset);
        let counts = |outcome: u8| outcome == OutcomeCode::Applied.code();
        sources.extend(page.into_iter().filter(|r| r.id == id && counts(r.outcome)).map(|r| r.source));
    }
    let mut found = sources.iter();
    Ok(match (found.next(), found.next()) {
        (Some(source), None) => Ok(source.clone()),
        (None, _) => {
            let what = format!(
                "no usage of the wallet has the id {id:?}: look for it with `drawdown usage {wallet}`"
            );
            Err(("unknown_usage", what))
        }
        (Some(_), Some(_)) => {
            let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
            let what = format!(
                "usage of several sources has the id {id:?}: give one of them as --source: {}",
                sources.join(", ")
            );
            Err(("ambiguous_usage", what))
        }
    })
}
