//! Where the log and the projections are: in files of a directory, or on servers.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use eventlog::KafkaConfig;
use store::{PostgresStore, Projections, Spread, StoreError};

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
    /// In schemas of one or several databases.
    Postgres(Databases),
}

/// Databases, each with how many partitions are in it; none where one has all.
#[derive(Clone, Debug)]
pub struct Databases(Vec<(Option<u32>, Database)>);

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
    /// Reads addresses such as `postgres://user@host/database?schema=name`, each with the partitions that are there in front of it
    /// where there are several: `0-3=postgres://…`. None is the directory.
    ///
    /// # Errors
    ///
    /// If one is none, or the partitions do not follow each other.
    pub fn parse(urls: &[String]) -> anyhow::Result<Self> {
        if urls.is_empty() {
            return Ok(Self::Directory);
        }
        let mut databases = Vec::new();
        for url in urls {
            let (range, url) = match url.split_once('=') {
                Some((range, url)) if range.starts_with(|c: char| c.is_ascii_digit()) => (Some(range), url),
                Some(_) | None => (None, url.as_str()),
            };
            databases.push((range.map(stretch).transpose()?, Database::parse(url)?));
        }
        if let [(None, _)] = databases.as_slice() {
            return Ok(Self::Postgres(Databases(
                databases.into_iter().map(|(_, one)| (None, one)).collect(),
            )));
        }
        databases.sort_by_key(|(range, _)| range.map(|(from, _)| from));
        let (mut next, mut spread) = (0, Vec::new());
        for (range, database) in databases {
            let Some((from, to)) = range else {
                bail!(
                    "of several databases each needs its partitions: --store 0-3=postgres://… --store 4-7=postgres://…"
                );
            };
            if from != next || to < from {
                bail!(
                    "partition {next} must come next, not {from}-{to}: the databases' partitions follow each other, from 0"
                );
            }
            next = to + 1;
            spread.push((Some(to - from + 1), database));
        }
        Ok(Self::Postgres(Databases(spread)))
    }
}

/// Reads `0-3` or `4`.
fn stretch(text: &str) -> anyhow::Result<(u32, u32)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if to < 1_000_000 => Ok((from, to)),
        _ => bail!("--store {text}=… names no partitions: write 0-3=postgres://…"),
    }
}

impl Databases {
    /// Refuses databases whose partitions are not the log's.
    pub(crate) fn check(&self, partitions: u32) -> anyhow::Result<()> {
        let named: Option<u32> = self.0.iter().map(|(count, _)| *count).sum();
        match named {
            Some(named) if named != partitions => {
                bail!("the databases are for {named} partitions, and the log has {partitions}")
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Projections, StoreError> {
        let mut stores = Vec::new();
        for (count, Database { url, schema }) in &self.0 {
            stores.push((*count, PostgresStore::connect(url, schema).await?));
        }
        Ok(together(stores))
    }

    pub(crate) async fn snapshot(&self) -> Result<Projections, StoreError> {
        let mut stores = Vec::new();
        for (count, Database { url, schema }) in &self.0 {
            stores.push((*count, PostgresStore::snapshot(url, schema).await?));
        }
        Ok(together(stores))
    }

    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        for (_, Database { url, schema }) in &self.0 {
            PostgresStore::migrate(url, schema).await?;
        }
        Ok(())
    }

    pub(crate) async fn remove(&self) -> Result<(), StoreError> {
        for (_, Database { url, schema }) in &self.0 {
            PostgresStore::remove(url, schema).await?;
        }
        Ok(())
    }

    /// The same databases, with another schema in each.
    pub(crate) fn with_schema(&self, name: impl Fn(&str) -> String) -> Self {
        let other = |(count, one): &(Option<u32>, Database)| {
            (*count, Database { url: one.url.clone(), schema: name(&one.schema) })
        };
        Self(self.0.iter().map(other).collect())
    }

    /// Each database by itself.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Database> {
        self.0.iter().map(|(_, database)| database)
    }
}

fn together(stores: Vec<(Option<u32>, PostgresStore)>) -> Projections {
    Projections::Postgres(Spread::new(
        stores.into_iter().map(|(count, store)| (count.unwrap_or(u32::MAX), store)),
    ))
}

impl Database {
    fn parse(url: &str) -> anyhow::Result<Self> {
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
        Ok(Self { url, schema: schema.to_owned() })
    }
}

impl fmt::Display for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, database) in self.each().enumerate() {
            write!(f, "{}{database}", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
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
        let StorePlace::Postgres(databases) = StorePlace::parse(&[url.to_owned()]).expect("it is right")
        else {
            panic!("it is a database");
        };
        let database = databases.each().next().expect("it is one");
        assert_eq!(database.schema, "two");
        assert_eq!(database.url, "postgres://me:secret@db.example:5432/credits?sslmode=require");
        assert_eq!(
            format!("{database} {database:?}").matches("schema two of db.example:5432/credits").count(),
            2
        );
        assert!(matches!(StorePlace::parse(&[]), Ok(StorePlace::Directory)));
        let error = StorePlace::parse(&["mysql://me:secret@x/y".to_owned()]).expect_err("it is none");
        assert!(!format!("{error:#}").contains("secret"));
    }

    #[test]
    fn several_databases_have_partitions_that_follow_each_other() {
        let parse = |ranges: &[&str]| {
            let urls: Vec<String> = ranges.iter().map(|range| format!("{range}postgres://h/d")).collect();
            StorePlace::parse(&urls).map_err(|error| error.to_string())
        };
        let Ok(StorePlace::Postgres(databases)) = parse(&["2-3=", "0-1=", "4="]) else {
            panic!("they follow")
        };
        assert!(databases.check(5).is_ok() && databases.check(4).is_err() && databases.check(6).is_err());
        for wrong in
            [&["0-1=", "3-4="][..], &["0-1=", "1-2="], &["1-2="], &["0-1=", ""], &["3-0="], &["x=", "0="]]
        {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
