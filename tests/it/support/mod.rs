//! What the integration tests share: the program under test, real servers, and when to skip.

mod fault;
mod namespace;
mod nginx;
mod program;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

pub(crate) use fault::fault;
pub(crate) use namespace::{Pair, ip};
pub(crate) use nginx::Nginx;
pub(crate) use program::Program;

/// How long a test waits for something that has to happen. Nothing takes this long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a test can run here; if not, says so, and fails where everything has to be there (`WHY403_TESTS=require`).
pub(crate) fn can_run(test: &str, root: bool, tools: &[&str]) -> bool {
    let missing: Vec<&str> = tools
        .iter()
        .copied()
        .filter(|tool| find(tool).is_none())
        .chain((root && !nix::unistd::geteuid().is_root()).then_some("root"))
        .chain((root && !may_make_namespaces(tools)).then_some("the right to make namespaces"))
        .collect();
    if missing.is_empty() {
        return true;
    }
    assert!(
        std::env::var_os("WHY403_TESTS").is_none_or(|value| value != "require"),
        "{test} needs {missing:?}"
    );
    skipped(test, &format!("needs {}", missing.join(", ")));
    false
}

/// Root in a container often may not, however many tools there are.
fn may_make_namespaces(tools: &[&str]) -> bool {
    let kinds: &[&str] = match tools {
        tools if tools.contains(&"ip") => &["--mount", "--net"],
        tools if tools.contains(&"unshare") => &["--mount"],
        _ => return true,
    };
    let made = Command::new("unshare").args(kinds).arg("true").output();
    made.map_or(true, |output| output.status.success() || !nix::unistd::geteuid().is_root())
}

/// Says that a test, or a part of one, was skipped for something that nobody can install.
pub(crate) fn skipped(test: &str, why: &str) {
    // Written past the test harness, which hides what passing tests print.
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: {why}");
}

/// Whether a tool is here that is too large to ask for everywhere; if not, says that the test was skipped.
pub(crate) fn happens_to_have(test: &str, tool: &str) -> bool {
    let found = find(tool).is_some();
    if !found {
        skipped(test, &format!("{tool} is not here"));
    }
    found
}

fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(tool))
        .find(|file| file.is_file())
}

/// The program under test.
pub(crate) fn why403() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_why403"))
}

/// Runs the program under test to its end.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new(why403()).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs a helper that has to succeed and gives its standard output.
pub(crate) fn must<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Puts an executable at `target`, and leaves the writing to another process: a file that this one has open for writing is
/// open in whatever another test starts meanwhile, and would be busy when it is to be run.
pub(crate) fn install(source: &Path, target: &Path) {
    must("install", ["-m".as_ref(), "755".as_ref(), source.as_os_str(), target.as_os_str()]);
}

/// The NDJSON lines of an output.
pub(crate) fn lines(output: &[u8]) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Tries `attempt` until it gives something; each try has to wait for an event of its own, or fail at once.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::yield_now();
    }
}
