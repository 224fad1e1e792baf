//! What was typed, together with the configuration, as what is to be done.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::{AppError, history};
use crate::archive::{self, Bounds, Period};
use crate::cli::{
    CaptureArgs, CheckArgs, CheckFormat, DemoArgs, Export, Format, RunArgs, SshArgs, WatchArgs,
};
use crate::config::Config;
use crate::export::pcapng::Rotation;
use crate::feed::{self, SourceKind};
use crate::filter::Filter;
use crate::incidents::{GroupBy, GroupByError};
use crate::sandbox;
use crate::source::{Origin, SourceOptions, SshTarget};
use crate::tap::TapArgs;
use crate::tui::Settings;
use crate::wire::pipeline::Limits;

/// Bytes of a history on disk without `--history-size`.
const DEFAULT_HISTORY: u64 = 1 << 30;

/// Everything that is to be done.
#[derive(Debug)]
pub struct Plan {
    /// Where the frames come from.
    pub input: Input,
    /// The same for people.
    pub source: feed::Source,
    /// What to pick.
    pub filter: Filter,
    /// What to do with it.
    pub mode: Mode,
    /// Exports besides.
    pub exports: Vec<Export>,
    /// `-w`.
    pub write: Option<PathBuf>,
    /// When `-w` begins a new file.
    pub rotation: Rotation,
    /// Stop after so many matches.
    pub count: Option<u64>,
    /// Exit with 1 when something matched.
    pub fail_on_match: bool,
    /// What `--summary` groups by.
    pub by: Option<GroupBy>,
    /// Totals at the end of NDJSON.
    pub stats: bool,
    /// Secrets stay in.
    pub reveal: bool,
    /// Run for a match.
    pub on_match: Option<String>,
    /// Ring the bell for a match.
    pub bell: bool,
    /// History budget in bytes.
    pub memory: u64,
    /// What bounds the pipeline.
    pub limits: Limits,
    /// Where exchanges are kept for later runs.
    pub history: Option<HistoryPlan>,
    /// The history that the capture is checked against, and how to say what came of it.
    pub check: Option<(PathBuf, CheckFormat)>,
    /// Whether systemd wants to know when the capture has begun.
    pub service: bool,
    /// Path templates.
    pub openapi: Option<PathBuf>,
    /// Fingerprints of the user's own.
    pub fingerprints: Option<PathBuf>,
    /// Logs of the server, as they were named.
    pub logs: Vec<String>,
    /// A directory with knowledge of the user's own.
    pub knowledge: Option<PathBuf>,
    /// What to give up.
    pub sandbox: sandbox::Mode,
    /// The screen's settings.
    pub screen: Settings,
}

/// The database of `--history`.
#[derive(Clone, Debug)]
pub struct HistoryPlan {
    /// The file.
    pub file: PathBuf,
    /// What it is kept to.
    pub bounds: Bounds,
}

/// Where the frames come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A capture.
    Capture(Origin, SourceOptions),
    /// What an earlier run kept.
    Archive {
        /// The database.
        file: PathBuf,
        /// Which part of it.
        period: Period,
        /// Whether to wait for more.
        follow: bool,
    },
    /// The embedded staging box, with so many requests a second.
    Demo(u32),
}

/// What is done with the exchanges that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Shown on the screen.
    Screen,
    /// One JSON object a line on standard output.
    Json,
    /// In this format on standard output.
    Export(Format),
    /// Counted, and the counts printed at the end; as JSON or as text.
    Summary {
        /// As one JSON object.
        json: bool,
    },
    /// Only what goes to files.
    Files,
}

impl Input {
    /// Whether everything is at hand, so that a refusal can wait for the successes that come after it.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Capture(Origin::File(_), options) => !options.follow,
            Self::Archive { follow, .. } => !follow,
            _ => false,
        }
    }
    /// Bytes of the file that is read, if it is one and does not grow.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Capture(Origin::File(path), options) if !options.follow => {
                std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len())
            }
            _ => None,
        }
    }
    /// Whether nothing is lost by reading slowly.
    pub fn can_wait(&self) -> bool {
        matches!(self, Self::Capture(Origin::File(_) | Origin::Stdin, _) | Self::Archive { .. })
    }
}

impl Plan {
    /// `why403 [-i … | -r …]`.
    pub fn watch(args: WatchArgs, config: Config) -> Result<Self, AppError> {
        if let Some(file) = args.read.as_ref().map(PathBuf::from).filter(|file| archive::is_database(file)) {
            return Self::archive(file, args, config);
        }
        if args.since.is_some() || args.until.is_some() {
            return Err(AppError::Usage("--since and --until need -r with a database of --history".into()));
        }
        let origin = match &args.read {
            Some(file) => Origin::of_file(file),
            None => Origin::of_interface(args.interface.as_deref().unwrap_or(&config.interface)),
        };
        let options = options(&args.capture, &args.expression, args.follow, &config);
        let source = describe(&origin, options.filter.as_deref());
        Self::new(Input::Capture(origin, options), source, args.run, config)
    }

