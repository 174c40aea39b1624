//! Names that somebody may have meant.

/// The names nearest to `word`, best first, at most three; none when nothing is near.
pub(super) fn near<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let most = 1 + word.chars().count() / 4;
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .map(|name| (distance(&word, &name.to_lowercase()), name))
        .filter(|(far, name)| *far <= most && *far < name.len())
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `did you mean …?` for the nearest, else `use …` with all of them.
pub(super) fn suggest(word: &str, names: &[&str]) -> String {
    match near(word, names.iter().copied()).first() {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("use {}", or(names)),
    }
}

/// `a`, `b` or `c`.
pub(super) fn or(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".into(),
    }
}

/// How many letters to put in, take out or change (two swapped neighbours are two).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, d) in b.iter().enumerate() {
            let change = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let zones = ["Europe/Berlin", "Europe/Dublin", "Asia/Tokyo"];
        assert_eq!(near("europe/berln", zones), ["Europe/Berlin", "Europe/Dublin"]);
        assert_eq!(near("Mars/Olympus", zones), [""; 0]);
        assert_eq!(suggest("ammount", &["amount", "per"]), "did you mean `amount`?");
        assert_eq!(suggest("xyz", &["amount", "per"]), "use `amount` or `per`");
    }
}
