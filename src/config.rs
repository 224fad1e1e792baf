//! Defaults, the configuration file and the environment; flags come on top. The only home of defaults that a user can change.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

use crate::cli::{parse_size, show_size};
use crate::sandbox;
use crate::spelling::distance;
use crate::tui::Settings;

/// What the file is called below the configuration directory.
const FILE: &str = "why403/config.toml";
/// What the file beside it is called in which the screen keeps what the user chose.
const SCREEN: &str = "screen.toml";
/// Longest file that is read.
const LIMIT: u64 = 1 << 20;

/// The configuration, complete.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Exchanges to show (`-Y`).
    pub filter: String,
    /// Interface to watch (`-i`).
    pub interface: String,
    /// History budget in bytes (`--memory`).
    #[serde(deserialize_with = "size")]
    pub memory: u64,
    /// Bytes kept of each body (`--body-limit`).
    #[serde(deserialize_with = "size")]
    pub body_limit: u64,
    /// Bytes captured of each packet (`-s`).
    pub snaplen: u32,
    /// Kernel buffer in KiB (`-B`).
    pub buffer_size: u32,
    /// What to give up before parsing (`--sandbox`).
    #[serde(deserialize_with = "mode")]
    pub sandbox: sandbox::Mode,
    /// Path templates (`--openapi`).
    pub openapi: Option<PathBuf>,
    /// Fingerprints of the user's own (`--fingerprints`).
    pub fingerprints: Option<PathBuf>,
    /// A directory with knowledge of the user's own (`--knowledge`).
    pub knowledge: Option<PathBuf>,
    /// The screen.
    pub tui: Settings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            filter: "method:POST status:403".to_owned(),
            interface: "any".to_owned(),
            memory: 256 << 20,
            body_limit: 64 << 10,
            snaplen: 262_144,
            buffer_size: 16 << 10,
            sandbox: sandbox::Mode::Auto,
            openapi: None,
            fingerprints: None,
            knowledge: None,
            tui: Settings::default(),
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named with `--config` or `WHY403_CONFIG` cannot be read.
    #[error(
        "cannot read the configuration {path}: {reason}; fix the reported error, or name another file with --config"
    )]
    Read {
        /// The file.
        path: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// The file has an unknown key or an invalid value.
    #[error("configuration {path}, line {line}: {message}")]
    File {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A variable of the environment has an impossible value.
    #[error("environment variable {name}: {message}")]
    Environment {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
    },
}

/// The environment, as a function so that tests need none.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Config {
    /// Defaults, then the file (`explicit`, or `WHY403_CONFIG`, or the usual place), then `WHY403_…` variables.
    ///
    /// A file in the usual place that cannot be read (root's, after `sudo -u nobody`) is reported to `warn` and skipped; a file
    /// that was named must be readable.
    pub fn load(
        explicit: Option<&Path>,
        environment: Environment<'_>,
        warn: &mut dyn FnMut(&str),
    ) -> Result<Self, ConfigError> {
        let named = explicit.map(Path::to_owned).or_else(|| environment("WHY403_CONFIG").map(PathBuf::from));
        let path = named.clone().or_else(|| usual_path(environment));
        let mut config = match path.as_deref().map(|path| (path, read(path))) {
            None => Self::default(),
            Some((path, Ok(text))) => Self::parse(path, &text)?,
            Some((path, Err(error))) if named.is_none() && is_out_of_reach(&error) => {
                // In a home that cannot be searched, `exists` says no.
                if path.exists() {
                    warn(&format!("going on without the configuration {}: {error}", path.display()));
                }
                Self::default()
            }
            Some((path, Err(reason))) => {
                return Err(ConfigError::Read { path: path.display().to_string(), reason });
            }
        };
        config.environment(environment)?;
        Ok(config)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            let message = hinted(error.message());
            ConfigError::File { path: path.display().to_string(), line, message }
        })
    }

    fn environment(&mut self, environment: Environment<'_>) -> Result<(), ConfigError> {
        let text = |name: &str| environment(name).map(|value| value.to_string_lossy().into_owned());
        set(&mut self.filter, "WHY403_FILTER", text, |value| Ok(value.to_owned()))?;
        set(&mut self.interface, "WHY403_INTERFACE", text, |value| Ok(value.to_owned()))?;
        set(&mut self.memory, "WHY403_MEMORY", text, parse_size)?;
        set(&mut self.body_limit, "WHY403_BODY_LIMIT", text, parse_size)?;
        set(&mut self.snaplen, "WHY403_SNAPLEN", text, number)?;
        set(&mut self.buffer_size, "WHY403_BUFFER_SIZE", text, number)?;
        set(&mut self.sandbox, "WHY403_SANDBOX", text, sandbox::Mode::from_str)?;
        set(&mut self.openapi, "WHY403_OPENAPI", text, |value| Ok(Some(value.into())))?;
        set(&mut self.fingerprints, "WHY403_FINGERPRINTS", text, |value| Ok(Some(value.into())))?;
        set(&mut self.knowledge, "WHY403_KNOWLEDGE", text, |value| Ok(Some(value.into())))?;
        Ok(())
    }

    /// The configuration as a file with comments, which reads back to the same.
    pub fn annotated(&self) -> String {
        let mut out =
            String::from("# why403: flags win over WHY403_… variables, which win over this file.\n");
        let mut entry = |comment: &str, key: &str, value: &str| {
            let _ = write!(out, "\n# {comment}\n{key} = {value}\n");
        };
        entry("Exchanges to show (-Y, WHY403_FILTER); '' shows everything", "filter", &quoted(&self.filter));
        entry("Interface to watch (-i, WHY403_INTERFACE)", "interface", &quoted(&self.interface));
        entry("Memory for the history (--memory, WHY403_MEMORY)", "memory", &quoted(&show_size(self.memory)));
        entry(
            "Bytes kept of each body (--body-limit, WHY403_BODY_LIMIT)",
            "body-limit",
            &quoted(&show_size(self.body_limit)),
        );
        entry("Bytes captured of each packet (-s, WHY403_SNAPLEN)", "snaplen", &self.snaplen.to_string());
        entry("Kernel buffer in KiB (-B, WHY403_BUFFER_SIZE)", "buffer-size", &self.buffer_size.to_string());
        entry(
            "auto, require or off (--sandbox, WHY403_SANDBOX)",
            "sandbox",
            &quoted(&self.sandbox.to_string()),
        );
        out.push_str(&file(
            "OpenAPI description to take path templates from",
            "openapi",
            self.openapi.as_deref(),
        ));
        out.push_str(&file(
            "Fingerprints of your own refusers",
            "fingerprints",
            self.fingerprints.as_deref(),
        ));
        out.push_str(&file(
            "Directory of knowledge of your own (docs/knowledge.md)",
            "knowledge",
            self.knowledge.as_deref(),
        ));
        out.push_str("\n# The screen. Keys are rebound by name under [tui.keys], filters saved under [tui.filters].\n[tui]\n");
        out.push_str(&screen(&self.tui));
        out
    }
}