    /// `why403 -r FILE` with what an earlier run kept.
    fn archive(file: PathBuf, args: WatchArgs, config: Config) -> Result<Self, AppError> {
        if !args.expression.is_empty() {
            return Err(AppError::Usage(
                "a capture filter picks packets, and a history has none: use -Y".into(),
            ));
        }
        let now = jiff::Timestamp::now();
        let instant = |text: Option<&str>, otherwise| {
            text.map_or(Ok(otherwise), |text| history::instant(text, now)).map_err(AppError::Usage)
        };
        let period = Period {
            since: instant(args.since.as_deref(), i64::MIN)?,
            until: instant(args.until.as_deref(), i64::MAX)?,
        };
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        let source = feed::Source {
            kind: SourceKind::File,
            listening: format!("{}, what earlier runs kept", file.display()),
            label: name,
            ..feed::Source::default()
        };
        Self::new(Input::Archive { file, period, follow: args.follow }, source, args.run, config)
    }

    /// `why403 record`.
    pub fn record(mut args: WatchArgs, config: Config) -> Result<Self, AppError> {
        if args.run.history.is_none() {
            return Err(AppError::Usage("record needs --history FILE: where to keep what passes".into()));
        }
        args.run.filter.get_or_insert_default();
        let plan = Self::watch(args, config)?;
        let mode = if plan.mode == Mode::Screen { Mode::Files } else { plan.mode };
        let mode = if mode == Mode::Json && !plan.stats { Mode::Files } else { mode };
        Ok(Self { mode, service: true, ..plan })
    }

    /// `why403 check`.
    pub fn check(args: CheckArgs, config: Config) -> Result<Self, AppError> {
        let run = RunArgs { filter: Some(String::new()), sandbox: args.sandbox, ..RunArgs::default() };
        let watch = WatchArgs { read: Some(args.read), run, ..WatchArgs::default() };
        let plan = Self::watch(watch, config)?;
        Ok(Self { mode: Mode::Files, check: Some((args.history, args.format)), ..plan })
    }

    /// `why403 ssh HOST`.
    pub fn ssh(args: SshArgs, config: Config) -> Result<Self, AppError> {
        let mut target = SshTarget::new(&args.host);
        target.interface = args.interface;
        if let Some(program) = args.ssh {
            target.program = program;
        }
        let origin = Origin::Ssh(target);
        let options = options(&args.capture, &args.expression, false, &config);
        let source = describe(&origin, options.filter.as_deref());
        Self::new(Input::Capture(origin, options), source, args.run, config)
    }

    /// `why403 demo`.
    pub fn demo(args: DemoArgs, config: Config) -> Result<Self, AppError> {
        let source = feed::Source {
            kind: SourceKind::Demo,
            label: "demo".into(),
            listening: "an embedded staging box on loopback".into(),
            ..feed::Source::default()
        };
        Self::new(Input::Demo(args.rate), source, args.run, config)
    }

    /// `why403 tap --tui`: what the tap beside us mirrors at `mirror`.
    pub fn tap(args: &TapArgs, mirror: PathBuf, config: Config) -> Result<Self, AppError> {
        let listening: Vec<&str> = args.listen.iter().chain(&args.listen_plain).map(String::as_str).collect();
        let listening = listening.join(", ");
        let source = feed::Source {
            kind: SourceKind::Tap,
            label: "tap".into(),
            listening: format!("{listening} in front of {}", args.upstream.as_deref().unwrap_or_default()),
            hints: vec![
                format!("send requests to {listening} instead of the server"),
                "why403 tap ca says how clients come to trust --self-signed".into(),
            ],
            notes: Vec::new(),
        };
        let options = options(&CaptureArgs::default(), &[], false, &config);
        let run = RunArgs { sandbox: Some(args.sandbox), ..RunArgs::default() };
        Self::new(Input::Capture(Origin::Unix(mirror), options), source, run, config)
    }

