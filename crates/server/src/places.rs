//! Where the log and the projections are: in files of a directory, or on servers.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use eventlog::KafkaConfig;

/// The schema of the projections, unless the address names another.
const SCHEMA: &str = "drawdown";

/// Where the log is.
#[derive(Clone, Debug)]
pub enum LogPlace {
    /// In a file of the directory.
    Directory,
    /// A topic; its address as it was given.
    Kafka(String, KafkaConfig),
}

/// Where the projections are.
#[derive(Clone, Debug)]
pub enum StorePlace {
    /// In a file of the directory.
    Directory,
    /// In a schema of a database.
    Postgres(Database),
}

/// A schema of a Postgres database.
#[derive(Clone)]
pub struct Database {
    /// With user and password.
    pub(crate) url: String,
    /// The tables' schema.
    pub(crate) schema: String,
}

impl LogPlace {
    /// Reads an address such as `kafka://host:9092/topic`; none is the directory. `properties` is a file of librdkafka's.
    ///
    /// # Errors
    ///
    /// If it is none, or the file cannot be used.
    pub fn parse(url: Option<&str>, properties: Option<&PathBuf>) -> anyhow::Result<Self> {
        let Some(url) = url else {
            if properties.is_some() {
                bail!("--kafka-properties is of no use without --log kafka://host:port/topic");
            }
            return Ok(Self::Directory);
        };
        let config = KafkaConfig::parse(url).with_context(|| format!("--log {url}"))?;
        let config = match properties {
            Some(file) => config
                .with_properties_of(file)
                .with_context(|| format!("--kafka-properties {}", file.display()))?,
            None => config,
        };
        Ok(Self::Kafka(url.to_owned(), config))
    }
}

impl LogPlace {
    /// Another topic of the same brokers.
    ///
    /// # Errors
    ///
    /// If this is no address of a topic.
    pub(crate) fn beside(&self, topic: &str) -> anyhow::Result<Self> {
        let Self::Kafka(url, config) = self else { bail!("name the brokers: --log kafka://host:port/topic") };
        let (brokers, _) = url.rsplit_once('/').expect("an address has a topic");
        let url = format!("{brokers}/{topic}");
        let config = KafkaConfig::parse(&url)?.with_the_properties_of(config);
        Ok(Self::Kafka(url, config))
    }
}

impl StorePlace {
    /// Reads an address such as `postgres://user@host/database?schema=name`; none is the directory.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn parse(url: Option<&str>) -> anyhow::Result<Self> {
        let Some(url) = url else { return Ok(Self::Directory) };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            bail!("--store is no address of a database: write postgres://user:password@host:port/database");
        }
        let (url, options) = url.split_once('?').unwrap_or((url, ""));
        let (mut schema, mut rest) = (SCHEMA, Vec::new());
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.strip_prefix("schema=") {
                Some(name) => schema = name,
                None => rest.push(option),
            }
        }
        let url = if rest.is_empty() { url.to_owned() } else { format!("{url}?{}", rest.join("&")) };
        Ok(Self::Postgres(Database { url, schema: schema.to_owned() }))
    }
}

/// Without user and password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.rsplit_once('@').map_or(self.url.as_str(), |(_, place)| place);
        let place = place.split(['?', ' ']).next().unwrap_or_default();
        write!(f, "schema {} of {}", self.schema, place.rsplit("//").next().unwrap_or_default())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_database_names_its_schema_and_is_shown_without_password() {
        let url = "postgres://me:secret@db.example:5432/credits?schema=two&sslmode=require";
        let StorePlace::Postgres(database) = StorePlace::parse(Some(url)).expect("it is right") else {
            panic!("it is a database");
        };
        assert_eq!(database.schema, "two");
        assert_eq!(database.url, "postgres://me:secret@db.example:5432/credits?sslmode=require");
        assert_eq!(
            format!("{database} {database:?}").matches("schema two of db.example:5432/credits").count(),
            2
        );
        assert!(matches!(StorePlace::parse(None), Ok(StorePlace::Directory)));
        let error = StorePlace::parse(Some("mysql://me:secret@x/y")).expect_err("it is none");
        assert!(!format!("{error:#}").contains("secret"));
    }
}
