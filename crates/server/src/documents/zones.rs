//! Time zones by name, out of the zone database that this build carries.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{IANA_TZDB_VERSION, TZ_VARIANTS, Tz};
use ledger::{Instant, Zone};

use super::near::near;

const DAY: i64 = 86_400;

/// The zone of this name, from 1970 to 2261. The database's table ends with the year 2099: what then holds, holds on.
///
/// # Errors
///
/// If the database has no zone of this name: a sentence with the nearest ones.
pub(super) fn zone(name: &str) -> Result<Zone, String> {
    let zone: Tz = name.parse().map_err(|_| unknown(name))?;
    let offset = |seconds: i64| {
        let at = DateTime::from_timestamp(seconds, 0).expect("a time before 2262").naive_utc();
        zone.offset_from_utc_datetime(&at).fix().local_minus_utc()
    };
    let end = Instant::MAX.0 / 1_000_000_000;
    let before = offset(0);
    let mut transitions = Vec::new();
    let mut held = before;
    for day in (0..end).step_by(DAY as usize) {
        let next = (day + DAY).min(end);
        if offset(next) == held {
            continue;
        }
        let (mut old, mut new) = (day, next);
        while new - old > 1 {
            let middle = old + (new - old) / 2;
            *(if offset(middle) == held { &mut old } else { &mut new }) = middle;
        }
        held = offset(new);
        transitions.push((new, held));
    }
    Ok(Zone { before, transitions })
}

fn unknown(name: &str) -> String {
    let all = || TZ_VARIANTS.iter().map(|z| z.name());
    let city = |z: &&str| z.rsplit('/').next().is_some_and(|c| c.eq_ignore_ascii_case(name));
    let mut names = near(name, all());
    names.extend(all().filter(city));
    let hint = match names.first() {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write a name such as `Europe/Berlin`, or give `before` and `transitions`".into(),
    };
    format!("the zone database ({IANA_TZDB_VERSION}) has no zone {name:?}: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_all_its_transitions() {
        let berlin = zone("Europe/Berlin").unwrap_or_default();
        assert_eq!(berlin.before, 3600);
        assert!(berlin.is_sound());
        // The last Sundays of March and October 2026, at 01:00 UTC.
        assert!(berlin.transitions.contains(&(1_774_746_000, 7200)));
        assert!(berlin.transitions.contains(&(1_792_890_000, 3600)));
        assert_eq!(zone("Asia/Kolkata"), Ok(Zone { before: 19_800, transitions: vec![] }));
    }

    #[test]
    fn an_unknown_zone_is_told_the_nearest() {
        let says = |name| zone(name).err().unwrap_or_default();
        assert!(
            says("Europe/Berln").ends_with("has no zone \"Europe/Berln\": did you mean `Europe/Berlin`?")
        );
        assert!(says("berlin").ends_with("did you mean `Europe/Berlin`?"));
        assert!(says("Mars/Olympus Mons").ends_with("or give `before` and `transitions`"));
    }
}
