//! A JSON reader for files of any size: a value is read or stepped over where it stands, and no string is kept beyond a bound.
//!
//! It takes what RFC 8259 calls JSON, and control characters inside strings, which some programs do not escape.

use std::io::{self, BufRead};

use memchr::memchr2;

/// How deep arrays and objects may be nested.
const MAX_DEPTH: u32 = 128;
/// Bytes kept of a number.
const MAX_NUMBER: usize = 64;
/// Bytes kept of a key.
const MAX_KEY: usize = 256;

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The bytes are no JSON.
    #[error("line {line}, column {column} (byte {offset}): {what}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// Bytes before it.
        offset: u64,
        /// Its line, from 1.
        line: u64,
        /// Its byte in the line, from 1.
        column: u64,
    },
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub(super) type Result<T> = std::result::Result<T, JsonError>;

/// A string as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// The first bytes, with escapes undone. UTF-8 unless the file is not.
    pub(super) bytes: Vec<u8>,
    /// Bytes that the whole string has.
    pub(super) len: u64,
}

impl Text {
    /// Whether bytes were left out.
    pub(super) const fn is_cut(&self) -> bool {
        self.len > self.bytes.len() as u64
    }
    /// As text; invalid UTF-8 is replaced.
    pub(super) fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reads one JSON document.
pub(super) struct Json<R> {
    input: R,
    offset: u64,
    line: u64,
    line_start: u64,
    depth: u32,
}

impl<R: BufRead> Json<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, offset: 0, line: 1, line_start: 0, depth: 0 }
    }

    fn wrong<T>(&self, what: &'static str) -> Result<T> {
        let column = self.offset - self.line_start + 1;
        Err(JsonError::Syntax { what, offset: self.offset, line: self.line, column })
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn step(&mut self) {
        self.input.consume(1);
        self.offset += 1;
    }

    /// The byte that the next token begins with.
    fn token(&mut self) -> Result<Option<u8>> {
        loop {
            let byte = self.peek()?;
            match byte {
                Some(b'\n') => {
                    self.step();
                    self.line += 1;
                    self.line_start = self.offset;
                }
                Some(b' ' | b'\t' | b'\r') => self.step(),
                // A byte order mark.
                Some(0xef | 0xbb | 0xbf) if self.offset < 3 => self.step(),
                _ => return Ok(byte),
            }
        }
    }

    fn expect(&mut self, wanted: u8, what: &'static str) -> Result<()> {
        if self.token()? != Some(wanted) {
            return self.wrong(what);
        }
        self.step();
        Ok(())
    }

    /// Reads an object; `each` must read or step over the value of each key. Says whether there was one: another value is
    /// stepped over.
    pub(super) fn object(&mut self, mut each: impl FnMut(&mut Self, &[u8]) -> Result<()>) -> Result<bool> {
        if self.token()? != Some(b'{') {
            self.skip()?;
            return Ok(false);
        }
        self.enter()?;
        if self.token()? == Some(b'}') {
            self.leave();
            return Ok(true);
        }
        loop {
            if self.token()? != Some(b'"') {
                return self.wrong("expected a key in double quotes");
            }
            let key = self.string(MAX_KEY)?;
            self.expect(b':', "expected ':' after a key")?;
            each(self, &key.bytes)?;
            match self.token()? {
                Some(b',') => self.step(),
                Some(b'}') => {
                    self.leave();
                    return Ok(true);
                }
                _ => return self.wrong("expected ',' or '}' in an object"),
            }
        }
    }

    /// Reads an array; `each` must read or step over each value. Says whether there was one: another value is stepped over.
    pub(super) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<bool> {
        if self.token()? != Some(b'[') {
            self.skip()?;
            return Ok(false);
        }
        self.enter()?;
        if self.token()? == Some(b']') {
            self.leave();
            return Ok(true);
        }
        loop {
            each(self)?;
            match self.token()? {
                Some(b',') => self.step(),
                Some(b']') => {
                    self.leave();
                    return Ok(true);
                }
                _ => return self.wrong("expected ',' or ']' in an array"),
            }
        }
    }

    fn enter(&mut self) -> Result<()> {
        if self.depth >= MAX_DEPTH {
            return self.wrong("nested more than 128 deep");
        }
        self.depth += 1;
        self.step();
        Ok(())
    }
    fn leave(&mut self) {
        self.depth -= 1;
        self.step();
    }

    /// Steps over a value.
    pub(super) fn skip(&mut self) -> Result<()> {
        match self.token()? {
            Some(b'{') => self.object(|json, _| json.skip()).map(drop),
            Some(b'[') => self.array(Self::skip).map(drop),
            Some(b'"') => self.string(0).map(drop),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.digits().map(drop),
            None => self.wrong("the file ends here"),
            Some(_) => self.wrong("expected a value"),
        }
    }

    /// The text of a string or of a number, as far as `most` bytes; `None` for any other value, which is stepped over.
    pub(super) fn text(&mut self, most: usize) -> Result<Option<Text>> {
        match self.token()? {
            Some(b'"') => self.string(most).map(Some),
            Some(b'-' | b'0'..=b'9') => {
                let bytes = self.digits()?;
                Ok(Some(Text { len: bytes.len() as u64, bytes }))
            }
            _ => self.skip().map(|()| None),
        }
    }

    /// A number, or a string that holds one.
    pub(super) fn number(&mut self) -> Result<Option<f64>> {
        let text = self.text(MAX_NUMBER)?;
        let number = text.and_then(|text| std::str::from_utf8(&text.bytes).ok()?.trim().parse::<f64>().ok());
        Ok(number.filter(|number| number.is_finite()))
    }

    /// Nothing but white space may follow the document.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.token()? {
            None => Ok(()),
            Some(_) => self.wrong("something follows the end of the document"),
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<()> {
        for byte in word {
            if self.peek()? != Some(*byte) {
                return self.wrong("expected true, false or null");
            }
            self.step();
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<Vec<u8>> {
        let mut digits = Vec::new();
        while let Some(byte @ (b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) = self.peek()? {
            if digits.len() < MAX_NUMBER {
                digits.push(byte);
            }
            self.step();
        }
        Ok(digits)
    }

    fn string(&mut self, most: usize) -> Result<Text> {
        self.step();
        let mut text = Text::default();
        loop {
            let Some(first) = self.peek()? else { return self.wrong("the file ends inside a string") };
            match first {
                b'"' => {
                    self.step();
                    return Ok(text);
                }
                b'\\' => {
                    self.step();
                    self.escape(&mut text, most)?;
                }
                _ => self.plain(&mut text, most)?,
            }
        }
    }

    /// The bytes up to the next quote or escape, as far as they are in the buffer.
    fn plain(&mut self, text: &mut Text, most: usize) -> Result<()> {
        let bytes = self.input.fill_buf()?;
        let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
        keep(text, bytes.get(..end).unwrap_or_default(), most);
        self.input.consume(end);
        self.offset += end as u64;
        Ok(())
    }

    fn escape(&mut self, text: &mut Text, most: usize) -> Result<()> {
        let Some(letter) = self.peek()? else { return self.wrong("the file ends inside a string") };
        let byte = match letter {
            b'"' | b'\\' | b'/' => letter,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(text, most),
            _ => return self.wrong("unknown escape in a string"),
        };
        self.step();
        keep(text, &[byte], most);
        Ok(())
    }

    /// `\uXXXX`, after the backslash. Half of a surrogate pair becomes U+FFFD.
    fn unicode(&mut self, text: &mut Text, most: usize) -> Result<()> {
        let mut unit = self.hex()?;
        loop {
            let mut low = None;
            if (0xd800..0xdc00).contains(&unit) && self.peek()? == Some(b'\\') {
                self.step();
                if self.peek()? != Some(b'u') {
                    keep(text, "\u{fffd}".as_bytes(), most);
                    return self.escape(text, most);
                }
                low = Some(self.hex()?);
            }
            let (letter, rest) = match low {
                Some(low @ 0xdc00..0xe000) => {
                    (char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), None)
                }
                rest => (char::from_u32(unit), rest),
            };
            let mut utf8 = [0; 4];
            keep(text, letter.unwrap_or('\u{fffd}').encode_utf8(&mut utf8).as_bytes(), most);
            match rest {
                Some(next) => unit = next,
                None => return Ok(()),
            }
        }
    }

    fn hex(&mut self) -> Result<u32> {
        self.step();
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek()?.and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return self.wrong("expected four hexadecimal digits after \\u") };
            unit = unit << 4 | digit;
            self.step();
        }
        Ok(unit)
    }
}

