//! The text of a key: `dd_<id>_<secret><checksum>`.

use std::fmt;

use hmac::Mac as _;
use ledger::ApiKey;
use sha2::{Digest, Sha256};

use super::Secret;

/// What every key begins with.
const PREFIX: &str = "dd_";
/// How many characters of a key are secret: 190 bits.
const SECRET: usize = 32;
/// How many characters tell a key from a mistyped one.
const CHECKSUM: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What ids are made of: 32 characters that are not easily taken for each other.
const BASE32: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The text of a key, whole and with a checksum that is right. Whether there is such a key, only a keyring knows.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new key, from the system's randomness.
    ///
    /// # Errors
    ///
    /// If the system has none.
    pub fn fresh() -> Result<Self, getrandom::Error> {
        let id = random(BASE32, ApiKey::ID - 1)?;
        Ok(Self::with_checksum(format!("{PREFIX}k{id}_{}", random(BASE62, SECRET)?)))
    }

    /// The key that a request makes, however often it is sent: it follows from the servers' secret and what names the request.
    pub(crate) fn of_request(secret: &Secret, request: &str) -> Self {
        let drawn = |alphabet: &[u8], what: &str, count: usize| -> String {
            let byte = |at: usize| {
                let mac = secret.mac(&format!("key {what} {at} of {request}")).finalize().into_bytes();
                // Of 16 bytes, so that no character is likelier than another by more than can be noticed.
                let number = u128::from_be_bytes(*mac.first_chunk().expect("it has 32 bytes"));
                let digit = number % alphabet.len() as u128;
                char::from(alphabet[usize::try_from(digit).expect("it is below the alphabet's length")])
            };
            (0..count).map(byte).collect()
        };
        let (id, secret) = (drawn(BASE32, "id", ApiKey::ID - 1), drawn(BASE62, "secret", SECRET));
        Self::with_checksum(format!("{PREFIX}k{id}_{secret}"))
    }

    /// A key that is whole but for its checksum.
    pub(super) fn with_checksum(mut text: String) -> Self {
        text.push_str(&checksum(&text));
        Self(text)
    }

    /// Reads a key; none if it is no whole key, or its checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_whole = id.len() == ApiKey::ID
            && secret.len() == SECRET + CHECKSUM
            && text.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
        let (before, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
        (is_whole && checksum(before) == sum).then(|| Self(text.to_owned()))
    }

    /// The key's id, which is no secret.
    pub fn id(&self) -> &str {
        &self.0[PREFIX.len()..PREFIX.len() + ApiKey::ID]
    }

    /// The whole key: never to be logged or kept.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Without what is secret of it.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id())
    }
}

/// Characters of an alphabet, each as likely as the other.
fn random(alphabet: &[u8], count: usize) -> Result<String, getrandom::Error> {
    let fair = 256 / alphabet.len() * alphabet.len();
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        let drawn = bytes.iter().map(|b| usize::from(*b)).filter(|b| *b < fair);
        text.extend(drawn.take(count - text.len()).map(|b| char::from(alphabet[b % alphabet.len()])));
    }
    Ok(text)
}

/// No secret: it finds typing errors and cut-off keys without any look at what keys there are.
fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text);
    let mut rest = u64::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes"));
    let mut next = || {
        let (left, digit) = (rest / 62, (rest % 62) as usize);
        rest = left;
        char::from(BASE62[digit])
    };
    (0..CHECKSUM).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_reads_back_and_is_no_other() {
        let (one, two) = (Token::fresh().unwrap(), Token::fresh().unwrap());
        assert_eq!(Token::parse(one.text()), Some(one.clone()));
        assert_ne!(one.id(), two.id());
        assert_eq!(one.text().len(), 3 + 13 + 1 + 32 + 6);
        assert_eq!(format!("{one:?}"), format!("dd_{}_…", one.id()));
    }

    #[test]
    fn a_key_that_is_not_as_it_was_given_out_is_none() {
        let key = Token::fresh().unwrap();
        let text = key.text();
        for cut in 0..text.len() {
            assert_eq!(Token::parse(&text[..cut]), None, "cut off at {cut}");
        }
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'x' { "y" } else { "x" };
            let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(Token::parse(&wrong), None, "{at}");
        }
        for wrong in [&format!("{text}a"), &format!(" {text}"), &text.to_uppercase(), &text.replace('k', "é")]
        {
            assert_eq!(Token::parse(wrong), None);
        }
    }

    #[test]
    fn a_request_makes_the_same_key_each_time_and_no_other_does() {
        let secret = crate::keys::keyring::tests::secret("s");
        let key = Token::of_request(&secret, "one");
        assert_eq!(Token::parse(key.text()), Some(key.clone()));
        assert_eq!(Token::of_request(&secret, "one"), key);
        for other in [
            Token::of_request(&secret, "two"),
            Token::of_request(&crate::keys::keyring::tests::secret("t"), "one"),
        ] {
            assert!(other.id() != key.id() && other.text()[17..] != key.text()[17..], "{other:?}");
        }
    }

    #[test]
    fn a_key_keeps_its_form() {
        let text = "dd_kabcdefghijkm_0123456789ABCDEFGHIJKLMNOPQRSTUV";
        assert_eq!(checksum(text), "KOm29z");
    }
}
