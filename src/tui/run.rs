//! The consumer's loop: keys, exchanges, frames and signals, one at a time.

use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{Event, MouseButton, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};

use super::action::{Action, Effect};
use super::keys::Chord;
use super::prepare_frame::prepare_frame;
use super::remember::Remembered;
use super::render::render;
use super::state::State;
use super::terminal::clipboard::{self, Refusal};
use super::terminal::input::Input;
use super::terminal::job::{self, Stops, Whom};
use super::terminal::pace::{Pace, Urgency};
use super::terminal::painter::Painter;
use super::terminal::{Guard, Writer};
use super::update::{update, wants_scan};
use super::{Environment, Exit, OnMatch, Options, TuiError, text};
use crate::edge::files;
use crate::feed::{Ended, Message, Receiver};

/// How long the last frame may take to leave before the terminal is given back.
const PATIENCE: Duration = Duration::from_millis(150);
/// A shell that stops us does it within this time.
const STOP: Duration = Duration::from_millis(100);
/// The bell rings at most this often.
const BELL: Duration = Duration::from_secs(1);
/// Rows a turn of the wheel moves.
const WHEEL: i64 = 3;

/// Shows what comes over `feed` until the user leaves or a signal ends it. Needs tokio's time, io and signals.
pub async fn run(options: Options, feed: Receiver) -> Result<Exit, TuiError> {
    let mut signals = Signals::new().map_err(TuiError::Signal)?;
    let resumed = SignalKind::from_raw(nix::sys::signal::Signal::SIGCONT as i32);
    let mut resumed = signal(resumed).map_err(TuiError::Signal)?;
    let mut session = Session::new(options, feed)?;
    let mut guard = Some(Guard::take(session.mouse).map_err(TuiError::Terminal)?);
    let mut input = Input::start().map_err(TuiError::Terminal)?;
    let mut stops = Stops::start().map_err(TuiError::Signal)?;
    let mut resized = signal(SignalKind::window_change()).map_err(TuiError::Signal)?;
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let outcome = loop {
        let mut draw = session.next_frame();
        // Not left to the timer: under a flood of exchanges it would be asked too rarely.
        if draw.is_some_and(|due| due <= Instant::now()) {
            if let Err(error) = session.draw() {
                break Err(TuiError::Terminal(error));
            }
            draw = session.next_frame();
        }
        let scans = wants_scan(&session.state);
        tokio::select! {
            number = signals.ended() => break Ok(Some(number)),
            () = stops.asked() => session.suspend = Some(Whom::Us),
            _ = resumed.recv() => session.resume(&mut guard).map_err(TuiError::Terminal)?,
            _ = resized.recv() => session.event(resize()),
            event = input.next() => match event {
                Some(Ok(event)) => session.event(event),
                Some(Err(error)) => break Err(TuiError::Terminal(error)),
                None => break Ok(Some(SignalKind::hangup().as_raw_value())),
            },
            written = session.writer.written() => if let Err(error) = written {
                break Err(TuiError::Terminal(error));
            },
            () = sleep_until(draw.unwrap_or_else(Instant::now).into()), if draw.is_some() => {}
            message = session.feed.recv(), if session.open => session.message(message),
            _ = ticks.tick() => session.tick(),
            () = std::future::ready(()), if scans => {
                session.act(Action::Scan, Urgency::Person);
                tokio::task::yield_now().await;
            },
        }
        if let Some(whom) = session.suspend.take() {
            suspend(&mut session, whom, &mut resumed, &mut guard).await.map_err(TuiError::Terminal)?;
        }
        if session.quit {
            break Ok(None);
        }
    };
    drop(input);
    last_frame(&mut session.writer).await;
    drop(guard);
    session.state.inspector.close_writer();
    Ok(Exit { matched: session.state.matched, signal: outcome? })
}

/// Gives the terminal back, stops, and takes it again. Where nobody could let us go on (the shell is gone) nothing happens.
async fn suspend(
    session: &mut Session,
    whom: Whom,
    resumed: &mut Signal,
    guard: &mut Option<Guard>,
) -> io::Result<()> {
    last_frame(&mut session.writer).await;
    drop(guard.take());
    job::stop(whom)?;
    let _ = timeout(STOP, resumed.recv()).await;
    session.resume(guard)
}

