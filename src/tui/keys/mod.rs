//! From key presses to commands.

mod chord;
mod table;

use std::collections::BTreeMap;

use crate::spelling::distance;

pub use chord::{Chord, ChordError};
pub(in crate::tui) use table::bindings;
pub use table::{Binding, Command, Place};

/// The table with the configuration applied.
#[derive(Clone, Debug)]
pub struct Keys {
    bindings: Vec<(&'static Binding, Vec<Chord>)>,
}

/// What is wrong with the configuration's keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// No command has this name.
    #[error("[tui.keys] knows no command '{name}'; did you mean '{nearest}'?")]
    Command {
        /// As written.
        name: String,
        /// The name that comes nearest.
        nearest: &'static str,
    },
    /// No key has this name.
    #[error("[tui.keys] {name}: {error}")]
    Key {
        /// The command.
        name: String,
        /// Why.
        error: ChordError,
    },
    /// Two commands want the same key in the same place.
    #[error("[tui.keys] {key} is bound to both '{first}' and '{second}'; give one of them another key")]
    Twice {
        /// The key.
        key: String,
        /// The command that comes first in the table.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

/// The names of all commands, for the configuration.
pub fn names() -> impl Iterator<Item = &'static str> {
    bindings().map(|binding| binding.name)
}

impl Default for Keys {
    fn default() -> Self {
        let read = |keys: &[&str]| keys.iter().filter_map(|key| key.parse().ok()).collect();
        Self { bindings: bindings().map(|binding| (binding, read(binding.keys))).collect() }
    }
}

impl Keys {
    /// The defaults with those of `custom` replaced.
    pub fn new(custom: &BTreeMap<String, Vec<String>>) -> Result<Self, KeysError> {
        let mut keys = Self::default();
        for (name, chords) in custom {
            let read: Result<Vec<Chord>, ChordError> = chords.iter().map(|text| text.parse()).collect();
            let read = read.map_err(|error| KeysError::Key { name: name.clone(), error })?;
            let slot = keys.bindings.iter_mut().find(|(binding, _)| binding.name == name);
            let Some((_, slot)) = slot else {
                return Err(KeysError::Command { name: name.clone(), nearest: nearest(name) });
            };
            *slot = read;
        }
        keys.check()?;
        Ok(keys)
    }

    fn check(&self) -> Result<(), KeysError> {
        for (index, (binding, chords)) in self.bindings.iter().enumerate() {
            for (other, others) in self.bindings.iter().skip(index + 1) {
                if other.place == binding.place
                    && let Some(chord) = chords.iter().find(|chord| others.contains(chord))
                {
                    let key = chord.to_string();
                    return Err(KeysError::Twice { key, first: binding.name, second: other.name });
                }
            }
        }
        Ok(())
    }

    /// What `chord` does when the places in `within` are active, narrowest first.
    pub fn command(&self, chord: Chord, within: &[Place]) -> Option<Command> {
        within.iter().find_map(|place| {
            let here = |(binding, chords): &&(&Binding, Vec<Chord>)| {
                binding.place == *place && chords.contains(&chord)
            };
            self.bindings.iter().find(here).map(|(binding, _)| binding.command)
        })
    }

    /// The first key of `command`, as text; empty when it has none.
    pub fn key(&self, command: Command) -> String {
        let found = self.bindings.iter().find(|(binding, _)| binding.command == command);
        found.and_then(|(_, chords)| chords.first()).map(Chord::to_string).unwrap_or_default()
    }

    /// Bindings with their keys, in table order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Binding, &[Chord])> {
        self.bindings.iter().map(|(binding, chords)| (*binding, chords.as_slice()))
    }
}

fn nearest(name: &str) -> &'static str {
    names().min_by_key(|known| distance(name, known)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Command, Keys, Place, bindings};

    #[test]
    fn every_default_key_reads_and_none_is_bound_twice() {
        Keys::new(&BTreeMap::new()).unwrap();
        let keys = Keys::default();
        for (binding, chords) in keys.iter() {
            assert_eq!(chords.len(), binding.keys.len(), "{}", binding.name);
        }
        let mut names: Vec<_> = bindings().map(|binding| binding.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), bindings().count());
    }

    #[test]
    fn the_configuration_rebinds_and_explains_its_errors() {
        let custom = |name: &str, key: &str| BTreeMap::from([(name.to_owned(), vec![key.to_owned()])]);
        let keys = Keys::new(&custom("follow", "F7")).unwrap();
        assert_eq!(keys.command("F7".parse().unwrap(), &[Place::Stream]), Some(Command::Follow));
        assert_eq!(keys.command("f".parse().unwrap(), &[Place::Stream]), None);
        let error = Keys::new(&custom("folow", "f")).unwrap_err().to_string();
        assert!(error.contains("'follow'"), "{error}");
        let error = Keys::new(&custom("follow", "d")).unwrap_err().to_string();
        assert!(error.contains("'follow' and 'diff'"), "{error}");
    }

    #[test]
    fn the_narrower_place_wins() {
        let keys = Keys::default();
        let slash = "/".parse().unwrap();
        assert_eq!(
            keys.command(slash, &[Place::Stream, Place::List, Place::Everywhere]),
            Some(Command::Filter)
        );
        assert_eq!(keys.command(slash, &[Place::Detail, Place::Everywhere]), Some(Command::Filter));
        let tab = "Tab".parse().unwrap();
        assert_eq!(keys.command(tab, &[Place::List, Place::Everywhere]), Some(Command::FocusNext));
        assert_eq!(keys.command(tab, &[Place::Detail, Place::Everywhere]), Some(Command::NextTab));
    }
}
