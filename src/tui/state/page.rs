//! A document being read: cursor, scrolling, search. Used for an exchange, a comparison, help and health alike.

use std::ops::Range;

use crate::tui::doc::{Doc, Link};

/// Search hits that are kept.
const MAX_HITS: usize = 10_000;
/// Lines above the cursor by which the place is found again in a document made anew.
const MAX_ABOVE: usize = 64;

/// Where in a document the reader is.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The document.
    pub doc: Doc,
    /// The cursor's row.
    pub cursor: usize,
    /// The first visible row.
    pub top: usize,
    /// Columns scrolled to the right.
    pub left: usize,
    /// What is searched for.
    pub query: String,
    /// Where it occurs, in order.
    pub hits: Vec<(usize, Range<usize>)>,
    /// Evidence that was jumped to.
    pub spot: Option<(usize, Range<usize>)>,
    height: usize,
}

impl Page {
    /// Shows `doc`, keeping the place when it is the same document made anew.
    pub fn set(&mut self, mut doc: Doc, same: bool) {
        if same {
            let moved = self.moved(&mut doc);
            self.cursor = self.cursor.saturating_add_signed(moved);
            self.top = self.top.saturating_add_signed(moved);
        } else {
            (self.cursor, self.top, self.left, self.spot) = (0, 0, 0, None);
        }
        self.doc = doc;
        self.find();
    }

    /// By how many rows what is read has moved in `doc`: the line under the cursor, or the nearest above it that is there
    /// still. At the very top one stays there.
    fn moved(&self, doc: &mut Doc) -> isize {
        if self.cursor == 0 {
            return 0;
        }
        doc.flow_like(&self.doc);
        let line = self.doc.line_of(self.cursor);
        let above = self.doc.lines().iter().enumerate().take(line + 1).rev().take(MAX_ABOVE);
        let mut candidates = above.filter(|(_, line)| !line.text().is_empty());
        let found = candidates.find_map(|(at, line)| Some((at, doc.nearest(line.text(), at)?)));
        found.map_or(0, |(old, new)| doc.row_of(new) as isize - self.doc.row_of(old) as isize)
    }

    /// Lays the document out and keeps the cursor in sight.
    pub fn prepare(&mut self, width: u16, height: u16, wrap: bool) {
        let line = self.doc.line_of(self.cursor);
        let before = self.doc.rows().len();
        self.doc.flow(width, wrap);
        if before != self.doc.rows().len() && before > 0 {
            self.cursor = self.doc.row_of(line);
        }
        self.height = usize::from(height.max(1));
        let last = self.doc.rows().len().saturating_sub(1);
        self.cursor = self.cursor.min(last);
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        self.top =
            self.top.clamp(lowest, self.cursor.max(lowest)).min((last + 1).saturating_sub(self.height));
    }

    /// Rows that are visible.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Moves the cursor.
    pub fn step(&mut self, rows: i64) {
        let at = (self.cursor as i64).saturating_add(rows).max(0) as usize;
        self.cursor = at.min(self.doc.rows().len().saturating_sub(1));
    }

    /// Scrolls by whole pages or halves: the cursor keeps its place on the screen.
    pub fn scroll(&mut self, rows: i64) {
        let last = self.doc.rows().len().saturating_sub(self.height);
        self.top = ((self.top as i64).saturating_add(rows).max(0) as usize).min(last);
        self.step(rows);
    }

    /// To a row.
    pub fn go(&mut self, row: usize) {
        self.cursor = row.min(self.doc.rows().len().saturating_sub(1));
    }

    /// What Enter does where the cursor is.
    pub fn link(&self) -> Option<&Link> {
        self.doc.lines().get(self.doc.line_of(self.cursor))?.target()
    }

