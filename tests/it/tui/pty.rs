//! The real program in a real pseudo-terminal.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, NativePtySystem, PtySize, PtySystem};

use super::staging::capture;
use crate::support::{PATIENCE, can_run, until, why403};

/// An idle screen is watched for this long: longer than anything that ticks once a second.
const QUIET: Duration = Duration::from_millis(1300);

/// A terminal with a program in it.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    pub(crate) raw: Vec<u8>,
}

impl Terminal {
    pub(crate) fn open(program: &str, arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = NativePtySystem::default().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        for (name, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PS1", "$ "), ("XDG_CONFIG_HOME", "/nowhere")]
        {
            command.env(name, value);
        }
        for name in ["TMUX", "STY", "NO_COLOR", "COLORTERM", "LC_ALL", "SSH_TTY"] {
            command.env_remove(name);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = vec![0; 65_536];
            while let Ok(read @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let screen = vt100::Parser::new(rows, columns, 0);
        Self { master: pair.master, child, keys, output, screen, raw: Vec::new() }
    }

    /// The program over the staging box's capture.
    pub(crate) fn over(file: &tempfile::NamedTempFile, arguments: &[&str], size: (u16, u16)) -> Self {
        let mut all = vec!["-r", file.path().to_str().unwrap()];
        all.extend(arguments);
        Self::open(why403().to_str().unwrap(), &all, size)
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn shows(&self) -> String {
        self.screen.screen().contents()
    }

    /// A line of the screen, from 0.
    pub(crate) fn line(&self, number: usize) -> String {
        self.shows().lines().nth(number).unwrap_or_default().to_owned()
    }

    /// Takes in what the program writes until `done` holds.
    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !done(self) {
            match self.output.recv_timeout(PATIENCE.saturating_sub(started.elapsed())) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("{error} while waiting for {what}; it shows\n{}", self.shows()),
            }
        }
    }

    pub(crate) fn until_shown(&mut self, text: &str) {
        self.until(text, |terminal| terminal.shows().contains(text));
    }

    /// Takes in what the program writes for `wait`; whether `text` is on the screen then.
    pub(crate) fn shows_within(&mut self, wait: Duration, text: &str) -> bool {
        let until = Instant::now() + wait;
        while let Ok(bytes) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.take(&bytes);
        }
        self.shows().contains(text)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.raw.extend_from_slice(bytes);
    }

    /// Waits for the program's end and takes in the rest.
    pub(crate) fn end(&mut self) -> u32 {
        let status = until("the program to end", || self.child.try_wait().unwrap());
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.take(&bytes);
        }
        status.exit_code()
    }

