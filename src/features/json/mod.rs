//! A JSON body flattened to its leaves, each with its path (RFC 8259, paths as in RFC 9535: `$.user.roles[0]`).
//!
//! Works on a cut body as far as it goes, keeps duplicates and wire order, and says where each value lies.

mod fault;

use std::borrow::Cow;

pub use fault::fault;

/// Most leaves that are listed.
pub const MAX_LEAVES: usize = 1024;
/// Deepest nesting that is followed.
pub const MAX_DEPTH: usize = 64;
/// Longest path; deeper or longer-named values are not listed.
pub const MAX_PATH: usize = 512;

/// What a leaf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// `[]`
    Array,
    /// `{}`
    Object,
}

impl JsonKind {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// A value that holds no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLeaf<'a> {
    /// Where in the document: `$.items[0].name`, `$['odd key']`; `$` for a document that is one leaf.
    pub path: String,
    /// What it is.
    pub kind: JsonKind,
    /// The value as on the wire; a string keeps its quotes.
    pub raw: &'a [u8],
    /// Offset of `raw` in the body.
    pub at: usize,
}

impl<'a> JsonLeaf<'a> {
    /// A string without its quotes and escapes, anything else as on the wire; invalid UTF-8 replaced.
    pub fn text(&self) -> Cow<'a, str> {
        text(self.kind, self.raw)
    }
}

/// A value of this kind without its quotes and escapes; invalid UTF-8 replaced.
pub fn text(kind: JsonKind, raw: &[u8]) -> Cow<'_, str> {
    if kind == JsonKind::String { unquote(raw) } else { String::from_utf8_lossy(raw) }
}

/// How far the document could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonEnd {
    /// To its end.
    Complete,
    /// The bytes end inside the document.
    Cut,
    /// A bound was reached; there is more.
    Limit,
    /// The byte at this offset is no JSON.
    Invalid(usize),
}

/// The leaves of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<'a> {
    /// In wire order, at most [`MAX_LEAVES`].
    pub leaves: Vec<JsonLeaf<'a>>,
    /// How far it could be read.
    pub end: JsonEnd,
}

/// Reads `body` into leaves. Linear in its length.
pub fn flatten(body: &[u8]) -> Json<'_> {
    let start = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut scan = Scan {
        body,
        at: start,
        path: String::with_capacity(64),
        stack: Vec::new(),
        leaves: Vec::with_capacity(8),
    };
    scan.path.push('$');
    let end = scan.document().err().unwrap_or(JsonEnd::Complete);
    Json { leaves: scan.leaves, end }
}

/// A container that is open.
struct Open {
    /// Length of its own path.
    path: usize,
    /// Index of the present element; `None` for an object.
    index: Option<usize>,
}

