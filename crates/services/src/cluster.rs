use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::broker::Broker;
use crate::place::Place;

/// How many brokers it has.
const BROKERS: usize = 3;

/// Three brokers of a test's own, on which a log has copies. They are gone when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    brokers: Vec<Broker>,
}

impl Cluster {
    /// Starts them; they are ready when this returns.
    ///
    /// # Panics
    ///
    /// If one of them cannot be started.
    pub fn start() -> Self {
        // What every start needs is made by the first one, which these would wait for in each other.
        crate::kafka();
        let ports = free_ports(2 * BROKERS);
        let members: Vec<(Place, &[u16])> = ports.chunks(2).map(|ports| (Place::new(), ports)).collect();
        let voters: Vec<String> = (members.iter().zip(1..))
            .map(|((_, ports), id)| format!("{id}@127.0.0.1:{}", ports[1]))
            .collect();
        for ((place, ports), id) in members.iter().zip(1..) {
            let kafka = place.path().join("kafka");
            fs::create_dir(&kafka).expect("the place is empty");
            let properties = format!("node.id={id}\ncontroller.quorum.voters={}\n", voters.join(","));
            for (file, text) in [
                (place.path().join("ports"), format!("kafka={}\ncontroller={}\n", ports[0], ports[1])),
                (kafka.join("more.properties"), properties),
                (kafka.join("cluster.id"), "ThreeBrokersOfOneTest0".to_owned()),
            ] {
                fs::write(file, text).expect("the place is ours");
            }
        }
        // None is ready before two are.
        let starting: Vec<_> =
            members.into_iter().map(|(place, _)| thread::spawn(|| Broker::at(place))).collect();
        let brokers = starting.into_iter().map(|start| start.join().expect("each broker starts")).collect();
        Self { brokers }
    }

    /// The addresses of all, as `host:port,…`.
    pub fn address(&self) -> String {
        self.brokers.iter().map(Broker::address).collect::<Vec<_>>().join(",")
    }

    /// Each of them.
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }
}

/// Ports below those that systems give to outgoing connections, which a client that reconnects could take.
fn free_ports(count: usize) -> Vec<u16> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock stands after 1970");
    let mut next = 10_240 + u16::try_from((now.subsec_nanos() ^ std::process::id()) % 20_000).expect("small");
    let mut held = Vec::new();
    while held.len() < count {
        held.extend(TcpListener::bind(("127.0.0.1", next)));
        next += 1;
    }
    held.iter().map(|held| held.local_addr().expect("it listens").port()).collect()
}
