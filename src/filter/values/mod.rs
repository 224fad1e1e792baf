//! Reads the values of a term.

pub(super) mod address;
pub(super) mod number;
pub(super) mod text;
pub(in crate::filter) mod when;

use crate::filter::FilterError;
use crate::filter::keys::Key;
use crate::filter::lex::{split, unquote};
use crate::filter::nearest::nearest;
use crate::filter::term::{Named, Term};
use crate::filter::values::address::Addresses;
use crate::filter::values::number::{Numbers, Unit, range};
use crate::filter::values::text::{BadPattern, Text};
use crate::filter::values::when::When;
use crate::model::{Anomaly, AnomalySet};

/// Most alternatives of one term.
const MAX_VALUES: usize = 64;

/// Compiles `key:raw`, whose `raw` begins at `position`.
pub(crate) fn compile(key: Key, raw: &str, position: usize) -> Result<Term, FilterError> {
    let info = key.info();
    if raw.is_empty() {
        return fail(position, format!("`{}:` needs a value, for example `{}`", info.name, info.example));
    }
    (info.read)(&Values { key, raw, position })
}

/// A bare word: a search in the target.
pub(crate) fn bare(raw: &str, position: usize) -> Result<Term, FilterError> {
    let values = Values { key: Key::Target, raw, position };
    Ok(Term::Target(vec![values.text(raw, 0, Kind::Path)?]))
}

/// How a text value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part, `=whole`, `a*b` or `/regex/`.
    Text,
    /// As text, but slashes around it are part of a path unless what is between them can only be a regular expression.
    Path,
    /// The whole, unless it has a wildcard.
    Name,
}

/// The values of a term, not yet read.
pub(super) struct Values<'a> {
    key: Key,
    raw: &'a str,
    position: usize,
}

