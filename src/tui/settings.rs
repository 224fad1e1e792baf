//! What the configuration file may say about the screen. `config` embeds [`Settings`]; every field has a default.

use std::collections::BTreeMap;
use std::env;

use super::columns::Column;
use serde::{Deserialize, Deserializer, Serialize};

/// The `[tui]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Colours.
    pub theme: ThemeName,
    /// How many colours the terminal takes.
    pub colours: Colours,
    /// Draw borders, marks and sparklines with ASCII only.
    pub ascii: bool,
    /// Take the mouse (then the terminal cannot select text without Shift).
    pub mouse: bool,
    /// Ring the bell for a new match, at most once a second.
    pub bell: bool,
    /// Traffic may cost this many bytes a second to the terminal; keys are always answered at once. 0 lifts the limit.
    pub bytes_per_second: BytesPerSecond,
    /// Keys by command name, one or a list. A command that is not named keeps its keys.
    #[serde(deserialize_with = "one_or_more")]
    pub keys: BTreeMap<String, Vec<String>>,
    /// Columns of the stream in their order; empty for the usual ones.
    pub columns: Vec<Column>,
    /// Saved filters by name; `@name` in the filter line.
    pub filters: BTreeMap<String, String>,
}

/// `quit = "Q"` means what `quit = ["Q"]` does.
fn one_or_more<'de, D: Deserializer<'de>>(source: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a key such as \"Q\", or a list of them")]
    enum Keys {
        One(String),
        More(Vec<String>),
    }
    let named = BTreeMap::<String, Keys>::deserialize(source)?;
    let listed = |keys| match keys {
        Keys::One(key) => vec![key],
        Keys::More(keys) => keys,
    };
    Ok(named.into_iter().map(|(name, keys)| (name, listed(keys))).collect())
}

/// Bytes a second that traffic may cost; a type of its own for its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BytesPerSecond(pub u32);

impl Default for BytesPerSecond {
    fn default() -> Self {
        Self(12_000)
    }
}

/// A theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// Strong colours on black.
    HighContrast,
    /// Blue and orange instead of green and red.
    ColourBlind,
}

impl ThemeName {
    /// Every theme, in the order the theme key goes through them.
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::HighContrast, Self::ColourBlind];

    /// As in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
        }
    }
}

/// How many colours the terminal takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colours {
    /// As `NO_COLOR`, `COLORTERM` and `TERM` say.
    #[default]
    Auto,
    /// None: bold, underline and reverse only.
    None,
    /// The terminal's own sixteen.
    #[serde(rename = "16")]
    Sixteen,
    /// 256.
    #[serde(rename = "256")]
    Indexed,
    /// 24 bits.
    #[serde(rename = "true")]
    True,
}

/// What the environment says of the terminal. Read once, by the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// Inside tmux.
    pub tmux: bool,
    /// Inside GNU screen.
    pub screen: bool,
    /// Over SSH.
    pub ssh: bool,
    /// The locale says UTF-8.
    pub utf8: bool,
}

impl Environment {
    /// From this process's environment.
    pub fn detect() -> Self {
        let var = |name: &str| env::var(name).unwrap_or_default();
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let term = var("TERM");
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().map(|name| var(name)).find(|value| !value.is_empty());
        Self {
            tmux: set("TMUX"),
            screen: set("STY") || (term.starts_with("screen") && !set("TMUX")),
            ssh: set("SSH_CONNECTION") || set("SSH_TTY"),
            no_color: set("NO_COLOR"),
            colorterm: var("COLORTERM"),
            utf8: locale.is_none_or(|locale| {
                let locale = locale.to_ascii_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            }),
            term,
        }
    }

    /// The number of colours, when the configuration leaves it to us.
    pub fn colours(&self) -> Colours {
        if self.no_color || self.term == "dumb" {
            Colours::None
        } else if matches!(self.colorterm.as_str(), "truecolor" | "24bit") {
            Colours::True
        } else if self.term.contains("256color") || self.term.contains("direct") {
            Colours::Indexed
        } else {
            Colours::Sixteen
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Colours, Environment, Settings, ThemeName};

    #[test]
    fn reads_a_table_and_refuses_unknown_keys() {
        let settings: Settings =
            toml::from_str("theme = 'colour-blind'\ncolours = '256'\n[keys]\nfollow = ['f', 'F2']").unwrap();
        assert_eq!(settings.theme, ThemeName::ColourBlind);
        assert_eq!(settings.colours, Colours::Indexed);
        let error = toml::from_str::<Settings>("thme = 'dark'").unwrap_err().to_string();
        assert!(error.contains("thme") && error.contains("theme"), "{error}");
    }

    #[test]
    fn colours_follow_the_environment() {
        let xterm = Environment { term: "xterm-256color".into(), ..Environment::default() };
        assert_eq!(xterm.colours(), Colours::Indexed);
        assert_eq!(Environment { colorterm: "truecolor".into(), ..xterm.clone() }.colours(), Colours::True);
        assert_eq!(Environment { no_color: true, ..xterm }.colours(), Colours::None);
        assert_eq!(
            Environment { term: "linux".into(), ..Environment::default() }.colours(),
            Colours::Sixteen
        );
    }
}
