//! What the running program has given up, seen from outside in /proc and from inside by `why403 doctor`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::captures;
use crate::support::{Nginx, Pair, Program, can_run, fault, install, lines, must, run, until, why403};

/// The value of a line of /proc/PID/status.
pub(crate) fn status(id: u32, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
}

/// A program that is capturing on the loopback interface, with a server to talk to.
fn watching(options: &[&str]) -> (Program, Nginx) {
    let nginx = Nginx::on_loopback();
    let port = nginx.address.port().to_string();
    let mut command = Command::new(why403());
    command.args(["-i", "lo", "--json"]).args(options).args(["port", &port]);
    let mut program = Program::start(&mut command);
    program.begins_to_see(|| nginx.refuse());
    (program, nginx)
}

#[test]
fn a_capture_started_as_root_runs_as_nobody_without_capabilities_behind_a_filter() {
    if !can_run("sandbox of a live capture", true, &["nginx", "curl"]) {
        return;
    }
    let (program, _nginx) = watching(&[]);
    let id = program.id();
    let threads: Vec<u32> = fs::read_dir(format!("/proc/{id}/task"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    for thread in threads {
        let uids = status(thread, "Uid");
        assert!(uids.split_whitespace().all(|uid| uid != "0"), "thread {thread} has uids {uids}");
        assert_eq!(status(thread, "Gid").split_whitespace().filter(|gid| *gid == "0").count(), 0);
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(status(thread, set), "0000000000000000", "{set} of thread {thread}");
        }
        assert_eq!(status(thread, "NoNewPrivs"), "1");
        assert_eq!(status(thread, "Seccomp"), "2");
    }
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

#[test]
fn sudo_decides_who_the_program_becomes() {
    if !can_run("sandbox under sudo", true, &["nginx", "curl"]) {
        return;
    }
    let nginx = Nginx::on_loopback();
    let port = nginx.address.port().to_string();
    let mut command = Command::new(why403());
    command.args(["-i", "lo", "--json", "port", &port]).env("SUDO_UID", "12345").env("SUDO_GID", "23456");
    let mut program = Program::start(&mut command);
    program.begins_to_see(|| nginx.refuse());
    assert_eq!(status(program.id(), "Uid"), "12345\t12345\t12345\t12345");
    assert_eq!(status(program.id(), "Groups"), "23456");
}

#[test]
fn off_keeps_everything() {
    if !can_run("no sandbox", true, &["nginx", "curl"]) {
        return;
    }
    let (program, _nginx) = watching(&["--sandbox=off"]);
    assert!(status(program.id(), "Uid").starts_with('0'));
    assert_eq!(status(program.id(), "Seccomp"), "0");
}

#[test]
fn a_capability_of_the_file_is_enough_for_a_plain_user() {
    if !can_run("file capability", true, &["nginx", "curl", "setcap", "setpriv"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = dir.path().join("why403");
    install(why403(), &copy);
    must("setcap", ["cap_net_raw+ep", copy.to_str().unwrap()]);
    let nginx = Nginx::on_loopback();
    let port = nginx.address.port().to_string();
    let mut command = Command::new("setpriv");
    command
        .env_remove("HOME")
        .env_remove("XDG_CONFIG_HOME")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&copy);
    let mut program = Program::start(command.args(["-i", "lo", "--json", "port", &port]));
    program.begins_to_see(|| nginx.refuse());
    assert_eq!(status(program.id(), "CapPrm"), "0000000000000000");
    assert_eq!(status(program.id(), "Seccomp"), "2");
}

#[test]
fn without_the_permission_the_exit_code_is_3_and_the_line_says_what_to_do() {
    if !can_run("no permission", true, &["setpriv"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = dir.path().join("why403");
    install(why403(), &copy);
    let output = Command::new("setpriv")
        .env_remove("HOME")
        .env_remove("XDG_CONFIG_HOME")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&copy)
        .args(["-i", "lo", "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("setcap cap_net_raw+ep") || said.contains("why403 doctor"), "{said}");
}

#[test]
fn doctor_tries_what_must_fail_from_inside_and_it_fails() {
    let output = run(["doctor"]);
    let table = String::from_utf8_lossy(&output.stdout);
    for name in [
        "read a secret",
        "read a file",
        "write a file",
        "run a program",
        "connect",
        "capture again",
        "become root",
    ] {
        let line =
            table.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name} in {table}"));
        assert!(line.contains("refused"), "{line}");
    }
    assert!(!table.contains("ALLOWED"), "{table}");
}

#[test]
fn a_mechanism_that_is_missing_is_said_and_with_require_nothing_starts() {
    if !can_run("missing mechanism", false, &["cc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = captures::story(dir.path());
    let start = |missing: &str, sandbox: &str| {
        let mut command = Command::new(why403());
        command.args(["-r", file.to_str().unwrap(), "--json", sandbox]).envs(fault(missing));
        command.stdin(Stdio::null()).output().unwrap()
    };
    for (missing, words) in
        [("landlock", "Landlock (the kernel has none"), ("thread", "one thread (2 threads are running")]
    {
        let auto = start(missing, "--sandbox=auto");
        let said = String::from_utf8_lossy(&auto.stderr).into_owned();
        assert!(said.contains(&format!("sandbox without {words}")), "{said}");
        assert_eq!((auto.status.code(), lines(&auto.stdout).len()), (Some(0), 1), "{said}");
        let required = start(missing, "--sandbox=require");
        let said = String::from_utf8_lossy(&required.stderr).into_owned();
        assert!(said.contains("--sandbox=require asks for lacks") && said.contains(words), "{said}");
        assert_eq!((said.lines().count(), required.status.code()), (1, Some(2)), "{said}");
        assert!(required.stdout.is_empty());
        let doctor = Command::new(why403()).arg("doctor").envs(fault(missing)).output().unwrap();
        let table = String::from_utf8_lossy(&doctor.stdout).into_owned();
        let row = table.lines().filter(|line| line.contains(words.split(" (").nth(1).unwrap()));
        assert!(row.clone().count() > 0 && row.clone().all(|line| line.trim().starts_with("NO")), "{table}");
    }
}

/// Sends the Ethernet frames of a capture file on an interface.
const SENDER: &str = "import socket, struct, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[1], 0))
data = open(sys.argv[2], 'rb').read()
at = 24
while at < len(data):
    length = struct.unpack('<I', data[at + 8:at + 12])[0]
    try:
        out.send(data[at + 16:at + 16 + length])
    except OSError:
        pass
    at += 16 + length
";

/// A few thousand frames of HTTP with bytes changed at places that look random.
fn hostile(dir: &Path) -> PathBuf {
    let file = captures::many(dir, 800);
    let mut bytes = fs::read(&file).unwrap();
    let (mut at, mut state) = (24, 0x9E37_79B9_7F4A_7C15_u64);
    while at + 16 < bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let place = at + 16 + 12 + state as usize % (length - 12);
            bytes[place] ^= (state >> 40) as u8;
        }
        at += 16 + length;
    }
    fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn while_hostile_frames_come_in_the_sandbox_holds_and_the_capture_lives() {
    if !can_run("hostile frames", true, &["nginx", "curl", "ip", "python3"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (pair, file) = (Pair::new(), hostile(dir.path()));
    let nginx = Nginx::in_namespace(&pair.server, (Pair::SERVER, 80).into());
    let mut command = pair.at_server(why403());
    let mut program =
        Program::start(command.args(["-i", &pair.interface, "--json", "--stats", "-Y", "host:probe"]));
    let url = format!("http://{}/banned", nginx.address.ip());
    let probe = |program: &mut Program| {
        until("a refusal to be seen", || {
            let curl = ["-s", "-o", "/dev/null", "-H", "Host: probe", "-d", "a=1", &url];
            assert!(pair.at_client("curl").args(curl).status().unwrap().success());
            program.next_within(Duration::from_millis(300))
        })
    };
    assert_eq!(probe(&mut program)["response"]["status"], 403);
    let held = |id: u32| {
        assert_eq!(status(id, "CapEff"), "0000000000000000");
        assert_eq!((status(id, "Seccomp").as_str(), status(id, "NoNewPrivs").as_str()), ("2", "1"));
        assert!(status(id, "Uid").split_whitespace().all(|uid| uid != "0"));
        fs::read_dir(format!("/proc/{id}/task")).unwrap().count()
    };
    let threads = held(program.id());
    for _ in 0..5 {
        let mut sender = pair.at_client("python3");
        sender.args(["-c", SENDER, "veth-client"]).arg(&file);
        let mut sender = sender.spawn().unwrap();
        until("the frames to be sent", || {
            assert_eq!(held(program.id()), threads);
            sender.try_wait().unwrap()
        });
    }
    assert_eq!(probe(&mut program)["response"]["status"], 403, "it still sees");
    assert_eq!(held(program.id()), threads);
    program.signal(nix::sys::signal::Signal::SIGTERM);
    let totals = program.rest().pop().unwrap();
    assert!(totals["frames"].as_u64().unwrap() > 10_000, "{totals}");
    assert_eq!(program.ended().code(), Some(0), "{}", program.said());
}
