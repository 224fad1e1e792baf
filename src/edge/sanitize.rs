//! Makes wire text harmless to a terminal, visibly.
//!
//! A capture is written by strangers. What they send may move the cursor, set the window's title, answer for the
//! user, hide a word or turn its direction round. Nothing is dropped here, because what is hidden is often the
//! evidence: C0 controls become their pictures (`␛[2J`), bytes that are not UTF-8 become `\x9b`, and characters that
//! are invisible or reorder text become `\u{202e}`. The result has no control character at all, and no line
//! break unless [`block`] was asked for.
//!
//! What text is can be told from what an escape stands for: backslashes that stand before an escape, or before text that looks
//! like one, are doubled (the text `\xff` becomes `\\xff`), and the picture of a control becomes `\u{241b}`. Other
//! backslashes stay as they are.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// Combining marks in a row that are shown; more of them paint over neighbouring lines.
const MARKS: usize = 3;

/// Escapes control, bidi and invisible characters and invalid UTF-8 so that the result is safe on one terminal line.
pub fn line(text: &[u8]) -> Cow<'_, str> {
    escape(text, Mode::Line)
}

/// Makes text of ours, which may quote the wire, safe on one terminal line. What was escaped already stays as it is, so
/// that this can be done again at the last moment.
pub fn text(text: &str) -> Cow<'_, str> {
    sentence(text.as_bytes())
}

/// As [`text()`], for bytes.
pub fn sentence(text: &[u8]) -> Cow<'_, str> {
    escape(text, Mode::Guard)
}

/// As [`line()`], but line breaks (LF, CR LF) are kept as LF and tabs become four spaces.
pub fn block(text: &[u8]) -> Cow<'_, str> {
    escape(text, Mode::Block)
}

/// As [`line()`], cut after `max` characters with the full length: `aaaa… (1000 bytes)`.
pub fn short(text: &[u8], max: usize) -> Cow<'_, str> {
    // No character takes more than four bytes and no escape is shorter than one, so this much is always enough.
    let window = text.get(..max.saturating_add(1).saturating_mul(4)).unwrap_or(text);
    let shown = escape(window, Mode::Line);
    match shown.char_indices().nth(max) {
        None if window.len() == text.len() => shown,
        cut => {
            let end = cut.map_or(shown.len(), |(at, _)| at);
            let kept = shown.get(..end).unwrap_or_default();
            Cow::Owned(format!("{kept}… ({} bytes)", text.len()))
        }
    }
}

/// Text as it is, but for bytes that are not UTF-8, which become `\x9b`. Safe only where something else escapes controls.
pub fn utf8(text: &[u8]) -> Cow<'_, str> {
    escape(text, Mode::Bytes)
}

/// Whether `text` is UTF-8 without anything that [`line()`] would escape, but for line breaks, tabs, backslashes and pictures.
pub fn is_plain(text: &[u8]) -> bool {
    is_plain_ascii(text)
        || std::str::from_utf8(text).is_ok_and(|text| {
            let mut marks = Marks::default();
            text.chars().all(|c| matches!(c, '\n' | '\t') || !(is_unsafe(c) | marks.too_many(c)))
        })
}

/// Whether a terminal acts on `c`, hides it or reorders what is around it.
pub fn is_unsafe(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        c if c < '\u{ad}' => false,
        c => is_invisible(c),
    }
}

/// Bidi controls, zero-width and other characters without a shape, and line separators.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Counts combining marks in a row.
#[derive(Default)]
struct Marks(usize);

