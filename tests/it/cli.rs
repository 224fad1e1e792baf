//! The command line: what scripts rely on.

use std::ffi::OsStr;
use std::fs::{Permissions, set_permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::captures::{many, story, write};
use crate::support::{Program, can_run, install, lines, run, why403};

/// Runs the program on `file` with these words.
fn on(file: &Path, words: &str) -> Output {
    let mut command = Command::new(why403());
    command.env_clear().arg("-r").arg(file).args(words.split_whitespace());
    command.output().unwrap()
}

fn ids(output: &Output) -> Vec<u64> {
    lines(&output.stdout).iter().map(|line| line["id"].as_u64().unwrap()).collect()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// One line on standard error that says what to do, and exit code 2.
fn refuses(output: &Output, part: &str) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.starts_with("why403: ") && told.contains(part), "{told}");
    assert_eq!(told.matches('\n').count(), 1, "{told}");
}

#[test]
fn refused_posts_as_json_where_there_is_no_terminal() {
    let dir = tempdir().unwrap();
    let output = on(&story(dir.path()), "");
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let lines = lines(&output.stdout);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!(line["v"], 1);
    assert_eq!(line["started"], "2026-11-22T07:52:00.021000Z");
    assert_eq!(
        (line["client"].as_str(), line["server"].as_str()),
        (Some("192.0.2.3:49003"), Some("192.0.2.10:8080"))
    );
    assert_eq!(line["endpoint"], "POST api.example.com/v1/items");
    assert_eq!(line["response"]["status"], 403);
    assert_eq!(line["outcome"], "complete");
    assert!(line["baseline"]["id"].is_u64() && line["baseline"]["why"].is_string());
    assert!(!line["diagnosis"].as_array().unwrap().is_empty());
    let differs = line["differences"].as_array().unwrap();
    assert!(differs.iter().any(|one| one["name"] == "authorization"), "{differs:?}");
}

