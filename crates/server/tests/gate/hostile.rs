//! Clients that are slow, break off, or send what nobody can read: others are answered meanwhile, and nothing is done twice.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::clients::{CREDITS, documents, wallets};
use crate::drawdown::{Drawdown, until};
use crate::embedded::key_of;
use crate::servers::Servers;

/// How many clients are slow at the same time.
const SLOW: usize = 300;
/// Longer than the server waits for a request to come in.
const LONG: Duration = Duration::from_secs(45);

struct World {
    address: String,
    key: String,
}

impl World {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    fn head(&self, headers: &str) -> String {
        format!(
            "POST /v1/wallets/last0/holds HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{headers}\r\n\r\n",
            self.key
        )
    }

    /// Sends this, as far as it is taken, and reads the status of the answer; none if the connection was closed without one.
    fn status(&self, bytes: &[u8]) -> Option<u16> {
        let mut stream = self.connect();
        // A server may have answered before it has read all.
        let _ = stream.write_all(bytes);
        status(&mut stream)
    }

    fn hold(&self, id: &str, amount: u64) -> String {
        let body =
            json!({"id": id, "amounts": [{"unit": "credits", "feature": "work", "amount": amount.to_string()}]}).to_string();
        format!("{}{body}", self.head(&format!("content-length: {}", body.len())))
    }

    fn answers(&self, id: &str) {
        let began = Instant::now();
        assert_eq!(self.status(self.hold(id, 1).as_bytes()), Some(201), "{id}");
        assert!(began.elapsed() < Duration::from_secs(5), "{id} took {:?}", began.elapsed());
    }
}

fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).unwrap().parse().ok()
}

#[test]
fn clients_that_do_not_behave_are_turned_away_and_others_are_answered() {
    let drawdown = Drawdown::new();
    drawdown.json(&["apply", &drawdown.file("documents.yaml", documents(&wallets(1)))]);
    let key = key_of(drawdown.run(&["keys", "create", "--scope", "authorize"]));
    let servers =
        Servers::start(&["alone"], drawdown.data().with_file_name("said"), |args| drawdown.command(args));
    let address = servers.url(0).trim_start_matches("http://").to_owned();
    let world = World { address, key };
    world.answers("before");

    let slow = slow(&world);
    world.answers("while-others-are-slow");
    unreadable(&world);
    too_much(&world);
    broken_off(&world);
    for (mut stream, what, statuses) in slow {
        let found = status(&mut stream);
        assert!(statuses.contains(&found), "{what}: {found:?}");
    }
    world.answers("after");
    servers.stop();

    // Four answers and the one that was broken off: each counts once.
    let balance: Value = drawdown.json(&["balance", "last0"]);
    let held = &balance["units"]["credits"]["held"];
    assert!(held == "103" || balance.to_string().contains("\"103\""), "{CREDITS}: {balance}");
}

/// A connection, what is wrong with it, and how it may end.
type Slow = (TcpStream, &'static str, &'static [Option<u16>]);

/// Connections on which not all of a request comes.
fn slow(world: &World) -> Vec<Slow> {
    let mut slow: Vec<Slow> = Vec::new();
    let whole = world.head("content-length: 100");
    for n in 0..SLOW {
        let mut stream = world.connect();
        let (sent, what, statuses): (&[u8], _, &[Option<u16>]) = match n % 3 {
            0 => (b"", "says nothing", &[None, Some(408)]),
            1 => (&whole.as_bytes()[..60], "half a head", &[None, Some(408)]),
            _ => (whole.as_bytes(), "no body", &[Some(408)]),
        };
        stream.write_all(sent).unwrap();
        slow.push((stream, what, statuses));
    }
    slow
}

fn unreadable(world: &World) {
    let of = |body: &[u8]| {
        let head = world.head(&format!("content-length: {}", body.len()));
        [head.as_bytes(), body].concat()
    };
    let deep = |bracket: &str, depth| {
        format!(r#"{{"event":{{"type":"x","data":{}}}}}"#, bracket.repeat(depth)).into_bytes()
    };
    let wrong: [(&str, Vec<u8>); 7] = [
        ("no HTTP", b"\x16\x03\x01 not at all\r\n\r\n".to_vec()),
        ("no JSON", of(b"{\"id\": ")),
        ("no UTF-8", of(b"{\"id\":\"\xff\xfe\",\"amounts\":[]}")),
        ("deep arrays", of(&deep("[", 1_000_000))),
        ("deep objects", of(&deep(r#"{"a":"#, 1_000_000))),
        (
            "deep and whole",
            of(format!(r#"{{"x":{}{}}}"#, "[".repeat(500_000), "]".repeat(500_000)).as_bytes()),
        ),
        ("two lengths", world.head("content-length: 2\r\ncontent-length: 3").into_bytes()),
    ];
    for (what, bytes) in wrong {
        assert_eq!(world.status(&bytes), Some(400), "{what}");
    }
    world.answers("after-what-is-unreadable");
}

fn too_much(world: &World) {
    let many = "x-many: 0123456789\r\n".repeat(20_000);
    let head = world.head(many.trim_end());
    assert!(matches!(world.status(head.as_bytes()), Some(431 | 400)), "a long head");
    let large = [world.head("content-length: 9000000").into_bytes(), vec![b' '; 9_000_000]].concat();
    assert!(matches!(world.status(&large), Some(413) | None), "a large body");
    let promised = world.head("content-length: 1000000000000");
    assert_eq!(world.status(promised.as_bytes()), Some(413), "a body that is said to be large");
    let mut endless = world.head("transfer-encoding: chunked").into_bytes();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    (0..12).for_each(|_| endless.extend_from_slice(&chunk));
    assert!(matches!(world.status(&endless), Some(413) | None), "chunks without an end");
}

/// Goes before the answer comes; asked again, there is one.
fn broken_off(world: &World) {
    let hold = world.hold("broken-off", 99);
    let mut stream = world.connect();
    stream.write_all(hold.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    until("it is answered when it is asked again", || world.status(hold.as_bytes()) == Some(201));
    let mut half = world.connect();
    half.write_all(hold.as_bytes()).unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    // It may take the half that is closed for the whole.
    assert!(matches!(status(&mut half), Some(201) | None), "half open");
    assert_eq!(world.status(hold.as_bytes()), Some(201));
}
