//! All keys, as one moment knows them: who a key says that a caller is.

use std::collections::BTreeMap;
use std::sync::Arc;

use hmac::Mac as _;
use ledger::{ApiKey, Catalogue, Document, Instant, Offset};

use super::customer::Customer;
use super::{Scopes, Secret, Token};

/// All keys of a catalogue. It never changes: who follows the log makes another.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Arc<BTreeMap<String, Standing>>,
    next: Offset,
}

/// A key as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the log has of it.
    pub key: ApiKey,
    /// The id of the record that said so: the next one names it as the one that it replaces.
    pub record: String,
    /// The ids of those that said something of it before.
    pub before: Vec<String>,
    /// When it was made.
    pub created_at: Instant,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's id; of a customer, that of the key that let it in.
    pub key: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The one wallet that it may see, of a customer; none of a key, which may see all.
    pub wallet: Option<String>,
}

/// Why a key lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no key at all: mistyped, or cut off.
    #[error("this is no whole key: send it as it was shown, dd_… or ddc_…")]
    Malformed,
    /// There is no such key.
    #[error(
        "there is no such key: make one with `drawdown keys create`, on a server that has the same secret"
    )]
    Unknown,
    /// Its time is over.
    #[error("this key has expired: make a new one")]
    Expired,
    /// It was taken back.
    #[error("this key was revoked: make a new one")]
    Revoked,
}

impl Standing {
    /// Whether it is of use at `now`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Revoked`], [`KeyError::Expired`].
    pub fn check(&self, now: Instant) -> Result<(), KeyError> {
        if self.key.revoked {
            return Err(KeyError::Revoked);
        }
        if self.key.expires_at.is_some_and(|end| end <= now) { Err(KeyError::Expired) } else { Ok(()) }
    }

    /// Whether a record ever said something of it that took effect.
    pub fn was_said_by(&self, record: &str) -> bool {
        self.record == record || self.before.iter().any(|before| before == record)
    }

    /// What it lets do.
    pub fn scopes(&self) -> Scopes {
        self.key.scopes.iter().copied().collect()
    }

    fn is_of(&self, token: &Token, secret: &Secret) -> bool {
        let byte = |at: usize| u8::from_str_radix(&self.key.hash[at..at + 2], 16);
        let hash: Result<Vec<u8>, _> = (0..self.key.hash.len()).step_by(2).map(byte).collect();
        hash.is_ok_and(|hash| secret.mac(token.text()).verify_slice(&hash).is_ok())
    }
}

impl Keyring {
    /// The keys of a catalogue, each as its newest document has it.
    pub fn of(catalogue: &Catalogue) -> Self {
        Self::at(catalogue, Offset(0))
    }

    /// As [`Keyring::of`], of the catalogue after all records of partition 0 below an offset.
    pub fn at(catalogue: &Catalogue, next: Offset) -> Self {
        let mut keys: BTreeMap<String, Standing> = BTreeMap::new();
        for accepted in catalogue.accepted().iter().filter(|accepted| accepted.kind == "key") {
            if let Ok(Document::Key(key)) = Document::read(&accepted.kind, &accepted.body) {
                let (record, mut before, mut created_at) =
                    (accepted.id.clone(), Vec::new(), accepted.recorded_at);
                if let Some(there) = keys.remove(&accepted.name) {
                    (before, created_at) = (there.before, there.created_at);
                    before.push(there.record);
                }
                keys.insert(accepted.name.clone(), Standing { key, record, before, created_at });
            }
        }
        Self { keys: Arc::new(keys), next }
    }

    /// The same keys after all records below a later offset, which said nothing of keys.
    pub(super) fn moved_to(&self, next: Offset) -> Self {
        Self { keys: self.keys.clone(), next }
    }

    /// All records of partition 0 below this offset, if they are about keys, are known.
    pub fn next(&self) -> Offset {
        self.next
    }

    /// A key by its id.
    pub fn get(&self, id: &str) -> Option<&Standing> {
        self.keys.get(id)
    }

