//! Lines to a server that can be cut or held at a chosen word.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of the line over which a client sends a certain word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is cut before the server gets the word.
    LoseWord,
    /// It is cut after the server has answered it, and before the client gets the answer.
    LoseAnswer,
    /// Nothing is forwarded any more, and both ends stay open.
    Hold,
}

/// A server's address that leads to another one.
pub(crate) struct Lines {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    trap: Mutex<Option<(Vec<u8>, Fate)>>,
    /// Whether lines can be opened.
    open: watch::Sender<bool>,
    sprung: watch::Sender<u32>,
    released: watch::Sender<bool>,
}

impl Lines {
    /// To the host and port that a URL names.
    pub(crate) async fn to(url: &str) -> Self {
        let server = url.split_once("://").unwrap().1.split('/').next().unwrap().rsplit('@').next().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            trap: Mutex::new(None),
            open: watch::Sender::new(true),
            sprung: watch::Sender::new(0),
            released: watch::Sender::new(false),
        });
        let (port, accepting) = (listener.local_addr().unwrap().port(), shared.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *accepting.open.borrow() {
                    tokio::spawn(forward(client, accepting.clone()));
                }
            }
        });
        Self { port, shared }
    }

    /// The URL that leads over these lines.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(&self.shared.server, &format!("127.0.0.1:{}", self.port), 1)
    }

    /// Sets what happens, once, when `word` is sent.
    pub(crate) fn trap(&self, word: &str, fate: Fate) {
        *self.shared.trap.lock().unwrap() = Some((word.as_bytes().to_vec(), fate));
    }

    /// Waits until it has happened.
    pub(crate) async fn sprung(&self) {
        self.shared.sprung.subscribe().wait_for(|times| *times > 0).await.unwrap();
    }

    /// Cuts the line that is held.
    pub(crate) fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// Lets no new line be opened, or lets them again.
    pub(crate) fn set_open(&self, open: bool) {
        self.shared.open.send_replace(open);
    }
}

async fn forward(mut client: TcpStream, shared: Arc<Shared>) {
    let mut server = TcpStream::connect(&shared.server).await.unwrap();
    let (mut sent, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(count @ 1..) = read else { return };
                let fate = shared.fate(&sent[..count]);
                if fate != Some(Fate::LoseWord) && fate != Some(Fate::Hold) {
                    server.write_all(&sent[..count]).await.unwrap();
                }
                if fate == Some(Fate::LoseAnswer) {
                    // It answers at once when it has done what was said.
                    let _ = tokio::time::timeout(Duration::from_secs(5), server.read(&mut answer)).await;
                }
                if let Some(fate) = fate {
                    shared.sprung.send_modify(|times| *times += 1);
                    if fate == Fate::Hold {
                        shared.released.subscribe().wait_for(|released| *released).await.unwrap();
                    }
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Shared {
    fn fate(&self, sent: &[u8]) -> Option<Fate> {
        let mut trap = self.trap.lock().unwrap();
        let (word, _) = trap.as_ref()?;
        sent.windows(word.len()).any(|part| part == word).then(|| trap.take().unwrap().1)
    }
}
