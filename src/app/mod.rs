//! The program: from what was typed to an exit code. Threads, the channel between them, signals and privileges are wired here.

mod bug;
#[cfg(test)]
mod canaries;
mod capture;
pub mod check;
mod error;
mod headless;
mod history;
mod launch;
mod lines;
mod local_ports;
mod memory;
mod on_match;
mod outbox;
mod output;
mod plan;
mod server_logs;
mod service;
mod session;
mod signals;
pub mod summary;
mod tally;
mod tools;
mod waiter;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, HelperCommand};
use crate::config::Config;
use crate::edge::sanitize;
use crate::tap::Beside;

pub use bug::report_panics;
pub use error::AppError;
pub use headless::Totals;
pub use plan::{Input, Mode, Plan};

/// Longest line that is printed on standard error.
const LINE: usize = 2000;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    report_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            if !error.is_quiet() {
                say(&error.to_string());
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, AppError> {
    let environment = |name: &str| std::env::var_os(name);
    let load = |path: Option<&std::path::Path>| Config::load(path, &environment, &mut say);
    match cli.command {
        None if cli.watch.list_interfaces => tools::interfaces(),
        None => {
            let config = load(cli.watch.run.config.as_deref())?;
            session::run(Plan::watch(cli.watch, config)?)
        }
        Some(Command::Ssh(args)) => {
            let config = load(args.run.config.as_deref())?;
            session::run(Plan::ssh(args, config)?)
        }
        Some(Command::Demo(args)) => {
            let config = load(args.run.config.as_deref())?;
            session::run(Plan::demo(args, config)?)
        }
        Some(Command::Run(args)) => launch::run(&args),
        Some(Command::Tap(args)) if args.tui && args.command.is_none() => {
            let config = load(None)?;
            // It ends when this is dropped, after the inspector.
            let beside = Beside::start()?;
            session::run(Plan::tap(&args, beside.mirror.clone(), config)?)
        }
        Some(Command::Tap(args)) => {
            crate::tap::run(&args)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Record(args)) if args.install => tools::install(&args),
        Some(Command::Record(args)) => {
            let config = load(args.watch.run.config.as_deref())?;
            session::run(Plan::record(args.watch, config)?)
        }
        Some(Command::Check(args)) => {
            let config = load(args.config.as_deref())?;
            session::run(Plan::check(*args, config)?)
        }
        Some(Command::Doctor) => tools::doctor(),
        Some(Command::Explain { cause }) => tools::explain(cause.as_deref()),
        Some(Command::Config(args)) => tools::config(&args),
        Some(Command::Completions { shell }) => tools::completions(shell),
        Some(Command::Man) => tools::manual(),
        Some(Command::Helper(HelperCommand::Processes)) => {
            // The end of the socket is the inspector's.
            let _ = crate::processes::answer();
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Helper(HelperCommand::Logs { back, logs })) => {
            // A broken pipe is the inspector's end.
            let _ = crate::source::logs::follow_logs(&logs, back);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Help and version as they are; a mistake as one line with what to do about it.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Whoever closed standard output does not want to read it.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let told =
        paragraphs.filter(|paragraph| !paragraph.starts_with("Usage:") && !paragraph.starts_with("For more"));
    let line = told.collect::<Vec<_>>().join("; ");
    say(&format!("{} (why403 --help has the options)", line.trim_start_matches("error: ")));
    ExitCode::from(2)
}

/// One line on standard error, harmless to a terminal. Whoever closed it does not want to read it.
pub(crate) fn say(text: &str) {
    let line = sanitize::short(text.as_bytes(), LINE);
    let _ = writeln!(std::io::stderr(), "why403: {line}");
}

/// The terminal's bell.
fn ring() {
    let _ = std::io::stderr().write_all(b"\x07");
}
