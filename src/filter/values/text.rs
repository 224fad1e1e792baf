//! Matching of text: part of it, all of it, with wildcards, or by a regular expression.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

use crate::filter::evaluate::needle::Needle;

/// Longest pattern.
pub(crate) const MAX_PATTERN: usize = 1024;
/// Memory that a compiled pattern may take up, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// A pattern over bytes. All but regular expressions ignore ASCII case.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// Occurs somewhere.
    Part(Needle),
    /// Is all of it; in lower case.
    Whole(Vec<u8>),
    /// The pieces between wildcards, anchored at both ends.
    Glob(Vec<Needle>),
    /// A regular expression.
    Regex(Box<Regex>),
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadPattern(pub(crate) String);

impl Text {
    /// `=text` is the whole, `*` is a wildcard, anything else a part. `verbatim` text has no such signs.
    pub(crate) fn parse(text: &str, verbatim: bool) -> Result<Self, BadPattern> {
        if text.len() > MAX_PATTERN {
            return Err(BadPattern(format!("the pattern is longer than {MAX_PATTERN} bytes")));
        }
        let lower = text.to_ascii_lowercase();
        if verbatim {
            return Ok(Self::Part(Needle::new(lower.into_bytes())));
        }
        if let Some(whole) = lower.strip_prefix('=') {
            return Ok(Self::Whole(whole.into()));
        }
        if lower.contains('*') {
            return Ok(Self::Glob(lower.split('*').map(|piece| Needle::new(piece.into())).collect()));
        }
        Ok(Self::Part(Needle::new(lower.into_bytes())))
    }

    /// Compiles what stands between slashes; `i` among the flags ignores case.
    pub(crate) fn regex(pattern: &str, flags: &str) -> Result<Self, BadPattern> {
        if pattern.len() > MAX_PATTERN {
            return Err(BadPattern(format!("the pattern is longer than {MAX_PATTERN} bytes")));
        }
        let built = RegexBuilder::new(pattern)
            .case_insensitive(flags.contains('i'))
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .nest_limit(50)
            .build();
        let wrong = |error: regex::Error| match error {
            regex::Error::CompiledTooBig(_) => {
                BadPattern("the regular expression is too large: shorten it".into())
            }
            other => {
                let text = other.to_string();
                let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                BadPattern(format!(
                    "the regular expression is not valid: {}",
                    last.trim_start_matches("error: ")
                ))
            }
        };
        built.map(|regex| Self::Regex(Box::new(regex))).map_err(wrong)
    }

    /// Whether `value` matches.
    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Part(part) => part.is_in(value),
            Self::Whole(whole) => value.eq_ignore_ascii_case(whole),
            Self::Glob(pieces) => glob(pieces, value),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

impl fmt::Display for Text {
    /// For explanations: `contains "x"`, `is "x"`, `is like "x*"`, `matches /x/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Self::Part(part) => write!(f, "contains {:?}", text(part.text())),
            Self::Whole(whole) => write!(f, "is {:?}", text(whole)),
            Self::Glob(pieces) => {
                let pieces: Vec<&[u8]> = pieces.iter().map(Needle::text).collect();
                write!(f, "is like {:?}", text(&pieces.join(&b'*')))
            }
            Self::Regex(regex) => write!(f, "matches /{}/", regex.as_str()),
        }
    }
}

fn glob(pieces: &[Needle], value: &[u8]) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.first().is_some_and(|piece| value.eq_ignore_ascii_case(piece.text()));
    };
    let Some((head, mut rest)) = value.split_at_checked(first.text().len()) else { return false };
    if !head.eq_ignore_ascii_case(first.text()) {
        return false;
    }
    for piece in middle {
        let Some(at) = piece.find(rest) else { return false };
        rest = rest.get(at + piece.text().len()..).unwrap_or_default();
    }
    let last = last.text();
    rest.len() >= last.len()
        && rest.get(rest.len() - last.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(last))
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn matches_parts_wholes_and_globs() {
        for (pattern, value, expected) in [
            ("users", "/v1/Users/7", true),
            ("USERS", "/v1/users/7", true),
            ("/7", "/v1/users/7", true),
            ("userz", "/v1/users/7", false),
            ("=/v1", "/v1", true),
            ("=/v1", "/v1/", false),
            ("/v1/*", "/v1/x", true),
            ("/v1/*", "/v2/v1/x", false),
            ("*.example.com", "api.Example.com", true),
            ("*.example.com", "example.com", false),
            ("/a*b*c", "/aXbXc", true),
            ("/a*b*c", "/ac", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "x", true),
        ] {
            assert_eq!(
                Text::parse(pattern, false).unwrap().matches(value.as_bytes()),
                expected,
                "{pattern} {value}"
            );
        }
        assert!(Text::parse("a*", true).unwrap().matches(b"xA*"));
    }

    #[test]
    fn regular_expressions_are_bounded() {
        assert!(Text::regex("v[12]$", "").unwrap().matches(b"/v2"));
        assert!(!Text::regex("V2", "").unwrap().matches(b"/v2"));
        assert!(Text::regex("V2", "i").unwrap().matches(b"/v2"));
        assert!(Text::regex("(", "").is_err());
        assert!(Text::regex("(a{1000}){1000}", "").is_err());
        assert!(Text::regex(&"a".repeat(2000), "").is_err());
    }
}
