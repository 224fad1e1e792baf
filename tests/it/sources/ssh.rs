//! The far side's script, run by a stand-in for ssh that runs it here.

use std::fs;
use std::path::{Path, PathBuf};

use why403::model::Timestamp;
use why403::source::{Origin, Source, SourceError, SourceOptions, SshTarget, Stop};
use why403::synth::{Conversation, pcap};

use super::Notes;
use crate::support::install;

/// A directory with programs in it.
struct Bin(tempfile::TempDir);

impl Bin {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        let draft = self.0.path().join(format!("{name}.draft"));
        fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
        install(&draft, &path);
        path
    }
    /// An ssh that notes its arguments and runs its last one with this directory's programs, as a host with this connection.
    fn ssh(&self) -> PathBuf {
        let dir = self.0.path().display();
        self.script(
            "ssh",
            &format!(
                "printf '%s\\n' \"$@\" > {dir}/arguments\nfor last; do :; done\nPATH={dir}:$PATH\n\
                 SSH_CONNECTION='192.0.2.1 5555 fe80::1%eth0 22'\nexport PATH SSH_CONNECTION\nexec sh -c \"$last\""
            ),
        )
    }
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }
}

fn target(program: &Path, host: &str) -> Origin {
    Origin::Ssh(SshTarget { program: program.to_owned(), ..SshTarget::new(host) })
}

fn run(origin: &Origin, filter: Option<&str>) -> Result<Notes, SourceError> {
    let options = SourceOptions { filter: filter.map(str::to_owned), ..SourceOptions::default() };
    let stop = Stop::new().unwrap();
    let mut notes = Notes::default();
    Source::open(origin, &options, &stop)?.run(&mut notes, &stop)?;
    Ok(notes)
}

