//! A wallet's history, read: its ledger, usage, grants and months, and why things came as they did.

use std::sync::Arc;

use axum::extract::{Path, State};
use ledger::{EntryKind, KeyScope, Month, Offset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{Asked, Json};
use super::caller::Needs;
use super::lists::{When, cursor, length};
use super::problem::Problem;
use super::route::Route;
use super::seen::FromPosition;
use crate::view::explain::Explanation;
use crate::view::grants::Grants;
use crate::view::monthly::Monthly;
use crate::view::statement::{Cursor, Statement, Wanted};
use crate::view::usage::Filter;
use crate::view::usage::list::List;
use crate::view::usage::sums::{By, Sums as UsageSums};
use crate::view::{Reading, WalletNow, sums::Sums};

pub(super) fn routes() -> Vec<Route> {
    let read = Needs::OfWallet(KeyScope::Read);
    vec![
        Route::get(
            "/v1/wallets/{wallet}/ledger",
            read,
            "Lists a wallet's entries, each a transfer between two accounts, in the order of the log; or adds them up",
            entries,
        )
        .query::<LedgerQuery>()
        .answers::<LedgerAnswer>(200, "A page of entries; or their sums"),
        Route::get(
            "/v1/wallets/{wallet}/usage",
            read,
            "Lists a wallet's usage with what it was charged; or adds it up, by a field",
            usage,
        )
        .query::<UsageQuery>()
        .answers::<UsageAnswer>(200, "A page of usage; or its sums"),
        Route::get(
            "/v1/wallets/{wallet}/grants",
            read,
            "Lists a wallet's grants, and where the credits are that each has given",
            grants,
        )
        .query::<PageQuery>()
        .answers::<Grants>(200, "A page of grants"),
        Route::get(
            "/v1/wallets/{wallet}/statement",
            read,
            "Tells what a wallet began a month with, what came and went, and what it ended with",
            statement,
        )
        .query::<MonthQuery>()
        .answers::<Monthly>(200, "The month")
        .problems(&[422]),
        Route::get(
            "/v1/wallets/{wallet}/explain",
            read,
            "Explains a usage, another record, an entry or a lot: what it met, and why it came so",
            explain,
        )
        .query::<ExplainQuery>()
        .answers::<Explanation>(200, "Why")
        .problems(&[422]),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LedgerQuery {
    /// Only of this unit.
    unit: Option<String>,
    /// Only of this kind, such as usage or expire.
    kind: Option<String>,
    /// Only of this lot.
    lot: Option<String>,
    /// Only of this feature.
    feature: Option<String>,
    /// Only what counts at this time or later (2026-01-31, or RFC 3339).
    from: Option<When>,
    /// Only what counts before this time.
    to: Option<When>,
    /// Whether all of them are added up, by kind and by account, instead of listed.
    sums: Option<bool>,
    /// How many at most, up to 1000; 50 if left out.
    limit: Option<u32>,
    /// What the page before said as `next`.
    after: Option<String>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

/// Entries, or their sums.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum LedgerAnswer {
    Page(Statement),
    Sums(Sums),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UsageQuery {
    /// Only of this event type.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only by this subject.
    subject: Option<String>,
    /// Only what counts at this time or later (2026-01-31, or RFC 3339).
    from: Option<When>,
    /// Only what counts before this time.
    to: Option<When>,
    /// Adds it up instead of listing it: by `feature`, `type`, `day`, `subject`, or a field of the data such as `model`.
    by: Option<String>,
    /// How many at most, up to 1000; 50 if left out.
    limit: Option<u32>,
    /// What the page before said as `next`.
    after: Option<String>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

/// Usage, or its sums.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum UsageAnswer {
    Page(List),
    Sums(UsageSums),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    /// How many at most, up to 1000; 50 if left out.
    limit: Option<u32>,
    /// What the page before said as `next`.
    after: Option<String>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MonthQuery {
    /// The month, as in 2026-01, in the wallet's zone.
    month: Month,
    /// By what was recorded up to this time.
    known_at: Option<When>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExplainQuery {
    /// A record by its position (`0:120`), an entry (`0:120.1`), a usage by its id, or a lot (`plan#1`).
    record: String,
    /// Who sent the usage, where several have sent one of that id.
    source: Option<String>,
    /// The answer is true after this record (`partition:offset`), as a write answered it.
    min_position: Option<String>,
}

/// A wallet as it is committed, and what its rows are read from.
async fn stored(
    app: &App,
    wallet: &str,
    min_position: Option<String>,
) -> Result<(Reading, WalletNow), Problem> {
    let reading = app.rows(wallet, &FromPosition { min_position }).await?;
    let now = reading.wallet(wallet).await?;
    Ok((reading, now))
}

async fn entries(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<LedgerQuery>,
) -> Result<Json<LedgerAnswer>, Problem> {
    let LedgerQuery { unit, kind, lot, feature, from, to, sums, limit, after, min_position } = query;
    let (limit, after) = (length(limit)?, cursor(after.as_deref(), place)?);
    let kind = kind.as_deref().map(kind_of).transpose()?;
    let (from, to) = (from.map(|when| when.0), to.map(|when| when.0));
    let wanted = Wanted { unit, kind, lot, feature, from, to };
    let (reading, now) = stored(&app, &wallet, min_position).await?;
    if sums == Some(true) {
        return Ok(Json(LedgerAnswer::Sums(Sums::read(&reading, &now, &wanted).await?)));
    }
    Ok(Json(LedgerAnswer::Page(Statement::read(&reading, &now, &wanted, after, limit).await?)))
}

fn kind_of(word: &str) -> Result<EntryKind, Problem> {
    EntryKind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
        let words = EntryKind::ALL.map(EntryKind::word).join(", ");
        Problem::bad("bad_kind", format!("there is no such kind of entry: use one of {words}"))
    })
}

fn place(text: &str) -> Option<Cursor> {
    let (offset, line) = text.split_once(':')?;
    Some((Offset(offset.parse().ok()?), line.parse().ok()?))
}

fn offset(text: &str) -> Option<Offset> {
    text.parse().ok().map(Offset)
}

async fn usage(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<UsageQuery>,
) -> Result<Json<UsageAnswer>, Problem> {
    let UsageQuery { kind, subject, from, to, by, limit, after, min_position } = query;
    let (limit, after) = (length(limit)?, cursor(after.as_deref(), offset)?);
    let filter = Filter { kind, subject, from: from.map(|when| when.0), to: to.map(|when| when.0) };
    let (reading, now) = stored(&app, &wallet, min_position).await?;
    if let Some(by) = by {
        let sums = UsageSums::of_wallet(&reading, &now, &filter, Some(&By::parse(&by))).await?;
        return Ok(Json(UsageAnswer::Sums(sums)));
    }
    Ok(Json(UsageAnswer::Page(List::read(&reading, &now, &filter, after, limit).await?)))
}

async fn grants(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Grants>, Problem> {
    let PageQuery { limit, after, min_position } = query;
    let (limit, after) = (length(limit)?, cursor(after.as_deref(), offset)?);
    let (reading, now) = stored(&app, &wallet, min_position).await?;
    Ok(Json(Grants::read(&reading, &now, after, limit).await?))
}

async fn statement(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<MonthQuery>,
) -> Result<Json<Monthly>, Problem> {
    let MonthQuery { month, known_at, min_position } = query;
    let reading = app.rows(&wallet, &FromPosition { min_position }).await?;
    Ok(Json(Monthly::read(&reading, &wallet, month, known_at.map(|when| when.0)).await?))
}

async fn explain(
    State(app): State<Arc<App>>,
    Path(wallet): Path<String>,
    Asked(query): Asked<ExplainQuery>,
) -> Result<Json<Explanation>, Problem> {
    let ExplainQuery { record, source, min_position } = query;
    let reading = app.rows(&wallet, &FromPosition { min_position }).await?;
    Ok(Json(Explanation::read(&reading, &wallet, &record, source.as_deref()).await?))
}
