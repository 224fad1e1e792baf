//! One run: what needs a privilege is opened, the sandbox is entered, then threads start.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use super::capture::reclaim::{Returns, way_back};
use super::capture::{Feeder, Matched, Outcome, Recording};
use super::headless::{Headless, Totals};
use super::on_match::OnMatch;
use super::output::Outputs;
use super::server_logs::{self, Followed};
use super::service::Notifier;
use super::signals::{self, Headway};
use super::{AppError, Input, Mode, Plan, bug, history, local_ports, memory, say};
use crate::app::summary::{Summary, losses, stats};
use crate::cli::{Export, Format};
use crate::demo::Demo;
use crate::edge::files;
use crate::edge::redact::Redactor;
use crate::explain;
use crate::explain::diagnoser::Diagnoser;
use crate::explain::inspector::Inspector;
use crate::export::pcapng::{CaptureFile, Recorder, RecorderLimits};
use crate::export::{Writer, curl, markdown, ndjson, with_item};
use crate::feed;
use crate::history::{History, OpenApi};
use crate::knowledge;
use crate::processes::Finder;
use crate::sandbox::{self, ExportDir, Policy};
use crate::source::{Origin, Source, SourceError, Stop};
use crate::spelling::nearest;
use crate::tui;

/// An input that is open.
enum Opened {
    Source(Box<Source>),
    Demo(Demo),
    Archive(history::Playback),
}

/// What the capture thread comes to.
type Captured = JoinHandle<(Result<(), SourceError>, Outcome)>;

/// Makes the limits of the system on files and memory errors and smaller budgets instead of the end of the process.
fn keep_within_limits(plan: &mut Plan) -> Result<(), AppError> {
    signals::block_file_size().map_err(|reason| AppError::System { what: "cannot block signals", reason })?;
    memory::check_address_space().map_err(AppError::Usage)?;
    if let Some((budget, why)) = memory::within_limits(plan.memory) {
        plan.memory = budget;
        say(&why);
        plan.source.notes.push(why);
    }
    Ok(())
}

/// Does what `plan` says.
pub(super) fn run(mut plan: Plan) -> Result<ExitCode, AppError> {
    keep_within_limits(&mut plan)?;
    let stop =
        Stop::new().map_err(|reason| AppError::System { what: "cannot make a socket pair", reason })?;
    let mut inspector = inspector(&plan)?;
    let headway = Headway::default();
    let outputs = Outputs::open(standard_output(plan.mode), &plan.exports, headway.clone())?;
    let capture_file =
        plan.write.as_deref().map(|path| CaptureFile::create(path, plan.rotation)).transpose()?;
    let followed = start_helpers(&plan, &mut inspector)?;
    let opened = open(&plan.input, &stop)?;
    let history = history::open(&mut plan)?;
    let known = plan.check.as_ref().map(|(file, _)| history::Known::open(file)).transpose()?;
    let service = Notifier::connect(plan.service)?;
    if matches!(plan.input, Input::Capture(Origin::Interface(_), _)) && plan.mode == Mode::Screen {
        plan.source.hints.extend(local_ports::hints());
    }
    let kept = kept(plan.mode);
    let save_dir = save_dir(&plan)?;
    enter_sandbox(&mut plan, &save_dir)?;
    block_signals(plan.mode, &stop, &headway)?;
    let (sender, receiver) = feed::channel();
    if let Some(followed) = followed {
        followed.run(sender.clone())?;
    }
    let redactor = history::start(history, &mut inspector, &plan, sender.downgrade())?;
    let check = known.map(|known| known.learn(&mut inspector)).transpose()?;
    let (returns, spent) = way_back();
    let (recording, matched) = recording(capture_file);
    let live = !plan.input.is_whole();
    let feeder = Feeder::new(plan.limits, sender, plan.input.can_wait(), live)
        .with_spent(spent)
        .with_recording(recording)
        .with_ticks(matches!(plan.input, Input::Demo(_) | Input::Capture(Origin::Interface(_), _)))
        .with_total(plan.input.size());
    let captured = start(opened, feeder, &stop)?;
    service.tell("READY=1");
    let on_screen = plan.mode == Mode::Screen;
    let ended = bug::catch(|| {
        if on_screen {
            screen(plan, inspector, receiver, matched, (save_dir.path().to_owned(), redactor, kept))
        } else {
            headless(plan, inspector, receiver, matched, returns, (outputs, redactor, check))
        }
    });
    stop.stop();
    let captured = captured.join();
    for text in bug::told_meanwhile() {
        say(&text);
    }
    let code = ended.map_err(AppError::Bug)??;
    let (source, outcome) = captured
        .map_err(|_| AppError::Bug("the capture thread ended unexpectedly; please report this".into()))?;
    source?;
    judge(outcome, on_screen)?;
    Ok(code)
}