/// Lets the frame on its way leave, if there is one.
async fn last_frame(writer: &mut Writer) {
    if writer.is_busy() {
        let _ = timeout(PATIENCE, writer.written()).await;
    }
}

/// Signals that end the program.
struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn ended(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hangup.recv() => SignalKind::hangup(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.quit.recv() => SignalKind::quit(),
        };
        kind.as_raw_value()
    }
}

/// The state with everything around it that is not pure.
struct Session {
    state: State,
    feed: Receiver,
    /// Whether more may come over `feed`.
    open: bool,
    start: Instant,
    painter: Painter,
    writer: Writer,
    pace: Pace,
    buffer: Buffer,
    /// Why a frame is wanted, if one is.
    wanted: Option<Urgency>,
    /// Bytes that go out with the next frame: bell, clipboard.
    extra: Vec<u8>,
    rang: Option<Instant>,
    environment: Environment,
    on_match: Option<OnMatch>,
    stop_after: Option<u64>,
    save_dir: std::path::PathBuf,
    memory: Option<std::fs::File>,
    configured: super::Settings,
    mouse: bool,
    suspend: Option<Whom>,
    quit: bool,
}

impl Session {
    fn new(options: Options, feed: Receiver) -> Result<Self, TuiError> {
        let Options { source, inspector, budget, filter, reveal, stop_after, recorded, remembered, .. } =
            options;
        let configured = options.settings.clone();
        let mut settings = options.settings;
        remembered.apply(&mut settings);
        let mut state =
            State::new(inspector, source, filter, options.exports, &settings, &options.environment)?;
        state.budget = budget;
        state.incidents.set_notes(remembered.notes);
        state.recorded = recorded;
        state.redactor.set_reveal(reveal);
        state.size = size();
        Ok(Self {
            state,
            feed,
            open: true,
            start: Instant::now(),
            painter: Painter::default(),
            writer: Writer::start().map_err(TuiError::Terminal)?,
            pace: Pace::new(settings.bytes_per_second.0),
            buffer: Buffer::empty(Rect::ZERO),
            wanted: Some(Urgency::Person),
            extra: Vec::new(),
            rang: None,
            environment: options.environment,
            on_match: options.on_match,
            stop_after,
            save_dir: options.save_dir,
            memory: options.memory,
            configured,
            mouse: settings.mouse,
            suspend: None,
            quit: false,
        })
    }

    /// When the next frame is due, if one is wanted and the last one has left.
    fn next_frame(&self) -> Option<Instant> {
        let urgency = self.wanted.filter(|_| !self.writer.is_busy())?;
        Some(self.pace.next(Instant::now(), urgency))
    }

    fn draw(&mut self) -> io::Result<()> {
        let wanted = self.wanted.take();
        self.state.queue.0 = self.feed.len();
        if prepare_frame(&mut self.state) {
            self.wanted = wanted;
        }
        let (width, height) = self.state.size;
        self.buffer.resize(Rect::new(0, 0, width, height));
        self.buffer.reset();
        let cursor = render(&self.state, &mut self.buffer);
        let mut out = self.writer.buffer();
        out.append(&mut self.extra);
        self.painter.paint(&self.buffer, cursor, &mut out);
        self.pace.sent(Instant::now(), out.len());
        self.state.sent += out.len() as u64;
        if out.is_empty() { Ok(()) } else { self.writer.send(out) }
    }

