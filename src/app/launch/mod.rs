//! `why403 run`: a command with its HTTP and HTTPS going through a forward proxy of its own.
//!
//! Three processes of ours besides the command: the tap, which holds the key and parses no HTTP beyond the head that names a
//! server; the inspector, which reads the tap's mirror on its standard input; and this one, which starts them and waits.
//! Everything that is written lies in a directory of this user's own and goes with it.

mod environment;
mod report;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{MsgFlags, recv};
use nix::unistd::{Pid, mkdtemp};
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{AppError, say};
use crate::cli::LaunchArgs;
use crate::tap::Beside;

/// A directory of this user's own that goes when this is dropped.
struct PrivateDir(PathBuf);

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // What cannot be removed is in the system's temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn failed(what: &'static str) -> impl FnOnce(io::Error) -> AppError {
    move |reason| AppError::System { what, reason }
}

/// Runs the command to its end; its exit code is ours.
pub(super) fn run(args: &LaunchArgs) -> Result<ExitCode, AppError> {
    let template = std::env::temp_dir().join("why403-run-XXXXXX");
    let dir =
        mkdtemp(&template).map_err(|error| failed("cannot make a temporary directory")(error.into()))?;
    let dir = PrivateDir(dir);
    let (ca, mirror) = (dir.0.join("ca.pem"), dir.0.join("mirror"));
    let tap = Beside::proxy(&mirror, &ca, &words_for_tap(args)?)?;
    let proxy = tap.proxy.clone().unwrap_or_default();
    let environment = environment::prepare(&dir.0, &ca, args.upstream_ca.as_deref(), &proxy)
        .map_err(failed("cannot prepare the command's environment"))?;
    let to_stdout = args.run.json || args.run.summary || args.run.export.iter().any(|one| one.file.is_none());
    let output = dir.0.join("output");
    let mut inspector =
        inspect(&tap.mirror, &output, to_stdout).map_err(failed("cannot start the inspector"))?;
    let status = command(&args.command, &environment, to_stdout);
    // The tap ends, with it its mirror, and with that the inspector.
    drop(tap);
    let inspected = inspector.wait().map_err(failed("waiting for the inspector"))?;
    let status = status?;
    tell(&output, to_stdout).map_err(AppError::Output)?;
    Ok(exit_code(status, inspected))
}

fn words_for_tap(args: &LaunchArgs) -> Result<Vec<OsString>, AppError> {
    let mut words = Vec::new();
    if let Some(path) = &args.upstream_ca {
        let path = fs::canonicalize(path)
            .map_err(|error| AppError::Read { path: path.clone(), reason: error.to_string() })?;
        words.extend(["--upstream-ca".into(), path.into_os_string()]);
    }
    for glob in &args.passthrough {
        words.extend(["--passthrough".into(), glob.into()]);
    }
    Ok(words)
}

/// The words of this process that are the inspector's.
fn words_for_inspector(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut ours = Vec::new();
    let mut words = words.skip(2).take_while(|word| word != "--");
    while let Some(word) = words.next() {
        if word == "--upstream-ca" || word == "--passthrough" {
            words.next();
        } else if !word.to_string_lossy().starts_with("--upstream-ca=")
            && !word.to_string_lossy().starts_with("--passthrough=")
        {
            ours.push(word);
        }
    }
    ours
}

/// Starts the inspector on the tap's mirror, and returns when the tap knows of it.
fn inspect(mirror: &Path, output: &Path, to_stdout: bool) -> io::Result<Child> {
    let stream = UnixStream::connect(mirror)?;
    // The tap begins the mirror of a reader when it counts it.
    recv(std::os::fd::AsRawFd::as_raw_fd(&stream), &mut [0], MsgFlags::MSG_PEEK)?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["-r", "-"]).args(words_for_inspector(std::env::args_os()));
    if !to_stdout {
        command.arg("--json");
    }
    let stdin: OwnedFd = stream.into();
    command.stdin(Stdio::from(stdin)).stdout(File::create_new(output)?).process_group(0).spawn()
}

/// Runs the command with our standard streams. Its output goes through us where ours follows on the same stream, so that
/// ours begins with a line of its own.
fn command(
    words: &[OsString],
    environment: &environment::Environment,
    shares_stdout: bool,
) -> Result<ExitStatus, AppError> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(AppError::Usage("name a command after --".into()));
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed("starting"))?;
    runtime.block_on(async {
        let on = |kind| signal(kind).map_err(failed("cannot wait for signals"));
        let (mut interrupt, mut terminate) = (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
        let mut command = tokio::process::Command::new(program);
        command.args(arguments);
        environment.apply(&mut command);
        if shares_stdout {
            command.stdout(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| {
            AppError::Usage(format!("cannot run {}: {error}", Path::new(program).display()))
        })?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let copied = copy(child.stdout.take());
        let mut ended = std::pin::pin!(async { tokio::join!(child.wait(), copied).0 });
        loop {
            tokio::select! {
                status = &mut ended => return status.map_err(failed("waiting for the command")),
                // The terminal sends it to the command as well.
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {
                    if let Some(pid) = pid {
                        // It may have ended already.
                        let _ = kill(pid, Signal::SIGTERM);
                    }
                }
            }
        }
    })
}

/// Copies what the command prints, and ends its last line.
async fn copy(from: Option<tokio::process::ChildStdout>) {
    let Some(mut from) = from else { return };
    let (mut buffer, mut last) = (vec![0; 16 << 10], b'\n');
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default();
        last = bytes.last().copied().unwrap_or(last);
        let mut out = io::stdout().lock();
        if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
    if last != b'\n' {
        let _ = io::stdout().lock().write_all(b"\n");
    }
}

/// What the inspector found: as it is, or as a report on standard error.
fn tell(output: &Path, to_stdout: bool) -> io::Result<()> {
    let mut file = File::open(output)?;
    if to_stdout {
        let mut out = io::stdout().lock();
        io::copy(&mut file, &mut out)?;
        return out.flush();
    }
    let mut text = String::new();
    file.take(report::MOST).read_to_string(&mut text)?;
    for line in report::lines(&text) {
        say(&line);
    }
    Ok(())
}

/// The command's own code, as a shell gives it; where that is 0, the inspector's with --fail-on-match.
fn exit_code(status: ExitStatus, inspected: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    let code = if code == 0 { inspected.code().unwrap_or(2) } else { code };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::words_for_inspector;

    #[test]
    fn the_inspector_gets_its_own_words() {
        let words = "why403 run --upstream-ca a.pem --json --passthrough=*.x -Y status:403 --passthrough b -- curl -v --json";
        let words = words.split(' ').map(OsString::from);
        assert_eq!(words_for_inspector(words), ["--json", "-Y", "status:403"]);
    }
}
