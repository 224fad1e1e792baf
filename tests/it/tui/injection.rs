//! Whatever strangers put into names and values, the bytes that reach a real terminal are ours: no control sequence but the
//! painter's, nothing invisible, nothing that turns text round. And it is shown, as the evidence that it is.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tempfile::TempDir;
use why403::model::Timestamp;
use why403::synth::{Conversation, merge, pcap};

use super::pty::Terminal;
use crate::support::{Pair, can_run, install, ip, why403};

/// Sets a title, rings, colours, clears the screen by an eight-bit control, turns round, hides, rubs out.
const ATTACK: &str = "\x1b]0;EVIL\x07\x1b[31;41;5mEVIL\u{9b}2J\u{202e}\u{200b}\u{2066}\u{e0041}\x08\x7fEVIL";

/// The attack behind a tag that says where it stood.
fn at(tag: &str) -> String {
    format!("{tag}{ATTACK}")
}

/// Refusals beside a success, with an attack in everything that a stranger can name.
fn capture() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let claims =
        serde_json::json!({ "iss": at("ISS"), "sub": at("SUB"), "scope": at("SCOPE"), "exp": 1_795_333_000 });
    let token = format!(
        "{}.{}.c2ln",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let body = |tag: &str| serde_json::json!({ at("KEY"): at(tag), "plain": 1 }).to_string();
    let request = |fields: &str, tag: &str| {
        let (body, target, host) = (body(tag), at("TARGET").replace(' ', ""), at("HOST"));
        let start = format!(
            "POST /v1/{target}?q={target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {}\r\n",
            at("AGENT")
        );
        let rest = format!(
            "Cookie: {}=1; c={}\r\n{fields}Content-Type: application/json\r\n",
            at("COOKIE"),
            at("CRUMB")
        );
        [
            format!("{start}{rest}X-Raw: \u{9b}").into_bytes(),
            b"\x9b\xff\xfe".to_vec(),
            format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes(),
        ]
        .concat()
    };
    let response = |status: &str, tag: &str| {
        let body = body(tag);
        let server = at("SERVER");
        let fields = format!(
            "Server: {server}\r\nWWW-Authenticate: Bearer error=\"{}\"\r\nSet-Cookie: {}=2\r\nX-{}: v\r\n",
            at("ERROR"),
            at("JAR"),
            at("NAME")
        );
        format!(
            "HTTP/1.1 {status} {}\r\n{fields}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            at("REASON"),
            body.len()
        )
    };
    let talk = |number: u16, request: &[u8], response: &str| {
        let time = |ms: i64| Timestamp::from_parts(1_795_333_920 + i64::from(number), 0).plus(ms * 1_000_000);
        Conversation::new(([10, 0, 0, 1], 40_000 + number).into(), "10.0.0.2:8080".parse().unwrap())
            .handshake(time(0))
            .client(request, time(1))
            .server(response.as_bytes(), time(2))
            .fin(time(3))
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let frames = merge([
        talk(1, &request("", "SENT"), &response("201", "GOT")),
        talk(2, &request(&bearer, "SENT"), &response("403", "REFUSED")),
        talk(3, &request(&bearer, "OTHER"), &response("403", "REFUSED")),
    ]);
    let path = dir.path().join(format!("{}.pcap", at("FILE")));
    std::fs::write(&path, pcap::to_bytes(&frames)).unwrap();
    (dir, path)
}

/// Checks everything that came out of the terminal, byte by byte.
#[track_caller]
fn is_ours(raw: &[u8]) {
    let text = std::str::from_utf8(raw).expect("what is sent is UTF-8");
    let around =
        |at: usize| text.get(at.saturating_sub(60)..).unwrap_or(text).chars().take(120).collect::<String>();
    let mut chars = text.char_indices().peekable();
    while let Some((place, c)) = chars.next() {
        match c {
            '\x1b' => {
                sequence(&mut chars).unwrap_or_else(|| panic!("a strange sequence in {:?}", around(place)));
            }
            '\r' | '\n' | '\t' => {}
            _ => {
                let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}');
                assert!(!c.is_control() && !hidden, "{c:?} in {:?}", around(place));
            }
        }
    }
}

