//! One key press, and its spelling: `j`, `G`, `Ctrl-d`, `F2`, `PgUp`, `Space`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key with the modifiers that matter. Shift is part of a printed character, and kept for named keys only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub struct Chord {
    /// Which key.
    pub code: KeyCode,
    /// Control, Alt, and Shift with named keys.
    pub modifiers: KeyModifiers,
}

impl Chord {
    /// A key alone.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// What a terminal reported, unless it is a release.
    pub fn from_event(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        if matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Some(Self { code: event.code, modifiers })
    }

    /// The character it types into a line, if it does.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(letter) if self.modifiers.is_empty() => Some(letter),
            _ => None,
        }
    }
}

/// A key that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no key is called '{0}'; keys are written j, G, Ctrl-d, Alt-x, F2, Enter, Esc, Tab, Shift-Tab, Space, PgUp"
)]
pub struct ChordError(String);

const NAMED: &[(&str, KeyCode)] = &[
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Del", KeyCode::Delete),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
];

impl FromStr for Chord {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        let named = |name: &str| {
            NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| *code)
        };
        if let Some(code) = named(text) {
            return Ok(Self::plain(code));
        }
        let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
        for (prefix, modifier) in
            [("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT), ("Shift-", KeyModifiers::SHIFT)]
        {
            if rest.len() > prefix.len()
                && rest.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            {
                modifiers |= modifier;
                rest = rest.get(prefix.len()..).unwrap_or_default();
            }
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if modifiers.contains(KeyModifiers::SHIFT) => {
                modifiers -= KeyModifiers::SHIFT;
                Some(KeyCode::Char(letter.to_ascii_uppercase()))
            }
            (Some(letter), None) => Some(KeyCode::Char(letter)),
            (Some('F' | 'f'), Some(_)) => rest
                .get(1..)
                .and_then(|digits| digits.parse().ok())
                .filter(|n| (1..=24).contains(n))
                .map(KeyCode::F),
            _ => None,
        };
        code.or_else(|| named(rest))
            .map(|code| Self { code, modifiers })
            .ok_or_else(|| ChordError(text.to_owned()))
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, prefix) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(letter)) => write!(f, "{letter}"),
            (None, KeyCode::F(number)) => write!(f, "F{number}"),
            (None, code) => write!(f, "{code:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chord;

    #[test]
    fn every_spelling_reads_back_as_itself() {
        for text in
            ["j", "G", "Ctrl-d", "F2", "PgUp", "Space", "Shift-Tab", "Alt-x", "Ctrl-Left", "/", "?", "-"]
        {
            assert_eq!(text.parse::<Chord>().unwrap().to_string(), text);
        }
        assert_eq!("ctrl-D".parse::<Chord>().unwrap().to_string(), "Ctrl-D");
        assert!("hyper-x".parse::<Chord>().unwrap_err().to_string().contains("hyper-x"));
    }
}