/// What is written to standard output, if exchanges are.
fn standard_output(mode: Mode) -> Option<Format> {
    match mode {
        Mode::Json => Some(Format::Json),
        Mode::Export(format) => Some(format),
        Mode::Summary { .. } | Mode::Files | Mode::Screen => None,
    }
}

/// Reads the server's logs beside a capture that is read whole; else starts the process that follows them.
fn open_logs(plan: &Plan, inspector: &mut Inspector) -> Result<Option<Followed>, AppError> {
    if plan.input.is_whole() {
        inspector.set_logs(server_logs::read(&plan.logs)?);
        return Ok(None);
    }
    let followed = Followed::start(&plan.logs, &plan.input)?;
    if let Some(followed) = &followed {
        inspector.follow_logs(followed.logs());
    }
    Ok(followed)
}

/// From here on signals are waited for.
fn block_signals(mode: Mode, stop: &Stop, headway: &Headway) -> Result<(), AppError> {
    if mode == Mode::Screen {
        return tui::block_stop().map_err(|reason| AppError::System { what: "cannot block signals", reason });
    }
    signals::block()
        .and_then(|()| signals::watch(stop, headway))
        .map_err(|reason| AppError::System { what: "cannot wait for signals", reason })
}

/// Starts the processes that keep a privilege: who follows logs, and who looks for other processes.
fn start_helpers(plan: &Plan, inspector: &mut Inspector) -> Result<Option<Followed>, AppError> {
    find_processes(plan, inspector);
    open_logs(plan, inspector)
}

/// Live, starts the process that says who listens; without it nothing is said.
fn find_processes(plan: &Plan, inspector: &mut Inspector) {
    if !matches!(plan.input, Input::Capture(Origin::Interface(_), _)) {
        return;
    }
    match Finder::start() {
        Ok(mut finder) => inspector.find_processes(Box::new(move |server| finder.find(server))),
        Err(error) => say(&format!("server processes are not looked for: {error}")),
    }
}

/// What the capture came to, as an error if it is one.
fn judge(outcome: Outcome, on_screen: bool) -> Result<(), AppError> {
    match outcome {
        Outcome { bug: Some(words), .. } => Err(AppError::Bug(words)),
        Outcome { incomplete: true, .. } => Err(AppError::Incomplete),
        // On the screen it was seen.
        Outcome { damaged: true, .. } if !on_screen => Err(AppError::Damaged),
        _ => Ok(()),
    }
}

/// The largest description of an interface that is read; large ones have some megabytes.
const MOST_OPENAPI: u64 = 32 << 20;

fn inspector(plan: &Plan) -> Result<Inspector, AppError> {
    let mut history = History::new(plan.memory);
    if let Some(path) = &plan.openapi {
        let failed = |reason: String| AppError::Read { path: path.clone(), reason };
        let text = files::read_named_text(path, MOST_OPENAPI).map_err(|error| failed(error.to_string()))?;
        history.set_openapi(OpenApi::parse(&text).map_err(|error| failed(error.to_string()))?);
    }
    teach(plan)?;
    Ok(Inspector::new(history, Diagnoser::new()))
}

