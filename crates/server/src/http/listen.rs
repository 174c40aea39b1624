//! The listener: plain on loopback, TLS elsewhere; slow heads time out, and whoever is in flight when told to stop is answered.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use ledger::Span;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::stop::Stop;

/// How long a client may take for the head of a request, and a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How long a client may take for TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long those in flight may take to be answered once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// Most connections at one time; more wait to be accepted.
const CONNECTIONS: usize = 10_000;

/// Where to listen, and how.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListenArgs {
    /// The address to listen at; without TLS, only of this machine
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8420", env = "DRAWDOWN_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// The server's certificate with its chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "DRAWDOWN_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "DRAWDOWN_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Listen without TLS at an address that others reach too: something in front of the server sees to it
    #[arg(long)]
    plain: bool,
    /// Where the other nodes reach this one, so that they send it the requests about wallets that it folds; without a URL, at the
    /// address it listens at
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "", value_parser = url, env = "DRAWDOWN_ADVERTISE")]
    advertise: Option<String>,
    /// How long to wait between two times that the projections are held against the log
    #[arg(long, value_name = "DURATION", default_value = "PT1H", value_parser = Span::parse)]
    pub(crate) verify_every: Span,
}

/// A socket that is listened at.
pub(crate) struct Listening {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    advertise: Option<String>,
}

impl ListenArgs {
    /// Plainly, at an address of this machine.
    pub(crate) fn plain(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls_cert: None,
            tls_key: None,
            plain: false,
            advertise: None,
            verify_every: Span::hours(1),
        }
    }

    /// Binds the address.
    ///
    /// # Errors
    ///
    /// If it is taken, the certificate cannot be used, or keys would cross a network in the clear.
    pub(crate) async fn bind(&self) -> anyhow::Result<Listening> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Some(tls(cert, key)?),
            _ => None,
        };
        if tls.is_none() && !self.plain && !self.listen.ip().is_loopback() {
            bail!(
                "keys would cross the network in the clear: give --tls-cert and --tls-key, or --plain if something in front of {} has TLS",
                self.listen
            );
        }
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.with_context(|| format!("{} cannot be listened at", self.listen))?;
        Ok(Listening { listener, tls, advertise: self.advertise.clone() })
    }
}

/// Where a node is reached; nothing stands for where it listens.
fn url(text: &str) -> Result<String, String> {
    let plain = text.trim_end_matches('/');
    let has_host = ["http://", "https://"].iter().any(|scheme| {
        plain.strip_prefix(scheme).is_some_and(|host| !host.is_empty() && !host.contains(['/', '@']))
    });
    if plain.is_empty() || has_host {
        return Ok(plain.to_owned());
    }
    Err("a node is reached at http://HOST:PORT or https://HOST:PORT".to_owned())
}

fn tls(cert: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let wrong = |file: &Path| format!("{} cannot be used for TLS", file.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<_, _>>)
        .with_context(|| wrong(cert))?;
    let key_of = PrivateKeyDer::from_pem_file(key).with_context(|| wrong(key))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_of)
        .with_context(|| wrong(cert))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Listening {
    /// The address, with the port that was found free if none was named.
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// `https://…` or `http://…`.
    pub(crate) fn url(&self) -> std::io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.address()?))
    }

    /// Where other nodes reach it, if they are to.
    pub(crate) fn advertised(&self) -> std::io::Result<Option<String>> {
        match &self.advertise {
            Some(url) if url.is_empty() => self.url().map(Some),
            url => Ok(url.clone()),
        }
    }

    /// Serves until told to stop; then those in flight are answered, for some seconds at most.
    pub(crate) async fn serve(self, router: Router, mut stop: Stop) {
        let graceful = GracefulShutdown::new();
        let free = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let slot = free.clone().acquire_owned().await.expect("it is never closed");
            let accepted = tokio::select! {
                biased;
                () = stop.set() => break,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            // Answers are small, and each is awaited.
            let _ = stream.set_nodelay(true);
            let (tls, router, watcher) = (self.tls.clone(), router.clone(), graceful.watcher());
            tokio::spawn(async move {
                match tls {
                    None => connection(stream, router, watcher, Version::One).await,
                    Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            let is_two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                            let version = if is_two { Version::Two } else { Version::One };
                            connection(stream, router, watcher, version).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
                        Err(_) => tracing::debug!("no TLS in time"),
                    },
                }
                drop(slot);
            });
        }
        drop(self.listener);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!(drain_s = DRAIN.as_secs(), "some requests took too long and are broken off");
        }
    }
}

/// Which HTTP a connection speaks: TLS agrees on it, and without TLS it is the first. To find out by looking would be to wait for bytes
/// that may never come.
enum Version {
    One,
    Two,
}

async fn connection<S>(stream: S, router: Router, watcher: Watcher, version: Version)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = match version {
        Version::One => builder.http1_only(),
        Version::Two => builder.http2_only(),
    };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 * 1024);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(250).keep_alive_interval(HEAD);
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error, "a connection ended");
    }
}