/// The entry of a file; as a comment where there is none.
fn file(comment: &str, key: &str, path: Option<&Path>) -> String {
    let variable = key.to_uppercase();
    let (mark, name) = path.map_or(("# ", "FILE".into()), |path| ("", path.to_string_lossy()));
    format!("\n# {comment} (--{key}, WHY403_{variable})\n{mark}{key} = {}\n", quoted(&name))
}

/// The tables of the screen with their names below `tui`.
fn screen(settings: &Settings) -> String {
    let text = toml::to_string(settings).unwrap_or_default();
    text.lines()
        .map(|line| match line.strip_prefix('[') {
            Some(table) => format!("[tui.{table}\n"),
            None => format!("{line}\n"),
        })
        .collect::<Vec<_>>()
        .concat()
}

/// Where the file is looked for.
pub fn usual_path(environment: Environment<'_>) -> Option<PathBuf> {
    let absolute = |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(directory.join(FILE))
}

/// Where the screen keeps what the user chose: beside the usual configuration, where its directory exists.
pub fn screen_path(environment: Environment<'_>) -> Option<PathBuf> {
    let path = usual_path(environment)?.with_file_name(SCREEN);
    path.parent().is_some_and(Path::is_dir).then_some(path)
}

/// Missing, or in the home of another user, as after `sudo -u nobody`.
fn is_out_of_reach(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(LIMIT).read_to_string(&mut text)?;
    Ok(text)
}