    fn new(mut input: Input, source: feed::Source, run: RunArgs, config: Config) -> Result<Self, AppError> {
        let query = run.filter.unwrap_or(config.filter);
        let filter = Filter::parse(&query).map_err(|error| AppError::Filter { query, error })?;
        if run.rotate_keep.is_some() && run.rotate_size.is_none() && run.rotate_seconds.is_none() {
            return Err(AppError::Usage("-W needs -C or -G: without them there is one file".into()));
        }
        let stdin = matches!(input, Input::Capture(Origin::Stdin, _));
        if stdin && run.logs.iter().any(|log| log == "-") {
            return Err(AppError::Usage(
                "-r - and --log - both read standard input; give one of them a file".into(),
            ));
        }
        let mode = mode(&run.export, run.json, run.summary, run.write.is_some())?;
        let by = run.by.as_deref().map(str::parse).transpose();
        let by = by.map_err(|error: GroupByError| AppError::Usage(error.to_string()))?;
        if let (Input::Archive { file, .. }, Some(history)) = (&input, &run.history)
            && same_file(file, history)
        {
            return Err(AppError::Usage("-r and --history name the same file: leave --history out".into()));
        }
        let body = run.body_limit.unwrap_or(config.body_limit);
        let limits = Limits { body: u32::try_from(body).unwrap_or(u32::MAX), ..Limits::default() };
        if let Input::Capture(_, options) = &mut input {
            options.body_limit = limits.body as usize;
        }
        Ok(Self {
            input,
            source,
            filter,
            mode,
            exports: run.export.into_iter().filter(|export| export.file.is_some()).collect(),
            write: run.write,
            rotation: Rotation { bytes: run.rotate_size, seconds: run.rotate_seconds, keep: run.rotate_keep },
            count: run.count,
            fail_on_match: run.fail_on_match,
            by,
            stats: run.stats,
            reveal: run.with_secrets,
            on_match: run.on_match,
            bell: run.bell || config.tui.bell,
            memory: run.memory.unwrap_or(config.memory),
            limits,
            history: run.history.map(|file| HistoryPlan {
                file,
                bounds: Bounds {
                    bytes: run.history_size.unwrap_or(DEFAULT_HISTORY),
                    age: run.history_age.map(|age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)),
                },
            }),
            check: None,
            service: false,
            openapi: run.openapi.or(config.openapi),
            fingerprints: run.fingerprints.or(config.fingerprints),
            logs: run.logs,
            knowledge: run.knowledge.or(config.knowledge),
            sandbox: run.sandbox.unwrap_or(config.sandbox),
            screen: Settings { bell: run.bell || config.tui.bell, ..config.tui },
        })
    }
}

fn same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path| std::fs::metadata(path).map(|about| (about.dev(), about.ino())).ok();
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

/// Only one thing can be on standard output.
fn mode(exports: &[Export], json: bool, summary: bool, write: bool) -> Result<Mode, AppError> {
    let mut formats = exports.iter().filter(|export| export.file.is_none()).map(|export| export.format);
    let to_files = write || exports.iter().any(|export| export.file.is_some());
    let mode = match (formats.next(), summary) {
        (Some(_), true) => Err(
            "--summary and --export both write to standard output; give the export a file: --export FORMAT=FILE",
        ),
        (Some(format), false) if json && format != Format::Json => Err(
            "--json and --export both write to standard output; give the export a file: --export FORMAT=FILE",
        ),
        (Some(Format::Json), false) => Ok(Mode::Json),
        (Some(format), false) => Ok(Mode::Export(format)),
        (None, true) => Ok(Mode::Summary { json }),
        (None, false) if json => Ok(Mode::Json),
        (None, false) if exports.iter().any(|export| export.file.is_some()) => Ok(Mode::Files),
        (None, false) if std::io::stdout().is_terminal() => Ok(Mode::Screen),
        (None, false) if to_files => Ok(Mode::Files),
        (None, false) => Ok(Mode::Json),
    };
    if formats.next().is_some() {
        return Err(AppError::Usage(
            "only one --export can write to standard output; give the others a file: --export FORMAT=FILE"
                .into(),
        ));
    }
    mode.map_err(|text| AppError::Usage(text.into()))
}

fn options(args: &CaptureArgs, expression: &[String], follow: bool, config: &Config) -> SourceOptions {
    let expression = expression.join(" ");
    SourceOptions {
        filter: Some(expression).filter(|text| !text.trim().is_empty()),
        snaplen: args.snaplen.unwrap_or(config.snaplen),
        buffer_kib: args.buffer_size.unwrap_or(config.buffer_size),
        promiscuous: !args.no_promiscuous_mode,
        see_through_vlan: !args.no_vlan,
        follow,
        ..SourceOptions::default()
    }
}

fn describe(origin: &Origin, filter: Option<&str>) -> feed::Source {
    let kind = match origin {
        Origin::Interface(_) => SourceKind::Live,
        Origin::File(_) => SourceKind::File,
        Origin::Tcp(_) | Origin::Unix(_) | Origin::Stdin => SourceKind::Stream,
        Origin::Ssh(_) => SourceKind::Ssh,
    };
    let (name, of) = (origin.name(), filter.unwrap_or("all traffic"));
    let listening = match origin {
        Origin::Interface(interface) if interface == "any" => format!("every interface, {of}"),
        Origin::Interface(interface) => format!("interface {interface}, {of}"),
        Origin::Ssh(target) => format!("{} on {}, {of}", target.interface, target.host),
        _ => format!("{name}, {of}"),
    };
    let label = match origin {
        Origin::File(path) => path.file_name().map_or(name, |file| file.to_string_lossy().into_owned()),
        _ => name,
    };
    feed::Source { kind, label, listening, ..feed::Source::default() }
}