    /// The value in the line where the cursor is.
    pub fn value(&self) -> Option<&str> {
        let line = self.doc.lines().get(self.doc.line_of(self.cursor))?;
        line.text().get(line.value_range()).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Searches for `query` from the cursor on.
    pub fn search(&mut self, query: &str) {
        query.clone_into(&mut self.query);
        self.find();
    }

    fn find(&mut self) {
        self.hits = self.doc.search(&self.query);
        self.hits.truncate(MAX_HITS);
    }

    /// To the next hit, or the one before; returns its number from 1.
    pub fn hit(&mut self, forward: bool) -> Option<usize> {
        let line = self.doc.line_of(self.cursor);
        let at = if forward {
            self.hits.iter().position(|(hit, _)| *hit > line).unwrap_or(0)
        } else {
            self.hits.iter().rposition(|(hit, _)| *hit < line).or(self.hits.len().checked_sub(1))?
        };
        let (line, range) = self.hits.get(at)?.clone();
        self.show(line, range.start);
        Some(at + 1)
    }

    /// To the first hit at or after the cursor.
    pub fn first_hit(&mut self) -> Option<usize> {
        let line = self.doc.line_of(self.cursor);
        let at = self.hits.iter().position(|(hit, _)| *hit >= line).unwrap_or(0);
        let (line, range) = self.hits.get(at)?.clone();
        self.show(line, range.start);
        Some(at + 1)
    }

    /// Marks `range` of `line` and goes there.
    pub fn mark(&mut self, line: usize, range: Range<usize>) {
        self.show(line, range.start);
        self.spot = Some((line, range));
    }

    /// Puts the cursor on the row of `line` that shows byte `at`.
    fn show(&mut self, line: usize, at: usize) {
        let first = self.doc.row_of(line);
        let rows = self.doc.rows().iter().skip(first).take_while(|row| row.line as usize == line);
        let before = rows.take_while(|row| (row.end as usize) <= at).count();
        self.cursor = (first + before).min(self.doc.rows().len().saturating_sub(1));
        let third = self.height / 3;
        if self.cursor < self.top || self.cursor >= self.top + self.height {
            self.top = self.cursor.saturating_sub(third);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Page;
    use crate::tui::doc::{Doc, Line};
    use crate::tui::theme::Role;

    fn page() -> Page {
        let mut doc = Doc::default();
        for number in 0..50 {
            doc.push(Line::of(Role::Text, &format!("line {number}")));
        }
        let mut page = Page::default();
        page.set(doc, false);
        page.prepare(40, 10, true);
        page
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let mut page = page();
        page.step(15);
        page.prepare(40, 10, true);
        assert_eq!((page.cursor, page.top), (15, 6));
        page.step(-100);
        page.prepare(40, 10, true);
        assert_eq!((page.cursor, page.top), (0, 0));
        page.scroll(5);
        page.prepare(40, 10, true);
        assert_eq!((page.cursor, page.top), (5, 5));
        page.go(usize::MAX);
        page.prepare(40, 10, true);
        assert_eq!((page.cursor, page.top), (49, 40));
    }

    #[test]
    fn what_is_read_stays_under_the_cursor_when_the_document_is_made_anew() {
        let doc = |new: &[&str], old: std::ops::Range<usize>| {
            let mut doc = Doc::default();
            let old = old.map(|number| format!("line {number}"));
            new.iter().map(|text| (*text).to_owned()).chain(old).for_each(|text| {
                doc.push(Line::of(Role::Text, &text));
            });
            doc
        };
        let mut page = page();
        page.step(15);
        page.prepare(40, 10, true);
        for (new, from, expected) in [
            (&["new", "and a longer one that takes two rows of this page"][..], 0, (18, 9)),
            (&[], 0, (15, 6)),
            (&[], 5, (10, 1)),
            (&["changed"], 6, (10, 1)),
        ] {
            page.set(doc(new, from..50), true);
            page.prepare(40, 10, true);
            assert_eq!((page.cursor, page.top), expected, "{new:?} {from}");
        }
        page.go(0);
        page.set(doc(&["new"], 0..50), true);
        page.prepare(40, 10, true);
        assert_eq!((page.cursor, page.top), (0, 0), "who reads the top goes on reading the top");
    }

    #[test]
    fn hits_go_round() {
        let mut page = page();
        page.search("line 4");
        assert_eq!(page.hits.len(), 11);
        assert_eq!((page.hit(true), page.cursor), (Some(1), 4));
        assert_eq!((page.hit(true), page.cursor), (Some(2), 40));
        assert_eq!((page.hit(false), page.cursor), (Some(1), 4));
        assert_eq!((page.hit(false), page.cursor), (Some(11), 49));
        assert_eq!((page.hit(true), page.cursor), (Some(1), 4));
    }
}
