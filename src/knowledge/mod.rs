//! What is known of products, words and weights is data: the files of `assets/`, and files of the same format that a user adds
//! (`--knowledge`, `--fingerprints`). This module embeds, finds and parses them; what they mean is for whoever reads them.

mod directory;
pub mod merge;
pub mod names;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;

pub use directory::{MAX_FILE, MAX_FILES, directory, file};

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Advice for each cause.
    Causes,
    /// Responses whose origin or meaning is known.
    Fingerprints,
    /// What words of a response speak for.
    Lexicon,
    /// What a server logs about a refusal.
    LogLines,
    /// What a server's own log records say.
    LogPatterns,
    /// Names of fields, cookies, parameters, members and claims.
    Names,
    /// Text that web application firewalls look for.
    Payloads,
    /// What redaction goes by beside names.
    Redaction,
    /// How evidence is weighed.
    Weights,
}

/// Every file of `assets/` that holds knowledge.
const EMBEDDED: [(Kind, &str, &str); 9] = [
    (Kind::Causes, "causes", include_str!("../../assets/causes.toml")),
    (Kind::Fingerprints, "fingerprints", include_str!("../../assets/fingerprints.toml")),
    (Kind::Lexicon, "lexicon", include_str!("../../assets/lexicon.toml")),
    (Kind::LogLines, "loglines", include_str!("../../assets/loglines.toml")),
    (Kind::LogPatterns, "logpatterns", include_str!("../../assets/logpatterns.toml")),
    (Kind::Names, "names", include_str!("../../assets/names.toml")),
    (Kind::Payloads, "payloads", include_str!("../../assets/payloads.toml")),
    (Kind::Redaction, "redaction", include_str!("../../assets/redaction.toml")),
    (Kind::Weights, "weights", include_str!("../../assets/weights.toml")),
];

impl Kind {
    /// What the files are called, in alphabetical order.
    fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(_, name, _)| *name)
    }
    /// The kind of a file called `stem.toml`, `stem-anything.toml` or `stem.anything.toml`.
    fn of(file_name: &str) -> Option<Self> {
        let stem = file_name.strip_suffix(".toml")?;
        let word = stem.split(['.', '-']).next().unwrap_or_default();
        EMBEDDED.iter().find(|(_, name, _)| *name == word).map(|(kind, _, _)| *kind)
    }
}

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// What errors call it.
    pub name: String,
    /// What it holds.
    pub text: Cow<'static, str>,
    /// Whether a user wrote it, so that its mistakes are to be found now and not when they matter.
    pub is_user: bool,
}

impl File {
    /// A file that a user wrote.
    pub fn of_user(path: &Path, text: String) -> Self {
        Self { name: path.display().to_string(), text: Cow::Owned(text), is_user: true }
    }
}

/// Why knowledge cannot be used, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// The file's name.
    pub file: String,
    /// The line, from 1; `None` for the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        write!(out, ": {}", self.message)
    }
}

impl Error {
    /// About the text at `span` of `file`.
    pub fn at(file: &File, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let before = span.and_then(|span| file.text.as_bytes().get(..span.start));
        let line = before.map(|before| 1 + memchr::memchr_iter(b'\n', before).count());
        // A parser's message may be several lines.
        let message = message.into().split_whitespace().collect::<Vec<_>>().join(" ");
        Self { file: file.name.clone(), line, message }
    }
}

/// Reads `file`; what does not fit is an error with its line.
pub fn parse<T: DeserializeOwned>(file: &File) -> Result<T, Error> {
    toml::from_str(&file.text).map_err(|error| Error::at(file, error.span(), error.message()))
}

/// All files, those of a user before those that are built in.
#[derive(Clone, Debug)]
pub struct Sources {
    files: Vec<(Kind, File)>,
}

impl Default for Sources {
    fn default() -> Self {
        Self::with(Vec::new())
    }
}

impl Sources {
    /// What is built in, and before it `user`, in its order.
    pub fn with(user: Vec<(Kind, File)>) -> Self {
        let embedded = EMBEDDED.into_iter().map(|(kind, name, text)| {
            let name = format!("assets/{name}.toml");
            (kind, File { name, text: Cow::Borrowed(text), is_user: false })
        });
        Self { files: user.into_iter().chain(embedded).collect() }
    }
    /// These files and nothing that is built in, to try words and weights without a new build.
    pub fn only(files: Vec<(Kind, File)>) -> Self {
        Self { files }
    }
    /// The files of `kind`; the last is built in.
    pub fn of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &File> {
        self.files.iter().filter(move |(of, _)| *of == kind).map(|(_, file)| file)
    }
}

static CURRENT: OnceLock<Sources> = OnceLock::new();

/// What this process uses.
pub fn current() -> &'static Sources {
    CURRENT.get_or_init(Sources::default)
}

/// Makes `sources` what this process uses; `false` where something was read already. Check them before.
pub fn install(sources: Sources) -> bool {
    CURRENT.set(sources).is_ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What is built in and `text` before it, as a user's file of `kind`.
    pub(crate) fn sources(kind: Kind, text: &str) -> Sources {
        Sources::with(vec![(kind, File::of_user(Path::new("mine.toml"), text.to_owned()))])
    }

    #[test]
    fn kinds_are_told_by_the_name() {
        assert_eq!(Kind::of("fingerprints.toml"), Some(Kind::Fingerprints));
        assert_eq!(Kind::of("lexicon-acme.toml"), Some(Kind::Lexicon));
        assert_eq!(Kind::of("names.acme.toml"), Some(Kind::Names));
        assert_eq!(Kind::of("names"), None);
        assert_eq!(Kind::of("other.toml"), None);
    }

    #[test]
    fn errors_have_file_and_line() {
        let file = File::of_user(Path::new("mine.toml"), "a = 1\nb = [\n".into());
        let error = parse::<toml::Table>(&file).unwrap_err();
        assert!(error.to_string().starts_with("mine.toml:"), "{error}");
        assert!(error.line.is_some_and(|line| line >= 2));
    }

    #[test]
    fn every_file_of_assets_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_knowledge = Path::new(&name).extension().is_some_and(|end| end == "toml");
            assert_eq!(Kind::of(&name).is_some(), is_knowledge, "{name}");
        }
        assert_eq!(EMBEDDED.len(), Sources::default().files.len());
    }
}
