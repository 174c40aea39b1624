//! The servers' secret: with it keys are hashed, and customers' tokens signed.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// So many bytes it has at least.
const SHORTEST: usize = 32;

/// The servers' secret. Every node of one log needs the same: with another, no key is known.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error(
        "the secret in {path} cannot be read: give its file with --secret-file, or let this user read it"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file cannot be made.
    #[error(
        "no secret can be made at {path}: make the directory one that this user may write, or give --secret-file"
    )]
    Make {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is too little in the file.
    #[error("the secret in {path} has {bytes} bytes: use 32 at least, such as `openssl rand -hex 32` makes")]
    Short {
        /// The file.
        path: PathBuf,
        /// How many it has.
        bytes: usize,
    },
}

impl Secret {
    /// Reads a secret: the file's bytes, white space at their end left out.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or has fewer than 32 bytes.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|source| SecretError::Read { path: path.to_owned(), source })?;
        let secret = bytes.trim_ascii_end();
        if secret.len() < SHORTEST {
            return Err(SecretError::Short { path: path.to_owned(), bytes: secret.len() });
        }
        Ok(Self(secret.to_vec()))
    }

    /// Reads a secret; where there is none, makes one that this user alone may read. Of several processes that make it at
    /// once, all get the same.
    ///
    /// # Errors
    ///
    /// As [`Secret::read`], or if nothing can be written there.
    pub fn read_or_make(path: &Path) -> Result<Self, SecretError> {
        match Self::read(path) {
            Err(SecretError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            read => return read,
        }
        make(path).map_err(|source| SecretError::Make { path: path.to_owned(), source })?;
        Self::read(path)
    }

    /// HMAC-SHA256 of a text under this secret, to be finished or compared in constant time.
    pub(super) fn mac(&self, text: &str) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("any length is a key").chain_update(text)
    }

    /// What the log has of a key: HMAC-SHA256 of its text, in hexadecimal.
    pub(crate) fn hash(&self, key: &super::Token) -> String {
        self.mac(key.text()).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Makes the file whole, or not at all; one that another process made meanwhile stays.
fn make(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut bytes = [0; SHORTEST];
    getrandom::fill(&mut bytes)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Its mode is 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
        Ok(_) => File::open(directory)?.sync_all(),
    }
}

/// Nothing of it.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data/secret");
        assert!(matches!(Secret::read(&path), Err(SecretError::Read { .. })));
        let made: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let makers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Secret::read_or_make(&path).unwrap().0)).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert!(made.iter().all(|secret| *secret == made[0] && secret.len() == 64));
        assert_eq!(Secret::read(&path).unwrap().0, made[0]);
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, "0123456789abcdef0123456789abcde\n").unwrap();
        assert!(matches!(Secret::read_or_make(&path), Err(SecretError::Short { bytes: 31, .. })));
        std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(Secret::read(&path).unwrap().0.len(), 32);
        assert_eq!(format!("{:?}", Secret::read(&path).unwrap()), "Secret(…)");
    }
}
