//! What the program still needs once its sources are open.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// How much `--sandbox` insists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything the kernel has; what it lacks is said at start-up.
    #[default]
    Auto,
    /// Everything, or the program does not start.
    Require,
    /// Nothing is given up.
    Off,
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "require" => Ok(Self::Require),
            "off" => Ok(Self::Off),
            other => Err(format!("'{other}' is none of auto, require, off")),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Require => "require",
            Self::Off => "off",
        })
    }
}

/// What stays allowed. The default is the inspector's: nothing but the descriptors that are open.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// How much to insist.
    pub mode: Mode,
    /// Files and directories that may still be opened for reading (certificates to reload, a capture to follow).
    pub read: Vec<PathBuf>,
    /// Directories in which files may still be made (exports, a rotating `-w`). They must exist.
    pub write: Vec<PathBuf>,
    /// A directory out of which an empty directory of this user's may be removed.
    pub tidy: Option<PathBuf>,
    /// A directory out of which files may be removed, and nothing else be done.
    pub remove: Option<PathBuf>,
    /// Sockets may still be made, bound and connected (tap, demo, sources that reconnect).
    pub network: bool,
    /// Programs may still be run (`--on-match`). They get the same user and no capabilities, but see all files.
    pub programs: bool,
}
