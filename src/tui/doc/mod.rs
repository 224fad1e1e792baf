//! A document: lines of text with roles, made once per exchange and tab, shown a screenful at a time.
//!
//! Builders ([`why`], [`diff`], [`message`], …) turn reports and messages into documents. All text in a document has passed
//! `edge` already: it is redacted, escaped and free of line breaks.

mod body;
mod changed;
pub mod diff;
mod flow;
mod line;
pub mod message;
pub mod why;
pub(super) mod wire;

use std::ops::Range;

pub use flow::Row;
pub use line::Line;

use super::theme::{Glyphs, Role};
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::model::{ExchangeId, Part, Pointer};

/// Lines a document has at most; what does not fit is said in the last one.
pub const MAX_LINES: usize = 20_000;

/// What a document is made for.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What hides secrets, or lets them through.
    pub redactor: &'a Redactor,
    /// Signs.
    pub glyphs: &'static Glyphs,
    /// Columns there are.
    pub width: u16,
}

impl Scene<'_> {
    /// Whether a field's value is a secret that stands in the open.
    fn is_secret(&self, name: &[u8], value: &[u8]) -> bool {
        let mut secrets = Vec::new();
        crate::edge::redact::secrets_in_field(name, value, &mut secrets);
        self.redactor.reveals() && !secrets.is_empty()
    }
}

/// Text that somebody else made (a curl command), line by line.
pub fn plain(text: &str) -> Doc {
    let mut doc = Doc::default();
    for line in text.lines() {
        doc.push(Line::of(Role::Text, &sanitize::text(line)).hang(2));
    }
    doc
}

/// What Enter on a line does.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// Shows these bytes.
    Bytes(Pointer),
    /// Folds or unfolds the noise.
    Noise,
    /// Opens another exchange.
    Exchange(ExchangeId),
}

/// What a line shows, so that evidence can be found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Which part.
    pub part: Part,
    /// Name within the part, as a difference has it; empty for the whole part.
    pub name: String,
}

/// Lines to show, with what is marked in them.
#[derive(Clone, Debug, Default)]
pub struct Doc {
    lines: Vec<Line>,
    rows: Vec<Row>,
    flowed: Option<(u16, bool)>,
}

impl Doc {
    /// Adds a line; silently full at [`MAX_LINES`], the last line says so.
    pub fn push(&mut self, line: Line) {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match self.lines.len().cmp(&(MAX_LINES - 1)) {
            Less => self.lines.push(line),
            Equal => self.lines.push(Line::of(
                Role::Warn,
                "(further lines are not shown; save the exchange to see all of it)",
            )),
            Greater => {}
        }
        self.flowed = None;
    }

    /// Takes the last line back.
    fn pop(&mut self) -> Option<Line> {
        self.flowed = None;
        self.lines.pop()
    }