/// A control sequence as the painter, the guard of the terminal and the shell's line end write them; nothing else.
fn sequence(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> Option<()> {
    match chars.next()?.1 {
        '[' => loop {
            match chars.next()?.1 {
                '0'..='9' | ';' | ':' | '?' | ' ' | '>' | '<' | '=' => {}
                'A'..='H' | 'J' | 'K' | 'X' | 'd' | 'h' | 'l' | 'm' | 'q' | 'r' | 't' | 'u' => {
                    return Some(());
                }
                _ => return None,
            }
        },
        '(' => chars.next().filter(|(_, c)| *c == 'B').map(drop),
        '7' | '8' | '=' | '>' => Some(()),
        _ => None,
    }
}

#[test]
fn nothing_on_the_wire_reaches_the_terminal_as_it_is_in_any_view() {
    let (_dir, file) = capture();
    let mut terminal = Terminal::open(
        why403().to_str().unwrap(),
        &["-r", file.to_str().unwrap(), "--with-secrets"],
        (320, 60),
    );
    terminal.until_shown("2 of 3 match");
    let why = ["TARGET␛]0;E", "FILE␛]0;EVIL␇␛[31", "claim iss is ISS␛]0;EVIL␇␛[31"];
    let request = [
        "Host: HOST␛]0;EVIL␇␛[31;41;5mEVIL\\u{9b}2J\\u{202e}\\u{200b}\\u{2066}\\u{e0041}␈␡EVIL",
        "User-Agent: AGENT␛]0;EVIL␇",
        "COOKIE␛]0",
        "CRUMB␛]0",
        "iss   = ISS␛]0;EVIL␇",
        "scope = SCOPE␛]0;EVIL␇",
        "sub   = SUB␛]0;EVIL␇",
        r"X-Raw: \u{9b}\x9b\xff\xfe",
    ];
    let response = [
        "403 REASON␛]0;EVIL␇",
        "Server: SERVER␛]0;EVIL␇",
        "error=\"ERROR␛]0;EVIL␇",
        "Set-Cookie: JAR␛]0;EVIL␇",
        "X-NAME␛]0;EVIL␇",
        r#""KEY\u001b]0;EVIL\u0007\u001b[31"#,
        r#": "REFUSED"#,
    ];
    let steps: [(&str, &[&str]); 10] = [
        ("g\r", &why),
        ("\t", &["Suspects"]),
        ("\t", &request),
        ("\t", &response),
        ("\t", &["curl -i"]),
        ("E", &["REFUSED/TOTAL", "evil"]),
        ("S", &["2 of 3 match"]),
        ("g j C", &["Comparison of two", "KEY␛]0;EVIL"]),
        ("H", &["Lost, by stage", "FILE␛]0;EVIL␇"]),
        ("So", &["Show only"]),
    ];
    for (keys, texts) in steps {
        terminal.press(keys);
        for text in texts {
            terminal.until_shown(text);
        }
    }
    terminal.press("\x1b");
    terminal.until("the menu to close", |terminal| !terminal.shows().contains("Show only"));
    terminal.press("/\x15host:\t");
    terminal.until_shown("evil");
    terminal.press("\x03");
    terminal.until_shown("2 of 3 match");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    is_ours(&terminal.raw);
}

#[test]
fn what_is_copied_cannot_end_the_sequence_that_carries_it() {
    let (_dir, file) = capture();
    let mut terminal = Terminal::open(
        why403().to_str().unwrap(),
        &["-r", file.to_str().unwrap(), "--with-secrets"],
        (120, 40),
    );
    terminal.until_shown("2 of 3 match");
    terminal.press("kyu");
    terminal.until_shown("handed to the terminal");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    let raw = String::from_utf8(terminal.raw.clone()).unwrap();
    let (before, rest) = raw.split_once("\x1b]52;c;").unwrap();
    let (payload, after) = rest.split_once('\x07').unwrap();
    assert!(
        payload.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)),
        "{payload:?}"
    );
    is_ours(before.as_bytes());
    is_ours(after.as_bytes());
}

#[test]
fn every_output_is_harmless_on_a_terminal() {
    let (_dir, file) = capture();
    let file = file.to_str().unwrap();
    for options in [
        &["--json"][..],
        &["--summary"],
        &["--summary", "--json"],
        &["--export", "curl"],
        &["--export", "har"],
        &["--export", "markdown"],
        &["--export", "raw"],
    ] {
        let arguments = [&["-r", file, "--with-secrets"], options].concat();
        let mut terminal = Terminal::open(why403().to_str().unwrap(), &arguments, (120, 40));
        assert_eq!(terminal.end(), 0, "{options:?}");
        assert!(String::from_utf8_lossy(&terminal.raw).to_lowercase().contains("evil"), "{options:?}");
        is_ours(&terminal.raw);
    }
}

#[test]
fn the_name_of_an_interface_is_harmless() {
    if !can_run("name of an interface", true, &["ip"]) {
        return;
    }
    let pair = Pair::new();
    let name = "\x1b]0;E\x07\u{9b}J";
    ip(&format!("-n {} link add {name} type veth peer name other", pair.server));
    ip(&format!("-n {} link set {name} up", pair.server));
    let program = why403().to_str().unwrap();
    let inside = ["netns", "exec", &pair.server, program];
    let mut list = Terminal::open("ip", &[&inside[..], &["-D"]].concat(), (120, 40));
    assert_eq!(list.end(), 0);
    assert!(String::from_utf8_lossy(&list.raw).contains(r"␛]0;E␇\u{9b}J"), "{}", list.shows());
    is_ours(&list.raw);
    let mut watch = Terminal::open("ip", &[&inside[..], &["-i", name]].concat(), (120, 40));
    watch.until_shown(r"␛]0;E␇\u{9b}J");
    ip(&format!("-n {} link delete {name}", pair.server));
    watch.until_shown("ended");
    watch.press("qq");
    watch.end();
    is_ours(&watch.raw);
}

#[test]
fn what_the_far_side_of_ssh_says_is_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script");
    std::fs::write(&script, format!("#!/bin/sh\nprintf '%s\\n' 'LOG{ATTACK}' >&2\nexit 255\n")).unwrap();
    install(&script, &dir.path().join("ssh"));
    let path = format!("PATH={}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let mut terminal = Terminal::open("env", &[&path, why403().to_str().unwrap(), "ssh", "box"], (160, 40));
    assert_ne!(terminal.end(), 0);
    let raw = String::from_utf8_lossy(&terminal.raw);
    assert!(raw.contains("LOG␛]0;EVIL␇␛[31;41;5mEVIL"), "{raw:?}");
    is_ours(&terminal.raw);
}
