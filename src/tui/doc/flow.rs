//! Lays lines out in rows of a given width.

use unicode_width::UnicodeWidthChar;

use super::Line;

/// One row: a piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which line.
    pub line: u32,
    /// First byte in the line's text.
    pub start: u32,
    /// End in the line's text.
    pub end: u32,
    /// Columns to leave free before it.
    pub indent: u16,
}

/// Rows of `lines` at `width`; one row a line unless `wrap`. Prose is always wrapped.
pub(super) fn rows(lines: &[Line], width: u16, wrap: bool) -> Vec<Row> {
    let mut rows = Vec::with_capacity(lines.len());
    for (number, line) in lines.iter().enumerate() {
        let (hang, prose) = line.layout();
        if wrap || prose {
            wrapped(line, number as u32, width, (hang.min(width / 2), prose), &mut rows);
        } else {
            rows.push(Row { line: number as u32, start: 0, end: line.text().len() as u32, indent: 0 });
        }
    }
    rows
}

fn wrapped(line: &Line, number: u32, width: u16, (hang, prose): (u16, bool), rows: &mut Vec<Row>) {
    let text = line.text();
    let (mut start, mut used, mut indent) = (0, 0_u16, 0);
    let mut word = None;
    for (at, letter) in text.char_indices() {
        let columns = letter.width().unwrap_or(0) as u16;
        if used + columns > width.saturating_sub(indent).max(2) {
            let end = word.filter(|end| prose && *end > start).unwrap_or(at);
            rows.push(Row { line: number, start: start as u32, end: end as u32, indent });
            indent = hang;
            start = end;
            used = text.get(start..at).map_or(0, crate::tui::text::width) as u16;
            word = None;
        }
        used += columns;
        if letter == ' ' {
            word = Some(at + 1);
        }
    }
    rows.push(Row { line: number, start: start as u32, end: text.len() as u32, indent });
}

#[cfg(test)]
mod tests {
    use super::super::{Doc, Line};
    use crate::tui::theme::Role;

    fn shown(line: Line, width: u16, wrap: bool) -> Vec<String> {
        let mut doc = Doc::default();
        doc.push(line);
        doc.flow(width, wrap);
        let text = doc.lines()[0].text();
        let piece = |row: &super::Row| text[row.start as usize..row.end as usize].to_owned();
        doc.rows().iter().map(|row| format!("{}{}", " ".repeat(row.indent.into()), piece(row))).collect()
    }

    #[test]
    fn values_break_anywhere_and_prose_between_words() {
        let value = Line::of(Role::Text, "abcdefghij").hang(2);
        assert_eq!(shown(value.clone(), 4, true), ["abcd", "  ef", "  gh", "  ij"]);
        assert_eq!(shown(value, 4, false), ["abcdefghij"]);
        let prose = Line::of(Role::Text, "the token lacks a scope").prose();
        assert_eq!(shown(prose, 10, false), ["the token ", "lacks a ", "scope"]);
    }

    #[test]
    fn wide_letters_never_straddle_the_edge() {
        assert_eq!(shown(Line::of(Role::Text, "日本語"), 5, true), ["日本", "語"]);
        assert_eq!(shown(Line::default(), 5, true), [""]);
    }
}
