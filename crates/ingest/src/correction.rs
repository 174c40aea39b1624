//! Records that put earlier ones right, and what an operator changes of a wallet.

use ledger::{Cleared, Instant, Nothing, Offset, Part, Reset, Text, Voided, content_id};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::envelope::{Head, LONG, name, sized};
use crate::own::{OPERATOR, SCHEDULER, json, wallets_own};
use crate::refusal::Refusal;
use crate::stamp::{Stamp, Stamped};

/// What a correction says; its data is that of the record of its type.
#[derive(Clone, Copy, Debug)]
pub enum Correction<'a> {
    /// `grant.voided`.
    Void(&'a Voided),
    /// `usage.reversed`: all of it, or these parts.
    Reverse(Usage<'a>, Option<&'a [Part]>),
    /// `usage.rerated`, perhaps with other data.
    Rerate(Usage<'a>, Option<&'a RawValue>),
    /// `wallet.reset`.
    Reset(&'a Reset),
    /// `overage.cleared`.
    Clear(&'a Cleared),
    /// `wallet.changed`: each step's type, and its data as JSON.
    Change(&'a [(&'static str, String)]),
    /// `wallet.suspended`.
    Suspend,
    /// `wallet.resumed`.
    Resume,
}

/// The usage that a correction is about.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Usage<'a> {
    /// Who made the id.
    pub source: &'a str,
    /// The usage event's id.
    pub id: &'a str,
}

/// A correction to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Corrected<'a> {
    /// Whose wallet.
    pub wallet: &'a str,
    /// The record's id; its source is `operator`.
    pub id: &'a str,
    /// When it was decided; left out, when it is recorded.
    pub time: Option<Instant>,
    /// Why, where the rules want to know or somebody says.
    pub reason: Option<&'a str>,
    /// What it says.
    pub says: Correction<'a>,
}

impl Correction<'_> {
    /// The record's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Void(_) => "grant.voided",
            Self::Reverse(..) => "usage.reversed",
            Self::Rerate(..) => "usage.rerated",
            Self::Reset(_) => "wallet.reset",
            Self::Clear(_) => "overage.cleared",
            Self::Change(_) => "wallet.changed",
            Self::Suspend => "wallet.suspended",
            Self::Resume => "wallet.resumed",
        }
    }

    /// The id of a record that says this of a wallet, for this reason, for the `attempt`th time: it follows from that alone, so
    /// that saying it again is a duplicate.
    ///
    /// # Errors
    ///
    /// If what it says has no canonical form.
    pub fn id(&self, wallet: &str, reason: Option<&str>, attempt: u32) -> Result<String, Refusal> {
        let again = (attempt > 0).then(|| attempt.to_string());
        Ok(content_id(&[self.kind(), wallet, reason.unwrap_or("")], &self.data()?, again.as_deref())?)
    }

    fn data(&self) -> Result<String, Refusal> {
        #[derive(Serialize)]
        struct Reversed<'a> {
            usage: Usage<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            amounts: Option<&'a [Part]>,
        }
        #[derive(Serialize)]
        struct Rerated<'a> {
            usage: Usage<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<&'a RawValue>,
        }
        Ok(match *self {
            Self::Void(voided) => json(voided),
            Self::Reverse(usage, amounts) => json(&Reversed { usage, amounts }),
            Self::Rerate(usage, data) => json(&Rerated { usage, data }),
            Self::Reset(reset) => json(reset),
            Self::Clear(cleared) => json(cleared),
            Self::Change(steps) => changed(steps)?,
            Self::Suspend | Self::Resume => json(&Nothing {}),
        })
    }
}

fn changed(steps: &[(&'static str, String)]) -> Result<String, Refusal> {
    #[derive(Serialize)]
    struct Step<'a> {
        r#type: &'a str,
        data: &'a RawValue,
    }
    #[derive(Serialize)]
    struct Changed<'a> {
        steps: Vec<Step<'a>>,
    }
    let step = |(kind, data): &'_ (&'static str, String)| {
        RawValue::from_string(data.clone()).map(|data| (*kind, data))
    };
    let steps: Vec<(&str, Box<RawValue>)> = steps.iter().map(step).collect::<Result<_, _>>()?;
    Ok(json(&Changed { steps: steps.iter().map(|(kind, data)| Step { r#type: kind, data }).collect() }))
}

/// Stamps a correction.
///
/// # Errors
///
/// If a name is empty, too long or holds control characters, the reason is empty or too long, the time lies ahead, or the whole is
/// too large. Whether it can be done is for the fold to say.
pub fn corrected<'a>(corrected: &Corrected<'a>, stamp: &Stamp<'_>) -> Result<Stamped<'a>, Refusal> {
    let Corrected { wallet, id, time, reason, says } = *corrected;
    if let Some(reason) = reason {
        sized("reason", reason.trim(), LONG)?;
    }
    if let Correction::Reverse(usage, _) | Correction::Rerate(usage, _) = says {
        name("source", usage.source, LONG)?;
        name("usage", usage.id, LONG)?;
    }
    let (recorded_at, by) = stamp.on(time)?;
    let head =
        Head { wallet: Some(wallet), time, reason, ..Head::new(id, OPERATOR, says.kind(), recorded_at, by) };
    let data = says.data()?;
    let bytes = wallets_own(&head, serde_json::from_str::<&RawValue>(&data)?)?;
    Ok(Stamped { wallet: wallet.into(), source: OPERATOR.into(), id: id.into(), bytes })
}

/// The id of a record that charges a usage anew by `price`, a version's label, when the last record that corrected it stands at
/// `after`. The same again is a duplicate; once anything has changed, it is another one.
pub fn rerating_id(usage: Usage<'_>, after: Option<Offset>, price: &str) -> String {
    let after = after.map(|offset| offset.to_string()).unwrap_or_default();
    let id = content_id(&["usage.rerated", usage.source, usage.id, &after], "{}", Some(price));
    id.expect("an empty object has a canonical form")
}

/// Stamps a `usage.rerated` record for usage that had no price, and now has this one. The system says so, whoever stamps.
///
/// # Errors
///
/// If the whole is too large.
pub fn priced<'a>(
    wallet: &'a str,
    usage: Usage<'_>,
    price: &str,
    stamp: &Stamp<'_>,
) -> Result<Stamped<'a>, Refusal> {
    let id = rerating_id(usage, None, price);
    let says = Correction::Rerate(usage, None);
    let reason = Some("a price for it stands now");
    let head =
        Head { wallet: Some(wallet), reason, ..Head::new(&id, SCHEDULER, says.kind(), stamp.now, "system") };
    let data = says.data()?;
    let bytes = wallets_own(&head, serde_json::from_str::<&RawValue>(&data)?)?;
    Ok(Stamped { wallet: wallet.into(), source: SCHEDULER.into(), id: Text::from(id), bytes })
}
