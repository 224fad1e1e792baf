//! What takes all keys while it is open: the filter line, the search line, menus.

use crate::explain::incident_id::IncidentId;
use crate::filter::{Completion, Filter, FilterError};
use crate::model::ExchangeId;
use crate::tui::columns::Column;
use crate::tui::state::time_axis::Selecting;

/// A line or a menu.
#[derive(Debug)]
pub enum Input {
    /// The filter is edited.
    Filter(FilterLine),
    /// Something is chosen.
    Menu(Menu),
    /// A line of text is asked for.
    Prompt(Prompt),
    /// A range of the time line is selected.
    Timeline(Selecting),
}

/// A line of text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What was typed.
    pub text: String,
    /// Byte offset of the cursor.
    pub cursor: usize,
}

/// Characters that can be typed into a line.
const MAX_LINE: usize = 4096;

impl Line {
    /// With the cursor at the end.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// Types `text`; control characters are left out.
    pub fn insert(&mut self, text: &str) {
        for letter in text.chars().filter(|letter| !letter.is_control()) {
            if self.text.len() >= MAX_LINE {
                return;
            }
            self.text.insert(self.cursor, letter);
            self.cursor += letter.len_utf8();
        }
    }

    /// Removes the character before the cursor; `false` when the line was empty.
    pub fn backspace(&mut self) -> bool {
        let Some(letter) = self.text.get(..self.cursor).and_then(|before| before.chars().next_back()) else {
            return !self.text.is_empty();
        };
        self.cursor -= letter.len_utf8();
        self.text.remove(self.cursor);
        true
    }

    /// Removes the character under the cursor.
    pub fn delete(&mut self) {
        if self.cursor < self.text.len() {
            self.text.remove(self.cursor);
        }
    }

    /// Removes the word before the cursor.
    pub fn delete_word(&mut self) {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let kept = before.trim_end().rfind(' ').map_or(0, |at| at + 1);
        self.text.replace_range(kept..self.cursor, "");
        self.cursor = kept;
    }

    /// Removes everything before the cursor.
    pub fn clear_before(&mut self) {
        self.text.replace_range(..self.cursor, "");
        self.cursor = 0;
    }

    /// Moves the cursor by a character.
    pub fn step(&mut self, right: bool) {
        let (before, after) = self.text.split_at(self.cursor);
        if right {
            self.cursor += after.chars().next().map_or(0, char::len_utf8);
        } else {
            self.cursor -= before.chars().next_back().map_or(0, char::len_utf8);
        }
    }

    /// Replaces everything.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }
}

/// The filter line with its live feedback.
#[derive(Debug)]
pub struct FilterLine {
    /// What was typed.
    pub line: Line,
    /// What it means, or why it means nothing.
    pub parsed: Result<Filter, FilterError>,
    /// Matches so far.
    pub count: usize,
    /// Everything below is still to be looked at.
    pub scan: ExchangeId,
    /// Which of the past filters is shown; `past.len()` is the line itself.
    pub recalled: usize,
    /// The line before recalling began.
    pub draft: String,
    /// Candidates for the word at the cursor.
    pub candidates: Vec<Completion>,
    /// Which of them is in the line.
    pub chosen: Option<usize>,
}

/// A line of text that is asked for.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What for.
    pub kind: PromptKind,
    /// What was typed.
    pub line: Line,
    /// Candidates for the word at the cursor.
    pub candidates: Vec<Completion>,
    /// Which of them is in the line.
    pub chosen: Option<usize>,
    /// Which of the commands before is shown, counted from the newest; 0 is the line itself.
    pub recalled: usize,
}

/// What a line of text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// A note that acknowledges an incident.
    Note(IncidentId),
    /// The property to group by.
    GroupBy,
    /// A command.
    Command,
    /// What to search for.
    Search,
}

impl PromptKind {
    /// Before the line.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Note(_) => "acknowledge with a note: ",
            Self::GroupBy => "group by: ",
            Self::Command => ":",
            Self::Search => "search: ",
        }
    }
}

/// Something to choose from.
#[derive(Debug)]
pub struct Menu {
    /// What for.
    pub title: &'static str,
    /// What happens.
    pub kind: MenuKind,
    /// The choices.
    pub items: Vec<Item>,
    /// Which one the cursor is on.
    pub cursor: usize,
}

/// What choosing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuKind {
    /// Copies.
    Copy,
    /// Saves to a file.
    Save,
    /// Narrows the filter.
    Filter,
    /// Groups.
    GroupBy,
    /// Shows or hides a column.
    Columns,
}

/// One choice.
#[derive(Clone, Debug)]
pub struct Item {
    /// The key that takes it at once.
    pub key: char,
    /// On the screen.
    pub label: String,
    /// What it stands for.
    pub what: What,
}

/// What a choice stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The curl command.
    Curl,
    /// The URL.
    Url,
    /// The request as on the wire.
    Request,
    /// The response as on the wire.
    Response,
    /// The value under the cursor.
    Value,
    /// A list of the fields, to choose one.
    Fields,
    /// One field's value.
    Field(Vec<u8>, Vec<u8>),
    /// The report as Markdown.
    Markdown,
    /// The exchange as JSON.
    Json,
    /// This filter.
    Filter(String),
    /// This column.
    Column(Column),
    /// In this format of `--export`.
    As(&'static str),
    /// This property; empty to type one.
    GroupBy(String),
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn edits_like_a_shell() {
        let mut line = Line::new("status:403 méthod");
        line.delete_word();
        assert_eq!(line.text, "status:403 ");
        line.insert("é\n\x1bx");
        assert_eq!(line.text, "status:403 éx");
        line.step(false);
        line.step(false);
        line.delete();
        assert_eq!((line.text.as_str(), line.cursor), ("status:403 x", 11));
        line.clear_before();
        assert_eq!(line.text, "x");
        assert!(line.backspace());
        line.delete();
        assert!(!line.backspace());
    }
}
