//! What happens when something around the program breaks: nothing that was read is lost, and it says what happened.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use why403::model::Timestamp;
use why403::synth::{Conversation, pcap};

use crate::support::{Nginx, Pair, Program, can_run, ip, lines, must, run, skipped, until, why403};

/// A capture file of `count` refused POSTs on connections of their own.
fn refusals(count: u16) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("refusals.pcap");
    let server = "10.0.0.1:80".parse().unwrap();
    let mut frames = Vec::new();
    for number in 0..count {
        let start = Timestamp(i64::from(number) * 1_000_000);
        let request =
            format!("POST /v1/things/{number} HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\nhi");
        let conversation = Conversation::new(([10, 0, 1, 1], 1024 + number).into(), server)
            .handshake(start)
            .client(request.as_bytes(), start.plus(1_000))
            .server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n", start.plus(2_000))
            .fin(start.plus(3_000));
        frames.extend(conversation.into_frames());
    }
    fs::write(&path, pcap::to_bytes(&frames)).unwrap();
    (dir, path)
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly_with_0() {
    let (_dir, file) = refusals(5_000);
    let mut child = Command::new(why403())
        .args([Path::new("-r"), &file, Path::new("--json")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_file_that_breaks_off_keeps_what_was_read_before() {
    let (_dir, file) = refusals(50);
    let mut bytes = fs::read(&file).unwrap();
    bytes.truncate(bytes.len() - 40);
    fs::write(&file, bytes).unwrap();
    let output = run([Path::new("-r"), &file, Path::new("--json")]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output.stdout).len(), 50);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn without_file_descriptors_it_says_so_in_one_line() {
    let (_dir, file) = refusals(1);
    // Three are the standard ones, and one more is needed to load the shared libraries.
    for limit in 4..=8 {
        let script = format!(r#"ulimit -n {limit}; exec "$0" -r "$1" --json"#);
        let output = Command::new("sh").args(["-c", &script]).arg(why403()).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "with {limit}: {said}");
        assert_eq!(said.lines().count(), 1, "with {limit}: {said}");
        assert!(said.contains("Too many open files"), "with {limit}: {said}");
    }
}

/// Runs `script` where it may mount a disk of its own on `$1/small`; `$0` is the program, `$1` is `dir`.
fn beside_a_small_disk(dir: &Path, script: &str) -> Output {
    fs::create_dir(dir.join("small")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).arg(why403()).arg(dir).stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn a_full_disk_stops_the_writing_with_a_line_and_leaves_a_file_that_can_be_read() {
    if !can_run("disk full", true, &["unshare", "mount", "tcpdump"]) {
        return;
    }
    let (dir, file) = refusals(5_000);
    let script = r#"mount -t tmpfs -o size=65m,mode=1777 none "$1/small" || exit 99
"$0" -r "$1/refusals.pcap" --json -w "$1/small/out.pcapng" >"$1/lines"
code=$?
tcpdump -n -r "$1/small/out.pcapng" >"$1/kept" || exit 98
exit $code"#;
    let output = beside_a_small_disk(dir.path(), script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("out.pcapng") && said.contains("are left on its disk"), "{said}");
    // tcpdump says something too.
    assert_eq!(said.lines().filter(|line| line.starts_with("why403:")).count(), 1, "{said}");
    assert_eq!(fs::read_to_string(dir.path().join("lines")).unwrap().lines().count(), 5_000);
    assert!(fs::read_to_string(dir.path().join("kept")).unwrap().lines().count() > 100);
    drop(file);
}

#[test]
fn a_disk_without_room_is_said_at_the_start_and_left_as_it_was() {
    if !can_run("no room on the disk", true, &["unshare", "mount"]) {
        return;
    }
    let (dir, _file) = refusals(5);
    let script = r#"mount -t tmpfs -o size=20m,mode=1777 none "$1/small" || exit 99
"$0" -r "$1/refusals.pcap" --json -w "$1/small/out.pcapng"
code=$?
[ -z "$(ls -A "$1/small")" ] || exit 98
exit $code"#;
    let output = beside_a_small_disk(dir.path(), script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("20 MiB are left on its disk, and 64 MiB stay free"), "{said}");
}

#[test]
fn standard_output_on_a_full_disk_is_an_error_of_its_own() {
    let (_dir, file) = refusals(50);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(why403())
        .args([Path::new("-r"), &file, Path::new("--json")])
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("No space left") && said.lines().count() == 1, "{said}");
}

/// A capture on the server's interface of a pair, with a server behind it.
fn between_namespaces(options: &[&str]) -> (Pair, Nginx, Program) {
    let pair = Pair::new();
    let nginx = Nginx::in_namespace(&pair.server, (Pair::SERVER, 80).into());
    let mut command = pair.at_server(why403());
    command.args(["-i", &pair.interface, "--json"]).args(options);
    let mut program = Program::start(&mut command);
    program.begins_to_see(|| refuse(&pair));
    (pair, nginx, program)
}

fn refuse(pair: &Pair) {
    let status = pair
        .at_client("curl")
        .args([
            "-s",
            "-o",
            "/dev/null",
            "--connect-timeout",
            "5",
            "-d",
            "a=1",
            &format!("http://{}/banned", Pair::SERVER),
        ])
        .status()
        .unwrap();
    assert!(status.success(), "curl: {status}");
}

#[test]
fn an_interface_that_is_removed_ends_the_capture_with_a_line_that_names_it() {
    if !can_run("interface removed", true, &["ip", "nginx", "curl"]) {
        return;
    }
    let (pair, _nginx, mut program) = between_namespaces(&[]);
    refuse(&pair);
    assert_eq!(program.next()["response"]["status"], 403);
    ip(&format!("-n {} link delete {}", pair.server, pair.interface));
    let status = program.ended();
    assert_eq!(status.code(), Some(2), "{}", program.said());
    assert!(program.said().contains("veth-server"), "{}", program.said());
}

#[test]
fn an_interface_that_goes_down_and_comes_back_is_watched_again() {
    if !can_run("interface down", true, &["ip", "nginx", "curl"]) {
        return;
    }
    let (pair, _nginx, mut program) = between_namespaces(&[]);
    ip(&format!("-n {} link set {} down", pair.server, pair.interface));
    ip(&format!("-n {} link set {} up", pair.server, pair.interface));
    refuse(&pair);
    assert_eq!(program.next()["response"]["status"], 403, "{}", program.said());
}

#[test]
fn sigterm_in_mid_write_leaves_whole_lines_and_a_whole_file() {
    if !can_run("SIGTERM", true, &["ip", "nginx", "curl", "tcpdump"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("kept.pcapng");
    let (pair, _nginx, mut program) = between_namespaces(&["-w", kept.to_str().unwrap()]);
    for _ in 0..20 {
        refuse(&pair);
    }
    program.signal(Signal::SIGTERM);
    let whole = program.rest().len();
    assert!(whole <= 20);
    assert_eq!(program.ended().code(), Some(0), "{}", program.said());
    let frames = must("tcpdump", ["-n", "-r", kept.to_str().unwrap()]).lines().count();
    assert!(frames >= whole * 4, "{frames} frames for {whole} exchanges");
}

#[test]
fn a_terminal_that_goes_away_ends_the_program() {
    if !can_run("terminal gone", false, &["setsid", "stty"]) {
        return;
    }
    let (_dir, file) = refusals(10);
    // Closed on exec from the start: a child that another test starts meanwhile must not keep the terminal open.
    let mut master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let terminal = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlag::O_NOCTTY.bits())
        .open(ptsname_r(&master).unwrap())
        .unwrap();
    let stdio = || Stdio::from(terminal.try_clone().unwrap());
    assert!(
        Command::new("stty").args(["rows", "24", "cols", "80"]).stdin(stdio()).status().unwrap().success()
    );
    let mut child = Command::new("setsid")
        .args(["--ctty".as_ref(), why403().as_os_str(), "-r".as_ref(), file.as_os_str()])
        .env("TERM", "xterm-256color")
        .stdin(stdio())
        .stdout(stdio())
        .stderr(stdio())
        .spawn()
        .unwrap();
    drop(terminal);
    master.read_exact(&mut [0; 1]).unwrap();
    drop(master);
    until("the program to end without its terminal", || child.try_wait().unwrap());
}

#[test]
fn an_export_that_fills_the_disk_leaves_nothing_half_written() {
    if !can_run("export on a full disk", true, &["unshare", "mount"]) {
        return;
    }
    let (dir, _file) = refusals(5_000);
    let script = r#"mount -t tmpfs -o size=256k,mode=1777 none "$1/small" || exit 99
"$0" -r "$1/refusals.pcap" --export har="$1/small/out.har"
code=$?
[ -z "$(ls -A "$1/small")" ] || exit 98
exit $code"#;
    let output = beside_a_small_disk(dir.path(), script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("out.har") && said.contains("make room"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// What is in `dir`, by name.
fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_leaves_nothing_half_written() {
    let (dir, file) = refusals(500);
    for options in ["-w out.pcapng", "--export har=out.har", "--export raw=out.raw --export markdown=out.md"]
    {
        let script = format!(r#"cd "$2"; ulimit -f 1; exec "$0" -r "$1" -Y '' {options}"#);
        let output = Command::new("sh")
            .args(["-c", &script])
            .arg(why403())
            .arg(&file)
            .arg(dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{options}: {said} {:?}", output.status);
        assert!(said.contains("File too large") && said.lines().count() == 1, "{options}: {said}");
        assert_eq!(names_in(dir.path()), ["refusals.pcap"], "{options}");
    }
    let script = r#"ulimit -f 1; exec "$0" -r "$1" --json >"$2/lines""#;
    let output =
        Command::new("sh").args(["-c", script]).arg(why403()).arg(&file).arg(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{:?}", output.status);
}

#[test]
fn a_small_address_space_is_said_in_one_line_before_anything_is_made() {
    let (dir, file) = refusals(5);
    for limit in [60_000, 70_000, 80_000] {
        let script = format!(r#"cd "$2"; ulimit -v {limit}; exec "$0" -r "$1" --json -w out.pcapng"#);
        let output = Command::new("sh")
            .args(["-c", &script])
            .arg(why403())
            .arg(&file)
            .arg(dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            names_in(dir.path()).iter().filter(|name| name.starts_with('.')).count(),
            0,
            "{limit}: {said}"
        );
        assert!(
            said.lines().count() <= 1 && output.status.code().is_some(),
            "{limit}: {said} {:?}",
            output.status
        );
    }
}

#[test]
fn an_interface_that_is_renamed_is_still_watched() {
    if !can_run("interface renamed", true, &["ip", "nginx", "curl"]) {
        return;
    }
    let (pair, _nginx, mut program) = between_namespaces(&[]);
    for words in ["down", "name renamed0", "up"] {
        let name = if words == "up" { "renamed0" } else { &pair.interface };
        ip(&format!("-n {} link set {name} {words}", pair.server));
    }
    refuse(&pair);
    assert_eq!(program.next()["response"]["status"], 403, "{}", program.said());
}

#[test]
fn all_interfaces_are_watched_across_the_loss_and_return_of_one() {
    if !can_run("interface back", true, &["ip", "nginx", "curl"]) {
        return;
    }
    let (pair, _nginx, _program) = between_namespaces(&[]);
    let mut all = Program::start(pair.at_server(why403()).args(["-i", "any", "--json"]));
    all.begins_to_see(|| refuse(&pair));
    ip(&format!("-n {} link delete {}", pair.server, pair.interface));
    let (client, server) = (&pair.client, &pair.server);
    ip(&format!("-n {client} link add veth-client type veth peer name veth-server netns {server}"));
    for (namespace, interface, address) in
        [(client, "veth-client", "10.203.0.1"), (server, "veth-server", "10.203.0.2")]
    {
        ip(&format!("-n {namespace} address add {address}/24 dev {interface}"));
        ip(&format!("-n {namespace} link set {interface} up"));
    }
    refuse(&pair);
    assert_eq!(all.next()["response"]["status"], 403, "{}", all.said());
}

/// A memory group of this test's own with a limit, removed when dropped; none where they cannot be made.
struct Group(PathBuf);

impl Group {
    /// With `bytes` in `file`, whose name says of which kind of groups it is.
    fn limited(file: &str, bytes: u64) -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let root = if file == "memory.limit_in_bytes" {
            root.join("memory")
        } else {
            let controllers = fs::read_to_string(root.join("cgroup.controllers")).ok()?;
            controllers.split_whitespace().find(|controller| *controller == "memory")?;
            // Where processes are in the root itself, as in a container, this is refused.
            let _ = fs::write(root.join("cgroup.subtree_control"), "+memory");
            root.to_owned()
        };
        let group = Self(root.join(format!("why403-test-{}-{file}", std::process::id())));
        fs::create_dir(&group.0).ok()?;
        fs::write(group.0.join(file), bytes.to_string()).ok()?;
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn within_the_memory_limit_of_its_group_the_history_is_smaller_and_nothing_is_killed() {
    if !can_run("memory limit", true, &[]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.pcap");
    let body = "x".repeat(8_000);
    let mut frames = Vec::new();
    for number in 0..8_000_u16 {
        let start = Timestamp(i64::from(number) * 1_000_000);
        let answer = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: 8000\r\n\r\n{body}");
        let conversation =
            Conversation::new(([10, 0, 1, 1], 1024 + number).into(), "10.0.0.1:80".parse().unwrap())
                .handshake(start)
                .client(b"POST /v1/x HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\nhi", start.plus(1_000))
                .server(answer.as_bytes(), start.plus(2_000))
                .fin(start.plus(3_000));
        frames.extend(conversation.into_frames());
    }
    fs::write(&path, pcap::to_bytes(&frames)).unwrap();
    drop(frames);
    for file in ["memory.limit_in_bytes", "memory.max", "memory.high"] {
        match Group::limited(file, 64 << 20) {
            Some(group) => stays_within(&group, &path),
            // In a container they are often read-only, tools or not.
            None => skipped("memory limit", &format!("no group with {file} can be made here")),
        }
    }
}

fn stays_within(group: &Group, path: &Path) {
    let script = r#"echo $$ >"$1/cgroup.procs" || exit 99; exec "$0" -r "$2" --json --stats"#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(why403()).arg(&group.0).arg(path).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said} {:?}", output.status);
    assert!(said.contains("the memory limit here is 64MiB: the history gets 16MiB"), "{said}");
    let seen = lines(&output.stdout);
    assert_eq!(seen.len(), 8_001);
    assert!(seen[8_000]["evicted"].as_u64().unwrap() > 1_000, "{}", seen[8_000]);
}