impl<'a> Values<'a> {
    fn each<T>(
        &self,
        read: impl Fn(&'a str, usize) -> Result<T, FilterError>,
    ) -> Result<Vec<T>, FilterError> {
        if regex_parts(self.raw).is_some() {
            return Ok(vec![read(self.raw, 0)?]);
        }
        let parts = split(self.raw, ',');
        if parts.len() > MAX_VALUES {
            return fail(self.position, format!("more than {MAX_VALUES} values: use a wildcard or a range"));
        }
        let empty = parts.iter().find(|(_, value)| value.is_empty());
        if let Some((at, _)) = empty {
            return fail(self.position + at, "a value is missing beside this comma".to_owned());
        }
        parts.into_iter().map(|(at, value)| read(value, at)).collect()
    }

    /// Texts of a kind.
    pub(super) fn texts(&self, kind: Kind) -> Result<Vec<Text>, FilterError> {
        self.each(|value, at| self.text(value, at, kind))
    }

    /// Names with or without values.
    pub(super) fn names(&self) -> Result<Vec<Named>, FilterError> {
        self.each(|value, at| self.named(value, at))
    }

    fn text(&self, value: &str, at: usize, kind: Kind) -> Result<Text, FilterError> {
        let wrong = |BadPattern(message)| FilterError { position: self.position + at, message };
        if let Some((pattern, flags)) = regex_parts(value)
            && (kind == Kind::Text || is_surely_regex(pattern))
        {
            return Text::regex(pattern, flags).map_err(wrong);
        }
        let (text, quoted) = unquote(value);
        let text = Text::parse(&text, quoted).map_err(wrong)?;
        Ok(match text {
            Text::Part(name) if kind == Kind::Name => Text::Whole(name.text().to_vec()),
            text => text,
        })
    }

    /// `name`, `name=value`, `name==whole value`.
    fn named(&self, value: &str, at: usize) -> Result<Named, FilterError> {
        let (name, wanted) = match split(value, '=').get(1) {
            Some((start, _)) => (value.get(..start - 1).unwrap_or_default(), value.get(*start..)),
            None => (value, None),
        };
        if name.is_empty() {
            return fail(
                self.position + at,
                format!("a name is missing before `=`, as in `{}`", self.key.info().example),
            );
        }
        let name_text = self.text(name, at, Kind::Name)?;
        let value = match wanted {
            None => None,
            Some("") => Some(Text::Whole(Vec::new())),
            Some(wanted) => Some(self.text(wanted, at + name.len() + 1, Kind::Text)?),
        };
        Ok(Named { name: name_text, value })
    }

    /// Numbers and ranges.
    pub(super) fn numbers(&self, unit: Unit) -> Result<Numbers, FilterError> {
        let read =
            |value: &str, at| range(&unquote(value).0, unit).map_or_else(|| self.not_this(value, at), Ok);
        self.each(read).map(Numbers)
    }

    /// Addresses and networks.
    pub(super) fn addresses(&self, with_port: bool) -> Result<Vec<Addresses>, FilterError> {
        self.each(|value, at| {
            let addresses =
                Addresses::parse(&unquote(value).0).map_or_else(|| self.not_this(value, at), Ok)?;
            if addresses.has_port() && !with_port {
                return fail(self.position + at, "clients take any port: leave it out".to_owned());
            }
            Ok(addresses)
        })
    }

    /// An instant.
    pub(super) fn when(&self) -> Result<When, FilterError> {
        let text = unquote(self.raw).0;
        When::parse(&text).map_or_else(
            || {
                fail(
                    self.position,
                    format!("`{text}` is not a time: write 90s, 5m, 2h, 07:52 or 2026-11-22T07:52:01Z"),
                )
            },
            Ok,
        )
    }

    /// Names from a list.
    pub(super) fn one_of<T: Copy>(
        &self,
        known: &(impl Iterator<Item = (&'static str, T)> + Clone),
    ) -> Result<Vec<T>, FilterError> {
        self.each(|value, at| {
            let value = unquote(value).0;
            let found = known.clone().find(|(name, _)| name.eq_ignore_ascii_case(&value));
            found
                .map(|(_, found)| found)
                .map_or_else(|| self.unknown(&value, at, known.clone().map(|(name, _)| name)), Ok)
        })
    }

    /// Names of anomalies, `*` for any.
    pub(super) fn anomalies(&self) -> Result<AnomalySet, FilterError> {
        let mut set = AnomalySet::default();
        let known = || Anomaly::ALL.iter().map(|anomaly| anomaly.name());
        for (value, at) in self.each(|value, at| Ok((unquote(value).0, at)))? {
            let text = Text::parse(&value, false);
            let name = |anomaly: &&Anomaly| match &text {
                Ok(glob @ Text::Glob(_)) => glob.matches(anomaly.name().as_bytes()),
                _ => anomaly.name().eq_ignore_ascii_case(&value),
            };
            let before = set;
            Anomaly::ALL.iter().filter(name).for_each(|anomaly| set.insert(*anomaly));
            if set == before && !Anomaly::ALL.iter().any(|anomaly| name(&anomaly)) {
                return self.unknown(&value, at, known());
            }
        }
        Ok(set)
    }

    fn unknown<T>(
        &self,
        value: &str,
        at: usize,
        known: impl Iterator<Item = &'static str> + Clone,
    ) -> Result<T, FilterError> {
        let hint = match nearest(value, known.clone()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
        };
        fail(self.position + at, format!("unknown {} `{value}`: {hint}", self.key.name()))
    }

    fn not_this<T>(&self, value: &str, at: usize) -> Result<T, FilterError> {
        let right = match self.key {
            Key::Status => "403, 4xx, 400-499, >=400 or none",
            Key::Client | Key::Peer | Key::Forwarded => "10.0.0.1, 10.0.0.0/8, 10.0.* or 2001:db8::/32",
            Key::Server => "10.0.0.9, 10.0.0.9:8080 or 10.0.0.0/8",
            Key::Latency => ">500ms, <2s or 100ms-1s",
            Key::Size | Key::ResponseSize => ">8k, 0 or 1k-64k",
            _ => "7, 10-20 or >=100",
        };
        fail(self.position + at, format!("`{value}` is not a value of {}: write {right}", self.key.name()))
    }
}

/// What stands between slashes, and the flags after them.
fn regex_parts(value: &str) -> Option<(&str, &str)> {
    let rest = value.strip_prefix('/')?;
    let (pattern, flags) = rest.rsplit_once('/')?;
    (!pattern.is_empty() && matches!(flags, "" | "i")).then_some((pattern, flags))
}

/// Whether this is hardly a part of a path.
fn is_surely_regex(pattern: &str) -> bool {
    pattern.contains(['\\', '^', '$', '|', '(', '[', '+']) || pattern.contains(".*")
}

fn fail<T>(position: usize, message: String) -> Result<T, FilterError> {
    Err(FilterError { position, message })
}
