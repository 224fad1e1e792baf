//! JSON whose text is harmless to a terminal: what [`sanitize`] calls unsafe is written as `\u` escapes, so that nothing
//! is lost for a program and nothing acts on the screen of a person who reads it there.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use crate::edge::sanitize;

/// Writes `value` on one line, without a line break.
pub(super) fn compact<W: Write>(out: W, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Harmless(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// A line of compact JSON over several lines, for people, with two spaces for each level.
pub(super) fn indented(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                match bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    Some(close) => out.push(close),
                    None => {
                        depth += 1;
                        begin_line(&mut out, depth);
                    }
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                begin_line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                begin_line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

fn begin_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// Appends `bytes` as a string in quotes; those that are not UTF-8 as `\x9b`, told from text that looks so.
pub(super) fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    text(out, &sanitize::utf8(bytes));
}

/// Appends `text` as a string in quotes.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Appends a number as serde_json writes it.
pub(super) fn number(out: &mut Vec<u8>, number: impl Serialize) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, &number);
}

/// Whether a byte of UTF-8 cannot simply be copied.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut rest: &mut [bool] = &mut special;
    let mut byte = 0;
    while let [first, tail @ ..] = rest {
        *first = byte < 0x20 || byte >= 0x7f || byte == b'"' as usize || byte == b'\\' as usize;
        rest = tail;
        byte += 1;
    }
    special
};

fn escape(out: &mut Vec<u8>, text: &str) {
    let is_special = |byte: &u8| SPECIAL.get(usize::from(*byte)).copied().unwrap_or(true);
    let mut rest = text;
    while let Some(at) = rest.as_bytes().iter().position(is_special) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut chars = tail.chars();
        if let Some(found) = chars.next() {
            escape_char(out, found);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

fn escape_char(out: &mut Vec<u8>, found: char) {
    let short = match found {
        '"' => b'"',
        '\\' => b'\\',
        '\u{8}' => b'b',
        '\t' => b't',
        '\n' => b'n',
        '\u{c}' => b'f',
        '\r' => b'r',
        found if !sanitize::is_unsafe(found) => {
            out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        found => {
            for unit in found.encode_utf16(&mut [0; 2]) {
                // Writing to memory does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// A formatter that writes unsafe characters as escapes.
struct Harmless<F>(F);

macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $arg: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        })*
    };
}

impl<F: Formatter> Formatter for Harmless<F> {
    forward! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
        write_char_escape(escape: CharEscape);
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.as_bytes().contains(&0x7f) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, found)) = rest.char_indices().find(|(_, c)| sanitize::is_unsafe(*c)) {
            writer.write_all(rest.get(..at).unwrap_or_default().as_bytes())?;
            for unit in found.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = rest.get(at + found.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{compact, indented, string};

    #[test]
    fn unsafe_characters_are_escaped_and_nothing_is_lost() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}é\u{e0041}\"\\";
        let mut out = Vec::new();
        compact(&mut out, &text).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown, r#""a\u001b[2J\u007f\u009b\u202eé\udb40\udc41\"\\""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

    proptest! {
        #[test]
        fn both_writers_escape_alike(bytes in prop_oneof![
            any::<String>().prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..40),
            "[\\x00-\\x7f\\\\\"\u{ad}\u{200b}-\u{2060}é]{0,40}".prop_map(String::into_bytes),
        ]) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            string(&mut ours, &bytes);
            compact(&mut theirs, &crate::edge::sanitize::utf8(&bytes)).unwrap();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn lines_for_people_are_those_of_serde_json() {
        for value in [
            serde_json::json!({"a": [], "b": {}, "c": [1, {"d": "x,{[\\\":]}"}], "e": null, "f": "\\"}),
            serde_json::json!([]),
            serde_json::json!("a:b"),
            serde_json::json!([[], [[2.5]]]),
        ] {
            let line = serde_json::to_vec(&value).unwrap();
            assert_eq!(
                String::from_utf8(indented(&line)).unwrap(),
                serde_json::to_string_pretty(&value).unwrap()
            );
        }
    }
}
