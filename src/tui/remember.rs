//! What the user changed on the screen, kept from one run to the next: columns, theme, saved filters, notes of incidents.
//!
//! The file is opened before privileges are given up, and only where the user has a directory for the configuration already.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

use super::Settings;
use super::columns::Column;
use super::settings::ThemeName;
use super::state::State;

/// What is kept. Bounds: those of the state that it is taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Remembered {
    /// The theme, if the user chose one.
    pub theme: Option<ThemeName>,
    /// Columns of the stream; empty for the usual ones.
    pub columns: Vec<Column>,
    /// Filters saved on the screen.
    pub filters: BTreeMap<String, String>,
    /// Notes of acknowledged incidents, by the incident's id.
    pub notes: BTreeMap<String, String>,
}

impl Remembered {
    /// Reads what was kept; nothing where it cannot be read.
    pub fn parse(text: &str) -> Self {
        toml::from_str(text).unwrap_or_default()
    }

    /// Puts it over what the configuration says.
    pub fn apply(&self, settings: &mut Settings) {
        settings.theme = self.theme.unwrap_or(settings.theme);
        if !self.columns.is_empty() {
            settings.columns.clone_from(&self.columns);
        }
        settings.filters.extend(self.filters.clone());
    }

    /// What `state` has to keep.
    pub(super) fn of(state: &State, configured: &Settings) -> Self {
        let new = |(name, filter): &(&String, &String)| configured.filters.get(*name) != Some(*filter);
        let own = |(name, filter): (&String, &String)| (name.clone(), filter.clone());
        Self {
            theme: (state.theme.name != configured.theme).then_some(state.theme.name),
            columns: state.columns.clone(),
            filters: state.saved.iter().filter(new).map(own).collect(),
            notes: state.incidents.notes().map(|(id, note)| (id.to_string(), note.to_owned())).collect(),
        }
    }

    /// Replaces what `file` holds.
    pub(super) fn write(&self, file: &mut File) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(
            b"# Written by why403: what was chosen on the screen. Remove the file to forget it.\n",
        )?;
        file.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use super::Remembered;
    use crate::tui::Settings;
    use crate::tui::columns::Column;
    use crate::tui::settings::ThemeName;

    #[test]
    fn what_is_written_reads_back_and_goes_over_the_configuration() {
        let kept = Remembered {
            theme: Some(ThemeName::Light),
            columns: vec![Column::Time, Column::Target],
            filters: [("slow".to_owned(), "latency:>1s".to_owned())].into(),
            notes: [("57c37e5191".to_owned(), "rolled back".to_owned())].into(),
        };
        let mut file = tempfile::tempfile().unwrap();
        Remembered::default().write(&mut file).unwrap();
        kept.write(&mut file).unwrap();
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(Remembered::parse(&text), kept, "{text}");
        let mut settings = Settings::default();
        kept.apply(&mut settings);
        assert_eq!(
            (settings.theme, settings.columns.len(), settings.filters.len()),
            (ThemeName::Light, 2, 1)
        );
        assert_eq!(Remembered::parse("theme = 3"), Remembered::default(), "a damaged file is nothing");
    }
}
