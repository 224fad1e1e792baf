//! Text that web application firewalls look for. Linear in the text, which is bounded.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use percent_encoding::percent_decode;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;
use toml::Spanned;

use crate::explain::request::attribute_hash::hash;
use crate::explain::request::parsed_request::ParsedRequest;
use crate::features;
use crate::features::parameters;
use crate::knowledge::names::Trait;
use crate::knowledge::{self, Error, Kind, Sources, parse};
use crate::model::Part;

/// Bytes of one piece of text that are looked at.
const WINDOW: usize = 64 << 10;

/// What was found where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What it looks like.
    pub name: &'static str,
    /// Whether it rarely occurs in harmless traffic.
    pub strong: bool,
    /// Which part of the request.
    pub part: Part,
    /// Field, parameter or member.
    pub place: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    payload: Vec<RawPattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    name: String,
    strong: bool,
    regex: Spanned<String>,
}

#[derive(Debug)]
struct Pattern {
    name: String,
    strong: bool,
    regex: String,
    /// By itself, made when the first text with it is shown.
    built: OnceLock<Option<Regex>>,
}

/// What is looked for.
#[derive(Debug)]
pub struct Patterns {
    set: RegexSet,
    all: Vec<Pattern>,
}

impl Patterns {
    /// Where the pattern `index` matches in `lower`.
    fn span(&self, index: usize, lower: &[u8]) -> Option<Range<usize>> {
        let pattern = self.all.get(index)?;
        let built = pattern.built.get_or_init(|| build(&pattern.regex).ok());
        built.as_ref()?.find(lower).map(|found| found.range())
    }
}

fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).build()
}

static PATTERNS: LazyLock<Result<Patterns, Error>> = LazyLock::new(|| read(knowledge::current()));

/// Why the patterns cannot be used, if they cannot.
pub fn check() -> Result<(), Error> {
    PATTERNS.as_ref().map(drop).map_err(Clone::clone)
}

/// Reads the `payloads.toml` of `sources`.
pub fn read(sources: &Sources) -> Result<Patterns, Error> {
    let mut all = Vec::new();
    for file in sources.of(Kind::Payloads) {
        for raw in parse::<RawFile>(file)?.payload {
            if file.is_user {
                build(raw.regex.get_ref())
                    .map_err(|error| Error::at(file, Some(raw.regex.span()), error.to_string()))?;
            }
            let regex = raw.regex.into_inner();
            all.push(Pattern { name: raw.name, strong: raw.strong, regex, built: OnceLock::new() });
        }
    }
    let set = RegexSetBuilder::new(all.iter().map(|pattern| &pattern.regex)).unicode(false).build();
    let whole =
        |error: regex::Error| Error { file: "payloads".into(), line: None, message: error.to_string() };
    Ok(Patterns { set: set.map_err(whole)?, all })
}

/// The strongest suspicious text of a request, if there is any.
pub fn find(seen: &ParsedRequest<'_>) -> Option<Payload> {
    let mut best: Option<Payload> = None;
    let mut take = |part: Part, place: &str, text: &[u8]| {
        if best.as_ref().is_some_and(|payload| payload.strong) {
            return;
        }
        let found = scan(text).filter(|(_, strong)| *strong || best.is_none());
        if let Some((name, strong)) = found {
            best = Some(Payload { name, strong, part, place: place.to_owned() });
        }
    };
    let path: Cow<'_, [u8]> = percent_decode(seen.target.path).into();
    take(Part::Path, "", &path);
    for parameter in seen.query.iter().take(64) {
        take(Part::Query, &parameter.name(), &parameter.value());
    }
    for (name, value) in seen.fields.iter().filter(|(name, _)| !name.traits.has_trait(Trait::NotScanned)) {
        if value.len() > 6 {
            take(Part::RequestHeader, &name.text, value);
        }
    }
    let body = seen.content.get(..WINDOW).unwrap_or(&seen.content);
    if !body.is_empty() {
        bodies(seen, body, &mut take);
    }
    best
}