    /// Adds an empty line, unless there is one already or nothing at all.
    pub fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.text().is_empty()) {
            self.push(Line::default());
        }
    }

    /// The lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Lays the lines out at `width`; does nothing when that was done already.
    pub fn flow(&mut self, width: u16, wrap: bool) {
        if self.flowed != Some((width, wrap)) {
            self.rows = flow::rows(&self.lines, width, wrap);
            self.flowed = Some((width, wrap));
        }
    }

    /// Lays the lines out as `other` is, if it is.
    pub fn flow_like(&mut self, other: &Self) {
        if let Some((width, wrap)) = other.flowed {
            self.flow(width, wrap);
        }
    }

    /// The line nearest to `line` that reads `text`.
    pub fn nearest(&self, text: &str, line: usize) -> Option<usize> {
        let reads = |at: &usize| self.lines.get(*at).is_some_and(|line| line.text() == text);
        let before = (0..line.min(self.lines.len())).rev().find(reads);
        let after = (line..self.lines.len()).find(reads);
        let near = |at: &usize| at.abs_diff(line);
        before.into_iter().chain(after).min_by_key(near)
    }

    /// The rows of the last layout.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The first row of line `line`.
    pub fn row_of(&self, line: usize) -> usize {
        self.rows.partition_point(|row| (row.line as usize) < line)
    }

    /// The line of row `row`.
    pub fn line_of(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, |row| row.line as usize)
    }

    /// Where `query` occurs, line by line; letters in lower case match both cases, as in less with -i.
    pub fn search(&self, query: &str) -> Vec<(usize, Range<usize>)> {
        if query.is_empty() {
            return Vec::new();
        }
        let fold = !query.chars().any(char::is_uppercase);
        let mut hits = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            let folded = fold.then(|| line.text().to_ascii_lowercase());
            let text = folded.as_deref().unwrap_or(line.text());
            let needle = if fold { query.to_ascii_lowercase() } else { query.to_owned() };
            hits.extend(text.match_indices(&needle).map(|(at, hit)| (number, at..at + hit.len())));
        }
        hits
    }

    /// The line that shows `name` of `part`, and within it `snippet` when that is there.
    pub fn find(&self, part: Part, name: &str, snippet: Option<&str>) -> Option<(usize, Range<usize>)> {
        let shows = |line: &Line| {
            line.anchors()
                .iter()
                .any(|anchor| anchor.part == part && (name.is_empty() || is_called(&anchor.name, name)))
        };
        let candidates: Vec<_> = self.lines.iter().enumerate().filter(|(_, line)| shows(line)).collect();
        let first = candidates.first().map(|(number, line)| (*number, line.value_range()));
        let holds = |snippet: &str| {
            candidates.iter().find_map(|(number, line)| {
                line.text().find(snippet).map(|at| (*number, at..at + snippet.len()))
            })
        };
        snippet
            .filter(|snippet| !snippet.is_empty())
            .and_then(|snippet| {
                // Pretty-printing parts what stood together, so the longest word has to do.
                let words = snippet.split(|letter: char| "\"':,{}[]<>= ".contains(letter));
                holds(snippet)
                    .or_else(|| holds(words.max_by_key(|word| word.len()).filter(|word| word.len() > 3)?))
            })
            .or(first)
    }
}

/// Whether a part's full name is `name` or ends in it as a path does: `$.error` is called `error`.
fn is_called(full: &str, name: &str) -> bool {
    let Some(start) = full.len().checked_sub(name.len()) else { return false };
    let end = full.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(name));
    end && (start == 0 || full.get(..start).is_some_and(|before| before.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::{Anchor, Doc, Line};
    use crate::model::Part;
    use crate::tui::theme::Role;

    fn doc() -> Doc {
        let mut doc = Doc::default();
        doc.push(
            Line::of(Role::Name, "Host: ")
                .add(Role::Text, "api.example.com")
                .anchor(Part::RequestHeader, "host"),
        );
        doc.push(
            Line::of(Role::Name, "Accept: ").add(Role::Text, "*/*").anchor(Part::RequestHeader, "accept"),
        );
        doc
    }

    #[test]
    fn search_ignores_case_unless_the_query_has_capitals() {
        assert_eq!(doc().search("host"), [(0, 0..4)]);
        assert_eq!(doc().search("HOST"), []);
        assert_eq!(doc().search("e"), [(0, 10..11), (0, 16..17), (1, 3..4)]);
        assert_eq!(doc().search(""), []);
    }

    #[test]
    fn evidence_is_found_by_part_and_name_and_marked_in_the_value() {
        assert_eq!(doc().find(Part::RequestHeader, "Host", Some("example")), Some((0, 10..17)));
        assert_eq!(doc().find(Part::RequestHeader, "accept", None), Some((1, 8..11)));
        assert_eq!(doc().find(Part::Cookie, "sid", None), None);
    }

    #[test]
    fn the_last_line_says_that_there_is_more() {
        let mut doc = Doc::default();
        for _ in 0..super::MAX_LINES + 5 {
            doc.push(Line::of(Role::Text, "x"));
        }
        assert_eq!(doc.lines().len(), super::MAX_LINES);
        assert!(doc.lines().last().unwrap().text().contains("not shown"));
    }

    #[test]
    fn an_anchor_is_what_it_was_made_of() {
        assert_eq!(doc().lines()[0].anchors(), [Anchor { part: Part::RequestHeader, name: "host".into() }]);
    }
}
