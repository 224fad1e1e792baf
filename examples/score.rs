//! Scores diagnoses against labelled traffic: `cargo run --example score -- [-v] FOLDER|FILE.txt …`
//!
//! A folder holds cases (`NAME/capture.pcap` with `NAME/label.json`); a text file holds scenarios as in `tests/scenarios`.
//! Prints right-first, right-among-three and overconfident shares, a table by cause and one of calibration; `-v` adds every
//! miss with its evidence, `-vv` everything, `-t` the time of a diagnosis; `-o NAME` keeps to names that begin with NAME;
//! `-k FOLDER` reads words, fingerprints and weights from there instead of the built-in ones.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for developers"
)]

use std::collections::BTreeMap;
use std::path::Path;

use why403::explain::diagnoser::Diagnoser;
use why403::explain::inspector::Inspector;
use why403::history::History;
use why403::knowledge;
use why403::model::{BaselineChoice, Diagnosis, Exchange, ExchangeId, Timestamp};

use why403::model;

#[path = "../src/explain/fixture.rs"]
#[allow(dead_code, unreachable_pub, clippy::pedantic, reason = "shared with the unit tests")]
mod fixture;

#[path = "shared/collect.rs"]
mod collect;

struct Labelled {
    name: String,
    causes: Vec<String>,
    exchanges: Vec<Exchange>,
    /// Method and path pattern of the requests in question; empty takes every 403.
    wanted: Option<(String, String)>,
    failing: Vec<usize>,
    /// What the server wrote, where it is kept.
    log: Option<String>,
    /// Who refused, in the words of the label.
    refuser: String,
    /// Whether an obvious reading is wrong.
    trap: bool,
}

fn main() {
    let (mut verbose, mut only, mut inputs) = (0, None, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-v" => verbose = 1,
            "-vv" => verbose = 2,
            "-t" => verbose = 9,
            "-o" => only = arguments.next(),
            "-k" => {
                let folder = arguments.next().expect("a folder after -k");
                let files = knowledge::directory(Path::new(&folder)).expect("readable knowledge");
                assert!(knowledge::install(knowledge::Sources::only(files)), "knowledge was read already");
            }
            _ => inputs.push(argument),
        }
    }
    for input in inputs {
        let mut cases = load(Path::new(&input));
        cases.retain(|case| only.as_ref().is_none_or(|only| case.name.starts_with(only.as_str())));
        println!("== {input}: {} cases", cases.len());
        let mut tally = Tally::default();
        for case in cases {
            judge(case, verbose, &mut tally);
        }
        tally.print();
    }
}

fn load(path: &Path) -> Vec<Labelled> {
    if path.is_file() {
        let text = std::fs::read_to_string(path).expect("a readable scenario file");
        let scenarios = fixture::scenarios(&text);
        return scenarios
            .into_iter()
            .map(|one| Labelled {
                name: one.name,
                causes: std::iter::once(one.cause).chain(one.accept).collect(),
                exchanges: one.exchanges,
                wanted: None,
                failing: Vec::new(),
                log: None,
                refuser: one.refusers.join("/").replace("outbound-proxy", "forward proxy"),
                trap: one.trap,
            })
            .collect();
    }
    let mut folders: Vec<_> = std::fs::read_dir(path)
        .expect("a readable folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    folders.iter().filter(|folder| folder.join("label.json").is_file()).map(|folder| read(folder)).collect()
}

fn read(folder: &Path) -> Labelled {
    let label: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("label.json")).unwrap()).unwrap();
    let (exchanges, _) = collect::collect(&folder.join("capture.pcap")).unwrap();
    let text = |name: &str| label[name].as_str().unwrap_or_default().to_owned();
    let also = label["also_accept"].as_array().cloned().unwrap_or_default();
    Labelled {
        name: text("name"),
        causes: std::iter::once(text("cause"))
            .chain(also.iter().filter_map(|id| id.as_str().map(str::to_owned)))
            .collect(),
        exchanges,
        refuser: text("refuser"),
        trap: label["trap"].as_bool().unwrap_or_default(),
        wanted: Some((text("method"), text("path"))),
        log: std::fs::read(folder.join("server.log"))
            .ok()
            .map(|log| String::from_utf8_lossy(&log).into_owned()),
        failing: label["failing_requests"]
            .as_array()
            .cloned()
            .unwrap_or_default()
            .iter()
            .filter_map(|n| Some(n.as_u64()? as usize))
            .collect(),
    }
}

/// Whether `path` fits `pattern`, in which `{…}` stands for a segment and `{…*}` for the rest.
fn fits(pattern: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let mut regex = String::from("^");
    let mut rest = pattern.split('?').next().unwrap_or_default();
    while let Some((before, tail)) = rest.split_once('{') {
        regex.push_str(&regex::escape(before));
        let (inner, after) = tail.split_once('}').unwrap_or((tail, ""));
        regex.push_str(if inner.contains('*') { ".+" } else { "[^/]+" });
        rest = after;
    }
    regex.push_str(&regex::escape(rest));
    regex::Regex::new(&format!("{regex}$")).is_ok_and(|regex| regex.is_match(path))
}

