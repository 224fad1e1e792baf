//! Matching of text: part of it, all of it, with wildcards, or by a regular expression.

use std::fmt;

use memchr::{memchr2_iter, memmem};
use regex::bytes::{Regex, RegexBuilder};

/// Longest pattern.
pub(crate) const MAX_PATTERN: usize = 1024;
/// Memory that a compiled pattern may take up, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// A pattern over bytes. All but regular expressions ignore ASCII case.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// Occurs somewhere; in lower case.
    Part(Vec<u8>),
    /// Is all of it; in lower case.
    Whole(Vec<u8>),
    /// The pieces between wildcards, in lower case, anchored at both ends.
    Glob(Vec<Vec<u8>>),
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
            return Ok(Self::Part(lower.into_bytes()));
        }
        if let Some(whole) = lower.strip_prefix('=') {
            return Ok(Self::Whole(whole.into()));
        }
        if lower.contains('*') {
            return Ok(Self::Glob(lower.split('*').map(|piece| piece.as_bytes().to_vec()).collect()));
        }
        Ok(Self::Part(lower.into_bytes()))
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
            Self::Part(part) => contains(value, part),
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
            Self::Part(part) => write!(f, "contains {:?}", text(part)),
            Self::Whole(whole) => write!(f, "is {:?}", text(whole)),
            Self::Glob(pieces) => write!(f, "is like {:?}", text(&pieces.join(&b'*'))),
            Self::Regex(regex) => write!(f, "matches /{}/", regex.as_str()),
        }
    }
}

/// Whether `needle` (lower case) is in `haystack`, ignoring ASCII case.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    find(haystack, needle).is_some()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let Some(first) = needle.first() else { return Some(0) };
    let last = haystack.len().checked_sub(needle.len())?;
    if !needle.iter().any(u8::is_ascii_alphabetic) {
        return memmem::find(haystack, needle);
    }
    let starts = memchr2_iter(*first, first.to_ascii_uppercase(), haystack.get(..=last)?);
    let fits = |at: &usize| {
        haystack.get(*at..at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle))
    };
    starts.into_iter().find(fits)
}

fn glob(pieces: &[Vec<u8>], value: &[u8]) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.first().is_some_and(|p| value.eq_ignore_ascii_case(p));
    };
    let Some((head, mut rest)) = value.split_at_checked(first.len()) else { return false };
    if !head.eq_ignore_ascii_case(first) {
        return false;
    }
    for piece in middle {
        let Some(at) = find(rest, piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
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