#[test]
fn the_far_side_runs_tcpdump_without_its_own_connection() {
    let bin = Bin::new();
    let talk = Conversation::new("10.0.0.1:5".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    let frames = talk.handshake(Timestamp(1)).into_frames();
    let dir = bin.0.path().display().to_string();
    fs::write(format!("{dir}/capture"), pcap::to_bytes(&frames)).unwrap();
    let tcpdump = format!(
        "case \" $* \" in *' -d '*|*--version*) exit 0;; esac\nprintf '%s\\n' \"$@\" > {dir}/tcpdump-arguments\n\
         echo 'tcpdump: listening on any' >&2\ncat {dir}/capture\necho '3 packets captured' >&2\n\
         echo '10 packets received by filter' >&2\necho '7 packets dropped by kernel' >&2"
    );
    bin.script("tcpdump", &tcpdump);
    let ssh = bin.ssh();
    let notes = run(&target(&ssh, "me@staging"), Some("port 8'0'; touch x")).map(|_| ());
    assert!(notes.unwrap_err().to_string().contains("is wrong"), "a wrong filter never leaves the house");
    let notes = run(&target(&ssh, "me@staging"), Some("port 80 or host 127.0.0.1")).unwrap();
    assert_eq!((notes.count, notes.warnings.len()), (3, 0));
    assert_eq!((notes.counters.received, notes.counters.kernel_dropped), (3, 7));
    let arguments = bin.read("arguments");
    assert!(arguments.contains("-T\n") && arguments.contains("\n--\nme@staging\n"), "{arguments}");
    let own = "not (host 192.0.2.1 and tcp port 5555 and host fe80::1 and tcp port 22)";
    let x = format!("{own} and (port 80 or host 127.0.0.1)");
    assert_eq!(
        bin.read("tcpdump-arguments"),
        format!("-i\nany\n-s\n262144\n-B\n16384\n-n\n-U\n-w\n-\n({x}) or (vlan and ({x}))\n")
    );
}

#[test]
fn failures_come_with_the_far_sides_words_and_advice() {
    let bin = Bin::new();
    let refused = bin.script("refused", "echo 'me@staging: Permission denied (publickey).' >&2; exit 255");
    let missing = bin.script("missing", "echo 'tcpdump is not installed there' >&2; exit 127");
    let forbidden = bin.script(
        "forbidden",
        "echo \"tcpdump: any: You don't have permission to perform this capture on that device\" >&2; exit 1",
    );
    for (program, wanted) in [
        (refused, "no capture from staging: me@staging: Permission denied (publickey).; see whether ssh"),
        (missing, "tcpdump is not installed there; install tcpdump there"),
        (forbidden, "allow sudo tcpdump without a password"),
        (PathBuf::from("/nonexistent/ssh"), "cannot run /nonexistent/ssh"),
    ] {
        let error = run(&target(&program, "staging"), None).err().unwrap();
        assert!(error.to_string().contains(wanted), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

/// A capture of three frames, and a stand-in for ssh that runs `before` and then writes it.
fn after(before: &str) -> (Bin, PathBuf) {
    let bin = Bin::new();
    let dir = bin.0.path().display().to_string();
    let talk = Conversation::new("10.0.0.1:5".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    fs::write(format!("{dir}/capture"), pcap::to_bytes(&talk.handshake(Timestamp(1)).into_frames())).unwrap();
    let ssh = bin.script("ssh", &format!("{before}\nexec cat {dir}/capture"));
    (bin, ssh)
}

#[test]
fn a_flood_on_standard_error_stops_no_capture() {
    for before in [
        "head -c 70000 /dev/zero | tr '\\0' x >&2",
        "yes warning | head -c 300000 >&2",
        "head -c 200000 /dev/zero >&2; echo hello; head -c 200000 /dev/zero >&2",
    ] {
        let (_bin, ssh) = after(before);
        let notes = run(&target(&ssh, "staging"), None).unwrap();
        assert_eq!(notes.count, 3, "{before}");
    }
}

#[test]
fn text_before_the_capture_is_skipped_and_shown_escaped() {
    for (before, wanted) in [
        ("echo 'Welcome to box'", "Welcome to box"),
        ("printf 'a\\033[2Jb\\r\\n'", "a␛[2Jb"),
        ("printf '\\324\\303\\262\\241 no capture '", "no capture"),
        ("yes noise | head -c 100000", "(100000 bytes)"),
    ] {
        let (_bin, ssh) = after(before);
        let notes = run(&target(&ssh, "staging"), None).unwrap();
        assert_eq!((notes.count, notes.warnings.len()), (3, 1), "{before}");
        assert!(
            notes.warnings[0].contains(wanted) && !notes.warnings[0].contains('\u{1b}'),
            "{}",
            notes.warnings[0]
        );
    }
    let (_bin, ssh) = after("yes noise | head -c 1000000");
    let error = run(&target(&ssh, "staging"), None).err().unwrap().to_string();
    assert!(error.contains("something else than a capture"), "{error}");
    let (_bin, ssh) = after("echo Welcome; echo 'tcpdump: any: broken' >&2; echo Terminated >&2; exit 1");
    let error = run(&target(&ssh, "staging"), None).err().unwrap().to_string();
    assert!(error.contains("tcpdump: any: broken") && !error.contains("Terminated"), "{error}");
    let (_bin, ssh) = after("echo 'This account is closed.'; exit 0");
    let error = run(&target(&ssh, "staging"), None).err().unwrap().to_string();
    assert!(error.contains("it wrote only: This account is closed."), "{error}");
}

#[test]
fn a_host_is_never_an_option() {
    for host in ["-oProxyCommand=touch x", "", "a b", "a\nb"] {
        let error = run(&target(Path::new("/bin/false"), host), None).err().unwrap();
        assert!(matches!(error, SourceError::SshHost(_)), "{error}");
    }
}

#[test]
fn the_far_side_ends_with_us() {
    let bin = Bin::new();
    let dir = bin.0.path().display().to_string();
    let talk = Conversation::new("10.0.0.1:5".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    fs::write(format!("{dir}/capture"), pcap::to_bytes(&talk.handshake(Timestamp(1)).into_frames())).unwrap();
    bin.script(
        "tcpdump",
        &format!(
            "case \" $* \" in *' -d '*|*--version*) exit 0;; esac\ntrap 'echo ended > {dir}/end; exit 0' TERM\n\
             cat {dir}/capture\nwhile :; do sleep 0.1; done"
        ),
    );
    let ssh = bin.ssh();
    let stop = Stop::new().unwrap();
    let source = Source::open(&target(&ssh, "staging"), &SourceOptions::default(), &stop).unwrap();
    let mut notes = Notes { enough: Some(3), ..Notes::default() };
    source.run(&mut notes, &stop).unwrap();
    crate::support::until("tcpdump over there to end", || fs::read_to_string(format!("{dir}/end")).ok());
}

/// It neither reads nor writes nor hears of the end, as ssh over a line that has gone dead.
#[test]
fn an_ssh_that_hangs_holds_nobody_up_and_is_ended() {
    let bin = Bin::new();
    let dir = bin.0.path().display().to_string();
    let talk = Conversation::new("10.0.0.1:5".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    fs::write(format!("{dir}/capture"), pcap::to_bytes(&talk.handshake(Timestamp(1)).into_frames())).unwrap();
    let hanging =
        bin.script("ssh", &format!("echo $$ > {dir}/pid\ncat {dir}/capture\nexec sleep 600 2>/dev/null"));
    let stop = Stop::new().unwrap();
    let source = Source::open(&target(&hanging, "staging"), &SourceOptions::default(), &stop).unwrap();
    let mut notes = Notes { enough: Some(3), ..Notes::default() };
    let started = std::time::Instant::now();
    source.run(&mut notes, &stop).unwrap();
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    let process = format!("/proc/{}", bin.read("pid").trim());
    crate::support::until("the hanging ssh to be ended", || {
        // It may stay as a zombie until its guard has taken notice.
        let state = fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    });
}