fn set<T>(
    field: &mut T,
    name: &str,
    text: impl Fn(&str) -> Option<String>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<(), ConfigError> {
    if let Some(value) = text(name) {
        *field =
            parse(&value).map_err(|message| ConfigError::Environment { name: name.to_owned(), message })?;
    }
    Ok(())
}

fn number(text: &str) -> Result<u32, String> {
    text.trim().parse().map_err(|_| format!("'{text}' is not a whole number"))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Sizes are text with a unit or plain numbers.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Number(u64),
        Text(String),
    }
    match Size::deserialize(deserializer)? {
        Size::Number(bytes) => Ok(bytes),
        Size::Text(text) => parse_size(&text).map_err(de::Error::custom),
    }
}

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<sandbox::Mode, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// serde's message on one line; an unknown name with the nearest known one.
fn hinted(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut names = message.split('`').skip(1).step_by(2);
    let (Some(unknown), true) = (names.next(), message.starts_with("unknown field")) else { return message };
    let known: Vec<&str> = names.collect();
    let nearest = known.iter().min_by_key(|name| distance(unknown, name)).copied();
    match nearest.filter(|name| distance(unknown, name) <= unknown.len().min(9) / 3) {
        Some(nearest) => format!("unknown key '{unknown}'; did you mean '{nearest}'?"),
        None => format!("unknown key '{unknown}'; the keys are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, distance, usual_path};
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    fn none(_: &str) -> Option<OsString> {
        None
    }

    fn silent(text: &str) {
        panic!("{text}");
    }

    fn message(text: &str) -> String {
        Config::parse(Path::new("c.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(Config::load(None, &none, &mut silent).unwrap(), Config::default());
    }

    #[test]
    fn the_annotated_form_reads_back_to_the_same() {
        let mut config = Config {
            filter: "path:\"/a b\" '".into(),
            memory: 1_000_000,
            openapi: Some("a.json".into()),
            fingerprints: Some("mine.toml".into()),
            knowledge: Some("mine".into()),
            ..Config::default()
        };
        config.tui.filters.insert("slow".into(), "latency:>1s".into());
        config.tui.keys.insert("quit".into(), vec!["q".into()]);
        let text = config.annotated();
        assert_eq!(Config::parse(Path::new("x"), &text).unwrap(), config, "{text}");
    }

    #[test]
    fn a_command_takes_one_key_or_a_list() {
        let keys = |text: &str| {
            Config::parse(Path::new("x"), &format!("[tui.keys]\n{text}")).unwrap().tui.keys.remove("quit")
        };
        assert_eq!(keys("quit = 'Q'"), Some(vec!["Q".to_owned()]));
        assert_eq!(keys("quit = ['Q', 'Ctrl-x']"), Some(vec!["Q".to_owned(), "Ctrl-x".to_owned()]));
        assert!(
            message("[tui.keys]\nquit = 3").contains("a key such as"),
            "{}",
            message("[tui.keys]\nquit = 3")
        );
    }

    #[test]
    fn environment_over_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, "filter = 'a'\nmemory = '1MiB'\nbody-limit = 100").unwrap();
        let environment = |name: &str| match name {
            "WHY403_CONFIG" => Some(path.clone().into_os_string()),
            "WHY403_FILTER" => Some("b".into()),
            _ => None,
        };
        let config = Config::load(None, &environment, &mut silent).unwrap();
        assert_eq!((config.filter.as_str(), config.memory, config.body_limit), ("b", 1 << 20, 100));
        let wrong = |name: &str| (name == "WHY403_MEMORY").then(|| OsString::from("much"));
        assert!(
            Config::load(None, &wrong, &mut silent)
                .unwrap_err()
                .to_string()
                .starts_with("environment variable WHY403_MEMORY: ")
        );
    }

    #[test]
    fn unknown_keys_are_errors_with_a_hint() {
        assert_eq!(
            message("memory = '1MiB'\nfliter = 'x'"),
            "configuration c.toml, line 2: unknown key 'fliter'; did you mean 'filter'?"
        );
        assert!(message("[tui]\nthme = 'dark'").contains("'theme'"));
        assert!(message("zzzzzzzzzz = 1").contains("the keys are filter"));
        assert!(message("memory = 'much'").contains("write a size"), "{}", message("memory = 'much'"));
        assert!(message("sandbox = 'none'").contains("none of auto, require, off"));
        assert!(!message("filter = ").contains('\n'));
    }

    #[test]
    fn a_named_file_must_be_there() {
        let error = Config::load(Some(Path::new("/nonexistent/c.toml")), &none, &mut silent);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("/nonexistent/c.toml"), "{error}");
    }

    #[test]
    fn the_usual_place() {
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/u"));
        assert_eq!(usual_path(&home), Some(PathBuf::from("/home/u/.config/why403/config.toml")));
        assert_eq!(usual_path(&none), None);
        assert_eq!(distance("fliter", "filter"), 2);
    }
}
