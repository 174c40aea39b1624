//! Customers' tokens: short-lived, bound to one wallet, and kept nowhere.
//!
//! `ddc_`, what the token says as JSON in base64url, a dot, and HMAC-SHA256 of all before the dot in base64url.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::Mac as _;
use ledger::{Instant, KeyScope};
use serde::{Deserialize, Serialize};

use super::{Caller, KeyError, Scopes, Secret};

/// What every customer's token begins with.
const PREFIX: &str = "ddc_";
/// How long a token lives unless it is said.
pub const CUSTOMER_TTL: Duration = Duration::from_secs(15 * 60);
/// How long it lives at most.
pub const LONGEST_CUSTOMER_TTL: Duration = Duration::from_secs(24 * 3600);

/// What a customer's token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The key that issued it.
    pub key: String,
    /// The one wallet that it is for.
    pub wallet: String,
    /// `read`, `authorize` or both.
    pub scopes: Scopes,
    /// From when on it is of no use.
    pub expires_at: Instant,
}

/// As it stands in the token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    k: String,
    w: String,
    s: Vec<KeyScope>,
    e: Instant,
}

/// Why no token is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// A customer asked for it.
    #[error("a customer's token makes no other: use a key")]
    ByCustomer,
    /// It would let do what the key does not, or what no customer may.
    #[error("a customer's token lets `read`, `authorize` or both, and nothing that its key does not")]
    Scopes,
    /// It would live too long, or not at all.
    #[error("a customer's token lives a day at most: ask again when it is over")]
    Ttl,
    /// It names no wallet.
    #[error("name the wallet that the token is for")]
    Wallet,
}

/// Makes a token for a customer of the caller's.
///
/// # Errors
///
/// Why not.
pub fn mint(
    caller: &Caller,
    wallet: &str,
    scopes: Scopes,
    ttl: Duration,
    now: Instant,
    secret: &Secret,
) -> Result<(String, Customer), MintError> {
    if caller.wallet.is_some() {
        return Err(MintError::ByCustomer);
    }
    let customers: Scopes = [KeyScope::Read, KeyScope::Authorize].into_iter().collect();
    if scopes.is_empty() || scopes.allowed_by(customers).allowed_by(caller.scopes) != scopes {
        return Err(MintError::Scopes);
    }
    if ttl.is_zero() || ttl > LONGEST_CUSTOMER_TTL {
        return Err(MintError::Ttl);
    }
    if wallet.is_empty() {
        return Err(MintError::Wallet);
    }
    let nanos = i64::try_from(ttl.as_nanos()).expect("a day fits");
    let customer =
        Customer { key: caller.key.clone(), wallet: wallet.to_owned(), scopes, expires_at: now.plus(nanos) };
    Ok((customer.write(secret), customer))
}

impl Customer {
    /// Whether a text is meant to be a customer's token.
    pub(super) fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    fn write(&self, secret: &Secret) -> String {
        let Self { key, wallet, scopes, expires_at } = self;
        let claims = Claims { k: key.clone(), w: wallet.clone(), s: scopes.iter().collect(), e: *expires_at };
        let claims = serde_json::to_string(&claims).expect("our own types are JSON");
        let signed = format!("{PREFIX}{}", BASE64.encode(claims));
        let mac = secret.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64.encode(mac))
    }

    /// Reads a token that these servers signed; its time may be over.
    pub(super) fn read(text: &str, secret: &Secret) -> Result<Self, KeyError> {
        let (signed, mac) = text.split_once('.').ok_or(KeyError::Malformed)?;
        let mac = BASE64.decode(mac).map_err(|_| KeyError::Malformed)?;
        secret.mac(signed).verify_slice(&mac).map_err(|_| KeyError::Unknown)?;
        // What the servers signed, they wrote; a build to come may write something else.
        let claims = signed.strip_prefix(PREFIX).and_then(|claims| BASE64.decode(claims).ok());
        let claims = claims.and_then(|claims| serde_json::from_slice::<Claims>(&claims).ok());
        let Claims { k, w, s, e } = claims.ok_or(KeyError::Malformed)?;
        Ok(Self { key: k, wallet: w, scopes: s.into_iter().collect(), expires_at: e })
    }
}

#[cfg(test)]
mod tests {
    use ledger::Catalogue;

    use super::*;
    use crate::keys::keyring::tests::{at, key, publish, secret};
    use crate::keys::{Keyring, Token};

    const MINUTE: Duration = Duration::from_secs(60);

    /// A key that may read and authorize, its caller, and a catalogue that has it.
    fn ready(secret: &Secret) -> (Token, Caller, Catalogue) {
        let (token, mut catalogue) = (Token::fresh().unwrap(), Catalogue::default());
        publish(&mut catalogue, token.id(), &key(&token, secret, "read,authorize"));
        let caller = Keyring::of(&catalogue).check(token.text(), secret, at(0)).unwrap();
        (token, caller, catalogue)
    }

