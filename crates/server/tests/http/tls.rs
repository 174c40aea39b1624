//! The server with a certificate: whoever trusts it is answered over HTTP/1.1 and HTTP/2, and nobody else is.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as Plain};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use crate::drawdown::{Drawdown, Started};
use crate::holds::DOCUMENTS;
use crate::server::key_of;

/// A server with TLS; killed when this is dropped.
struct Secured {
    drawdown: Drawdown,
    _serving: Started,
    address: SocketAddr,
    /// Its certificate's file.
    certificate: String,
    key: String,
}

/// A certificate for this machine that nobody has signed; its file and its key's.
fn certificate(drawdown: &Drawdown, name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let cert = drawdown.file(&format!("{name}.pem"), made.cert.pem());
    let key = drawdown.file(&format!("{name}.key"), made.signing_key.serialize_pem());
    (cert, key)
}

impl Secured {
    fn start() -> Self {
        let drawdown = Drawdown::new();
        drawdown.json(&["apply", &drawdown.file("documents.yaml", DOCUMENTS)]);
        let key = key_of(&drawdown, "authorize,read");
        let (certificate, private) = certificate(&drawdown, "server");
        let args = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &private];
        let mut serving = Started::new(drawdown.command(&args).stdout(Stdio::piped()));
        let mut said = String::new();
        BufReader::new(serving.child().stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address =
            said.trim().strip_prefix("serves https://").unwrap_or_else(|| panic!("it said {said:?}"));
        Self { address: address.parse().unwrap(), drawdown, _serving: serving, certificate, key }
    }

    /// A connection of who trusts this certificate and speaks these protocols.
    async fn connect(&self, trusted: &str, speaks: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = speaks.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::from(self.address.ip());
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Asks one after the other over one connection, of whose HTTP TLS agrees on; each answer's version, status and body.
    async fn ask(&self, speaks: &[&str], asked: Vec<Request<Body>>) -> Vec<(Version, u16, Value)> {
        let stream = self.connect(&self.certificate, speaks).await.unwrap();
        let is_two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let mut answers = Vec::new();
        if is_two {
            let (mut asking, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            for request in asked {
                answers.push(read(asking.send_request(request).await.unwrap()).await);
            }
        } else {
            let (mut asking, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            for request in asked {
                asking.ready().await.unwrap();
                answers.push(read(asking.send_request(request).await.unwrap()).await);
            }
        }
        answers
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Request<Body> {
        let request = Request::builder().method(method).uri(format!("https://{}{path}", self.address));
        let request = request.header("host", self.address.to_string());
        let request = request.header("authorization", format!("Bearer {}", self.key));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        request.body(body).unwrap()
    }

    async fn until_ready(&self) {
        let began = Instant::now();
        while self.ask(&["h2"], vec![self.request("GET", "/health/ready", &Value::Null)]).await[0].1 != 200 {
            assert!(began.elapsed() < Duration::from_secs(30), "the server is not ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn read(answer: Response<Incoming>) -> (Version, u16, Value) {
    let (head, body) = answer.into_parts();
    let body = to_bytes(Body::new(body), 1 << 20).await.unwrap();
    (head.version, head.status.as_u16(), serde_json::from_slice(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_the_certificate_is_answered_over_both_versions_of_http() {
    let server = Secured::start();
    server.until_ready().await;
    let hold = |id: &str| {
        let amounts = json!([{"unit": "credits", "feature": "calls", "amount": "1"}]);
        server.request("POST", "/v1/wallets/acme/holds", &json!({"id": id, "amounts": amounts}))
    };
    let spoken: [(&[&str], Version, &str); 4] = [
        (&["h2", "http/1.1"], Version::HTTP_2, "both"),
        (&["h2"], Version::HTTP_2, "two"),
        (&["http/1.1"], Version::HTTP_11, "one"),
        // Who does not say what it speaks is answered as those are who knew of no choice.
        (&[], Version::HTTP_11, "none"),
    ];
    for (speaks, version, id) in spoken {
        let balance = server.request("GET", "/v1/wallets/acme", &Value::Null);
        let answers = server.ask(speaks, vec![hold(id), hold(id), balance]).await;
        assert!(answers.iter().all(|answer| answer.0 == version), "{speaks:?}: {answers:?}");
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.1).collect();
        assert_eq!(statuses, [201, 201, 200], "{speaks:?}: {answers:?}");
        assert_eq!(answers[0].2["held"], answers[1].2["held"], "the same request again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_trust_the_certificate_or_has_no_tls_gets_nothing() {
    let server = Secured::start();
    server.until_ready().await;
    let (other, _) = certificate(&server.drawdown, "other");
    let refused = server.connect(&other, &["h2", "http/1.1"]).await.unwrap_err();
    let why = refused.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let is_why = matches!(
        why,
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature))
    );
    assert!(is_why, "{refused:?}");
    let refused = server.connect(&server.certificate, &["spdy/3"]).await;
    assert!(refused.is_err(), "they have no protocol in common");

    let address = server.address;
    let heard = tokio::task::spawn_blocking(move || {
        let mut stream = Plain::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        heard
    });
    let heard = heard.await.unwrap();
    // At most an alert of TLS.
    assert!(heard.is_empty() || heard[0] == 21, "{}", String::from_utf8_lossy(&heard));
    server.until_ready().await;
}