impl Marks {
    fn too_many(&mut self, c: char) -> bool {
        let mark = c > '\u{2ff}' && c.width() == Some(0);
        self.0 = if mark { self.0 + 1 } else { 0 };
        self.0 > MARKS
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything that is unsafe on a line.
    Line,
    /// Everything that is unsafe on a line, in text that may hold escapes already.
    Guard,
    /// As on a line, line breaks and tabs apart.
    Block,
    /// Only bytes that are not UTF-8.
    Bytes,
}

fn is_plain_ascii(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
}

fn escape(text: &[u8], mode: Mode) -> Cow<'_, str> {
    if let Ok(valid) = std::str::from_utf8(text)
        && (mode == Mode::Bytes || is_plain_ascii_line(text) || !needs_escape(valid, mode))
        && (mode == Mode::Guard || !is_ambiguous(valid))
    {
        return Cow::Borrowed(valid);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut marks = Marks::default();
    // Backslashes at the end of `out`.
    let mut run = 0;
    for chunk in text.utf8_chunks() {
        let mut chars = chunk.valid().chars();
        loop {
            let rest = chars.as_str();
            let Some(c) = chars.next() else { break };
            if c == '\\' {
                out.push(c);
                run += 1;
                continue;
            }
            let escaped = mode != Mode::Bytes
                && (is_unsafe(c) || marks.too_many(c) || (mode != Mode::Guard && is_picture(c)));
            if mode != Mode::Guard && ((escaped && !c.is_ascii_control()) || looks_escaped(rest)) {
                double(&mut out, run);
            }
            run = 0;
            match c {
                '\n' if mode == Mode::Block => out.push('\n'),
                '\r' if mode == Mode::Block && chars.as_str().starts_with('\n') => {}
                '\t' if mode == Mode::Block => out.push_str("    "),
                c if escaped => push_escaped(&mut out, c),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            if mode != Mode::Guard {
                double(&mut out, std::mem::take(&mut run));
            }
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

fn double(out: &mut String, run: usize) {
    out.extend(std::iter::repeat_n('\\', run));
}

/// Whether `rest` would be an escape if a backslash stood before it.
fn looks_escaped(rest: &str) -> bool {
    match rest.as_bytes() {
        [b'x', high, low, ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        [b'u', b'{', ..] => true,
        _ => false,
    }
}

/// Whether text holds what looks like an escape.
fn is_ambiguous(text: &str) -> bool {
    memchr::memchr_iter(b'\\', text.as_bytes()).any(|at| text.get(at + 1..).is_some_and(looks_escaped))
}

/// A character that stands for a control.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2400}'..='\u{2421}')
}

fn is_plain_ascii_line(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

fn needs_escape(text: &str, mode: Mode) -> bool {
    let mut marks = Marks::default();
    text.chars().any(|c| is_unsafe(c) | marks.too_many(c) | (mode != Mode::Guard && is_picture(c)))
}

/// C0 controls and DEL as their pictures, everything else by number.
fn push_escaped(out: &mut String, c: char) {
    match c {
        '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
        '\u{7f}' => out.push('␡'),
        c => {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{block, is_plain, is_unsafe, line, short, text, utf8};
    use proptest::prelude::*;
    use std::borrow::Cow;

    /// Bytes of which escapes are made, and what they stand for.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            &b"\\"[..],
            b"x",
            b"f",
            b"9",
            b"\xff",
            b"\x9b",
            b"u{",
            b"202e",
            b"}",
            b"\x1b",
            b"\x7f",
            "\u{241b}".as_bytes(),
            "\u{202e}".as_bytes(),
            "\u{9b}".as_bytes(),
        ]);
        prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(line(b"Bearer abc"), Cow::Borrowed("Bearer abc")));
        assert!(matches!(line("Zürich 東京 🎉".as_bytes()), Cow::Borrowed(_)));
    }

    #[test]
    fn clear_screen_sequence() {
        assert_eq!(line(b"a\x1b[2Jb"), "a␛[2Jb");
    }

    #[test]
    fn title_set_by_osc_and_bell() {
        assert_eq!(line(b"\x1b]0;pwned\x07"), "␛]0;pwned␇");
    }

    #[test]
    fn clipboard_write_by_osc_52() {
        assert_eq!(line(b"\x1b]52;c;ZXZpbA==\x1b\\"), "␛]52;c;ZXZpbA==␛\\");
    }

    #[test]
    fn eight_bit_csi_as_a_raw_byte() {
        assert_eq!(line(b"\x9b2J"), "\\x9b2J");
    }

    #[test]
    fn eight_bit_csi_as_utf_8() {
        assert_eq!(line("\u{9b}2J".as_bytes()), "\\u{9b}2J");
    }

    #[test]
    fn line_overwritten_by_carriage_return_or_backspace() {
        assert_eq!(line(b"403\r200"), "403␍200");
        assert_eq!(line(b"403\x08\x08\x08200"), "403␈␈␈200");
    }

    #[test]
    fn forged_line_by_line_feed() {
        assert_eq!(line(b"ok\nPOST / 200"), "ok␊POST / 200");
        assert_eq!(text("a\u{2028}b\u{85}c"), "a\\u{2028}b\\u{85}c");
    }

    #[test]
    fn trojan_source_bidi_override() {
        assert_eq!(text("admin\u{202e}gnp.exe"), "admin\\u{202e}gnp.exe");
        assert_eq!(text("\u{2066}x\u{2069}"), "\\u{2066}x\\u{2069}");
    }

    #[test]
    fn invisible_difference_by_zero_width() {
        assert_eq!(text("ad\u{200b}min\u{feff}"), "ad\\u{200b}min\\u{feff}");
    }

    #[test]
    fn smuggled_tag_characters() {
        assert_eq!(text("a\u{e0041}"), "a\\u{e0041}");
        assert_eq!(text("a\u{fe0f}"), "a\\u{fe0f}");
    }

    #[test]
    fn zalgo_over_other_lines() {
        assert_eq!(text("e\u{301}\u{301}\u{301}\u{301}"), "e\u{301}\u{301}\u{301}\\u{301}");
    }

    #[test]
    fn overlong_and_broken_utf_8() {
        assert_eq!(line(b"\xc0\xafetc\xe2\x82"), "\\xc0\\xafetc\\xe2\\x82");
        assert_eq!(line(b"\xed\xa0\x80"), "\\xed\\xa0\\x80");
    }

    #[test]
    fn nul_and_delete() {
        assert_eq!(line(b"a\0b\x7f"), "a␀b␡");
    }

    #[test]
    fn endless_line_is_cut_with_a_count() {
        assert_eq!(short(&[b'a'; 1000], 4), "aaaa… (1000 bytes)");
        assert_eq!(short(b"aaaa", 4), "aaaa");
    }

    #[test]
    fn block_keeps_lines_and_nothing_else() {
        assert_eq!(block(b"a\r\nb\n\tc\rd\x1b"), "a\nb\n    c␍d␛");
    }

    #[test]
    fn text_that_looks_like_an_escape_is_told_from_one() {
        for (bytes, shown) in [
            (&b"\xff"[..], r"\xff"),
            (br"\xff", r"\\xff"),
            (br"\\xff", r"\\\\xff"),
            (b"\\\xff", r"\\\xff"),
            (b"\xff\\", r"\xff\"),
            ("\u{202e}".as_bytes(), r"\u{202e}"),
            (br"\u{202e}", r"\\u{202e}"),
            (b"\x1b", "\u{241b}"),
            ("\u{241b}".as_bytes(), r"\u{241b}"),
            (br"C:\temp\users \d+ \n \u00e9", r"C:\temp\users \d+ \n \u00e9"),
        ] {
            assert_eq!(line(bytes), shown, "{bytes:?}");
        }
        assert_eq!((utf8(b"\xff"), utf8(br"\xff")), (r"\xff".into(), r"\\xff".into()));
        assert_eq!(utf8("\u{241b}\n".as_bytes()), "\u{241b}\n");
    }

    proptest! {
        /// What is shown of two texts is equal only if they are.
        #[test]
        fn different_bytes_look_different(one in pieces(), two in pieces()) {
            if one != two {
                prop_assert_ne!(line(&one), line(&two));
                prop_assert_ne!(utf8(&one), utf8(&two));
            }
        }

        #[test]
        fn nothing_unsafe_is_left(bytes: Vec<u8>) {
            prop_assert!(!line(&bytes).chars().any(is_unsafe));
            prop_assert!(!short(&bytes, 7).chars().any(is_unsafe));
            prop_assert!(!block(&bytes).chars().any(|c| c != '\n' && is_unsafe(c)));
        }

        #[test]
        fn plain_is_what_line_leaves_alone(chars: String) {
            let apart = |c| matches!(c, '\n' | '\t' | '\\') || super::is_picture(c);
            if is_plain(chars.as_bytes()) && !chars.contains(apart) {
                prop_assert_eq!(line(chars.as_bytes()), chars.as_str());
            }
        }
    }
}
