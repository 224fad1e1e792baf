//! The memory that a container or a service may use. A history that grows beyond it would get the process killed, and
//! everything it knows with it, so the budget is made to fit before anything begins.

use std::fs;
use std::path::Path;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::cli::show_size;

/// What the program needs beside the history: its code, its buffers, the kernel's ring.
const BESIDE: u64 = 96 << 20;

/// Address space beside what is mapped at the start, without which threads and buffers cannot be made.
const NEEDED: u64 = 64 << 20;

/// Says what is wrong when the limit on the address space (`ulimit -v`) leaves too little of it: an allocation that fails later
/// ends the process at once, with files half written.
pub(super) fn check_address_space() -> Result<(), String> {
    match address_space() {
        Some((limit, left)) if left < NEEDED => Err(format!(
            "the address space is limited to {} (ulimit -v) and {} of it are left, but {} are needed; raise it with ulimit -v unlimited",
            show_size(limit >> 20 << 20),
            show_size(left >> 20 << 20),
            show_size(NEEDED)
        )),
        _ => Ok(()),
    }
}

/// The limit on the address space and how much of it is left.
fn address_space() -> Option<(u64, u64)> {
    let (limit, _) = getrlimit(Resource::RLIMIT_AS).ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let used = size.trim().trim_end_matches(" kB").parse::<u64>().ok()?.saturating_mul(1024);
    (limit != RLIM_INFINITY).then(|| (limit, limit.saturating_sub(used)))
}

/// A budget that fits into the limits of this process, if `budget` does not, and one line that says why.
pub(super) fn within_limits(budget: u64) -> Option<(u64, String)> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok();
    let limit = groups.and_then(|groups| limit_of(&groups, Path::new("/sys/fs/cgroup")));
    let limit = limit.into_iter().chain(address_space().map(|(_, left)| left)).min()?;
    let fits = fitting(budget, limit)?;
    let told = format!(
        "the memory limit here is {}: the history gets {} instead of {} (--memory)",
        show_size(limit >> 20 << 20),
        show_size(fits),
        show_size(budget)
    );
    Some((fits, told))
}

/// Less than `budget`, if that is needed to stay within `limit`.
fn fitting(budget: u64, limit: u64) -> Option<u64> {
    let room = limit.saturating_sub(BESIDE).max(limit / 4) >> 20 << 20;
    (budget > room).then_some(room)
}

/// The least limit of the groups in `groups` (`/proc/self/cgroup`) and of those around them.
fn limit_of(groups: &str, root: &Path) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        match controllers {
            // Above memory.high nothing is killed, but everything is slowed down until it is below again.
            "" => least(root, path, "memory.max").into_iter().chain(least(root, path, "memory.high")).min(),
            _ if controllers.split(',').any(|one| one == "memory") => {
                least(&root.join("memory"), path, "memory.limit_in_bytes")
            }
            _ => None,
        }
    });
    limits.min()
}

/// The least limit on the way from the group at `path` up to `root`. In a container the path may be that of outside;
/// the container's own group is then what is mounted at `root`.
fn least(root: &Path, path: &str, file: &str) -> Option<u64> {
    let group = root.join(path.trim_start_matches('/'));
    let ways = group.ancestors().take_while(|dir| dir.starts_with(root));
    ways.filter_map(|dir| fs::read_to_string(dir.join(file)).ok()?.trim().parse::<u64>().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::{fitting, limit_of};
    use std::fs;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_budget_leaves_room_for_the_rest() {
        assert_eq!(fitting(256 * MIB, 1024 * MIB), None);
        assert_eq!(fitting(256 * MIB, 256 * MIB), Some(160 * MIB));
        assert_eq!(fitting(256 * MIB, 64 * MIB), Some(16 * MIB));
        assert_eq!(fitting(16 * MIB, 64 * MIB), None);
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/memory.max", "300\n");
        write("a/b/memory.max", "max\n");
        assert_eq!(limit_of("0::/a/b\n", root.path()), Some(300));
        assert_eq!(limit_of("0::/\n", root.path()), None);
        write("a/b/memory.high", "250\n");
        write("a/memory.high", "max\n");
        assert_eq!(limit_of("0::/a/b\n", root.path()), Some(250));
        assert_eq!(limit_of("0::/a\n", root.path()), Some(300));
        write("memory/x/memory.limit_in_bytes", "200\n");
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        let old = "4:cpu,memory:/x\n1:name=systemd:/y\n0::/a";
        assert_eq!(limit_of(old, root.path()), Some(200));
        assert_eq!(limit_of("4:memory:/outside/of/here", root.path()), Some(9_223_372_036_854_771_712));
        assert_eq!(limit_of("nonsense", root.path()), None);
    }
}
