//! One line of a document.

use std::ops::Range;

use super::{Anchor, Link};
use crate::model::Part;
use crate::tui::theme::Role;

/// Text with roles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    text: String,
    /// End of each run in `text` and its role, in order.
    runs: Vec<(u32, Role)>,
    /// Columns that continuation rows are indented.
    hang: u16,
    /// Break between words rather than anywhere.
    prose: bool,
    /// Where the value is, for marking it whole; empty until it is known.
    value: (u32, u32),
    link: Option<Link>,
    anchors: Vec<Anchor>,
}

impl Line {
    /// A line of one role.
    pub fn of(role: Role, text: &str) -> Self {
        Self::default().add(role, text)
    }

    /// Appends text.
    #[must_use]
    pub fn add(mut self, role: Role, text: &str) -> Self {
        if text.is_empty() {
            return self;
        }
        self.text.push_str(text);
        let end = self.text.len() as u32;
        match self.runs.last_mut() {
            Some((last, same)) if *same == role => *last = end,
            _ => self.runs.push((end, role)),
        }
        self
    }

    /// Appends the value: what evidence about this line marks.
    #[must_use]
    pub fn value(mut self, role: Role, text: &str) -> Self {
        let start = self.text.len() as u32;
        self = self.add(role, text);
        self.value = (start, self.text.len() as u32);
        self
    }

    /// Appends blanks up to `column`.
    #[must_use]
    pub fn pad(self, column: usize) -> Self {
        let missing = column.saturating_sub(crate::tui::text::width(&self.text));
        let blanks = " ".repeat(missing);
        self.add(Role::Text, &blanks)
    }

    /// Continuation rows are indented by `columns`.
    #[must_use]
    pub fn hang(mut self, columns: usize) -> Self {
        self.hang = columns as u16;
        self
    }

    /// Breaks between words.
    #[must_use]
    pub fn prose(mut self) -> Self {
        self.prose = true;
        self
    }

    /// What Enter does here.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = Some(link);
        self
    }

    /// What this line shows. The first anchor's value is the last run unless [`Line::value`] said otherwise.
    #[must_use]
    pub fn anchor(mut self, part: Part, name: &str) -> Self {
        if self.value == (0, 0) {
            let before = self.runs.len().checked_sub(2).and_then(|at| self.runs.get(at));
            self.value = (before.map_or(0, |(end, _)| *end), self.text.len() as u32);
        }
        self.anchors.push(Anchor { part, name: name.to_owned() });
        self
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it shows.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// What Enter does here.
    pub fn target(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// Where the value is.
    pub fn value_range(&self) -> Range<usize> {
        self.value.0 as usize..self.value.1 as usize
    }

    pub(super) fn layout(&self) -> (u16, bool) {
        (self.hang, self.prose)
    }

    /// Runs that touch `range`, clipped to it.
    pub fn runs(&self, range: Range<usize>) -> impl Iterator<Item = (&str, Range<usize>, Role)> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|(end, _)| *end as usize));
        self.runs.iter().zip(starts).filter_map(move |((end, role), start)| {
            let clipped = start.max(range.start)..(*end as usize).min(range.end);
            if clipped.start >= clipped.end {
                return None;
            }
            Some((self.text.get(clipped.clone())?, clipped, *role))
        })
    }
}
