//! Where the broker is, and how to reach it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use rdkafka::ClientConfig;

use crate::LogError;

/// What an operator may set. Left out is what would change what the log promises, run a program or load a library.
const PROPERTIES: [&str; 20] = [
    "client.id",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.sigalgs.list",
];

/// How long the broker may be away before a call fails, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a record may be on its way before its fate is called unknown: long, because to find out is a search.
const SENDING: Duration = Duration::from_secs(120);

/// The address of a log on Kafka, and how to reach it.
///
/// `Debug` shows which properties are set, and no value of any: some are passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaConfig {
    brokers: String,
    topic: String,
    properties: BTreeMap<String, String>,
    pub(super) patience: Duration,
    pub(super) sending: Duration,
}

impl KafkaConfig {
    /// Reads an address such as `kafka://host:9092,other:9092/topic`.
    ///
    /// # Errors
    ///
    /// [`LogError::Config`] if it is no such address.
    pub fn parse(url: &str) -> Result<Self, LogError> {
        let wrong =
            |what: &str| LogError::Config { reason: format!("{what}: write kafka://host:port/topic") };
        let rest = url.strip_prefix("kafka://").ok_or_else(|| wrong("it does not begin with kafka://"))?;
        let (brokers, topic) = rest.split_once('/').ok_or_else(|| wrong("it names no topic"))?;
        if brokers.contains('@') {
            return Err(wrong("user and password belong into the file of properties"));
        }
        let is_address = |broker: &str| {
            let parts = broker.rsplit_once(':');
            parts.is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            })
        };
        if !brokers.split(',').all(is_address) {
            return Err(wrong("each broker has a host and a port"));
        }
        let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if topic.is_empty() || topic.len() > 249 || topic.starts_with('.') || !topic.chars().all(is_letter) {
            return Err(wrong("a topic's name has letters, digits, dots, underscores and dashes"));
        }
        Ok(Self {
            brokers: brokers.into(),
            topic: topic.into(),
            properties: BTreeMap::new(),
            patience: PATIENCE,
            sending: SENDING,
        })
    }

    /// The address of another topic, on the same brokers or others (`host:port,…`), reached with the same properties.
    ///
    /// # Errors
    ///
    /// [`LogError::Config`] if it is no such address.
    pub fn with_topic(&self, brokers: Option<&str>, topic: &str) -> Result<Self, LogError> {
        let Self { brokers: own, topic: _, properties, patience, sending } = self.clone();
        let other = Self::parse(&format!("kafka://{}/{topic}", brokers.unwrap_or(&own)))?;
        Ok(Self { properties, patience, sending, ..other })
    }

    /// Adds librdkafka's properties out of a text of lines `name=value`; empty lines and those after `#` say nothing.
    ///
    /// Taken are `security.protocol`, `client.id`, and those of `sasl` and `ssl` that name credentials and files:
    /// TLS, SASL SCRAM and SASL PLAIN.
    ///
    /// # Errors
    ///
    /// [`LogError::Config`] names the line, never its value.
    pub fn with_properties(mut self, text: &str) -> Result<Self, LogError> {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: String| LogError::Config { reason: format!("line {}: {what}", at + 1) };
            let (name, value) =
                line.split_once('=').ok_or_else(|| wrong("write a property as name=value".into()))?;
            let name = name.trim();
            if !PROPERTIES.contains(&name) {
                return Err(wrong(format!("{name} cannot be set here: take it out")));
            }
            self.properties.insert(name.into(), value.trim().into());
        }
        Ok(self)
    }

    /// Adds the properties in a file: [`with_properties`](Self::with_properties).
    ///
    /// # Errors
    ///
    /// [`LogError::File`] if it cannot be read, [`LogError::Config`] if it says what cannot be set.
    pub fn with_properties_of(self, file: &Path) -> Result<Self, LogError> {
        self.with_properties(&std::fs::read_to_string(file)?)
    }

    /// With the properties and limits of another address.
    pub fn with_the_properties_of(self, other: &Self) -> Self {
        Self { brokers: self.brokers, topic: self.topic, ..other.clone() }
    }

    /// How long the broker may be away before a read or an append fails; 30 seconds unless said.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long a record may be on its way before its fate is called unknown; two minutes unless said.
    pub fn with_sending(mut self, sending: Duration) -> Self {
        self.sending = sending;
        self
    }

    /// The topic that is the log.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What each of our clients is told.
    pub(super) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("client.id", "drawdown")
            .set("bootstrap.servers", &self.brokers)
            .set("allow.auto.create.topics", "false")
            // By default a client that lost its broker looks again after ten seconds.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "200");
        for (name, value) in &self.properties {
            client.set(name, value);
        }
        client
    }
}

impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConfig")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_brokers_and_a_topic() {
        let config = KafkaConfig::parse("kafka://a:9092,[::1]:9093/drawdown").unwrap();
        assert_eq!((config.brokers.as_str(), config.topic()), ("a:9092,[::1]:9093", "drawdown"));
        for wrong in [
            "http://a:1/t",
            "kafka://a:1",
            "kafka://a:1/",
            "kafka://a/t",
            "kafka://:1/t",
            "kafka://a:0/t",
            "kafka://a:70000/t",
            "kafka://a:1,/t",
            "kafka://a:1/t/u",
            "kafka://a:1/..",
            "kafka://me:pw@a:1/t",
        ] {
            assert!(matches!(KafkaConfig::parse(wrong), Err(LogError::Config { .. })), "{wrong}");
        }
    }

    #[test]
    fn properties_that_would_change_the_promises_are_refused() {
        let config = KafkaConfig::parse("kafka://a:9092/t").unwrap();
        for name in [
            "acks",
            "enable.idempotence",
            "sasl.kerberos.kinit.cmd",
            "ssl.engine.location",
            "bootstrap.servers",
        ] {
            let error = config.clone().with_properties(&format!("# ours\n{name}=secret")).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("line 2") && said.contains(name) && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let properties =
            "security.protocol=SASL_SSL\nsasl.mechanism = SCRAM-SHA-512\nsasl.username=me\nsasl.password=a=b";
        let config = KafkaConfig::parse("kafka://a:9092/t").unwrap().with_properties(properties).unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("sasl.password") && !shown.contains("a=b"), "{shown}");
        assert_eq!(config.client().get("sasl.password"), Some("a=b"));
        config.client().create_native_config().expect("the build knows TLS and SCRAM");
    }
}
