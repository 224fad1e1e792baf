//! Command-line arguments. [`crate::app`]'s plan combines them with the configuration and the defaults.
//!
//! A capture filter stands at the end in plain words (`why403 -i eth0 tcp port 80`). A subcommand is only looked for as the
//! first word, and none has the name of a word that a capture filter may begin with; `why403 -- …` forces a filter.

mod run;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use crate::model::size::{parse as parse_size, show as show_size};
pub use run::{Export, Format, RunArgs};

use crate::sandbox;
use crate::tap::TapArgs;

const EXAMPLES: &str = "\
Examples:
  why403 run -- curl https://api.example.com/x  why a command's requests are refused
  why403 demo                                  an embedded staging box to try it on
  sudo why403 -i eth0 tcp port 8080            refused POSTs on eth0, as they happen
  why403 -r dump.pcapng                        the same from a capture
  ssh box tcpdump -U -w - | why403 -r -        or from one that is being made
  why403 -r dump.pcap --json | jq .diagnosis   for scripts
  why403 -r dump.pcap -Y 'status:4xx client:10.0.0.0/8' --summary
  why403 -r dump.pcap -c 1 --export curl       the first refused POST as a curl command

Filters (-Y) pick exchanges: method:POST status:403 path:/v1/* header:origin client:10.0.0.0/8 latency:>500ms …
Capture filters (trailing words) pick packets, in tcpdump's language.

Exit codes: 0 fine, 1 something matched (with --fail-on-match), 2 usage or input, 3 no permission to capture,
4 not everything could be written, 101 a bug in why403";

/// Watch HTTP/1.1 traffic and say why a POST got 403 Forbidden
#[derive(Parser, Clone, Debug)]
#[command(
    name = "why403",
    version,
    about,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 110,
    override_usage = "why403 [OPTIONS] [-i INTERFACE | -r FILE] [CAPTURE FILTER]…\n       why403 <COMMAND> …"
)]
pub struct Cli {
    /// A subcommand, if any.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Watching, the default.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// `why403 [-i … | -r …]`.
#[derive(Args, Clone, Debug, Default)]
#[expect(missing_docs, reason = "the help texts are the documentation")]
pub struct WatchArgs {
    /// Interface to watch, any for all, or a pcap stream at TCP@HOST:PORT or unix:PATH [default: any]
    #[arg(short, long, value_name = "INTERFACE", help_heading = "Source")]
    pub interface: Option<String>,
    /// Capture to read: pcap or pcapng, a browser's HAR, or what curl -v printed, plain or compressed with gzip, zstd, xz or
    /// bzip2, - for standard input; or a database of --history
    #[arg(short, long, value_name = "FILE", conflicts_with = "interface", help_heading = "Source")]
    pub read: Option<OsString>,
    /// With -r FILE of a history: only what began then or later: 02:00, 2026-11-29T02:00:00Z
    #[arg(long, value_name = "TIME", requires = "read", help_heading = "Source")]
    pub since: Option<String>,
    /// With -r FILE of a history: only what began before
    #[arg(long, value_name = "TIME", requires = "read", help_heading = "Source")]
    pub until: Option<String>,
    /// Wait for more at the end of the capture
    #[arg(long, requires = "read", help_heading = "Source")]
    pub follow: bool,
    /// List the interfaces and exit
    #[arg(short = 'D', long, exclusive = true, help_heading = "Source")]
    pub list_interfaces: bool,
    #[command(flatten)]
    pub capture: CaptureArgs,
    #[command(flatten)]
    pub run: RunArgs,
    /// Packets to look at, in tcpdump's language [default: all TCP]
    #[arg(value_name = "CAPTURE FILTER", help_heading = "Source")]
    pub expression: Vec<String>,
}

/// How frames are captured.
#[derive(Args, Clone, Debug, Default)]
pub struct CaptureArgs {
    /// Bytes to capture of each packet
    #[arg(short = 's', long, value_name = "BYTES", help_heading = "Source")]
    pub snaplen: Option<u32>,
    /// Kernel buffer in KiB
    #[arg(short = 'B', long, value_name = "KIB", help_heading = "Source")]
    pub buffer_size: Option<u32>,
    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long, help_heading = "Source")]
    pub no_promiscuous_mode: bool,
    /// Do not look for the capture filter behind VLAN tags as well
    #[arg(long, help_heading = "Source")]
    pub no_vlan: bool,
}

/// A subcommand.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Run a command with its HTTP and HTTPS going through a proxy of its own, and say what was refused (docs/run.md)
    Run(Box<LaunchArgs>),
    /// Terminate TLS in front of a server and mirror the plaintext
    Tap(Box<TapArgs>),
    /// Run tcpdump on another host and watch from here; nothing is installed there
    Ssh(SshArgs),
    /// Watch an embedded staging box: no root, no network
    Demo(DemoArgs),
    /// Keep what passes in a database, without a screen: for a service (docs/history.md)
    Record(Box<RecordArgs>),
    /// Say what was accepted in a history and is refused in a new capture; exits with 1 if anything is
    Check(Box<CheckArgs>),
    /// Check whether this machine can capture, and print the commands that fix it
    Doctor,
    /// What a cause means, how it is recognised and what to do
    Explain {
        /// An id such as insufficient-scope; without it all are listed
        cause: Option<String>,
    },
    /// Print the effective configuration with comments
    Config(ConfigArgs),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// A process that the inspector starts for itself
    #[command(hide = true, subcommand)]
    Helper(HelperCommand),
}

/// What a helper process does.
#[derive(Subcommand, Clone, Debug)]
pub enum HelperCommand {
    /// Answers who listens at an address
    Processes,
    /// Follows logs and writes their lines to standard output
    Logs {
        /// Bytes before the end of each file that are read too
        #[arg(long)]
        back: u64,
        /// As --log of the inspector
        #[arg(long = "log")]
        logs: Vec<String>,
    },
}

/// `why403 ssh`.
#[derive(Args, Clone, Debug)]
#[expect(missing_docs, reason = "the help texts are the documentation")]
pub struct SshArgs {
    /// host or user@host, or a Host of ~/.ssh/config
    pub host: String,
    /// Interface to watch there
    #[arg(short, long, value_name = "INTERFACE", default_value = "any", help_heading = "Source")]
    pub interface: String,
    /// ssh program to run
    #[arg(long, value_name = "PROGRAM", help_heading = "Source")]
    pub ssh: Option<PathBuf>,
    #[command(flatten)]
    pub capture: CaptureArgs,
    #[command(flatten)]
    pub run: RunArgs,
    /// Packets to look at, in tcpdump's language
    #[arg(value_name = "CAPTURE FILTER", help_heading = "Source")]
    pub expression: Vec<String>,
}

/// `why403 record`.
#[derive(Args, Clone, Debug)]
#[expect(missing_docs, reason = "the help texts are the documentation")]
pub struct RecordArgs {
    /// Print a unit for systemd that runs this command, and end
    #[arg(long, help_heading = "Service")]
    pub install: bool,
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// `why403 check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Database of --history that says what worked
    #[arg(long, value_name = "FILE")]
    pub history: PathBuf,
    /// The new capture, or a database
    #[arg(short, long, value_name = "FILE")]
    pub read: OsString,
    /// How to say it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: CheckFormat,
    /// Configuration file to read instead of the usual one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to give up before the first byte is read: auto, require, off [default: auto]
    #[arg(long, value_name = "HOW")]
    pub sandbox: Option<sandbox::Mode>,
}

/// A format of `why403 check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// A line for each regression, and a last one that counts.
    Text,
    /// JUnit XML: a test for each endpoint.
    Junit,
    /// Annotations of a GitHub workflow.
    Github,
}

/// `why403 run`.
#[derive(Args, Clone, Debug)]
#[expect(missing_docs, reason = "the help texts are the documentation")]
pub struct LaunchArgs {
    /// CAs (PEM) to verify servers with, besides the system's
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    pub upstream_ca: Option<PathBuf>,
    /// Hosts whose TLS is passed through unopened, such as '*.bank.example' (may be given again)
    #[arg(long, value_name = "GLOB", help_heading = "Source")]
    pub passthrough: Vec<String>,
    #[command(flatten)]
    pub run: RunArgs,
    /// The command with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `why403 demo`.
#[derive(Args, Clone, Debug, Default)]
#[expect(missing_docs, reason = "the help texts are the documentation")]
pub struct DemoArgs {
    /// Requests a second
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Source")]
    pub rate: u32,
    #[command(flatten)]
    pub run: RunArgs,
}

/// `why403 config`.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// Configuration file to read instead of the usual one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print where the file is looked for
    #[arg(long)]
    pub path: bool,
}

#[cfg(test)]
mod tests;
