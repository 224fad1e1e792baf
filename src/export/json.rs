//! JSON whose text is harmless to a terminal: what [`sanitize`] calls unsafe is written as `\u` escapes, so that nothing
//! is lost for a program and nothing acts on the screen of a person who reads it there.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::edge::sanitize;

/// Writes `value` on one line, without a line break.
pub(super) fn compact<W: Write>(out: W, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Harmless(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Writes `value` over several lines, for people.
pub(super) fn pretty<W: Write>(out: W, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Harmless(PrettyFormatter::with_indent(b"  ")));
    value.serialize(&mut serializer).map_err(io::Error::from)
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
    use super::{compact, pretty};

    #[test]
    fn unsafe_characters_are_escaped_and_nothing_is_lost() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}é\u{e0041}\"\\";
        let mut out = Vec::new();
        compact(&mut out, &text).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown, r#""a\u001b[2J\u007f\u009b\u202eé\udb40\udc41\"\\""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

    #[test]
    fn pretty_has_lines() {
        let mut out = Vec::new();
        pretty(&mut out, &[1, 2]).unwrap();
        assert_eq!(out, b"[\n  1,\n  2\n]");
    }
}