#[test]
fn an_empty_filter_shows_everything_in_order() {
    let dir = tempdir().unwrap();
    let mut command = Command::new(why403());
    let output = command.arg("-r").arg(story(dir.path())).args(["-Y", "", "--stats"]).output().unwrap();
    let mut lines = lines(&output.stdout);
    let stats = lines.pop().unwrap();
    let ids: Vec<u64> = lines.iter().map(|line| line["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
    assert!(lines.iter().any(|line| line["request"].is_null() && line["outcome"] == "orphan-response"));
    assert_eq!((stats["type"].as_str(), stats["matched"].as_u64()), (Some("summary"), Some(6)));
    assert_eq!((stats["requests"].as_u64(), stats["orphan_responses"].as_u64()), (Some(5), Some(1)));
}

#[test]
fn a_capture_filter_may_stand_before_options() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    assert_eq!(ids(&on(&file, "tcp port 8080 and host 192.0.2.3 --json")).len(), 1);
    assert_eq!(ids(&on(&file, "host 192.0.2.1")).len(), 0);
}

#[test]
fn counts_stop_and_exit_codes() {
    let dir = tempdir().unwrap();
    let file = many(dir.path(), 20);
    assert_eq!(ids(&on(&file, "")).len(), 10);
    assert_eq!(ids(&on(&file, "-c 3")), ids(&on(&file, ""))[..3]);
    assert_eq!(on(&file, "--fail-on-match").status.code(), Some(1));
    assert_eq!(on(&file, "--fail-on-match -Y status:500").status.code(), Some(0));
}

#[test]
fn what_memory_cannot_hold_is_written_before_it_goes() {
    let dir = tempdir().unwrap();
    let file = many(dir.path(), 600);
    let all = on(&file, "");
    let tight = on(&file, "--memory 200k --stats");
    let mut lines = lines(&tight.stdout);
    let stats = lines.pop().unwrap();
    assert!(stats["evicted"].as_u64().unwrap() > 300, "{stats}");
    let tight: Vec<u64> = lines.iter().map(|line| line["id"].as_u64().unwrap()).collect();
    assert_eq!(tight, ids(&all));
    assert!(lines.iter().all(|line| !line["diagnosis"].as_array().unwrap().is_empty()));
}

#[test]
fn a_summary_counts_what_would_be_listed() {
    let dir = tempdir().unwrap();
    let file = many(dir.path(), 600);
    // The second query asks for a template, so everything is kept and judged one by one.
    for (options, query) in [
        ("", "status:403"),
        ("", "endpoint:items status:403"),
        ("-c 7", "status:403"),
        ("--memory 200k", "status:403"),
    ] {
        let count = |more: &str| {
            let mut command = Command::new(why403());
            command.arg("-r").arg(&file).args(["--json", "-Y", query]).args(options.split_whitespace());
            lines(&command.args(more.split_whitespace()).output().unwrap().stdout)
        };
        let listed = count("");
        let summary = count("--summary").remove(0);
        let rows = summary["matches"].as_array().unwrap();
        let counted: u64 = rows.iter().map(|row| row["count"].as_u64().unwrap()).sum();
        assert_eq!(
            (counted, summary["matched"].as_u64()),
            (listed.len() as u64, Some(counted)),
            "{options} {query}"
        );
        for row in rows {
            let alike = listed.iter().filter(|line| {
                line["endpoint"] == row["endpoint"]
                    && line["response"]["status"] == row["status"]
                    && line["diagnosis"][0]["cause"] == row["cause"]
            });
            assert_eq!(alike.count() as u64, row["count"].as_u64().unwrap(), "{options} {query} {row}");
        }
    }
}

#[test]
fn summaries() {
    let dir = tempdir().unwrap();
    let file = many(dir.path(), 20);
    let text = String::from_utf8(on(&file, "--summary").stdout).unwrap();
    assert!(text.contains("20 requests, 20 responses; 10 matched method:POST status:403"), "{text}");
    assert!(
        text.lines().any(|line| line.contains("10  403") && line.ends_with("POST api.example.com/v1/items")),
        "{text}"
    );
    let json = lines(&on(&file, "--summary --json").stdout);
    assert_eq!(json.len(), 1);
    assert_eq!(
        (json[0]["type"].as_str(), json[0]["matches"][0]["count"].as_u64()),
        (Some("summary"), Some(10))
    );
}

#[test]
fn a_summary_groups_by_any_property() {
    let dir = tempdir().unwrap();
    let file = many(dir.path(), 20);
    for by in
        ["host", "endpoint", "client", "cause", "refuser", "status", "header:host", "claim:sub", "user-agent"]
    {
        let json = lines(&on(&file, &format!("--summary --json --by {by}")).stdout).remove(0);
        let groups = json["grouped"]["groups"].as_array().unwrap();
        let matched: u64 = groups.iter().map(|group| group["matched"].as_u64().unwrap()).sum();
        assert_eq!((json["grouped"]["by"].as_str(), matched), (Some(by), 10), "{json}");
        for group in groups {
            let count = |name: &str| group[name].as_u64().unwrap();
            assert!(
                count("matched") <= count("refusals") && count("refusals") <= count("exchanges"),
                "{group}"
            );
            assert!(group["cause"].is_string() && group["since"].is_string(), "{group}");
        }
    }
    let text = String::from_utf8(on(&file, "--summary --by host").stdout).unwrap();
    let row = text.lines().find(|line| line.ends_with("api.example.com")).unwrap();
    assert!(row.contains("10         10         20    50.0%"), "{text}");
    let wrong = on(&file, "--summary --by flavour");
    assert_eq!(wrong.status.code(), Some(2));
    let error = String::from_utf8(wrong.stderr).unwrap();
    assert!(error.contains("cannot group by 'flavour'") && error.contains("claim:NAME"), "{error}");
}

#[test]
fn a_mistyped_command_is_no_capture_filter() {
    let output = Command::new(why403()).arg("explian").output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    // Where nothing may be captured that is said first.
    if output.status.code() == Some(2) {
        assert!(error.contains("did you mean why403 explain?"), "{error}");
    }
}

#[test]
fn mistakes_get_one_line_that_says_what_to_do() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    refuses(&on(&file, "-Y stauts:403"), "`status`");
    refuses(&on(&file, "--no-such-option"), "--help");
    refuses(
        &on(&file, "--export xml"),
        "curl, nc, httpie, fetch, python, powershell, har, markdown, raw, json",
    );
    refuses(&on(&file, "--export curl --json"), "--export FORMAT=FILE");
    refuses(&on(&file, "--export curl --export har"), "--export FORMAT=FILE");
    refuses(&on(&file, "--memory lots"), "64KiB");
    refuses(&on(&file, "tcp prot 80"), "man pcap-filter");
    refuses(&on(&file, "-i eth0"), "cannot be used with");
    refuses(&on(Path::new("/nonexistent.pcap"), ""), "/nonexistent.pcap");
    refuses(&on(dir.path(), ""), "directory");
    refuses(&on(&write(dir.path(), "text", b"hello\n"), ""), "text");
    refuses(&run(["explain", "no-such-cause"]), "why403 explain");
    refuses(&run(["-i", "nosuch0"]), "nosuch0");
    refuses(&on(&write(dir.path(), "empty", b""), ""), "empty");
    refuses(
        &on(&write(dir.path(), "link", &header_of_link(147)), ""),
        "link type 147 is not supported; Ethernet",
    );
    refuses(&on(&file, "-Y status:4x3"), "write 403, 4xx");
    refuses(&on(&file, "-C 100"), "--write");
    refuses(&on(&file, "-w x.pcapng -C 0"), "100 or 64MiB");
    refuses(&on(&file, "-w /nonexistent/x.pcapng"), "choose another name or directory");
    refuses(&on(&file, "--export har=/nonexistent/x.har"), "choose another file");
    refuses(&on(&file, "--openapi /nonexistent"), "/nonexistent");
    refuses(&on(&file, "--fingerprints /nonexistent"), "/nonexistent");
    refuses(&on(&file, "--config /nonexistent"), "--config");
    refuses(&run(["-i", "TCP@nowhere"]), "write TCP@HOST:PORT");
    refuses(&run(["-i", "unix:/nonexistent.sock"]), "check the name");
}