/// Adds the user's knowledge to what is built in, if all of it is sound.
fn teach(plan: &Plan) -> Result<(), AppError> {
    let failed = |error: knowledge::Error| AppError::Knowledge(error.to_string());
    let mut user = Vec::new();
    if let Some(path) = &plan.fingerprints {
        user.push((knowledge::Kind::Fingerprints, knowledge::file(path).map_err(failed)?));
    }
    if let Some(path) = &plan.knowledge {
        user.extend(knowledge::directory(path).map_err(failed)?);
    }
    if user.is_empty() {
        return Ok(());
    }
    let sources = knowledge::Sources::with(user);
    explain::knowledge::check(&sources).map_err(failed)?;
    if knowledge::install(sources) {
        Ok(())
    } else {
        Err(AppError::Knowledge("knowledge was read before".into()))
    }
}

fn open(input: &Input, stop: &Stop) -> Result<Opened, AppError> {
    match input {
        Input::Capture(origin, options) => {
            let source = Source::open(origin, options, stop)
                .map_err(|error| suggestion(&error).unwrap_or(error.into()))?;
            Ok(Opened::Source(Box::new(source)))
        }
        Input::Archive { file, period, follow } => {
            Ok(Opened::Archive(history::Playback::open(file, *period, *follow)?))
        }
        Input::Demo(rate) => Demo::open(*rate)
            .map(Opened::Demo)
            .map_err(|reason| AppError::System { what: "cannot start the demo's server", reason }),
    }
}

/// What a capture filter that cannot be read was meant to be, when that is a mistyped command.
fn suggestion(error: &SourceError) -> Option<AppError> {
    use clap::CommandFactory as _;
    let SourceError::Filter { text, .. } = error else { return None };
    // Shorter words of a capture filter (tcp, udp) are near to a command by chance.
    let typed = text.split_ascii_whitespace().next().filter(|word| word.len() >= 4)?;
    let command = crate::cli::Cli::command();
    let known = nearest(typed, command.get_subcommands().map(clap::Command::get_name))?;
    let typed = crate::edge::sanitize::text(typed).into_owned();
    Some(AppError::Usage(format!("there is no command '{typed}'; did you mean why403 {known}?")))
}

/// Longest file of the screen's that is read.
const MAX_KEPT: u64 = 1 << 20;

/// What the screen kept from the runs before, and the file for what it keeps in this one; opened while that is still possible.
fn kept(mode: Mode) -> (tui::Remembered, Option<File>) {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = crate::config::screen_path(&|name| std::env::var_os(name));
    let Some(path) = path.filter(|_| mode == Mode::Screen) else {
        return (tui::Remembered::default(), None);
    };
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW);
    let Ok(file) = options.open(path) else { return (tui::Remembered::default(), None) };
    let mut text = String::new();
    let read = (&file).take(MAX_KEPT).read_to_string(&mut text);
    (read.map(|_| tui::Remembered::parse(&text)).unwrap_or_default(), Some(file))
}

/// Where the screen saves files.
fn save_dir(plan: &Plan) -> Result<ExportDir, AppError> {
    if plan.mode != Mode::Screen || plan.sandbox == sandbox::Mode::Off {
        return Ok(ExportDir::only(Path::new(".")));
    }
    ExportDir::choose(Path::new("."))
        .map_err(|reason| AppError::System { what: "cannot make a directory for exports", reason })
}

