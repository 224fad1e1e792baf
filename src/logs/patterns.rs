//! What log lines say: patterns of known systems and names of structured fields, from `assets/logpatterns.toml`.

use std::collections::HashMap;

use regex::{Regex, RegexSet};
use serde::Deserialize;
use toml::Spanned;

use crate::knowledge::{Error, Kind, Sources, parse};
use crate::model::{Cause, LogSays};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    pattern: Vec<RawPattern>,
    #[serde(default)]
    keys: HashMap<Key, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    system: String,
    find: Spanned<String>,
    cause: Option<Cause>,
    also: Option<Cause>,
    /// How much of the weight its causes get, 0–1; 1 where nothing is written.
    strength: Option<f32>,
}

/// What a named field of a structured record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Key {
    Time,
    Client,
    Port,
    Method,
    Target,
    Status,
    Level,
}

#[derive(Debug)]
struct Pattern {
    system: String,
    regex: Regex,
    cause: Option<Cause>,
    also: Option<Cause>,
    strength: f32,
}

/// The patterns, compiled.
#[derive(Debug)]
pub struct Patterns {
    set: RegexSet,
    list: Vec<Pattern>,
    keys: HashMap<String, Key>,
}

impl Patterns {
    /// Reads the `logpatterns.toml` of `sources`, a user's before those that are built in.
    pub fn read(sources: &Sources) -> Result<Self, Error> {
        let (mut patterns, mut keys) = (Vec::new(), HashMap::new());
        for file in sources.of(Kind::LogPatterns) {
            let raw: RawFile = parse(file)?;
            for one in raw.pattern {
                let wrong = |error: regex::Error| Error::at(file, Some(one.find.span()), error.to_string());
                let regex = Regex::new(one.find.get_ref()).map_err(wrong)?;
                let strength = one.strength.unwrap_or(1.0).clamp(0.0, 1.0);
                patterns.push(Pattern {
                    system: one.system,
                    regex,
                    cause: one.cause,
                    also: one.also,
                    strength,
                });
            }
            for (key, names) in raw.keys {
                for name in names {
                    keys.entry(name).or_insert(key);
                }
            }
        }
        let set = RegexSet::new(patterns.iter().map(|pattern| pattern.regex.as_str()));
        let whole = |error: regex::Error| Error {
            file: "logpatterns".into(),
            line: None,
            message: error.to_string(),
        };
        Ok(Self { set: set.map_err(whole)?, list: patterns, keys })
    }

    /// What `text` says, by the first pattern with a cause that matches, else by the first that matches.
    pub(super) fn says(&self, text: &str) -> Option<LogSays> {
        let matches = self.set.matches(text);
        let found: Vec<&Pattern> = matches.iter().filter_map(|index| self.list.get(index)).collect();
        let pattern = found.iter().find(|pattern| pattern.cause.is_some()).or(found.first())?;
        let captures = pattern.regex.captures(text)?;
        let named = pattern.regex.capture_names().flatten();
        let values = named
            .filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str().to_owned())))
            .filter(|(_, value)| !value.is_empty());
        Some(LogSays {
            system: pattern.system.clone(),
            cause: pattern.cause,
            also: pattern.also,
            strength: pattern.strength,
            values: values.collect(),
        })
    }

    /// What the field `name` of a structured record holds. The last part of a path counts, then the whole.
    pub(super) fn key(&self, name: &str) -> Option<Key> {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(|c| !matches!(c, '.' | '_' | '-' | ' '))
                .flat_map(char::to_lowercase)
                .collect()
        };
        let last = name.rsplit('.').next().unwrap_or(name);
        self.keys.get(&plain(last)).or_else(|| self.keys.get(&plain(name))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::tests::sources;

    #[test]
    fn known_lines_name_their_cause_and_values() {
        let patterns = Patterns::read(&Sources::default()).unwrap();
        let line = r#"[client 127.0.0.5] ModSecurity: Warning. Operator GT matched 200 at ARGS:c. [file "/etc/crs/REQUEST-920.conf"] [line "820"] [id "920370"] [msg "Argument value too long"]"#;
        let says = patterns.says(line).unwrap();
        assert_eq!(says.cause, Some(Cause::Waf));
        assert!(says.values.contains(&("rule".to_owned(), "920370".to_owned())));
        assert!(says.values.contains(&("line".to_owned(), "820".to_owned())));
        assert_eq!(
            patterns.says("Forbidden (CSRF cookie not set.): /x").and_then(|says| says.cause),
            Some(Cause::Csrf)
        );
        assert_eq!(patterns.says("nothing of interest"), None);
    }

    #[test]
    fn names_of_fields_are_known_in_any_case_and_spelling() {
        let patterns = Patterns::read(&Sources::default()).unwrap();
        for (name, key) in [
            ("req.method", Key::Method),
            ("remote_addr", Key::Client),
            ("RemoteAddr", Key::Client),
            ("http.status_code", Key::Status),
            ("@timestamp", Key::Time),
            ("request_uri", Key::Target),
        ] {
            assert_eq!(patterns.key(name), Some(key), "{name}");
        }
        assert_eq!(patterns.key("message"), None);
    }

    #[test]
    fn a_wrong_file_is_an_error() {
        for text in [
            "pattern = [\n{ system = 'x', find = '(' }]\n",
            "pattern = [\n{ system = 'x', find = 'a', cause = 'no-such' }]\n",
            "pattern = [\n{ system = 'x', find = 'a', colour = 'red' }]\n",
        ] {
            let error = Patterns::read(&sources(Kind::LogPatterns, text)).unwrap_err();
            assert_eq!(error.line, Some(2), "{error}");
        }
        let mine = "pattern = [{ system = 'x', find = 'no seats', cause = 'quota' }]";
        let patterns = Patterns::read(&sources(Kind::LogPatterns, mine)).unwrap();
        assert_eq!(patterns.says("no seats").and_then(|says| says.cause), Some(Cause::Quota));
    }
}