    pub(crate) fn is_given_back(&self) -> bool {
        let screen = self.screen.screen();
        let flags = self.master.get_termios().map(|termios| format!("{:?}", termios.local_flags));
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && flags.is_none_or(|flags| flags.contains("ICANON"))
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn from_the_stream_to_the_cause_and_out_again() {
    let file = capture();
    let mut terminal = Terminal::over(&file, &[], (80, 24));
    terminal.until_shown("4 of 18 match");
    terminal.until_shown("insufficient-scope");
    terminal.press("g\r");
    terminal.until_shown("The token lacks a scope");
    terminal.press("\t");
    terminal.until_shown("Suspects");
    terminal.press("\t");
    terminal.until_shown("POST /v1/orders");
    assert!(!terminal.shows().contains("c2lnbmF0dXJl"), "the token's signature is masked");
    terminal.press("ss");
    terminal.until_shown("SECRETS SHOWN");
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_given_back());
}

#[test]
fn the_filter_is_edited_with_feedback() {
    let file = capture();
    let mut terminal = Terminal::over(&file, &["-Y", ""], (100, 30));
    terminal.until_shown("18 of 18 match");
    terminal.press("/statsu:403");
    terminal.until_shown("column 1");
    terminal.press("\x15status:403");
    terminal.until_shown("4 matches");
    terminal.press("\r");
    terminal.until_shown("4 of 18 match");
    terminal.press("u");
    terminal.until_shown("18 of 18 match");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_copy_goes_through_the_terminal_and_says_so() {
    let file = capture();
    let mut terminal = Terminal::over(&file, &[], (120, 40));
    terminal.until_shown("4 of 18 match");
    terminal.press("ku");
    terminal.press("yu");
    terminal.until_shown("handed to the terminal (OSC 52)");
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert!(raw.contains("\x1b]52;c;"), "the sequence was sent");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn signals_give_the_terminal_back() {
    let file = capture();
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let mut terminal = Terminal::over(&file, &[], (80, 24));
        terminal.until_shown("4 of 18 match");
        kill(terminal.pid(), signal).unwrap();
        terminal.end();
        assert!(terminal.is_given_back(), "{signal}");
    }
}

#[test]
fn the_screen_follows_the_window() {
    let file = capture();
    let mut terminal = Terminal::over(&file, &[], (80, 24));
    terminal.until_shown("4 of 18 match");
    assert!(!terminal.shows().contains("CLIENT"));
    let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
    terminal.screen.screen_mut().set_size(40, 120);
    terminal.master.resize(size).unwrap();
    terminal.until_shown("CLIENT");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn an_idle_screen_sends_nothing() {
    let file = capture();
    let mut terminal = Terminal::over(&file, &[], (80, 24));
    terminal.until_shown("4 of 18 match");
    // The rate may fade within the first seconds; after that nothing moves.
    let started = Instant::now();
    loop {
        match terminal.output.recv_timeout(QUIET) {
            Ok(bytes) => terminal.take(&bytes),
            Err(RecvTimeoutError::Timeout) => break,
            Err(error) => panic!("{error}"),
        }
        assert!(started.elapsed() < PATIENCE, "it never rests");
    }
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_capture_comes_by_pipe_and_keys_by_the_terminal() {
    let file = capture();
    let command = format!("cat '{}' | '{}' -r -", file.path().display(), why403().display());
    let mut terminal = Terminal::open("sh", &["-c", &command], (80, 24));
    terminal.until_shown("4 of 18 match");
    terminal.press("g\r");
    terminal.until_shown("The token lacks a scope");
    terminal.press("qq");
    terminal.until_shown("only in memory");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_given_back());
}

#[test]
fn a_shell_can_stop_it_and_let_it_go_on() {
    if !can_run("a_shell_can_stop_it_and_let_it_go_on", false, &["bash"]) {
        return;
    }
    let file = capture();
    let mut terminal = Terminal::open("bash", &["--norc", "--noprofile", "-i"], (80, 24));
    terminal.until_shown("$ ");
    let command = format!("'{}' -r '{}'\r", why403().display(), file.path().display());
    terminal.press(&command);
    terminal.until_shown("4 of 18 match");
    terminal.press("\x1a");
    terminal.until_shown("Stopped");
    assert!(!terminal.screen.screen().alternate_screen());
    terminal.press("fg\r");
    terminal.until("the screen again", |terminal| {
        terminal.screen.screen().alternate_screen() && terminal.shows().contains("4 of 18 match")
    });
    terminal.press("q");
    // What is typed before the shell asks may be lost to it.
    terminal.until("the prompt", |terminal| {
        !terminal.screen.screen().alternate_screen() && terminal.shows().trim_end().ends_with('$')
    });
    terminal.press("exit\r");
    terminal.end();
}

#[test]
fn a_signal_from_elsewhere_stops_it_with_the_terminal_given_back() {
    if !can_run("a_signal_from_elsewhere_stops_it", false, &["bash"]) {
        return;
    }
    let file = capture();
    let mut terminal = Terminal::open("bash", &["--norc", "--noprofile", "-i"], (80, 24));
    terminal.until_shown("$ ");
    // The shell tells which process it is.
    let ids = file.path().with_extension("pid");
    let command = format!(
        "(echo $BASHPID >'{}'; exec '{}' -r '{}')\r",
        ids.display(),
        why403().display(),
        file.path().display()
    );
    terminal.press(&command);
    terminal.until_shown("4 of 18 match");
    let id: i32 = std::fs::read_to_string(&ids).unwrap().trim().parse().unwrap();
    kill(Pid::from_raw(id), Signal::SIGTSTP).unwrap();
    terminal.until_shown("Stopped");
    assert!(!terminal.screen.screen().alternate_screen() && !terminal.screen.screen().hide_cursor());
    terminal.press("fg\r");
    terminal.until("the screen again", |terminal| {
        terminal.screen.screen().alternate_screen() && terminal.shows().contains("4 of 18 match")
    });
    terminal.press("q");
    // What is typed before the shell asks may be lost to it.
    terminal.until("the prompt", |terminal| {
        !terminal.screen.screen().alternate_screen() && terminal.shows().trim_end().ends_with('$')
    });
    terminal.press("exit\r");
    terminal.end();
    let _ = std::fs::remove_file(ids);
}

/// Set for the copy of this test program that runs [`the_screen_with_a_bug`] in a terminal.
const BUG: &str = "WHY403_TEST_BUG";

/// The part inside the terminal: the real screen, with a callback that panics. Alone it does nothing.
#[test]
fn the_screen_with_a_bug() {
    use why403::explain::diagnoser::Diagnoser;
    use why403::explain::inspector::Inspector;
    use why403::feed::{self, Message};
    use why403::filter::Filter;
    use why403::history::History;
    use why403::tui;

    if std::env::var_os(BUG).is_none() {
        return;
    }
    why403::app::report_panics();
    let (sender, receiver) = feed::channel();
    sender.try_send(Message::Exchanges(super::staging::exchanges())).unwrap();
    let options = tui::Options {
        source: feed::Source::default(),
        inspector: Inspector::new(History::new(1 << 20), Diagnoser::new()),
        budget: 1 << 20,
        filter: Filter::parse("").unwrap(),
        reveal: false,
        stop_after: None,
        settings: tui::Settings::default(),
        environment: tui::Environment::detect(),
        exports: tui::Exports {
            curl: |_, _| String::new(),
            markdown: |_, _, _| String::new(),
            json: |_, _, _| String::new(),
            many: |_, ids, format, _| {
                Ok((format!("{format}: {} exchanges\n", ids.len()).into_bytes(), "txt"))
            },
        },
        recorded: false,
        on_match: Some(Box::new(|_, _| panic!("met \u{1b}]0;title\u{7} on the wire"))),
        remembered: why403::tui::Remembered::default(),
        memory: None,
        save_dir: std::env::temp_dir(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _ = runtime.block_on(tui::run(options, receiver));
}

#[test]
fn a_bug_gives_the_terminal_back_and_says_so_in_one_harmless_line() {
    let this = std::env::current_exe().unwrap();
    let mut terminal = Terminal::open(
        "env",
        &[
            &format!("{BUG}=1"),
            this.to_str().unwrap(),
            "--exact",
            "tui::pty::the_screen_with_a_bug",
            "--nocapture",
            "--test-threads=1",
        ],
        (100, 30),
    );
    let code = terminal.end();
    assert_ne!(code, 0);
    assert!(terminal.is_given_back(), "{}", terminal.shows());
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert!(raw.contains("\x1b[?1049h"), "the screen was there");
    assert!(raw.contains("a bug in why403: met ␛]0;title␇ on the wire"), "{raw:?}");
    assert!(!raw.contains("\x1b]0;title"), "{raw:?}");
}

#[test]
fn health_counts_while_the_demo_runs() {
    let mut terminal = Terminal::open(why403().to_str().unwrap(), &["demo"], (80, 24));
    terminal.until_shown("403");
    terminal.press("H");
    terminal.until_shown("Lost, by stage");
    terminal.until("frames to be counted", |terminal| {
        let shown = terminal.shows();
        let frames = shown.lines().find_map(|line| line.trim().strip_prefix("frames ")).map(str::trim);
        frames.is_some_and(|frames| frames != "0")
    });
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
}