    fn read() -> Scopes {
        "read".parse().unwrap()
    }

    #[test]
    fn a_token_lets_a_customer_see_one_wallet_until_it_or_its_key_is_over() {
        let secret = secret("s");
        let (token, caller, mut catalogue) = ready(&secret);
        let (text, said) = mint(&caller, "acme é/=", read(), MINUTE, at(100), &secret).unwrap();
        assert_eq!(said.expires_at, at(160));
        let check = |catalogue: &Catalogue, now| Keyring::of(catalogue).check(&text, &secret, at(now));
        let customer =
            Caller { key: token.id().to_owned(), scopes: read(), wallet: Some("acme é/=".to_owned()) };
        assert_eq!(check(&catalogue, 159), Ok(customer));
        assert_eq!(check(&catalogue, 160), Err(KeyError::Expired));
        assert_eq!(check(&Catalogue::default(), 159), Err(KeyError::Unknown), "there is no such key");
        let mut less = key(&token, &secret, "ingest,authorize");
        publish(&mut catalogue, token.id(), &less);
        assert!(check(&catalogue, 159).unwrap().scopes.is_empty(), "nothing that its key may not");
        less.expires_at = Some(at(150));
        publish(&mut catalogue, token.id(), &less);
        assert!(check(&catalogue, 149).is_ok());
        assert_eq!(check(&catalogue, 150), Err(KeyError::Expired));
        less.revoked = true;
        publish(&mut catalogue, token.id(), &less);
        assert_eq!(check(&catalogue, 149), Err(KeyError::Revoked));
    }

    #[test]
    fn a_token_that_was_changed_or_cut_off_is_none() {
        let secret = secret("s");
        let (_, caller, catalogue) = ready(&secret);
        let keyring = Keyring::of(&catalogue);
        let (text, _) = mint(&caller, "acme", read(), MINUTE, at(0), &secret).unwrap();
        assert!(keyring.check(&text, &secret, at(1)).is_ok());
        for cut in 0..text.len() {
            assert!(keyring.check(&text[..cut], &secret, at(1)).is_err(), "cut off at {cut}");
        }
        for at_byte in 0..text.len() {
            let other = if text.as_bytes()[at_byte] == b'x' { "y" } else { "x" };
            let wrong = format!("{}{other}{}", &text[..at_byte], &text[at_byte + 1..]);
            assert!(keyring.check(&wrong, &secret, at(1)).is_err(), "{at_byte}");
        }
        let other = super::tests::secret("t");
        assert_eq!(keyring.check(&text, &other, at(1)), Err(KeyError::Unknown), "signed by others");
        let (_, mac) = text.split_once('.').unwrap();
        let claims =
            format!(r#"{{"k":"{}","w":"other","s":["read"],"e":"2100-01-01T00:00:00Z"}}"#, caller.key);
        let forged = format!("{PREFIX}{}.{mac}", BASE64.encode(claims));
        assert_eq!(keyring.check(&forged, &secret, at(1)), Err(KeyError::Unknown), "another wallet");
        assert_eq!(keyring.check(&text, &secret, at(1)).unwrap().wallet.as_deref(), Some("acme"));
    }

    #[test]
    fn a_key_gives_nothing_away_that_it_has_not() {
        let secret = secret("s");
        let (_, caller, _) = ready(&secret);
        let mint = |caller: &Caller, wallet: &str, scopes: &str, ttl| {
            mint(caller, wallet, scopes.parse().unwrap(), ttl, at(0), &secret)
                .map(|(_, said)| said.scopes.to_string())
        };
        assert_eq!(
            mint(&caller, "w", "authorize,read", LONGEST_CUSTOMER_TTL).as_deref(),
            Ok("authorize,read")
        );
        let admin = Caller { scopes: "admin".parse().unwrap(), ..caller.clone() };
        assert_eq!(mint(&admin, "w", "read", MINUTE).as_deref(), Ok("read"));
        for scopes in ["ingest", "admin", "read,admin"] {
            assert_eq!(mint(&admin, "w", scopes, MINUTE), Err(MintError::Scopes), "{scopes}");
        }
        let reads = Caller { scopes: read(), ..caller.clone() };
        assert_eq!(mint(&reads, "w", "authorize", MINUTE), Err(MintError::Scopes));
        let customer = Caller { wallet: Some("w".to_owned()), ..caller.clone() };
        assert_eq!(mint(&customer, "w", "read", MINUTE), Err(MintError::ByCustomer));
        let day = LONGEST_CUSTOMER_TTL + Duration::from_nanos(1);
        assert_eq!(mint(&caller, "w", "read", day), Err(MintError::Ttl));
        assert_eq!(mint(&caller, "w", "read", Duration::ZERO), Err(MintError::Ttl));
        assert_eq!(mint(&caller, "", "read", MINUTE), Err(MintError::Wallet));
    }
}