/// Gives up what is not needed, and says what could not be given up.
fn enter_sandbox(plan: &mut Plan, save_dir: &ExportDir) -> Result<(), AppError> {
    let mut write: Vec<PathBuf> = Vec::new();
    if plan.mode == Mode::Screen {
        write.push(save_dir.path().to_owned());
    }
    let mut read = Vec::new();
    if let Input::Archive { file, .. } = &plan.input {
        read.push(history::directory(file));
    }
    read.extend(plan.check.iter().map(|(file, _)| history::directory(file)));
    write.extend(plan.history.iter().map(|history| history::directory(&history.file)));
    let files = plan.exports.iter().filter_map(|export| export.file.as_deref()).chain(plan.write.as_deref());
    write.extend(files.map(|file| match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }));
    let policy = Policy {
        mode: plan.sandbox,
        write,
        read,
        tidy: save_dir.parent().map(Path::to_owned),
        network: matches!(plan.input, Input::Demo(_)),
        programs: plan.on_match.is_some(),
        ..Policy::default()
    };
    let report = sandbox::enter(&policy)?;
    if let Some(line) = report.start_up_line().filter(|_| plan.sandbox != sandbox::Mode::Off) {
        say(&line);
        plan.source.notes.push(line);
    }
    if save_dir.parent().is_some() {
        plan.source.notes.push(format!("files that you save go to {}", save_dir.path().display()));
    }
    Ok(())
}

fn recording(file: Option<CaptureFile>) -> (Option<Recording>, Option<mpsc::Sender<Matched>>) {
    let Some(file) = file else { return (None, None) };
    let (sender, matched) = mpsc::channel();
    let recorder = Recorder::new(file, RecorderLimits::default());
    (Some(Recording { recorder, matched }), Some(sender))
}

/// Runs the source and the pipeline on a thread of their own.
fn start(opened: Opened, feeder: Feeder, stop: &Stop) -> Result<Captured, AppError> {
    let stop = stop.clone();
    let run = move || {
        feeder.run(&stop, |feeder| match opened {
            Opened::Source(source) => source.run(feeder, &stop),
            Opened::Archive(playback) => {
                playback.run(feeder, &stop);
                Ok(())
            }
            Opened::Demo(demo) => {
                demo.run(feeder, &stop);
                Ok(())
            }
        })
    };
    thread::Builder::new()
        .name("capture".into())
        .spawn(run)
        .map_err(|reason| AppError::System { what: "cannot start a thread", reason })
}

