//! What changed on the servers and when: a version field, `Server`, the ETag of a resource. Read from successes only, since a
//! refusal may be written by another program than the one that answers.

use std::collections::HashMap;

use ahash::RandomState;

use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::history::Record;
use crate::model::{EndpointId, Timestamp};

/// Fields that are watched: of a server, or of a resource.
const MAX_WATCHED: usize = 1024;
/// Values of one field after which it says nothing of a deploy.
const MAX_VALUES: usize = 6;
/// Changes that are kept; the oldest give way.
const MAX_CHANGES: usize = 64;
/// Times that a value must have been seen for its end to be a change.
const SETTLED: u32 = 3;
/// Longest value that is shown.
const MAX_SHOWN: usize = 60;

/// A field of the responses took a value that it never had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerChange {
    /// When the response with the new value was asked for.
    pub at: Timestamp,
    /// The field.
    pub field: String,
    /// The value before, redacted and escaped.
    pub before: String,
    /// The new value.
    pub after: String,
}

#[derive(Clone, Debug, Default)]
struct Watched {
    /// Hashes of the values so far.
    known: Vec<u64>,
    current: Option<(u64, String)>,
    times: u32,
}

/// Watches response fields. Bounds: [`MAX_WATCHED`] fields of [`MAX_VALUES`] values, [`MAX_CHANGES`] changes.
#[derive(Debug, Default)]
pub(super) struct ServerChanges {
    watched: HashMap<u64, Watched, RandomState>,
    hasher: RandomState,
    changes: Vec<(u64, ServerChange)>,
}

impl ServerChanges {
    /// Takes note of a success.
    pub(super) fn count(&mut self, record: &Record, endpoint: EndpointId, redactor: &Redactor) {
        let exchange = &record.exchange;
        let Some(response) = &exchange.response else { return };
        for field in response.head.fields().iter().filter(|field| is_telling(field.name)) {
            let name = field.name.to_ascii_lowercase();
            let key = if name == b"etag" {
                if exchange.method() != "GET" {
                    continue;
                }
                self.hasher.hash_one((endpoint, exchange.target()))
            } else {
                self.hasher.hash_one((exchange.server, &name))
            };
            self.see(key, (&name, field.value), exchange.started(), redactor);
        }
    }

    fn see(&mut self, key: u64, (name, value): (&[u8], &[u8]), at: Timestamp, redactor: &Redactor) {
        if self.watched.len() >= MAX_WATCHED && !self.watched.contains_key(&key) {
            return;
        }
        let hash = self.hasher.hash_one(value);
        let watched = self.watched.entry(key).or_default();
        if watched.known.len() >= MAX_VALUES {
            return;
        }
        if watched.current.as_ref().is_some_and(|(current, _)| *current == hash) {
            watched.times += 1;
            return;
        }
        let shown = sanitize::short(&redactor.field(name, value), MAX_SHOWN).to_string();
        let fresh = !watched.known.contains(&hash);
        let before = watched.current.replace((hash, shown.clone()));
        let settled = std::mem::replace(&mut watched.times, 1) >= SETTLED;
        if !fresh {
            return;
        }
        watched.known.push(hash);
        if watched.known.len() >= MAX_VALUES {
            // It changes all the time: it never told of a deploy.
            self.changes.retain(|(of, _)| *of != key);
            return;
        }
        if let Some((_, before)) = before.filter(|_| settled) {
            if self.changes.len() >= MAX_CHANGES {
                self.changes.remove(0);
            }
            let field = String::from_utf8_lossy(name);
            let field = sanitize::text(&field).into_owned();
            self.changes.push((key, ServerChange { at, field, before, after: shown }));
        }
    }

    /// The changes, oldest first.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &ServerChange> {
        self.changes.iter().map(|(_, change)| change)
    }
}

/// Whether a field of a response tells which program answers.
fn is_telling(name: &[u8]) -> bool {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    let ends = |end: &[u8]| {
        let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    is(b"server")
        || is(b"etag")
        || is(b"x-powered-by")
        || ends(b"version")
        || ends(b"-build")
        || ends(b"-release")
        || ends(b"-commit")
        || ends(b"-revision")
}

#[cfg(test)]
mod tests {
    use super::{MAX_VALUES, ServerChanges};
    use crate::edge::redact::Redactor;
    use crate::features::tests::{exchange, request, response};
    use crate::history::History;

    fn changes(values: &[(&str, &str)]) -> Vec<(i64, String, String, String)> {
        let mut history = History::new(1 << 20);
        let mut changes = ServerChanges::default();
        for (second, (field, value)) in values.iter().enumerate() {
            let asked = request("GET", "/main.js", &[("Host", "api.example")], b"");
            let answered = response(200, &[(field, value)], b"x");
            let id = history.insert(exchange("10.0.0.1", second as i64, asked, answered));
            let record = history.get(id).unwrap();
            changes.count(record, record.endpoint, &Redactor::for_tests(false));
        }
        let row = |one: &super::ServerChange| {
            (one.at.seconds(), one.field.clone(), one.before.clone(), one.after.clone())
        };
        changes.all().map(row).collect()
    }

    #[test]
    fn a_new_version_is_a_change_and_an_old_one_that_returns_is_none() {
        let mut seen = vec![("X-App-Version", "1.4.0"); 5];
        seen.extend([("X-App-Version", "1.5.0"); 4]);
        seen.extend([("X-App-Version", "1.4.0"), ("X-App-Version", "1.5.0")]);
        let expected = (5, "x-app-version".to_owned(), "1.4.0".to_owned(), "1.5.0".to_owned());
        assert_eq!(changes(&seen), [expected]);
    }

    #[test]
    fn two_programs_that_take_turns_and_values_of_every_response_are_no_change() {
        assert_eq!(changes(&[("Server", "a"), ("Server", "b"), ("Server", "a"), ("Server", "b")]), []);
        let values: Vec<String> = (0..MAX_VALUES + 5).map(|at| format!("\"{at}\"")).collect();
        let each: Vec<_> = values.iter().flat_map(|value| [("ETag", value.as_str()); 4]).collect();
        assert_eq!(changes(&each), []);
        assert_eq!(changes(&[("Date", "1"), ("Date", "1"), ("Date", "1"), ("Date", "2")]), []);
    }
}
