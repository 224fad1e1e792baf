//! Options shared by watching, `ssh` and `demo`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::model::size;
use crate::sandbox;

/// Filter, output and limits.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// Exchanges to show; '' shows everything [default: method:POST status:403]
    #[arg(short = 'Y', long, value_name = "QUERY", allow_hyphen_values = true, help_heading = "Pick")]
    pub filter: Option<String>,
    /// Stop after N matches
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Pick")]
    pub count: Option<u64>,
    /// Exit with 1 when something matched
    #[arg(long, help_heading = "Pick")]
    pub fail_on_match: bool,
    /// OpenAPI description (JSON or YAML) to take path templates from
    #[arg(long, value_name = "FILE", help_heading = "Pick")]
    pub openapi: Option<PathBuf>,
    /// Fingerprints of your own refusers (TOML), asked before those that are built in
    #[arg(long, value_name = "FILE", help_heading = "Pick")]
    pub fingerprints: Option<PathBuf>,
    /// Directory of words, fingerprints, weights and log lines of your own (docs/knowledge.md)
    #[arg(long, value_name = "DIR", help_heading = "Pick")]
    pub knowledge: Option<PathBuf>,

    /// Log of the server, to be tied to the refusals and followed where the capture goes on: a file, a pattern such as '/var/log/nginx/*.log', - for standard
    /// input, journal:UNIT (or journal), docker:NAME or pod:NAME (may be given again)
    #[arg(long = "log", value_name = "LOG", help_heading = "Pick")]
    pub logs: Vec<String>,

    /// Database in which exchanges are kept, so that a later run knows what worked (docs/history.md)
    #[arg(long, value_name = "FILE", help_heading = "History")]
    pub history: Option<PathBuf>,
    /// Size that the database is kept to; the oldest successes leave first [default: 1GiB]
    #[arg(long, value_name = "SIZE", requires = "history", value_parser = size::parse, help_heading = "History")]
    pub history_size: Option<u64>,
    /// Age that exchanges in the database are kept to: 12h, 30d [default: no bound]
    #[arg(long, value_name = "AGE", requires = "history", value_parser = parse_age, help_heading = "History")]
    pub history_age: Option<Duration>,

    /// One JSON object a line; the default when standard output is no terminal
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Counts by endpoint, status and cause at the end, instead of exchanges
    #[arg(long, help_heading = "Output")]
    pub summary: bool,
    /// With --summary: count by client, identity, user-agent, host, endpoint, cause, refuser, status, header:NAME,
    /// claim:NAME, query:NAME or cookie:NAME
    #[arg(long, value_name = "FIELD", requires = "summary", help_heading = "Output")]
    pub by: Option<String>,
    /// Write what matches as curl, nc, httpie, fetch, python, powershell, har, markdown, raw or json; to standard output without a file
    #[arg(long, value_name = "FORMAT[=FILE]", help_heading = "Output")]
    pub export: Vec<Export>,
    /// Write the frames of matching connections as pcapng
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub write: Option<PathBuf>,
    /// With -w: begin a new numbered file after SIZE, in millions of bytes or with a unit: 100, 64MiB
    #[arg(short = 'C', long, value_name = "SIZE", requires = "write", value_parser = size::parse_millions, help_heading = "Output")]
    pub rotate_size: Option<u64>,
    /// With -w: begin a new numbered file with the first frame after so many seconds
    #[arg(short = 'G', long, value_name = "SECONDS", requires = "write", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Output")]
    pub rotate_seconds: Option<u32>,
    /// With -C or -G: keep only the newest N files of this run
    #[arg(short = 'W', long, value_name = "N", requires = "write", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Output")]
    pub rotate_keep: Option<u32>,
    /// End NDJSON with a line of totals ("type":"summary")
    #[arg(long, help_heading = "Output")]
    pub stats: bool,
    /// Leave passwords, tokens and cookies in
    #[arg(long, help_heading = "Output")]
    pub with_secrets: bool,
    /// Run a shell command for a match, with the exchange as JSON on its standard input; once a second at most
    #[arg(long, value_name = "COMMAND", help_heading = "Output")]
    pub on_match: Option<String>,
    /// Ring the terminal's bell for a match
    #[arg(long, help_heading = "Output")]
    pub bell: bool,

    /// Memory for the history [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse, help_heading = "Limits")]
    pub memory: Option<u64>,
    /// Bytes kept of each body [default: 64KiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse, help_heading = "Limits")]
    pub body_limit: Option<u64>,
    /// What to give up before the first byte is read: auto, require (all of it or no start), off [default: auto]
    #[arg(long, value_name = "HOW", help_heading = "Limits")]
    pub sandbox: Option<sandbox::Mode>,
    /// Configuration file to read instead of the usual one
    #[arg(long, value_name = "FILE", help_heading = "Limits")]
    pub config: Option<PathBuf>,
}

/// Reads an age: a number and one of s, m, h, d, w.
fn parse_age(text: &str) -> Result<Duration, String> {
    let help = || format!("'{text}' is no age; write one such as 12h or 30d");
    let (number, unit) =
        text.trim().split_at_checked(text.trim().len().saturating_sub(1)).ok_or_else(help)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        "w" => 7 * 86400,
        _ => return Err(help()),
    };
    let number: u32 = number.trim().parse().map_err(|_| help())?;
    if number == 0 { Err(help()) } else { Ok(Duration::from_secs(u64::from(number) * seconds)) }
}

/// A format of `--export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    /// Shell commands with curl.
    Curl,
    /// Shell commands that send the request byte for byte: printf into nc or openssl s_client.
    #[value(alias = "netcat")]
    Nc,
    /// Shell commands with `HTTPie`.
    #[value(alias = "http")]
    Httpie,
    /// `JavaScript` with fetch.
    #[value(alias = "javascript")]
    Fetch,
    /// Python with requests.
    #[value(alias = "requests")]
    Python,
    /// `PowerShell` with Invoke-WebRequest.
    #[value(alias = "pwsh")]
    Powershell,
    /// HTTP Archive 1.2.
    Har,
    /// A report for people.
    Markdown,
    /// Requests and responses as they were on the wire.
    Raw,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// The extension of its files.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Curl | Self::Nc | Self::Httpie => "sh",
            Self::Fetch => "mjs",
            Self::Python => "py",
            Self::Powershell => "ps1",
            Self::Har => "har",
            Self::Markdown => "md",
            Self::Raw => "http",
            Self::Json => "json",
        }
    }
}

/// `FORMAT[=FILE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The format.
    pub format: Format,
    /// The file; `None` for standard output, as is `-`.
    pub file: Option<PathBuf>,
}

impl FromStr for Export {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("name a file after =, or leave = out for standard output".to_owned()),
            Some((format, file)) => (format, Some(file).filter(|file| *file != "-").map(PathBuf::from)),
            None => (text, None),
        };
        let format = match format {
            "md" => Format::Markdown,
            "ndjson" => Format::Json,
            "pcap" | "pcapng" => return Err("frames are written with -w FILE".to_owned()),
            format => Format::from_str(format, true).map_err(|_| {
                "the formats are curl, nc, httpie, fetch, python, powershell, har, markdown, raw, json"
                    .to_owned()
            })?,
        };
        Ok(Self { format, file })
    }
}
