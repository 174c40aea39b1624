//! What a caller may do.

use std::fmt;
use std::str::FromStr;

use ledger::KeyScope;

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether `scope` may be used. `admin` lets do everything.
    pub fn allow(self, scope: KeyScope) -> bool {
        self.has(scope) || self.has(KeyScope::Admin)
    }

    /// Whether `scope` is one of these.
    pub fn has(self, scope: KeyScope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// Those of these that `others` allow.
    #[must_use]
    pub fn allowed_by(self, others: Self) -> Self {
        self.iter().filter(|scope| others.allow(*scope)).collect()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in their order.
    pub fn iter(self) -> impl Iterator<Item = KeyScope> {
        KeyScope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

fn bit(scope: KeyScope) -> u8 {
    match scope {
        KeyScope::Ingest => 1,
        KeyScope::Authorize => 2,
        KeyScope::Read => 4,
        KeyScope::Admin => 8,
    }
}

impl FromIterator<KeyScope> for Scopes {
    fn from_iter<T: IntoIterator<Item = KeyScope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | bit(scope)))
    }
}

/// Their words with commas between: `ingest,read`.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            write!(f, "{}{}", if at > 0 { "," } else { "" }, scope.word())?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let scope = |word: &str| {
            let found = KeyScope::ALL.into_iter().find(|scope| scope.word() == word.trim());
            found.ok_or_else(|| format!("{word:?} is no scope: use some of ingest, authorize, read, admin"))
        };
        text.split(',').map(scope).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_and_admin_lets_do_everything() {
        let some: Scopes = "read, ingest,read".parse().unwrap();
        assert_eq!(some.to_string(), "ingest,read");
        assert!(some.allow(KeyScope::Read) && !some.allow(KeyScope::Authorize));
        let admin: Scopes = "admin".parse().unwrap();
        assert!(KeyScope::ALL.into_iter().all(|scope| admin.allow(scope)) && !admin.has(KeyScope::Read));
        assert_eq!(some.allowed_by(admin), some);
        assert_eq!(admin.allowed_by(some), Scopes::default());
        for wrong in ["", "write", "read,,ingest", "READ"] {
            assert!(wrong.parse::<Scopes>().is_err(), "{wrong}");
        }
    }
}
