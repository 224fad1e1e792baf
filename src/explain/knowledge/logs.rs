//! Where a refusing server writes it down: `loglines.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use super::fingerprints::checked;
use crate::knowledge::{self, Error, File, Kind, Sources, parse};
use crate::model::Cause;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    log: Vec<RawLog>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    mark: Spanned<String>,
    system: String,
    #[serde(rename = "where")]
    place: String,
    causes: BTreeMap<Spanned<String>, String>,
    otherwise: String,
}

/// The log of one system.
#[derive(Debug)]
pub struct Log {
    mark: Regex,
    /// For people.
    pub system: String,
    /// Which of its logs.
    pub place: String,
    causes: BTreeMap<Cause, String>,
    /// For a firewall's rule on who sends rather than on what is sent.
    pub fields: Option<String>,
    /// What to look for where nothing is known of the cause.
    pub otherwise: String,
}

impl Log {
    /// What to look for.
    pub fn of(&self, cause: Cause) -> Option<&String> {
        self.causes.get(&cause)
    }
}

static LOGS: LazyLock<Result<Vec<Log>, Error>> = LazyLock::new(|| read(knowledge::current()));

/// The log of the system whose name or Server field is `text`.
pub fn of_system(text: &str) -> Option<&'static Log> {
    LOGS.as_ref().ok()?.iter().find(|log| log.mark.is_match(text))
}

pub(super) fn check() -> Result<(), Error> {
    LOGS.as_ref().map(drop).map_err(Clone::clone)
}

pub(super) fn read(sources: &Sources) -> Result<Vec<Log>, Error> {
    let mut out = Vec::new();
    for file in sources.of(Kind::LogLines) {
        for raw in parse::<RawFile>(file)?.log {
            out.push(log(file, raw)?);
        }
    }
    Ok(out)
}

fn log(file: &File, raw: RawLog) -> Result<Log, Error> {
    let mut log = Log {
        mark: checked(file, &raw.mark)?,
        system: raw.system,
        place: raw.place,
        causes: BTreeMap::new(),
        fields: None,
        otherwise: raw.otherwise,
    };
    for (name, text) in raw.causes {
        match name.get_ref().as_str() {
            "fields" => log.fields = Some(text),
            id => {
                let unknown = |()| Error::at(file, Some(name.span()), format!("no cause {id:?}"));
                log.causes.insert(id.parse().map_err(unknown)?, text);
            }
        }
    }
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::tests::sources;

    #[test]
    fn a_users_log_is_asked_first_and_mistakes_have_a_line() {
        let mine = "log = [\n{ mark = \"(?i)^nginx\", system = \"edge\", where = \"edge.log\", causes = { waf = \"BLOCK\" }, otherwise = \"\" }\n]";
        let of = |text: &str| read(&sources(Kind::LogLines, text));
        let logs = of(mine).unwrap();
        assert_eq!(logs.iter().find(|log| log.mark.is_match("nginx")).unwrap().place, "edge.log");
        for (from, to) in [("waf", "waff"), ("(?i)^", "("), ("where", "file")] {
            assert_eq!(of(&mine.replace(from, to)).unwrap_err().line, Some(2), "{to}");
        }
        assert!(read(&Sources::default()).unwrap().len() >= 8);
    }
}