fn bodies(seen: &ParsedRequest<'_>, body: &[u8], take: &mut impl FnMut(Part, &str, &[u8])) {
    match seen.sniffed {
        features::Sniffed::Form => {
            for parameter in parameters(body).take(64) {
                take(Part::RequestBody, &parameter.name(), &parameter.value());
            }
        }
        features::Sniffed::Json => {
            for leaf in seen.json.iter().flat_map(|json| &json.leaves).take(256) {
                if leaf.kind == features::JsonKind::String {
                    take(Part::RequestBody, &leaf.path, leaf.text().as_bytes());
                }
            }
            let holds = |byte: u8, text: &[u8]| {
                memchr::memchr(byte, body).is_some() && memchr::memmem::find(body, text).is_some()
            };
            if holds(b'$', b"\"$") || holds(b'_', b"__proto__") {
                take(Part::RequestBody, "", body);
            }
        }
        features::Sniffed::Multipart => {
            let boundary = seen.media.and_then(|media| media.boundary()).unwrap_or_default();
            for part in features::multipart_fields(body, boundary) {
                let name = String::from_utf8_lossy(part.name);
                take(
                    Part::RequestBody,
                    &name,
                    part.value.get(..4096.min(part.value.len())).unwrap_or_default(),
                );
                take(Part::RequestBody, &name, part.filename.unwrap_or_default());
            }
        }
        features::Sniffed::Gzip | features::Sniffed::Binary | features::Sniffed::Empty => {}
        _ => take(Part::RequestBody, "", body),
    }
}

fn scan(text: &[u8]) -> Option<(&'static str, bool)> {
    if text.len() < 4 {
        return None;
    }
    let text = text.get(..WINDOW.min(text.len())).unwrap_or_default();
    let plain = text.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_' | b',' | b':' | b'@' | b'+')
    });
    if plain {
        return None;
    }
    let found = if text.len() > LONGEST {
        search(text)
    } else {
        let key = hash(text);
        SCANNED.with_borrow_mut(|scanned| {
            let Some(slot) = scanned.get_mut(key as usize % SCANS) else { return search(text) };
            if slot.0 != key {
                *slot = (key, search(text));
            }
            slot.1
        })
    };
    let pattern = PATTERNS.as_ref().ok()?.all.get(found?)?;
    Some((&pattern.name, pattern.strong))
}

/// Texts of one thread whose patterns are remembered.
const SCANS: usize = 1024;
/// Longest text whose patterns are remembered: fields come again, long bodies do not.
const LONGEST: usize = 512;

/// Hash of a text, and the pattern that [`search`] found in it.
type Scanned = (u64, Option<usize>);

thread_local! {
    static SCANNED: RefCell<Box<[Scanned]>> = RefCell::new(vec![(0, None); SCANS].into());
}

/// Where the text stands that makes `text` suspicious.
pub(super) fn span(text: &[u8]) -> Option<Range<usize>> {
    let text = text.get(..WINDOW.min(text.len())).unwrap_or_default();
    PATTERNS.as_ref().ok()?.span(search(text)?, &text.to_ascii_lowercase())
}

/// The first strong pattern that matches, else the first one.
fn search(text: &[u8]) -> Option<usize> {
    let patterns = PATTERNS.as_ref().ok()?;
    let hits = patterns.set.matches(&text.to_ascii_lowercase());
    let strong = |index: &usize| patterns.all.get(*index).is_some_and(|pattern| pattern.strong);
    let mut found = hits.iter();
    let first = found.next()?;
    Some(std::iter::once(first).chain(found).find(strong).unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        let patterns = read(&Sources::default()).unwrap();
        assert!(patterns.all.len() > 20);
        for pattern in &patterns.all {
            assert!(build(&pattern.regex).is_ok(), "{}", pattern.name);
        }
    }

    #[test]
    fn a_users_pattern_is_added_and_a_wrong_one_has_a_line() {
        let mine = "payload = [\n{ name = \"ours\", strong = true, regex = 'zzz+' }\n]";
        let of = |text: &str| read(&crate::knowledge::tests::sources(Kind::Payloads, text));
        assert_eq!(of(mine).unwrap().all[0].name, "ours");
        assert_eq!(of(&mine.replace("zzz+", "(")).unwrap_err().line, Some(2));
    }

    #[test]
    fn attacks_are_seen_and_prose_is_not() {
        for bad in [
            "' or 1=1 union select password from users--",
            "<script>alert(1)</script>",
            "../../etc/passwd",
            "; cat /etc/passwd",
            "${jndi:ldap://x/a}",
            "() { :;}; echo",
            "<?php system($_GET[0]); ?>",
            "x' OR 'a'='a",
            "{{7*7}}",
        ] {
            assert!(scan(bad.as_bytes()).is_some_and(|hit| hit.1), "{bad}");
        }
        for good in [
            "it's fine, select a colour from the list",
            "Tom & Jerry's; 3 < 4",
            "https://www.example.com/path?x=1",
            "O'Reilly and sons",
            "a -- b",
            "price: 10.00 (net)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
        ] {
            assert!(scan(good.as_bytes()).is_none_or(|hit| !hit.1), "{good}");
        }
    }
}