/// A pcap file without records.
fn header_of_link(link: u32) -> Vec<u8> {
    let words = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

/// The program as somebody without privileges; a copy, because that somebody may not see the build directory.
fn unprivileged(dir: &Path) -> Command {
    set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    let binary = dir.join("why403");
    install(why403(), &binary);
    let mut command = Command::new(binary);
    command.uid(65534).gid(65534).current_dir("/").env_clear();
    command
}

#[test]
fn a_file_that_may_not_be_read_or_made() {
    if !can_run("a_file_that_may_not_be_read_or_made", true, &[]) {
        return;
    }
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let as_nobody =
        |words: &[&str]| unprivileged(dir.path()).arg("-r").arg(&file).args(words).output().unwrap();
    refuses(&as_nobody(&[]), "Permission denied (os error 13); read it as a user who may");
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let target = dir.path().join("x.pcapng");
    refuses(&as_nobody(&["-w", target.to_str().unwrap()]), "choose another name or directory");
    assert_eq!(as_nobody(&["--json"]).status.code(), Some(0));
}

#[test]
fn a_configuration_that_may_not_be_read_is_said_and_left_out_unless_it_was_named() {
    if !can_run("a_configuration_that_may_not_be_read", true, &[]) {
        return;
    }
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    std::fs::create_dir(dir.path().join("home")).unwrap();
    set_permissions(dir.path().join("home"), Permissions::from_mode(0o700)).unwrap();
    let usual = dir.path().join("usual");
    std::fs::create_dir_all(usual.join("why403")).unwrap();
    std::fs::write(usual.join("why403/config.toml"), "filter = 'status:999'").unwrap();
    set_permissions(usual.join("why403/config.toml"), Permissions::from_mode(0o600)).unwrap();
    let with = |name: &str, value: &Path| {
        unprivileged(dir.path()).env(name, value).arg("-r").arg(&file).output().unwrap()
    };
    let output = with("XDG_CONFIG_HOME", &usual);
    assert_eq!((output.status.code(), ids(&output).len()), (Some(0), 1));
    assert!(told(&output).starts_with("why403: going on without the configuration"), "{}", told(&output));
    assert_eq!(told(&output).lines().count(), 1);
    let output = with("HOME", &dir.path().join("home"));
    assert_eq!((output.status.code(), told(&output).as_str()), (Some(0), ""));
    refuses(&with("WHY403_CONFIG", &usual.join("why403/config.toml")), "name another file with --config");
}

#[test]
fn matching_frames_in_pieces() {
    let dir = tempdir().unwrap();
    let file = many(dir.path(), 60);
    let target = dir.path().join("kept.pcapng");
    let words = format!("--json -C 4KiB -w {}", target.display());
    let output = on(&file, &words);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let mut pieces: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("kept-"))
        .collect();
    pieces.sort();
    assert!(pieces.len() > 2 && pieces[0].ends_with("kept-00001.pcapng"), "{pieces:?}");
    let found: usize = pieces.iter().map(|piece| ids(&on(piece, "")).len()).sum();
    assert!(found >= ids(&output).len() - pieces.len(), "{found} of {}", ids(&output).len());
    assert!(
        pieces.iter().all(|piece| std::fs::metadata(piece).unwrap().permissions().mode() & 0o777 == 0o600)
    );
}

