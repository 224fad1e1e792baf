//! Gives everything up that parsing hostile bytes does not need.
//!
//! The sources are opened first, with whatever privilege the process has; then [`enter`] is called, once, before the first
//! byte is parsed and before any other thread starts, because capabilities, Landlock and seccomp belong to threads and
//! are inherited by the threads that come after. What the kernel lacks is in the [`Report`], never passed over in silence.

mod capabilities;
mod export;
mod files;
mod identity;
mod policy;
mod report;
mod syscalls;

use std::path::{Path, PathBuf};

use caps::Capability;

pub use export::ExportDir;
pub use identity::Identity;
pub use policy::{Mode, Policy};
pub use report::{Mechanism, Report, SandboxError, State};

/// Drops everything that `policy` does not ask for. Call it once, with one thread running.
///
/// With [`Mode::Auto`] what is missing is in the report; with [`Mode::Require`] it is an error.
pub fn enter(policy: &Policy) -> Result<Report, SandboxError> {
    let mut report = Report::default();
    if policy.mode == Mode::Off {
        return Ok(report.all(&State::Off));
    }
    let target = Identity::for_files_in(&policy.write);
    report.note(Mechanism::OneThread, one_thread());
    report.note(Mechanism::CoreDumps, capabilities::no_core_dumps());
    report.note(Mechanism::NoNewPrivs, capabilities::no_new_privs());
    let landlock = files::restrict(policy);
    let files_are_held = !policy.programs && !matches!(landlock, State::Missing(_));
    report.note(Mechanism::Landlock, landlock);
    capabilities::drop_bounding();
    report.note(Mechanism::User, identity::become_user(&target, files_are_held));
    report.note(Mechanism::Capabilities, capabilities::drop_all());
    // Changing the user makes a process dumpable again where the system says so.
    report.note(Mechanism::CoreDumps, capabilities::no_core_dumps());
    report.unwritable = export::unwritable(&policy.write);
    report.note(Mechanism::Seccomp, syscalls::restrict(policy));
    if policy.mode == Mode::Require && report.missing().next().is_some() {
        return Err(SandboxError::Missing(report.missing_words()));
    }
    Ok(report)
}

/// Leaves the tap's keeper what it is for: to read the files that were named, which may be replaced meanwhile, and to remove the
/// mirror's socket. It stays the user who started it, without the capabilities that none of this takes.
pub fn confine_keeper(files: &[PathBuf], socket: Option<&Path>) {
    let parent = |path: &Path| {
        path.parent().map(|dir| if dir.as_os_str().is_empty() { ".".into() } else { dir.to_owned() })
    };
    // A link may lead to another directory, in which the next version will be.
    let targets = files.iter().filter_map(|file| file.canonicalize().ok());
    let read = files.iter().cloned().chain(targets).filter_map(|file| parent(&file)).collect();
    let policy = Policy { read, remove: socket.and_then(parent), ..Policy::default() };
    capabilities::no_core_dumps();
    capabilities::no_new_privs();
    files::restrict(&policy);
    capabilities::keep(&[Capability::CAP_DAC_OVERRIDE, Capability::CAP_DAC_READ_SEARCH]);
    syscalls::restrict(&policy);
}

/// Leaves the log reader process what it is for: to open the files of `folders` again, which are rotated meanwhile, as the user who
/// started it. It can open nothing else, make no connections and start no programs.
pub fn confine_reader(folders: &[PathBuf]) {
    let policy = Policy { read: folders.to_vec(), ..Policy::default() };
    capabilities::no_core_dumps();
    capabilities::no_new_privs();
    files::restrict(&policy);
    capabilities::keep(&[Capability::CAP_DAC_READ_SEARCH]);
    syscalls::restrict(&policy);
}

/// Leaves the process that looks for other processes what it is for: to read what /proc says of them. It can make no connections, start
/// no programs and write no files. Landlock is left out: under it the kernel shows nothing of processes outside.
pub fn confine_process_finder() {
    capabilities::no_core_dumps();
    capabilities::no_new_privs();
    capabilities::keep(&[Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH]);
    syscalls::restrict(&Policy::default());
}

/// What this kernel and this process have, without giving anything up.
pub fn probe() -> Report {
    let mut report = Report::default();
    report.note(Mechanism::User, State::On(Identity::target().to_string()));
    report.note(Mechanism::Capabilities, capabilities::probe());
    report.note(Mechanism::NoNewPrivs, State::On("PR_SET_NO_NEW_PRIVS".to_owned()));
    report.note(Mechanism::Landlock, files::probe());
    report.note(Mechanism::Seccomp, syscalls::probe());
    report.note(Mechanism::CoreDumps, State::On("RLIMIT_CORE 0, not dumpable".to_owned()));
    report
}

fn one_thread() -> State {
    match std::fs::read_dir("/proc/self/task").map(Iterator::count) {
        Ok(1) => State::On("every later thread inherits the rest".to_owned()),
        Ok(n) => State::Missing(format!("{n} threads are running; those that started before are not held")),
        Err(error) => State::Missing(format!("/proc/self/task cannot be read ({error})")),
    }
}
