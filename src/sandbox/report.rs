//! What was given up, and what the kernel could not take.

use std::fmt::Write as _;
use std::path::PathBuf;

/// One thing that holds the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Not root: the invoking user, or nobody.
    User,
    /// No capabilities in any set.
    Capabilities,
    /// No way back through set-user-id programs.
    NoNewPrivs,
    /// Which files can be opened, which ports, which signals.
    Landlock,
    /// Which system calls the kernel answers.
    Seccomp,
    /// No memory image on disk, no attaching debugger.
    CoreDumps,
    /// Nothing ran before the rest was in place.
    OneThread,
}

impl Mechanism {
    /// All of them, in the order in which people read them.
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::Capabilities,
        Self::NoNewPrivs,
        Self::Landlock,
        Self::Seccomp,
        Self::CoreDumps,
        Self::OneThread,
    ];

    /// The name in the table of `why403 doctor`.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Capabilities => "capabilities",
            Self::NoNewPrivs => "no_new_privs",
            Self::Landlock => "Landlock",
            Self::Seccomp => "seccomp",
            Self::CoreDumps => "no core dumps",
            Self::OneThread => "one thread",
        }
    }
}

/// How one mechanism stands. The text says what exactly, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// In force.
    On(String),
    /// In force as far as this kernel knows it.
    Partly(String),
    /// Not in force.
    Missing(String),
    /// Not asked for (`--sandbox=off`).
    Off,
}

/// Every mechanism with its state, in the order of entering.
#[derive(Clone, Debug, Default)]
pub struct Report {
    states: Vec<(Mechanism, State)>,
    /// Export directories in which the user that the process became cannot make files.
    pub unwritable: Vec<PathBuf>,
}

impl Report {
    pub(super) fn note(&mut self, mechanism: Mechanism, state: State) {
        match self.states.iter_mut().find(|(known, _)| *known == mechanism) {
            Some(entry) => entry.1 = state,
            None => self.states.push((mechanism, state)),
        }
    }

    pub(super) fn all(mut self, state: &State) -> Self {
        for mechanism in Mechanism::ALL {
            self.note(mechanism, state.clone());
        }
        self
    }

    /// Every mechanism that was tried or probed.
    pub fn states(&self) -> impl Iterator<Item = (Mechanism, &State)> {
        Mechanism::ALL.into_iter().filter_map(|mechanism| Some((mechanism, self.state(mechanism)?)))
    }

    /// How `mechanism` stands, if it was tried.
    pub fn state(&self, mechanism: Mechanism) -> Option<&State> {
        self.states.iter().find(|(known, _)| *known == mechanism).map(|(_, state)| state)
    }

    /// What is not in force although it was asked for, with the reason.
    pub fn missing(&self) -> impl Iterator<Item = (Mechanism, &str)> {
        self.states().filter_map(|(mechanism, state)| match state {
            State::Missing(why) => Some((mechanism, why.as_str())),
            _ => None,
        })
    }

    /// The line to show at start-up, if there is anything to say.
    pub fn start_up_line(&self) -> Option<String> {
        let mut line = String::new();
        if self.states.iter().any(|(_, state)| *state == State::Off) {
            line.push_str("sandbox: off");
        } else if self.missing().next().is_some() {
            let _ = write!(line, "sandbox without {}; `why403 doctor` has the table", self.missing_words());
        }
        for dir in &self.unwritable {
            let separator = if line.is_empty() { "" } else { "; " };
            let _ = write!(line, "{separator}no files can be made in {}", dir.display());
        }
        (!line.is_empty()).then_some(line)
    }

    pub(super) fn missing_words(&self) -> String {
        let mut words = String::new();
        for (mechanism, why) in self.missing() {
            let separator = if words.is_empty() { "" } else { ", " };
            let _ = write!(words, "{separator}{} ({why})", mechanism.name());
        }
        words
    }
}

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// `--sandbox=require`, and something is missing.
    #[error(
        "the sandbox that --sandbox=require asks for lacks {0}; run with --sandbox=auto to go on without, or on a kernel that has it"
    )]
    Missing(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_up_line_names_what_is_missing_and_nothing_else() {
        let mut report = Report::default();
        report.note(Mechanism::Seccomp, State::On("140 calls".to_owned()));
        assert_eq!(report.start_up_line(), None);
        report.note(Mechanism::Landlock, State::Missing("kernel 5.10 has none".to_owned()));
        let line = report.start_up_line().unwrap();
        assert_eq!(line, "sandbox without Landlock (kernel 5.10 has none); `why403 doctor` has the table");
    }

    #[test]
    fn a_later_note_replaces_an_earlier_one() {
        let mut report = Report::default();
        report.note(Mechanism::CoreDumps, State::Missing("not yet".to_owned()));
        report.note(Mechanism::CoreDumps, State::On("now".to_owned()));
        assert_eq!(report.states().count(), 1);
        assert_eq!(report.missing().count(), 0);
    }

    #[test]
    fn off_is_said() {
        assert_eq!(Report::default().all(&State::Off).start_up_line().unwrap(), "sandbox: off");
    }
}