#[test]
fn fingerprints_of_ones_own_are_asked_too() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    let causes = |words: &str| {
        let output = on(&file, words);
        let found = lines(&output.stdout)[0]["diagnosis"].as_array().unwrap().clone();
        found.iter().map(|one| one["cause"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!causes("").contains(&"quota".to_owned()));
    let mine = br#"fingerprint = [{ id = "mine", system = "ours", says = ["forbidden"], causes = { quota = 9.0 } }]"#;
    let mine = write(dir.path(), "mine.toml", mine);
    let found = causes(&format!("--fingerprints {}", mine.display()));
    assert!(found.contains(&"quota".to_owned()), "{found:?}");
    let wrong = write(dir.path(), "wrong.toml", b"fingerprint = 1");
    refuses(&on(&file, &format!("--fingerprints {}", wrong.display())), "wrong.toml");
}

#[test]
fn messages_cannot_act_on_the_terminal() {
    let output = run([OsStr::new("-r"), OsStr::from_bytes(b"/no\x1b[2J\x07\xff.pcap")]);
    refuses(&output, "␛[2J␇");
    assert!(!output.stderr.contains(&0x1b));
    let output = run(["-i", "x\u{1b}]0;t\u{7}\u{202e}"]);
    assert!(!output.stderr.contains(&0x1b) && !told(&output).contains('\u{202e}'), "{}", told(&output));
    let output = run(["-r", "/nonexistent", "-Y", "\u{1b}[2J:x"]);
    assert!(!output.stderr.contains(&0x1b), "{}", told(&output));
}

#[test]
fn what_was_read_of_a_cut_capture_is_kept() {
    let dir = tempdir().unwrap();
    let whole = std::fs::read(many(dir.path(), 20)).unwrap();
    let file = write(dir.path(), "cut.pcap", &whole[..whole.len() - 2000]);
    let output = on(&file, "");
    assert!(ids(&output).len() >= 8, "{}", told(&output));
    refuses(&output, "cut.pcap");
}

#[test]
fn nobody_reads_any_more() {
    let dir = tempdir().unwrap();
    let file = many(dir.path(), 600);
    let mut program = Program::start(Command::new(why403()).arg("-r").arg(&file).args(["-Y", ""]));
    program.next();
    program.stop_reading();
    assert_eq!(program.ended().code(), Some(0));
    assert_eq!(program.said(), "");
}

#[test]
fn without_permission_to_capture() {
    if !can_run("without_permission_to_capture", true, &[]) {
        return;
    }
    let dir = tempdir().unwrap();
    let output = unprivileged(dir.path()).args(["-i", "lo"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("setcap cap_net_raw+ep"), "{}", told(&output));
}

#[test]
fn signals_end_a_live_capture_with_what_was_seen() {
    if !can_run("signals_end_a_live_capture_with_what_was_seen", true, &[]) {
        return;
    }
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut program = Program::start(Command::new(why403()).args(["demo", "--stats", "--rate", "100"]));
        program.next();
        program.signal(signal);
        let last = program.rest().pop().unwrap();
        assert_eq!(last["type"], "summary");
        assert_eq!(program.ended().code(), Some(0), "{signal}: {}", program.said());
    }
}

#[test]
fn the_demo_works_in_a_script() {
    let output = run(["demo", "--json", "-c", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let lines = lines(&output.stdout);
    assert_eq!(lines.len(), 5);
    for line in lines {
        assert_eq!(line["response"]["status"], 403);
        assert!(line["baseline"].is_object(), "{line}");
        assert_ne!(line["diagnosis"][0]["cause"], "unknown", "{line}");
    }
}

#[test]
fn a_command_gets_the_exchange() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    let out = dir.path().join("seen");
    let command = format!("cat > {0}.new && mv {0}.new {0}", out.display());
    let mut process = Command::new(why403());
    process.arg("-r").arg(&file).args(["--sandbox", "off", "--on-match", &command]);
    assert_eq!(process.output().unwrap().status.code(), Some(0));
    let seen = lines(&std::fs::read(&out).unwrap());
    assert_eq!(seen[0]["response"]["status"], 403);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let dir = tempdir().unwrap();
    let file = write(dir.path(), "config.toml", b"filter = 'status:201'\nmemory = '64MiB'\n");
    let capture = story(dir.path());
    let with = |filter: Option<&str>, words: &[&str]| {
        let mut command = Command::new(why403());
        command.env_clear().env("WHY403_CONFIG", &file).arg("-r").arg(&capture).args(words);
        filter.map(|filter| command.env("WHY403_FILTER", filter));
        ids(&command.output().unwrap()).len()
    };
    assert_eq!(with(None, &[]), 3);
    assert_eq!(with(Some("method:GET"), &[]), 1);
    assert_eq!(with(Some("method:GET"), &["-Y", "status:201 method:POST"]), 3);
    let output =
        Command::new(why403()).env_clear().env("WHY403_CONFIG", &file).arg("config").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("filter = \"status:201\"") && text.contains("memory = \"64MiB\""), "{text}");
    let wrong = write(dir.path(), "wrong.toml", b"\nfliter = 'x'\n");
    let output = Command::new(why403()).arg("config").arg("--config").arg(&wrong).output().unwrap();
    refuses(&output, "line 2: unknown key 'fliter'; did you mean 'filter'?");
}

#[test]
fn a_capture_from_standard_input() {
    let dir = tempdir().unwrap();
    let file = std::fs::File::open(story(dir.path())).unwrap();
    let output = Command::new(why403()).args(["-r", "-"]).stdin(file).output().unwrap();
    assert_eq!(ids(&output).len(), 1, "{}", told(&output));
}

#[test]
fn help_version_completions_and_manual() {
    let text = |words: &[&str]| String::from_utf8(run(words).stdout).unwrap();
    insta::assert_snapshot!(text(&["--help"]));
    assert_eq!(text(&["--version"]), format!("why403 {}\n", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        assert!(text(&["completions", shell]).contains("why403"), "{shell}");
    }
    assert!(text(&["man"]).contains(".SH"));
    assert!(text(&["explain", "csrf"]).starts_with("csrf: "));
    assert!(text(&["explain"]).lines().count() >= 30);
    assert!(text(&["-D"]).contains("lo"));
}
