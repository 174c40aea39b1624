//! Where the servers' secret is.

use std::path::PathBuf;

use super::{Secret, SecretError};
use crate::context::Context;

/// Where the servers' secret is.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SecretPlace {
    /// The file of the servers' secret, 32 bytes at least; the same on every node [default: `secret` in the directory, made when
    /// it is first needed]
    #[arg(long, value_name = "FILE", env = "DRAWDOWN_SECRET_FILE", global = true)]
    secret_file: Option<PathBuf>,
}

impl SecretPlace {
    /// Reads the secret; makes it, where no file was named and there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be read or made.
    pub fn open(&self, context: &Context) -> Result<Secret, SecretError> {
        match &self.secret_file {
            Some(file) => Secret::read(file),
            None => Secret::read_or_make(&context.data.join("secret")),
        }
    }
}
