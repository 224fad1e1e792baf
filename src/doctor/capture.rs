//! Whether this process can capture, and on what.

use std::path::{Path, PathBuf};

use caps::{CapSet, Capability};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::geteuid;

use super::{Mark, Row};

pub(super) fn rows(binary: &Path) -> Vec<Row> {
    vec![
        permission(binary),
        interfaces(),
        libpcap(),
        program("tcpdump", "needed on the far side of `why403 ssh`"),
        program("ssh", "needed by `why403 ssh`"),
    ]
}

fn permission(binary: &Path) -> Row {
    let raw = caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_RAW).unwrap_or(false);
    let by = if geteuid().is_root() { "root" } else { "a capability of the file" };
    match open_any() {
        Ok(()) => {
            row("permission", Mark::Good, format!("a capture on 'any' opens (CAP_NET_RAW by {by})"), None)
        }
        Err(error) => {
            let why = if raw { "in spite of CAP_NET_RAW" } else { "CAP_NET_RAW is missing" };
            row(
                "permission",
                Mark::Bad,
                format!("a capture on 'any' does not open, {why}: {error}"),
                Some(fix(binary)),
            )
        }
    }
}

fn open_any() -> Result<(), pcap::Error> {
    pcap::Capture::from_device("any")?.snaplen(64).immediate_mode(true).open().map(drop)
}

/// The command that gives the permission: set-user-id bits and file capabilities count for nothing on a nosuid mount.
fn fix(binary: &Path) -> String {
    let nosuid = statvfs(binary).is_ok_and(|fs| fs.flags().contains(FsFlags::ST_NOSUID));
    let path = quote(binary);
    if nosuid {
        format!(
            "{path} is on a file system mounted nosuid: sudo install -m 755 {path} /usr/local/bin/why403 && sudo setcap cap_net_raw+ep /usr/local/bin/why403"
        )
    } else {
        format!(
            "sudo setcap cap_net_raw+ep {path}   (or run it with sudo; it drops root before it parses anything)"
        )
    }
}

fn quote(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), std::borrow::Cow::into_owned)
}

fn interfaces() -> Row {
    match pcap::Device::list() {
        Err(error) => row("interfaces", Mark::Bad, error.to_string(), Some("see `ip link`".to_owned())),
        Ok(devices) => {
            let up: Vec<String> = devices
                .iter()
                .filter(|device| device.flags.is_up())
                .map(|device| device.name.clone())
                .collect();
            let text = if up.is_empty() { "none is up".to_owned() } else { format!("up: {}", up.join(", ")) };
            row("interfaces", if up.is_empty() { Mark::Limited } else { Mark::Good }, text, None)
        }
    }
}

/// The version is in the name of the mapped library; libpcap's own answer is not to be had without unsafe code.
fn libpcap() -> Row {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let text = maps
        .lines()
        .filter_map(|line| line.split_whitespace().next_back())
        .find(|path| path.contains("/libpcap.so"))
        .map_or_else(|| "linked statically".to_owned(), ToOwned::to_owned);
    row("libpcap", Mark::Fact, text, None)
}

fn program(name: &'static str, use_of_it: &str) -> Row {
    match find(name, &std::env::var_os("PATH").unwrap_or_default()) {
        Some(path) => row(name, Mark::Fact, path.display().to_string(), None),
        None => row(name, Mark::Fact, format!("not installed; {use_of_it}"), None),
    }
}

fn find(name: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn row(name: &'static str, mark: Mark, text: String, fix: Option<String>) -> Row {
    Row { name, mark, text, fix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_quotes_the_path_of_the_binary() {
        assert!(fix(Path::new("/opt/my tools/why403")).contains("'/opt/my tools/why403'"));
    }

    #[test]
    fn programs_are_looked_for_along_the_path() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tool"), "").unwrap();
        let path = std::env::join_paths(["/nowhere".as_ref(), dir.path()]).unwrap();
        assert_eq!(find("tool", &path), Some(dir.path().join("tool")));
        assert_eq!(find("other", &path), None);
    }
}