fn headless(
    plan: Plan,
    inspector: Inspector,
    receiver: feed::Receiver,
    recording: Option<mpsc::Sender<Matched>>,
    returns: Returns,
    (outputs, redactor, check): (Outputs, Redactor, Option<crate::model::ExchangeId>),
) -> Result<ExitCode, AppError> {
    let query = plan.filter.text().to_owned();
    let summary = matches!(plan.mode, Mode::Summary { .. }).then(|| Summary::new(plan.by, plan.reveal));
    let run = Headless {
        inspector,
        filter: plan.filter,
        outputs,
        redactor,
        check,
        summary,
        limit: plan.count,
        whole: plan.input.is_whole(),
        on_match: on_match(plan.on_match.as_deref())?,
        returns,
        recording,
        bell: plan.bell,
        logs: !plan.logs.is_empty(),
        stats: plan.stats && plan.mode == Mode::Json,
    };
    let (totals, summary) = run.run(receiver)?;
    tell(plan.mode, &query, &totals, summary.as_ref())?;
    let mut failed = plan.fail_on_match && totals.matched > 0;
    if let (Some((_, format)), Some(verdict)) = (&plan.check, &totals.verdict) {
        use std::io::Write as _;
        let text = verdict.text(*format);
        std::io::stdout().write_all(text.as_bytes()).map_err(AppError::Output)?;
        failed |= verdict.failed();
    }
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The summary on standard output, and losses on standard error where they would go unseen.
fn tell(mode: Mode, query: &str, totals: &Totals, summary: Option<&Summary>) -> Result<(), AppError> {
    use std::io::Write as _;
    if let (Mode::Summary { json }, Some(summary)) = (mode, summary) {
        let text = if json { summary.json(query, totals) } else { summary.text(query, totals) };
        return std::io::stdout().write_all(text.as_bytes()).map_err(AppError::Output);
    }
    if totals.source.kernel_dropped + totals.source.interface_dropped + totals.source.queue_dropped > 0 {
        for loss in losses(totals) {
            say(&format!("lost: {loss}"));
        }
    }
    Ok(())
}

/// The last line of NDJSON with `--stats`.
pub(super) fn stats_line(query: &str, totals: &Totals) -> String {
    crate::export::json_line(&stats(query, totals))
}

fn on_match(command: Option<&str>) -> Result<Option<OnMatch>, AppError> {
    let started = command.map(OnMatch::new).transpose();
    started.map_err(|reason| AppError::System { what: "cannot start a thread", reason })
}

fn screen(
    plan: Plan,
    inspector: Inspector,
    receiver: feed::Receiver,
    recording: Option<mpsc::Sender<Matched>>,
    (save_dir, redactor, (remembered, memory)): (PathBuf, Redactor, (tui::Remembered, Option<File>)),
) -> Result<ExitCode, AppError> {
    let mut command = on_match(plan.on_match.as_deref())?;
    let recorded = recording.is_some();
    let watched = command.is_some() || recorded;
    let on_match: tui::OnMatch = Box::new(move |inspector, id| {
        let record = inspector.history().get(id);
        if let (Some(recording), Some(record)) = (&recording, record) {
            let _ = recording.send((record.exchange.peer(), record.exchange.server));
        }
        if let Some(command) = &mut command {
            command.matched(|| json(inspector, id, &redactor));
        }
    });
    let options = tui::Options {
        source: plan.source,
        inspector,
        budget: plan.memory,
        filter: plan.filter,
        reveal: plan.reveal,
        stop_after: plan.count,
        settings: plan.screen,
        environment: tui::Environment::detect(),
        exports: tui::Exports { curl: curl_text, markdown: markdown_text, json: json_text, many },
        recorded,
        remembered,
        memory,
        on_match: watched.then_some(on_match),
        save_dir,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|reason| AppError::System { what: "cannot start the event loop", reason })?;
    let exit = runtime.block_on(tui::run(options, receiver))?;
    let failed = plan.fail_on_match && exit.matched > 0;
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn json(inspector: &Inspector, id: crate::model::ExchangeId, redactor: &Redactor) -> String {
    let line = with_item(inspector, id, |item| {
        let mut out = Vec::new();
        // Writing to memory does not fail.
        let _ = ndjson::write(&mut out, item, redactor);
        String::from_utf8(out).unwrap_or_default()
    });
    line.unwrap_or_default()
}

/// Bytes that the screen writes into one file.
const MAX_WRITTEN: usize = 256 << 20;

fn many(
    inspector: &Inspector,
    ids: &[crate::model::ExchangeId],
    format: &str,
    redactor: &Redactor,
) -> Result<(Vec<u8>, &'static str), String> {
    let format = format.parse::<Export>()?.format;
    let mut writer = Writer::new(format);
    let mut out = Vec::new();
    for id in ids {
        // Writing to memory does not fail.
        let _ = with_item(inspector, *id, |item| writer.item(&mut out, item, redactor));
        if out.len() > MAX_WRITTEN {
            return Err(
                "that is more than 256 MiB: narrow the filter, or use --export FORMAT=FILE".to_owned()
            );
        }
    }
    let _ = writer.end(&mut out);
    Ok((out, format.extension()))
}

fn curl_text(record: &crate::history::Record, redactor: &Redactor) -> String {
    curl::command(&record.exchange, redactor).map(|command| command.text).unwrap_or_default()
}

fn markdown_text(inspector: &Inspector, id: crate::model::ExchangeId, redactor: &Redactor) -> String {
    with_item(inspector, id, |item| markdown::report(item, redactor)).unwrap_or_default()
}

fn json_text(inspector: &Inspector, id: crate::model::ExchangeId, redactor: &Redactor) -> String {
    with_item(inspector, id, |item| ndjson::pretty(item, redactor)).unwrap_or_default()
}
