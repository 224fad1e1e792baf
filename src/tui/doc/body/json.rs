//! JSON pretty-printed token by token: numbers keep their spelling, duplicates stay, and a broken document is shown as far as it goes.

use std::fmt::Write;

use crate::edge::sanitize;
use crate::features::json::push_key;
use crate::model::Part;
use crate::tui::doc::{Doc, Line};
use crate::tui::theme::Role;

/// Levels of indentation that are drawn; deeper ones stay there.
const MAX_INDENT: usize = 20;

/// Appends `body` to `doc`; every line is anchored at its JSON path.
pub(super) fn show(doc: &mut Doc, body: &[u8], part: Part) {
    let mut printer =
        Printer { body, at: 0, path: String::from("$"), stack: Vec::new(), line: Line::default() };
    printer.run(doc, part);
}

struct Level {
    array: bool,
    index: usize,
    path: usize,
}

struct Printer<'a> {
    body: &'a [u8],
    at: usize,
    path: String,
    stack: Vec<Level>,
    line: Line,
}

impl Printer<'_> {
    fn run(&mut self, doc: &mut Doc, part: Part) {
        let mut expects_key = false;
        while let Some(first) = self.next() {
            match first {
                b'{' | b'[' => expects_key = self.open(first == b'[', doc, part),
                b'}' | b']' => self.close(first, doc, part),
                b',' => {
                    self.token(1, Role::Dim);
                    self.end_line(doc, part);
                    expects_key = self.next_member();
                }
                b':' => {
                    self.token(1, Role::Dim);
                    self.append(Role::Dim, " ");
                    expects_key = false;
                }
                b'"' => {
                    let len = self.string();
                    if expects_key {
                        self.name(len);
                    } else {
                        self.token(len, Role::Literal);
                    }
                }
                _ => {
                    let rest = self.body.get(self.at..).unwrap_or_default();
                    let stop = |byte: &u8| b"{}[],:\"".contains(byte) || byte.is_ascii_whitespace();
                    let len = rest.iter().position(stop).unwrap_or(rest.len()).max(1);
                    self.token(len, Role::Number);
                }
            }
        }
        if !self.line.text().trim().is_empty() {
            self.end_line(doc, part);
        }
        if !self.stack.is_empty() {
            doc.push(Line::of(Role::Warn, "(the document ends here, unfinished)"));
        }
    }

    fn next(&mut self) -> Option<u8> {
        while self.body.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.body.get(self.at).copied()
    }

    /// Length of the string at the current position, quotes included.
    fn string(&self) -> usize {
        let rest = self.body.get(self.at + 1..).unwrap_or_default();
        let mut from = 0;
        while let Some(found) = rest.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            if rest.get(from + found) == Some(&b'"') {
                return from + found + 2;
            }
            from += found + 2;
        }
        rest.len() + 1
    }

    fn append(&mut self, role: Role, text: &str) {
        self.line = std::mem::take(&mut self.line).add(role, text);
    }

    fn token(&mut self, len: usize, role: Role) {
        let bytes =
            self.body.get(self.at..self.at + len).or_else(|| self.body.get(self.at..)).unwrap_or_default();
        let text = sanitize::line(bytes);
        let line = std::mem::take(&mut self.line);
        let is_value = matches!(role, Role::Literal | Role::Number);
        self.line = if is_value { line.value(role, &text) } else { line.add(role, &text) };
        self.at += len;
    }

    /// Appends a member's name and extends the path by it.
    fn name(&mut self, len: usize) {
        let raw = self.body.get(self.at + 1..(self.at + len).saturating_sub(1)).unwrap_or_default();
        let name = String::from_utf8_lossy(raw.get(..200).unwrap_or(raw)).into_owned();
        self.path.truncate(self.stack.last().map_or(1, |level| level.path));
        if self.path.len() < crate::features::json::MAX_PATH {
            push_key(&mut self.path, &name);
        }
        self.token(len, Role::Name);
    }

    fn open(&mut self, array: bool, doc: &mut Doc, part: Part) -> bool {
        self.token(1, Role::Dim);
        if self.next() == Some(if array { b']' } else { b'}' }) {
            self.token(1, Role::Dim);
            return false;
        }
        self.end_line(doc, part);
        self.stack.push(Level { array, index: 0, path: self.path.len() });
        self.indent();
        if array {
            self.element();
        }
        !array
    }

    fn close(&mut self, bracket: u8, doc: &mut Doc, part: Part) {
        if !self.line.text().trim().is_empty() {
            self.end_line(doc, part);
        }
        if let Some(level) = self.stack.pop() {
            self.path.truncate(level.path);
        }
        self.indent();
        self.token(1, if matches!(bracket, b'}' | b']') { Role::Dim } else { Role::Warn });
    }

    /// After a comma: whether a name comes next.
    fn next_member(&mut self) -> bool {
        self.indent();
        let Some(level) = self.stack.last_mut() else { return false };
        level.index += 1;
        let array = level.array;
        if array {
            self.element();
        }
        !array
    }

    fn element(&mut self) {
        let Some(level) = self.stack.last() else { return };
        self.path.truncate(level.path);
        if self.path.len() < crate::features::json::MAX_PATH {
            let _ = write!(self.path, "[{}]", level.index);
        }
    }

    fn indent(&mut self) {
        let depth = self.stack.len().min(MAX_INDENT);
        self.line = Line::of(Role::Text, &"  ".repeat(depth)).hang(depth * 2 + 2);
    }

    fn end_line(&mut self, doc: &mut Doc, part: Part) {
        doc.push(std::mem::take(&mut self.line).anchor(part, &self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::show;
    use crate::model::Part;
    use crate::tui::doc::Doc;

    #[test]
    fn indents_and_keeps_spelling() {
        let body = br#"{"a":1.50,"b":[true,{"c":"x \"y\""}],"e":{},"a":null}"#;
        let expected = [
            "{",
            "  \"a\": 1.50,",
            "  \"b\": [",
            "    true,",
            "    {",
            "      \"c\": \"x \\\"y\\\"\"",
            "    }",
            "  ],",
            "  \"e\": {},",
            "  \"a\": null",
            "}",
        ];
        assert_eq!(shown("application/json", body), expected);
    }

    #[test]
    fn lines_know_their_path() {
        let mut doc = Doc::default();
        show(&mut doc, br#"{"user":{"roles":["admin",{"x y":1}]},"z":2}"#, Part::RequestBody);
        let found = |path: &str| {
            doc.find(Part::RequestBody, path, None).map(|(line, _)| doc.lines()[line].text().trim())
        };
        assert_eq!(found("$.user.roles[0]"), Some("\"admin\","));
        assert_eq!(found("$.user.roles[1]['x y']"), Some("\"x y\": 1"));
        assert_eq!(found("$.z"), Some("\"z\": 2"));
    }

    #[test]
    fn a_broken_document_is_shown_as_far_as_it_goes() {
        assert_eq!(
            shown("application/json", b"{\"a\": \"cut"),
            ["{", "  \"a\": \"cut", "(the document ends here, unfinished)"]
        );
        assert_eq!(shown("application/json", b"}}]"), ["}", "}", "]"]);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(body in "[\\[\\]{},:\"\\\\a1 ]{0,60}") {
            show(&mut Doc::default(), body.as_bytes(), Part::ResponseBody);
        }
    }
}