fn keep(text: &mut Text, bytes: &[u8], most: usize) {
    text.len += bytes.len() as u64;
    let room = most.saturating_sub(text.bytes.len());
    text.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::{Json, JsonError, MAX_DEPTH};

    /// Everything that a document holds, by way of this reader; one byte at a time where `slow`.
    fn read(bytes: &[u8], slow: bool) -> Result<serde_json::Value, JsonError> {
        let mut json = Json::new(BufReader::with_capacity(if slow { 1 } else { 4096 }, bytes));
        let value = value(&mut json)?;
        json.end()?;
        Ok(value)
    }

    fn value(json: &mut Json<BufReader<&[u8]>>) -> Result<serde_json::Value, JsonError> {
        use serde_json::Value;
        match json.token()? {
            Some(b'{') => {
                let mut map = serde_json::Map::new();
                json.object(|json, key| {
                    map.insert(String::from_utf8(key.to_vec()).unwrap(), value(json)?);
                    Ok(())
                })?;
                Ok(Value::Object(map))
            }
            Some(b'[') => {
                let mut all = Vec::new();
                json.array(|json| {
                    all.push(value(json)?);
                    Ok(())
                })?;
                Ok(Value::Array(all))
            }
            Some(b'"') => Ok(json.text(1 << 20)?.unwrap().to_text().into()),
            Some(b'-' | b'0'..=b'9') => Ok(json.number()?.map_or(Value::Null, Value::from)),
            Some(b't') => json.skip().map(|()| true.into()),
            Some(b'f') => json.skip().map(|()| false.into()),
            _ => json.skip().map(|()| Value::Null),
        }
    }

    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            (-1000..1000i32).prop_map(|number| f64::from(number).into()),
            ".{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map(".{0,6}", inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_writes(written in any_value(), slow: bool, pretty: bool) {
            let text = if pretty { serde_json::to_vec_pretty(&written) } else { serde_json::to_vec(&written) }.unwrap();
            prop_assert_eq!(read(&text, slow).unwrap(), written);
        }

        #[test]
        fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let fast = read(&bytes, false).map_err(|error| error.to_string());
            prop_assert_eq!(fast, read(&bytes, true).map_err(|error| error.to_string()));
        }
    }

    #[test]
    fn says_where_it_stopped_being_json() {
        for (text, expected) in [
            ("{\n \"a\": tru}", "line 2, column 10 (byte 11): expected true, false or null"),
            ("[1, 2", "line 1, column 6 (byte 5): expected ',' or ']' in an array"),
            ("{\"a\":\"b", "line 1, column 8 (byte 7): the file ends inside a string"),
            ("[\"\\q\"]", "line 1, column 4 (byte 3): unknown escape in a string"),
            ("{1:2}", "line 1, column 2 (byte 1): expected a key in double quotes"),
            ("[] x", "line 1, column 4 (byte 3): something follows the end of the document"),
            ("", "line 1, column 1 (byte 0): the file ends here"),
        ] {
            assert_eq!(read(text.as_bytes(), false).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn depth_and_strings_are_bounded() {
        let deep = "[".repeat(100_000);
        let error = read(deep.as_bytes(), false).unwrap_err().to_string();
        assert!(error.contains("nested") && error.contains(&format!("byte {MAX_DEPTH}")), "{error}");
        let long = format!("[\"{}\", 1]", "é".repeat(1_000_000));
        let mut json = Json::new(long.as_bytes());
        let mut texts = Vec::new();
        json.array(|json| {
            texts.push(json.text(10)?.unwrap());
            Ok(())
        })
        .unwrap();
        assert_eq!((texts[0].bytes.len(), texts[0].len, texts[1].to_text()), (10, 2_000_000, "1".to_owned()));
    }

    #[test]
    fn halves_of_surrogate_pairs_are_replaced() {
        let text =
            br#"["\ud83d\ude00", "\ud83dx", "\ud83d\n", "\ud83d\u0041", "\ude00", "\ud83d\ud83d\ude00"]"#;
        let expected = serde_json::json!([
            "\u{1f600}",
            "\u{fffd}x",
            "\u{fffd}\n",
            "\u{fffd}A",
            "\u{fffd}",
            "\u{fffd}\u{1f600}"
        ]);
        for slow in [false, true] {
            assert_eq!(read(text, slow).unwrap(), expected);
        }
    }
}
