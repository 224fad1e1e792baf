//! The subcommands that print something and end.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;

use super::{AppError, say};
use crate::cli::{Cli, ConfigArgs, RecordArgs};
use crate::config::{Config, usual_path};
use crate::edge::sanitize;
use crate::explain::wording;
use crate::model::Cause;
use crate::{doctor as table, source};

/// Prints `text` and ends with 0, also when nobody reads it.
fn print(text: &[u8]) -> Result<ExitCode, AppError> {
    let mut out = io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(AppError::Output)?;
    Ok(ExitCode::SUCCESS)
}

/// `-D`.
pub(super) fn interfaces() -> Result<ExitCode, AppError> {
    let all = source::interfaces().map_err(|reason| {
        AppError::Usage(format!("cannot list the interfaces: {reason}; why403 doctor says more"))
    })?;
    let mut text = String::new();
    for one in all {
        let state = if one.is_up { "up" } else { "down" };
        let addresses: Vec<String> = one.addresses.iter().map(ToString::to_string).collect();
        let about = one.description.unwrap_or_default();
        let line = format!("{:<16} {state:<5} {:<40} {about}", one.name, addresses.join(" "));
        text.push_str(sanitize::text(line.trim_end()).as_ref());
        text.push('\n');
    }
    print(text.as_bytes())
}

/// `why403 doctor`: 0 when a live capture is possible, else 3.
pub(super) fn doctor() -> Result<ExitCode, AppError> {
    let binary = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("why403"));
    let good = table::run(&mut io::stdout().lock(), &binary).map_err(AppError::Output)?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// `why403 explain`.
pub(super) fn explain(cause: Option<&str>) -> Result<ExitCode, AppError> {
    let Some(name) = cause else { return print(wording::list().as_bytes()) };
    match name.parse::<Cause>() {
        Ok(cause) => print(wording::explain(cause).as_bytes()),
        Err(()) => Err(AppError::Usage(format!("there is no cause '{name}'; why403 explain lists them"))),
    }
}

/// `why403 config`.
pub(super) fn config(args: &ConfigArgs) -> Result<ExitCode, AppError> {
    let environment = |name: &str| std::env::var_os(name);
    if args.path {
        let path = usual_path(&environment).map(|path| path.display().to_string()).unwrap_or_default();
        return print(format!("{}\n", sanitize::text(&path)).as_bytes());
    }
    print(Config::load(args.config.as_deref(), &environment, &mut super::say)?.annotated().as_bytes())
}

/// `why403 completions`.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, AppError> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "why403", &mut out);
    print(&out)
}

/// `why403 man`.
pub(super) fn manual() -> Result<ExitCode, AppError> {
    let mut out = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut out).map_err(AppError::Output)?;
    print(&out)
}

/// `why403 record --install`: the unit of the service on standard output.
pub(super) fn install(args: &RecordArgs) -> Result<ExitCode, AppError> {
    let program = std::env::current_exe()
        .map_err(|reason| AppError::System { what: "cannot find this program", reason })?;
    let mut words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--install").collect();
    if args.watch.run.history.is_none() {
        words.splice(1..1, ["--history".to_owned(), "/var/lib/why403/history.db".to_owned()]);
    }
    let text = super::service::unit(&program, &words);
    std::io::stdout().write_all(text.as_bytes()).map_err(AppError::Output)?;
    say("write this to /etc/systemd/system/why403.service, then: systemctl enable --now why403");
    Ok(ExitCode::SUCCESS)
}