    fn event(&mut self, event: Event) {
        let action = match event {
            Event::Key(key) => Chord::from_event(key).map(Action::Key),
            Event::Paste(text) => Some(Action::Paste(text)),
            Event::Resize(width, height) => Some(Action::Resize(width, height)),
            Event::Mouse(mouse) => match mouse.kind {
                MouseEventKind::ScrollDown => Some(Action::Wheel(mouse.column, mouse.row, WHEEL)),
                MouseEventKind::ScrollUp => Some(Action::Wheel(mouse.column, mouse.row, -WHEEL)),
                MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(mouse.column, mouse.row)),
                _ => None,
            },
            Event::FocusGained | Event::FocusLost => None,
        };
        if let Some(action) = action {
            self.act(action, Urgency::Person);
        }
    }

    fn message(&mut self, message: Option<Message>) {
        match message {
            Some(message) => self.act(Action::Feed(message), Urgency::Traffic),
            None => {
                self.open = false;
                if self.state.traffic.ended.is_none() {
                    let ended = Ended::Failed("the capture stopped without saying why".to_owned());
                    self.act(Action::Feed(Message::Ended(ended)), Urgency::Traffic);
                }
            }
        }
        if let Some(limit) = self.stop_after.filter(|limit| self.open && self.state.matched >= *limit) {
            self.open = false;
            self.feed.close();
            let ended = Ended::Stopped(format!("{} came (-c)", text::plural(limit, "match", "matches")));
            self.act(Action::Feed(Message::Ended(ended)), Urgency::Traffic);
        }
    }

    fn tick(&mut self) {
        let clock = self.start.elapsed();
        if self.state.changes_at(clock) {
            self.act(Action::Tick(clock), Urgency::Traffic);
        } else {
            update(&mut self.state, Action::Tick(clock));
        }
    }

    fn act(&mut self, action: Action, urgency: Urgency) {
        self.wanted = self.wanted.max(Some(urgency));
        for effect in update(&mut self.state, action) {
            self.effect(effect);
        }
        if std::mem::take(&mut self.state.unkept) {
            self.keep();
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Quit => self.quit = true,
            Effect::Suspend => self.suspend = Some(Whom::Job),
            Effect::Redraw => self.painter.forget(),
            Effect::Bell => {
                if self.rang.is_none_or(|rang| rang.elapsed() >= BELL) {
                    self.rang = Some(Instant::now());
                    self.extra.push(b'\x07');
                }
            }
            Effect::Matched(ids) => {
                if let Some(on_match) = &mut self.on_match {
                    for id in ids {
                        on_match(&self.state.inspector, id);
                    }
                }
            }
            Effect::Copy { what, text } => self.copy(what, &text),
            Effect::Save { stem, extension, text } => self.save(&stem, extension, &text, ""),
        }
    }

    /// Writes down what the user chose, for the next run.
    fn keep(&mut self) {
        let Some(file) = &mut self.memory else { return };
        if let Err(error) = Remembered::of(&self.state, &self.configured).write(file) {
            self.state.complain(format!("this cannot be kept for the next run: {error}"));
        }
    }

    fn copy(&mut self, what: &str, content: &str) {
        match clipboard::sequence(content, &self.environment) {
            Ok(bytes) => {
                self.extra.extend_from_slice(&bytes);
                self.state.say(clipboard::message(what, content, &self.environment));
            }
            Err(refusal) => {
                let why = match refusal {
                    Refusal::TooLong => "too long for a terminal's clipboard; ",
                    Refusal::NoClipboard => "this terminal has no clipboard; ",
                };
                self.save(&format!("why403-{what}").replace(' ', "-"), "txt", content.as_bytes(), why);
            }
        }
    }

    fn save(&mut self, stem: &str, extension: &str, content: &[u8], why: &str) {
        match files::write_fresh(&self.save_dir, stem, extension, content) {
            Ok(path) => {
                let size = text::bytes(content.len() as u64);
                self.state.say(format!("{why}saved to {} ({size}, only you can read it)", path.display()));
            }
            Err(error) => {
                let place = self.save_dir.display();
                let advice = match error.kind() {
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        "start why403 where you may write"
                    }
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room and try again",
                    _ => "y copies instead",
                };
                self.state.complain(format!("{why}cannot be saved in {place}: {error}; {advice}"));
            }
        }
    }

    /// Takes the terminal again after a stop.
    fn resume(&mut self, guard: &mut Option<Guard>) -> io::Result<()> {
        drop(guard.take());
        *guard = Some(Guard::take(self.mouse)?);
        self.painter.forget();
        self.state.size = size();
        self.wanted = Some(Urgency::Person);
        Ok(())
    }
}

fn resize() -> Event {
    let (columns, rows) = size();
    Event::Resize(columns, rows)
}

/// The terminal's columns and rows; the classic ones when it does not know.
fn size() -> (u16, u16) {
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => (width, height),
        _ => (80, 24),
    }
}