struct Scan<'a> {
    body: &'a [u8],
    at: usize,
    path: String,
    stack: Vec<Open>,
    leaves: Vec<JsonLeaf<'a>>,
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), JsonEnd> {
        loop {
            if self.value()? {
                continue;
            }
            while self.next_or_close()? {}
            if self.stack.is_empty() {
                self.skip_space();
                return if self.at == self.body.len() { Ok(()) } else { Err(JsonEnd::Invalid(self.at)) };
            }
        }
    }

    /// Reads a value; `true` when it opened a container whose first value comes next.
    fn value(&mut self) -> Result<bool, JsonEnd> {
        let first = self.peek()?;
        let start = self.at;
        let kind = match first {
            b'{' | b'[' => return self.open(first == b'['),
            b'"' => {
                self.string()?;
                JsonKind::String
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal(b"true", JsonKind::Bool)?,
            b'f' => self.literal(b"false", JsonKind::Bool)?,
            b'n' => self.literal(b"null", JsonKind::Null)?,
            _ => return Err(JsonEnd::Invalid(self.at)),
        };
        self.leaf(kind, start)?;
        Ok(false)
    }

    fn open(&mut self, array: bool) -> Result<bool, JsonEnd> {
        let start = self.at;
        self.at += 1;
        if self.peek()? == if array { b']' } else { b'}' } {
            self.at += 1;
            self.leaf(if array { JsonKind::Array } else { JsonKind::Object }, start)?;
            return Ok(false);
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(JsonEnd::Limit);
        }
        self.stack.push(Open { path: self.path.len(), index: array.then_some(0) });
        if array {
            self.element(0)?;
        } else {
            self.key()?;
        }
        Ok(true)
    }

    /// After a value: `true` when a container was closed (ask again), `false` when another value comes or all is closed.
    fn next_or_close(&mut self) -> Result<bool, JsonEnd> {
        let Some(open) = self.stack.last_mut() else { return Ok(false) };
        let (path, index) = (open.path, open.index);
        self.path.truncate(path);
        match (self.peek()?, index) {
            (b',', None) => {
                self.at += 1;
                self.key()?;
                Ok(false)
            }
            (b',', Some(index)) => {
                self.at += 1;
                if let Some(open) = self.stack.last_mut() {
                    open.index = Some(index + 1);
                }
                self.element(index + 1)?;
                Ok(false)
            }
            (b'}', None) | (b']', Some(_)) => {
                self.at += 1;
                self.stack.pop();
                Ok(true)
            }
            _ => Err(JsonEnd::Invalid(self.at)),
        }
    }

    fn element(&mut self, index: usize) -> Result<(), JsonEnd> {
        use std::fmt::Write;
        let _ = write!(self.path, "[{index}]");
        if self.path.len() > MAX_PATH { Err(JsonEnd::Limit) } else { Ok(()) }
    }

    fn key(&mut self) -> Result<(), JsonEnd> {
        if self.peek()? != b'"' {
            return Err(JsonEnd::Invalid(self.at));
        }
        let start = self.at;
        self.string()?;
        let raw = self.body.get(start..self.at).unwrap_or_default();
        if self.path.len() + raw.len() + 2 > MAX_PATH {
            return Err(JsonEnd::Limit);
        }
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
        match std::str::from_utf8(inner) {
            // Nearly every name is a plain word, in which there is nothing to undo.
            Ok(word) if is_word(word) => push_word(&mut self.path, word),
            _ => push_key(&mut self.path, &unquote(raw)),
        }
        if self.peek()? != b':' {
            return Err(JsonEnd::Invalid(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn leaf(&mut self, kind: JsonKind, start: usize) -> Result<(), JsonEnd> {
        if self.leaves.len() >= MAX_LEAVES {
            return Err(JsonEnd::Limit);
        }
        let raw = self.body.get(start..self.at).unwrap_or_default();
        self.leaves.push(JsonLeaf { path: self.path.clone(), kind, raw, at: start });
        Ok(())
    }

    /// Moves past a string; control characters inside are let pass, as lenient parsers do.
    fn string(&mut self) -> Result<(), JsonEnd> {
        self.at += 1;
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            let found = memchr::memchr2(b'"', b'\\', rest).ok_or(JsonEnd::Cut)?;
            self.at += found;
            if self.body.get(self.at) == Some(&b'"') {
                self.at += 1;
                return Ok(());
            }
            self.at += 2;
        }
    }

    fn number(&mut self) -> Result<JsonKind, JsonEnd> {
        let start = self.at;
        let rest = self.body.get(start..).unwrap_or_default();
        let of_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let len = rest.iter().position(|byte| !of_number(byte)).unwrap_or(rest.len());
        self.at += len;
        let text = rest.get(..len).unwrap_or_default();
        if is_number(text) {
            Ok(JsonKind::Number)
        } else if len == rest.len() {
            Err(JsonEnd::Cut)
        } else {
            Err(JsonEnd::Invalid(start))
        }
    }

    fn literal(&mut self, word: &'static [u8], kind: JsonKind) -> Result<JsonKind, JsonEnd> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(kind)
        } else if word.starts_with(rest) {
            Err(JsonEnd::Cut)
        } else {
            Err(JsonEnd::Invalid(self.at))
        }
    }

    fn skip_space(&mut self) {
        while self.body.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Result<u8, JsonEnd> {
        self.skip_space();
        self.body.get(self.at).copied().ok_or(JsonEnd::Cut)
    }
}

/// Whether `text` is all of a number (RFC 8259 §6).
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.starts_with(b"0")) {
        return false;
    }
    let mut rest = text.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        rest = fraction.get(len..).unwrap_or_default();
        if len == 0 {
            return false;
        }
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

/// Appends `.key`, or `['key']` when it is no plain word.
pub(crate) fn push_key(path: &mut String, key: &str) {
    if is_word(key) {
        push_word(path, key);
    } else {
        path.push_str("['");
        path.push_str(key);
        path.push_str("']");
    }
}

/// The last name in a path: `name` of `$.items[0].name`, `odd key` of `$['odd key']`, `roles[0]` with its place; what has no
/// letter is none.
pub fn last_name(path: &str) -> Option<&str> {
    path.rsplit(['.', '\'']).find(|part| part.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

fn is_word(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn push_word(path: &mut String, word: &str) {
    path.push('.');
    path.push_str(word);
}

/// Undoes quotes and escapes; leaves what is malformed.
fn unquote(raw: &[u8]) -> Cow<'_, str> {
    let inner = raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(raw);
    if memchr::memchr(b'\\', inner).is_none() {
        return std::str::from_utf8(inner).map_or_else(|_| String::from_utf8_lossy(inner), Cow::Borrowed);
    }
    match serde_json::from_slice::<String>(raw) {
        Ok(text) => Cow::Owned(text),
        Err(_) => String::from_utf8_lossy(inner),
    }
}

#[cfg(test)]
mod tests {
    use super::{JsonEnd, MAX_DEPTH, MAX_LEAVES, flatten};

    fn shown(body: &str) -> Vec<String> {
        flatten(body.as_bytes()).leaves.iter().map(|leaf| format!("{}={}", leaf.path, leaf.text())).collect()
    }

    #[test]
    fn numbers_are_those_of_the_grammar() {
        for text in [
            "0",
            "-0",
            "7",
            "10",
            "01",
            "-",
            "",
            "1.5",
            "1.",
            ".5",
            "1e3",
            "1E+3",
            "1e-3",
            "1e",
            "1e+",
            "1.5e3",
            "--1",
            "1-1",
            "1.5.5",
            "1ee3",
            "-1.25E-07",
            "00",
        ] {
            let known = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            assert_eq!(super::is_number(text.as_bytes()), known, "{text}");
        }
    }

    #[test]
    fn lists_leaves_with_paths() {
        let body =
            r#" {"a": 1, "b": {"c": [true, null, {"d": "x\ny"}], "e": {}}, "odd key": [], "a": 2.5e3} "#;
        let expected = [
            "$.a=1",
            "$.b.c[0]=true",
            "$.b.c[1]=null",
            "$.b.c[2].d=x\ny",
            "$.b.e={}",
            "$['odd key']=[]",
            "$.a=2.5e3",
        ];
        assert_eq!(shown(body), expected);
        assert_eq!(flatten(body.as_bytes()).end, JsonEnd::Complete);
        assert_eq!(shown("7"), ["$=7"]);
        assert_eq!(shown("[[1],[[2]]]"), ["$[0][0]=1", "$[1][0][0]=2"]);
    }

    #[test]
    fn reads_a_cut_document_as_far_as_it_goes() {
        let json = flatten(br#"{"a":1,"b":"cu"#);
        assert_eq!(json.end, JsonEnd::Cut);
        assert_eq!(json.leaves.len(), 1);
        for cut in ["", "{", "[", "{\"a\"", "{\"a\":", "[1,", "tr", "-", "\"\\"] {
            assert_eq!(flatten(cut.as_bytes()).end, JsonEnd::Cut, "{cut}");
        }
    }

    #[test]
    fn says_where_it_is_no_json() {
        for (body, at) in
            [("{a:1}", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("[1}", 2), ("1 2", 2), ("[01]", 1), ("nul!", 0)]
        {
            assert_eq!(flatten(body.as_bytes()).end, JsonEnd::Invalid(at), "{body}");
        }
    }

    #[test]
    fn the_last_name_of_a_path() {
        for (path, name) in [
            ("$.user.csrf_token", Some("csrf_token")),
            ("$.items[0].name", Some("name")),
            ("$.user.roles[0]", Some("roles[0]")),
            ("$['odd key']", Some("odd key")),
            ("$['odd key'][3]", Some("odd key")),
            ("$.list[0][7]", Some("list[0][7]")),
            ("plain", Some("plain")),
            ("$[0]", None),
            ("$", None),
        ] {
            assert_eq!(super::last_name(path), name, "{path}");
        }
    }

    #[test]
    fn bounds_hold() {
        let deep = "[".repeat(MAX_DEPTH + 5);
        assert_eq!(flatten(deep.as_bytes()).end, JsonEnd::Limit);
        let wide = format!("[{}1]", "1,".repeat(MAX_LEAVES + 5));
        let json = flatten(wide.as_bytes());
        assert_eq!((json.end, json.leaves.len()), (JsonEnd::Limit, MAX_LEAVES));
        let long = format!("{{\"{}\":1}}", "k".repeat(5000));
        assert_eq!(flatten(long.as_bytes()).end, JsonEnd::Limit);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(body: Vec<u8>) {
            let json = flatten(&body);
            assert!(json.leaves.iter().all(|leaf| body[leaf.at..].starts_with(leaf.raw)));
        }

        #[test]
        fn agrees_with_serde_on_json_like_text(body in "[\\[\\]{}\",:0-9a-z\\\\ .-]{0,40}") {
            let valid = serde_json::from_str::<serde_json::Value>(&body).is_ok();
            if valid {
                assert_eq!(flatten(body.as_bytes()).end, JsonEnd::Complete, "{body}");
            }
        }
    }
}