#[derive(Default)]
struct Tally {
    cases: usize,
    first: f32,
    three: f32,
    over: f32,
    refusals: (usize, usize, usize, usize),
    causes: BTreeMap<String, (f32, f32)>,
    bins: [(usize, usize); 10],
    /// Steps that quote a log, and how many quote what stands in it; cases with a log.
    hints: (usize, usize, usize),
    /// Quick answers that are the whole diagnosis's: asked on arrival, asked at the end.
    quick: (usize, usize),
    /// Refusers that the label names as well, and those that it names.
    refusers: (usize, usize),
    /// Traps that were not fallen for, and all.
    traps: (usize, usize),
    spent: [f64; 2],
}

fn judge(case: Labelled, verbose: u8, tally: &mut Tally) {
    let mut inspector = Inspector::new(History::new(256 << 20), Diagnoser::new());
    let mut order: Vec<(Timestamp, ExchangeId)> = Vec::new();
    let mut arrived = Vec::new();
    for exchange in case.exchanges {
        let started = exchange.started();
        order.push((started, inspector.push(exchange)));
        if let Some((_, id)) = order.last() {
            arrived.push((*id, inspector.top_cause(*id)));
        }
    }
    order.sort();
    let by_label = |(at, id): (usize, &(Timestamp, ExchangeId))| {
        let record = inspector.history().get(id.1)?;
        let exchange = &record.exchange;
        let path = String::from_utf8_lossy(exchange.target()).into_owned();
        let asked = case.wanted.as_ref().is_none_or(|(method, pattern)| {
            exchange.method() == method && (fits(pattern, &path) || case.failing.contains(&at))
        });
        (exchange.status() == Some(403) && asked).then_some(id.1)
    };
    let wanted: Vec<ExchangeId> = order.iter().enumerate().filter_map(by_label).collect();
    let diagnoses: Vec<Diagnosis> =
        wanted.iter().filter_map(|id| inspector.report(*id, BaselineChoice::default())?.diagnosis).collect();
    if diagnoses.is_empty() {
        println!("{}: no refusal found", case.name);
    }
    if verbose == 9 {
        measure(&inspector, &wanted, tally);
    }
    if let (Some(log), Some(one)) = (&case.log, diagnoses.first()) {
        hints(&case.name, log, one, verbose, tally);
    }
    quick(&case.name, (&inspector, &arrived), wanted.iter().zip(&diagnoses), verbose, tally);
    if let Some(one) = diagnoses.first().filter(|_| !case.refuser.is_empty()) {
        let right = names_refuser(&case.refuser, one.refuser.as_str());
        tally.refusers.0 += usize::from(right);
        tally.refusers.1 += 1;
        if verbose > 0 && !right {
            println!("{}: refused by {}, wants {}", case.name, one.refuser.as_str(), case.refuser);
        }
    }
    let right = |diagnosis: &&Diagnosis, most: usize| {
        diagnosis
            .findings
            .iter()
            .take(most)
            .any(|finding| case.causes.iter().any(|id| id == finding.cause.id()))
    };
    let (firsts, all) = tally.count(&diagnoses, &right);
    tally.traps.0 += usize::from(case.trap && firsts == diagnoses.len());
    tally.traps.1 += usize::from(case.trap);
    let by_cause = tally.causes.entry(case.causes[0].clone()).or_default();
    by_cause.0 += 1.0;
    by_cause.1 += firsts as f32 / all;
    if verbose == 2 || (verbose == 1 && firsts < diagnoses.len()) {
        println!("\n-- {} wants {}", case.name, case.causes.join(" or "));
        let shown = diagnoses.iter().find(|one| !right(one, 1)).or(diagnoses.first());
        shown.into_iter().for_each(print);
    }
}

/// Whether a label such as `web server/gateway nginx` names the layer `id`.
fn names_refuser(label: &str, id: &str) -> bool {
    let label = label.to_ascii_lowercase();
    let words = if id == "outbound-proxy" { "forward proxy" } else { id };
    label.contains(words) || label.contains(&words.replace('-', " "))
}

/// Refusals with the quick answers that they had when they came.
type Arrived = [(ExchangeId, Option<(model::Cause, f32)>)];

/// Whether quick answers, the one on `arrived` and the one now, are those of the whole diagnoses.
fn quick<'a>(
    name: &str,
    (inspector, arrived): (&Inspector, &Arrived),
    diagnoses: impl Iterator<Item = (&'a ExchangeId, &'a Diagnosis)>,
    verbose: u8,
    tally: &mut Tally,
) {
    for (id, one) in diagnoses {
        let whole = &one.findings[0];
        let early = arrived.iter().find(|(known, _)| known == id).and_then(|(_, top)| *top);
        let late = inspector.top_cause(*id);
        let same = |top: Option<(model::Cause, f32)>| top.is_some_and(|(cause, _)| cause == whole.cause);
        tally.quick.0 += usize::from(same(early));
        tally.quick.1 += usize::from(same(late));
        if verbose > 0 && !same(late) {
            println!("{name}: quick {late:?}, whole {} {:.2}", whole.cause, whole.confidence);
        }
    }
}

