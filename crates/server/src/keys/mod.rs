//! Keys of the HTTP API: their text, the secret they are hashed with, and who a key says that a caller is.
//!
//! What there is of a key is in the log, as catalogue documents of kind `key`; nothing here is asked of a database.

mod customer;
mod follow;
mod keyring;
mod place;
mod scopes;
mod secret;
mod shown;
mod token;

pub use customer::{CUSTOMER_TTL, Customer, LONGEST_CUSTOMER_TTL, MintError, mint};
pub use follow::follow;
pub use keyring::{Caller, KeyError, Keyring, Standing};
pub use place::SecretPlace;
pub use scopes::Scopes;
pub use secret::{Secret, SecretError};
pub(crate) use shown::{Listed, Made, make};
pub use token::Token;