    /// All keys, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Standing)> {
        self.keys.iter().map(|(id, standing)| (id.as_str(), standing))
    }

    /// Who calls with this text, a key's or a customer's token.
    ///
    /// Secrets are compared in constant time, and before anything is said of a key that is known.
    ///
    /// # Errors
    ///
    /// Why it lets nobody in.
    pub fn check(&self, text: &str, secret: &Secret, now: Instant) -> Result<Caller, KeyError> {
        if Customer::is_meant(text) {
            return self.customer(text, secret, now);
        }
        let token = Token::parse(text).ok_or(KeyError::Malformed)?;
        let standing = self.get(token.id()).filter(|standing| standing.is_of(&token, secret));
        let standing = standing.ok_or(KeyError::Unknown)?;
        standing.check(now)?;
        Ok(Caller { key: token.id().to_owned(), scopes: standing.scopes(), wallet: None })
    }

    /// A customer's token is dead when the key is that issued it.
    fn customer(&self, text: &str, secret: &Secret, now: Instant) -> Result<Caller, KeyError> {
        let customer = Customer::read(text, secret)?;
        if customer.expires_at <= now {
            return Err(KeyError::Expired);
        }
        let standing = self.get(&customer.key).ok_or(KeyError::Unknown)?;
        standing.check(now)?;
        let scopes = customer.scopes.allowed_by(standing.scopes());
        Ok(Caller { key: customer.key, scopes, wallet: Some(customer.wallet) })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ledger::Accepted;

    use super::*;

    pub(in crate::keys) fn at(seconds: i64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    pub(in crate::keys) fn secret(text: &str) -> Secret {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text.repeat(32)).unwrap();
        Secret::read(file.path()).unwrap()
    }

    /// Says what there is to say of a key, in the place of what was said before.
    pub(in crate::keys) fn publish(catalogue: &mut Catalogue, id: &str, key: &ApiKey) {
        let body = serde_json::to_string(key).unwrap();
        let before = catalogue.current("key", id).map(|accepted| accepted.id.clone());
        let n = i64::try_from(catalogue.accepted().len()).unwrap();
        let (kind, name) = ("key".to_owned(), id.to_owned());
        let accepted = Accepted { kind, name, id: n.to_string(), recorded_at: at(n), body };
        catalogue.publish(accepted, before.as_deref()).unwrap();
    }

    pub(in crate::keys) fn key(token: &Token, secret: &Secret, scopes: &str) -> ApiKey {
        let scopes: Scopes = scopes.parse().unwrap();
        ApiKey {
            hash: secret.hash(token),
            scopes: scopes.iter().collect(),
            description: None,
            expires_at: None,
            revoked: false,
        }
    }

    #[test]
    fn a_key_lets_in_until_it_expires_or_is_revoked() {
        let (secret, token) = (secret("s"), Token::fresh().unwrap());
        let (mut catalogue, mut key) = (Catalogue::default(), key(&token, &secret, "ingest,read"));
        let check = |catalogue: &Catalogue, now| Keyring::of(catalogue).check(token.text(), &secret, at(now));
        assert_eq!(check(&catalogue, 5), Err(KeyError::Unknown));
        publish(&mut catalogue, token.id(), &key);
        let caller = Caller { key: token.id().into(), scopes: "ingest,read".parse().unwrap(), wallet: None };
        assert_eq!(check(&catalogue, 5), Ok(caller.clone()));
        key.expires_at = Some(at(10));
        publish(&mut catalogue, token.id(), &key);
        assert_eq!((check(&catalogue, 9), check(&catalogue, 10)), (Ok(caller), Err(KeyError::Expired)));
        key.revoked = true;
        publish(&mut catalogue, token.id(), &key);
        assert_eq!(
            (check(&catalogue, 9), check(&catalogue, 10)),
            (Err(KeyError::Revoked), Err(KeyError::Revoked))
        );
        let keyring = Keyring::of(&catalogue);
        let all: Vec<_> = keyring.iter().map(|(id, key)| (id, key.created_at)).collect();
        assert_eq!(all, [(token.id(), at(0))], "it was made once");
    }

    #[test]
    fn nothing_but_the_key_itself_lets_in() {
        let (secret, token) = (secret("s"), Token::fresh().unwrap());
        let mut catalogue = Catalogue::default();
        publish(&mut catalogue, token.id(), &key(&token, &secret, "admin"));
        let keyring = Keyring::of(&catalogue);
        let refused = |text: &str| keyring.check(text, &secret, at(5)).unwrap_err();
        // Another key, whose text is as right as can be, under the first one's id.
        let other = Token::fresh().unwrap();
        let forged = other.text()[..other.text().len() - 6].replace(other.id(), token.id());
        let forged = Token::with_checksum(forged);
        assert_eq!(forged.id(), token.id());
        assert_eq!(refused(forged.text()), KeyError::Unknown);
        let wrong = super::tests::secret("t");
        assert_eq!(keyring.check(token.text(), &wrong, at(5)), Err(KeyError::Unknown), "another secret");
        for text in ["", "dd_", "ddc_", "dd_x", "Bearer", &token.text()[..50], &format!("{}x", token.text())]
        {
            assert_eq!(refused(text), KeyError::Malformed, "{text}");
        }
    }
}
