//! What is left in the file system when root looked at the screen and nothing was saved: nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;

use super::pty::Terminal;
use super::staging::capture;
use crate::support::{can_run, fault, why403};

/// A screen in a directory where its later user may not write, and the directory for temporary files.
struct Staged {
    terminal: Terminal,
    temporary: TempDir,
    _here: TempDir,
    _file: tempfile::NamedTempFile,
}

impl Staged {
    fn start(environment: &[(&str, String)]) -> Self {
        let (file, here, temporary) = (capture(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::set_permissions(temporary.path(), Permissions::from_mode(0o1777)).unwrap();
        let mut words = vec![format!("--chdir={}", here.path().display())];
        words.push(format!("TMPDIR={}", temporary.path().display()));
        words.extend(environment.iter().map(|(name, value)| format!("{name}={value}")));
        words.extend(["-u", "SUDO_UID"].map(str::to_owned));
        // Options come first.
        words.rotate_right(2);
        words.extend([why403().display().to_string(), "-r".into(), file.path().display().to_string()]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut terminal = Terminal::open("env", &words, (120, 40));
        terminal.until_shown("4 of 18 match");
        let staged = Self { terminal, temporary, _here: here, _file: file };
        assert_eq!(staged.left(), 1, "the directory for exports");
        staged
    }

    /// What is in the directory for temporary files.
    fn left(&self) -> usize {
        fs::read_dir(self.temporary.path()).unwrap().count()
    }
}

#[test]
fn a_directory_made_for_exports_goes_when_nothing_was_exported() {
    if !can_run("a_directory_made_for_exports_goes", true, &["env"]) {
        return;
    }
    let mut left = Staged::start(&[]);
    left.terminal.press("q");
    assert_eq!(left.terminal.end(), 0);
    assert_eq!(left.left(), 0, "after q");

    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
        let mut killed = Staged::start(&[]);
        kill(killed.terminal.pid(), signal).unwrap();
        killed.terminal.end();
        assert_eq!(killed.left(), 0, "after {signal}");
    }
}

#[test]
fn a_directory_made_for_exports_stays_when_something_is_in_it() {
    if !can_run("a_directory_made_for_exports_stays", true, &["env"]) {
        return;
    }
    let mut used = Staged::start(&[]);
    used.terminal.press("g\rec");
    used.terminal.until_shown("saved to");
    used.terminal.press("qq");
    assert_eq!(used.terminal.end(), 0);
    assert_eq!(used.left(), 1);
}

#[test]
fn a_bug_of_the_screen_ends_it_in_order_and_leaves_nothing() {
    if !can_run("a_bug_of_the_screen", true, &["env", "cc"]) {
        return;
    }
    let mut broken = Staged::start(&fault("why403"));
    kill(broken.terminal.pid(), Signal::SIGUSR2).unwrap();
    assert_eq!(broken.terminal.end(), 101);
    assert!(broken.terminal.is_given_back(), "{}", broken.terminal.shows());
    let shown = broken.terminal.shows();
    assert_eq!(shown.matches("a bug in why403").count(), 1, "{shown}");
    assert_eq!(broken.left(), 0);
}
