//! Successes that are no baseline but tell something: the same path with another method, host, case, slash or prefix.

use super::endpoints::EndpointState;
use super::{History, MAX_RELATED};
use crate::model::{EndpointId, ExchangeId};

/// How an endpoint with successes relates to the one that refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// The same path, with or without a slash at the end.
    TrailingSlash,
    /// The same path in other letters' case.
    Case,
    /// The same path of another authority.
    Authority,
    /// The same path under another version segment (`/v1/` and `/v2/`).
    Version,
    /// The same path behind another first segment, or with one more or less in front.
    Prefix,
    /// The same path and authority with another method.
    Method,
    /// Another path under the same parent.
    Sibling,
}

impl Relation {
    /// For people: "the same path with another method".
    pub const fn describe(self) -> &'static str {
        match self {
            Self::TrailingSlash => "the same path but for the slash at its end",
            Self::Case => "the same path but for upper and lower case",
            Self::Authority => "the same path of another host",
            Self::Version => "the same path in another version",
            Self::Prefix => "the same path with another prefix",
            Self::Method => "the same path with another method",
            Self::Sibling => "another path beside it",
        }
    }
}

/// A success that is related to a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Related {
    /// The last success of the related endpoint.
    pub id: ExchangeId,
    /// That endpoint.
    pub endpoint: EndpointId,
    /// How it is related.
    pub relation: Relation,
}

impl History {
    /// Successes of endpoints that are close to the endpoint of `id`, the closest first, at most [`MAX_RELATED`]. None of
    /// them is an honest baseline; they say what does work. Looks at every endpoint once.
    pub fn related_successes(&self, id: ExchangeId) -> Vec<Related> {
        let Some(row) = self.store.row(id.0) else { return Vec::new() };
        let own = self.endpoints.canonical(row.endpoint);
        let Some(this) = self.endpoints.state(own) else { return Vec::new() };
        let mut related: Vec<Related> = self
            .endpoints
            .iter()
            .filter(|(endpoint, _)| *endpoint != own)
            .filter_map(|(endpoint, state)| {
                let id = state.last_success.filter(|id| self.store.row(id.0).is_some())?;
                Some(Related { id, endpoint, relation: relation(this, state)? })
            })
            .collect();
        related.sort_by_key(|related| (related.relation, std::cmp::Reverse(related.id)));
        related.truncate(MAX_RELATED);
        related
    }
}

fn relation(this: &EndpointState, other: &EndpointState) -> Option<Relation> {
    let (this, other) = (&this.endpoint, &other.endpoint);
    let (path, than) = (&*this.template, &*other.template);
    if this.authority != other.authority {
        return (path == than && this.method == other.method).then_some(Relation::Authority);
    }
    if path == than {
        return Some(Relation::Method);
    }
    if this.method != other.method {
        return None;
    }
    let bare = |path: &str| path.trim_end_matches('/').len();
    if path.get(..bare(path)) == than.get(..bare(than)) {
        return Some(Relation::TrailingSlash);
    }
    if path.eq_ignore_ascii_case(than) {
        return Some(Relation::Case);
    }
    segments(path, than)
}

fn segments(path: &str, than: &str) -> Option<Relation> {
    let (one, two): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), than.split('/').collect());
    let is_version = |text: &str| {
        text.strip_prefix(['v', 'V']).unwrap_or(text).bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && text.len() > 1
    };
    if one.len() == two.len() {
        let mut differing = one.iter().zip(&two).enumerate().filter(|(_, (a, b))| a != b);
        let (at, (a, b)) = differing.next()?;
        if differing.next().is_some() {
            return None;
        }
        return match () {
            () if is_version(a) && is_version(b) => Some(Relation::Version),
            () if at == 1 && one.len() > 2 => Some(Relation::Prefix),
            () if at + 1 == one.len() && one.len() > 2 => Some(Relation::Sibling),
            () => None,
        };
    }
    let (long, short) = if one.len() > two.len() { (&one, &two) } else { (&two, &one) };
    let tail = short.get(1..).unwrap_or_default();
    (long.len() == short.len() + 1 && !tail.is_empty() && long.ends_with(tail)).then_some(Relation::Prefix)
}

/// A span of nanoseconds as people say it, with the direction: `4.2 s before`, `1 h 5 min after`, `at the same time`.
pub(crate) fn in_words(nanos: i64) -> String {
    let direction = if nanos < 0 { "after" } else { "before" };
    let nanos = nanos.unsigned_abs();
    let seconds = nanos / 1_000_000_000;
    let text = match seconds {
        0 if nanos < 1_000 => return "at the same time".into(),
        0 if nanos < 1_000_000 => format!("{} µs", nanos / 1_000),
        0 => format!("{} ms", nanos / 1_000_000),
        1..60 => format!("{:.1} s", nanos as f64 / 1e9),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    };
    format!("{text} {direction}")
}

#[cfg(test)]
mod tests {
    use super::{Relation, in_words, segments};

    #[test]
    fn paths_are_related() {
        for (one, two, expected) in [
            ("/v1/users", "/v2/users", Some(Relation::Version)),
            ("/api/users/{id}", "/users/{id}", Some(Relation::Prefix)),
            ("/a/users", "/b/users", Some(Relation::Prefix)),
            ("/users/export", "/users/import", Some(Relation::Sibling)),
            ("/users", "/orders", None),
            ("/a/b/c", "/x/y/c", None),
            ("/", "/a", None),
        ] {
            assert_eq!(segments(one, two), expected, "{one} {two}");
            assert_eq!(segments(two, one), expected, "{two} {one}");
        }
    }

    #[test]
    fn spans_in_words() {
        for (nanos, text) in [
            (0, "at the same time"),
            (5_000, "5 µs before"),
            (-42_000_000, "42 ms after"),
            (4_210_000_000, "4.2 s before"),
            (61_000_000_000, "1 min 1 s before"),
            (-3_900_000_000_000, "1 h 5 min after"),
            (90_000_000_000_000, "1 d 1 h before"),
            (i64::MIN, "106751 d 23 h after"),
        ] {
            assert_eq!(in_words(nanos), text);
        }
    }
}
