//! A client that costs little: one connection, one request at a time, and no more of HTTP/1.1 than the server speaks.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection that is kept.
pub(super) struct Client {
    stream: TcpStream,
    /// What every request says of itself.
    headers: String,
    asked: Vec<u8>,
    answer: Vec<u8>,
    /// How long the last answer was.
    read: usize,
}

/// The status of a server that took nothing because it has too much to do, and how long until it is asked again.
const LATER: u16 = 503;
const AGAIN: Duration = Duration::from_millis(5);
/// For how long: a server that folds nothing any more would be asked for ever.
const PATIENCE: Duration = Duration::from_secs(30);

impl Client {
    pub(super) async fn connect(to: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let headers = format!("host: {to}\r\nauthorization: Bearer {key}\r\n");
        Ok(Self { stream, headers, asked: Vec::new(), answer: vec![0; 64 * 1024], read: 0 })
    }

    /// Sends a body, which must be answered with this status. A server that can take no more now is asked again soon.
    pub(super) async fn post(
        &mut self,
        path: &str,
        (media, body): (&str, &[u8]),
        status: u16,
    ) -> anyhow::Result<()> {
        let mut asked = std::mem::take(&mut self.asked);
        asked.clear();
        let (length, headers) = (body.len(), &self.headers);
        asked.extend_from_slice(
            format!(
                "POST {path} HTTP/1.1\r\n{headers}content-type: {media}\r\ncontent-length: {length}\r\n\r\n"
            )
            .as_bytes(),
        );
        asked.extend_from_slice(body);
        let until = Instant::now() + PATIENCE;
        let mut found = self.ask(&asked).await?;
        while found == LATER && Instant::now() < until {
            tokio::time::sleep(AGAIN).await;
            found = self.ask(&asked).await?;
        }
        self.asked = asked;
        self.expect(found, status)
    }

    /// Asks for something, which must be answered with 200.
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<()> {
        let asked = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.headers);
        let found = self.ask(asked.as_bytes()).await?;
        self.expect(found, 200)
    }

    /// The status of the answer, which stands at the beginning of `answer` then.
    async fn ask(&mut self, asked: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(asked).await?;
        let (mut read, mut needed) = (0, None);
        while needed.is_none_or(|needed| read < needed) {
            if read == self.answer.len() {
                self.answer.resize(2 * read, 0);
            }
            let more = self.stream.read(&mut self.answer[read..]).await?;
            ensure!(more > 0, "the server closed the connection");
            read += more;
            needed = match needed {
                None => whole(&self.answer[..read])?,
                needed => needed,
            };
        }
        self.read = read;
        std::str::from_utf8(&self.answer[9..12])?.parse().context("an answer has a status")
    }

    fn expect(&self, found: u16, status: u16) -> anyhow::Result<()> {
        let answer = || String::from_utf8_lossy(&self.answer[..self.read]);
        ensure!(found == status, "{status} was expected: {}", answer());
        Ok(())
    }
}

/// How many bytes an answer has; none as long as its head is not all there.
fn whole(answer: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&answer[..head])?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    let length: usize = length.context("an answer says its length")?.parse()?;
    Ok(Some(head + 4 + length))
}
