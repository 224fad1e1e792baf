//! What is around the program on a person's desk: a mouse, tmux, GNU screen.

use std::process::Command;

use super::pty::Terminal;
use super::staging::capture;
use crate::support::{can_run, must, until, why403};

/// A terminal's report of a button: 0 left, 64 and 65 the wheel up and down; columns and rows from 1.
fn mouse(button: u8, column: u16, row: u16) -> String {
    format!("\x1b[<{button};{column};{row}M")
}

#[test]
fn the_mouse_is_left_alone_unless_asked_for() {
    let file = capture();
    let mut terminal = Terminal::over(&file, &[], (120, 40));
    terminal.until_shown("4 of 18 match");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(!String::from_utf8_lossy(&terminal.raw).contains("\x1b[?1000h"));
}

#[test]
fn the_mouse_selects_opens_scrolls_and_switches() {
    let file = capture();
    let configuration = tempfile::tempdir().unwrap();
    let folder = configuration.path().join("why403");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "[tui]\nmouse = true\n").unwrap();
    let home = format!("XDG_CONFIG_HOME={}", configuration.path().display());
    let arguments = [&home, why403().to_str().unwrap(), "-r", file.path().to_str().unwrap()];
    let mut terminal = Terminal::open("env", &arguments, (120, 40));
    terminal.until_shown("4 of 18 match");
    assert!(String::from_utf8_lossy(&terminal.raw).contains("\x1b[?1000h"), "the mouse was taken");
    // The first row; another click on it opens it.
    let first = row(&terminal, "/v1/orders?v=1");
    terminal.press(&mouse(0, 30, first));
    terminal.until("the selection", |terminal| terminal.line(usize::from(first) - 1).starts_with('▌'));
    terminal.press(&mouse(0, 30, first));
    terminal.until_shown("Esc back");
    terminal.until_shown("insufficient-scope  The token lacks a scope");
    terminal.press(&mouse(0, column(&terminal, "Response"), row(&terminal, "Response")));
    terminal.until_shown("HTTP/1.1 403 Forbidden");
    terminal.press(&mouse(0, column(&terminal, "Endpoints"), 1));
    terminal.until_shown("REFUSED/TOTAL");
    let selected = row(&terminal, "▌");
    terminal.press(&mouse(65, 30, selected + 1));
    terminal.until("the wheel to move the selection", |terminal| row(terminal, "▌") != selected);
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(String::from_utf8_lossy(&terminal.raw).contains("\x1b[?1000l"), "the mouse was given back");
}

/// Where `text` is on the screen, from 1.
fn row(terminal: &Terminal, text: &str) -> u16 {
    let at = terminal.shows().lines().position(|line| line.contains(text)).expect("is shown");
    u16::try_from(at).unwrap() + 1
}

fn column(terminal: &Terminal, text: &str) -> u16 {
    let shown = terminal.shows();
    let line = shown.lines().find(|line| line.contains(text)).expect("is shown");
    let before = line.split(text).next().unwrap_or_default();
    u16::try_from(before.chars().count()).unwrap() + 2
}

#[test]
fn a_copy_arrives_in_the_buffer_of_tmux() {
    if !can_run("a_copy_arrives_in_the_buffer_of_tmux", false, &["tmux"]) {
        return;
    }
    let file = capture();
    let socket = format!("why403-copy-{}", std::process::id());
    let program = format!("'{}' -r '{}'", why403().display(), file.path().display());
    let start =
        ["-L", &socket, "-f", "/dev/null", "new-session", &program, ";", "set", "-g", "set-clipboard", "on"];
    let mut terminal = Terminal::open("tmux", &start, (120, 40));
    terminal.until_shown("4 of 18 match");
    terminal.press("ku");
    terminal.press("yu");
    terminal.until_shown("handed to tmux");
    let copied = until("tmux to have the copy", || {
        let shown = Command::new("tmux").args(["-L", &socket, "show-buffer"]).output().unwrap();
        shown.status.success().then(|| String::from_utf8_lossy(&shown.stdout).into_owned())
    });
    assert_eq!(copied, "http://shop.acme.example/profile");
    terminal.press("q");
    terminal.end();
}

#[test]
fn a_copy_goes_through_screen_to_the_terminal() {
    if !can_run("a_copy_goes_through_screen_to_the_terminal", false, &["screen"]) {
        return;
    }
    let file = capture();
    let name = format!("why403-copy-{}", std::process::id());
    let folder = tempfile::tempdir().unwrap();
    must("chmod", ["700", folder.path().to_str().unwrap()]);
    let directory = format!("SCREENDIR={}", folder.path().display());
    let why403 = why403().to_str().unwrap();
    let start = [
        &directory,
        "screen",
        "-U",
        "-c",
        "/dev/null",
        "-S",
        &name,
        why403,
        "-r",
        file.path().to_str().unwrap(),
    ];
    let mut terminal = Terminal::open("env", &start, (120, 40));
    terminal.until_shown("4 of 18 match");
    terminal.press("ku");
    terminal.press("yu");
    terminal.until_shown("handed through screen");
    terminal.until("the sequence to come out of screen", |terminal| {
        String::from_utf8_lossy(&terminal.raw)
            .contains("\x1b]52;c;aHR0cDovL3Nob3AuYWNtZS5leGFtcGxlL3Byb2ZpbGU=\x07")
    });
    terminal.press("q");
    terminal.end();
}