/// Whether what the top finding says of the server's log stands in `log`.
fn hints(name: &str, log: &str, diagnosis: &Diagnosis, verbose: u8, tally: &mut Tally) {
    tally.hints.2 += 1;
    let steps =
        diagnosis.findings[0].next.iter().filter(|step| step.contains('`') && step.contains(", from "));
    for step in steps {
        // An ellipsis stands for anything.
        let stands = |quoted: &str| quoted.split('…').all(|part| log.contains(part.trim()));
        let right = step.split('`').skip(1).step_by(2).any(stands);
        tally.hints.0 += 1;
        tally.hints.1 += usize::from(right);
        if verbose > 0 && !right {
            println!("{name}: not in the log: {step}");
        }
    }
}

/// Repeats every report and every quick answer.
fn measure(inspector: &Inspector, wanted: &[ExchangeId], tally: &mut Tally) {
    const TIMES: usize = 40;
    let mut spent = |index: usize, work: &dyn Fn(ExchangeId)| {
        let start = std::time::Instant::now();
        (0..TIMES).for_each(|_| wanted.iter().for_each(|id| work(*id)));
        tally.spent[index] += start.elapsed().as_secs_f64() / TIMES as f64;
    };
    spent(0, &|id| drop(inspector.report(id, BaselineChoice::default())));
    spent(1, &|id| {
        std::hint::black_box(inspector.top_cause(id));
    });
}

fn print(diagnosis: &Diagnosis) {
    println!(
        "   refuser {} {:?}",
        diagnosis.refuser.as_str(),
        diagnosis.refuser_evidence.iter().map(|one| &one.text).collect::<Vec<_>>()
    );
    for finding in diagnosis.findings.iter().take(4) {
        println!("   {:.2} {}", finding.confidence, finding.cause);
        for one in finding.evidence.iter().take(7) {
            println!("        {:+.1} {:?} {}", one.weight, one.kind, one.text);
        }
    }
}

impl Tally {
    /// Counts the refusals of a case; how many are right at first, and all of them.
    fn count(&mut self, diagnoses: &[Diagnosis], right: &dyn Fn(&&Diagnosis, usize) -> bool) -> (usize, f32) {
        let firsts = diagnoses.iter().filter(|one| right(one, 1)).count();
        let threes = diagnoses.iter().filter(|one| right(one, 3)).count();
        let overs =
            diagnoses.iter().filter(|one| one.findings[0].confidence >= 0.8 && !right(one, 1)).count();
        for one in diagnoses {
            let bin = ((one.findings[0].confidence * 10.0) as usize).min(9);
            self.bins[bin].0 += 1;
            self.bins[bin].1 += usize::from(right(&one, 1));
        }
        let all = diagnoses.len().max(1) as f32;
        self.cases += 1;
        self.first += firsts as f32 / all;
        self.three += threes as f32 / all;
        self.over += overs as f32 / all;
        self.refusals.0 += diagnoses.len();
        self.refusals.1 += firsts;
        self.refusals.2 += threes;
        self.refusals.3 += overs;
        (firsts, all)
    }
    fn print(&self) {
        let share = |part: f32| 100.0 * part / self.cases.max(1) as f32;
        println!(
            "\nby case     first {:.1} %  three {:.1} %  overconfident {:.1} %  ({} cases)",
            share(self.first),
            share(self.three),
            share(self.over),
            self.cases
        );
        let (all, first, three, over) = self.refusals;
        let each = |seconds: f64| 1e6 * seconds / all.max(1) as f64;
        if self.spent[0] > 0.0 {
            println!(
                "time        report {:.1} us, quick answer {:.2} us",
                each(self.spent[0]),
                each(self.spent[1])
            );
        }
        let share = |part: usize| 100.0 * part as f32 / all.max(1) as f32;
        println!(
            "by refusal  first {:.1} %  three {:.1} %  overconfident {:.1} %  ({all} refusals)",
            share(first),
            share(three),
            share(over)
        );
        if self.hints.2 > 0 {
            let (hints, right, logs) = self.hints;
            println!(
                "logs        {right} of {hints} steps quote what the log holds ({logs} cases with a log)"
            );
        }
        if self.refusers.1 > 0 {
            println!("refuser     {} of {} as the label", self.refusers.0, self.refusers.1);
        }
        if self.traps.1 > 0 {
            println!("traps       {} of {} right at first", self.traps.0, self.traps.1);
        }
        println!(
            "quick       {} of {all} as the whole diagnosis on arrival, {} at the end",
            self.quick.0, self.quick.1
        );
        println!(
            "by cause    {}",
            self.causes
                .iter()
                .map(|(cause, (all, right))| format!("{cause} {right:.1}/{all}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        for (bin, (all, right)) in self.bins.iter().enumerate().filter(|(_, (all, _))| *all > 0) {
            println!(
                "confidence {:.1}–{:.1}: {right} of {all} right ({:.0} %)",
                bin as f32 / 10.0,
                (bin + 1) as f32 / 10.0,
                100.0 * *right as f32 / *all as f32
            );
        }
    }
}
