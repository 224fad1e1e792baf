//! The bars on labelled captures: `WHY403_CASES`, else `../shared/cases`. Without captures the test says loudly that it tested nothing.

use std::io::Write;
use std::path::{Path, PathBuf};

use why403::explain::diagnoser::Diagnoser;
use why403::explain::inspector::Inspector;
use why403::history::History;
use why403::model::{BaselineChoice, Exchange};

#[path = "../../examples/shared/collect.rs"]
mod collect;

fn exchanges(capture: &Path) -> Vec<Exchange> {
    collect::collect(capture).unwrap().0
}

/// Whether the path without its query fits `pattern`, in which a segment `{…}` stands for any.
fn fits(pattern: &str, target: &[u8]) -> bool {
    let target = String::from_utf8_lossy(target);
    let path: Vec<&str> = target.split('?').next().unwrap_or_default().split('/').collect();
    let pattern: Vec<&str> = pattern.split('?').next().unwrap_or_default().split('/').collect();
    let open = pattern.last().is_some_and(|last| last.contains("*}"));
    (path.len() == pattern.len() || (open && path.len() >= pattern.len()))
        && pattern.iter().zip(&path).all(|(wanted, segment)| wanted.starts_with('{') || wanted == segment)
}

#[test]
fn labelled_captures_meet_the_bars() {
    let asked = std::env::var_os("WHY403_CASES").map(PathBuf::from);
    let folder = asked.clone().unwrap_or_else(|| PathBuf::from("../shared/cases"));
    let entries = match (std::fs::read_dir(&folder), asked) {
        (Ok(entries), _) => entries,
        (Err(error), Some(_)) => panic!("WHY403_CASES: {}: {error}", folder.display()),
        (Err(error), None) => return skip(&folder, &error),
    };
    let (mut all, mut first, mut three, mut over) = (0.0, 0.0, 0.0, 0.0);
    for folder in
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join("label.json").is_file())
    {
        let label: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("label.json")).unwrap()).unwrap();
        let accepted: Vec<&str> = std::iter::once(&label["cause"])
            .chain(label["also_accept"].as_array().into_iter().flatten())
            .filter_map(|id| id.as_str())
            .collect();
        let mut inspector = Inspector::new(History::new(256 << 20), Diagnoser::new());
        let ids: Vec<_> = exchanges(&folder.join("capture.pcap"))
            .into_iter()
            .map(|exchange| inspector.push(exchange))
            .collect();
        for id in ids {
            let exchange = &inspector.history().get(id).unwrap().exchange;
            let asked = exchange.method() == label["method"]
                && fits(label["path"].as_str().unwrap(), exchange.target());
            if exchange.status() != Some(403) || !asked {
                continue;
            }
            let diagnosis = inspector.report(id, BaselineChoice::default()).unwrap().diagnosis.unwrap();
            let right: Vec<bool> = diagnosis
                .findings
                .iter()
                .take(3)
                .map(|finding| accepted.contains(&finding.cause.id()))
                .collect();
            all += 1.0;
            first += f64::from(u8::from(right[0]));
            three += f64::from(u8::from(right.contains(&true)));
            over += f64::from(u8::from(!right[0] && diagnosis.findings[0].confidence >= 0.8));
        }
    }
    assert!(all > 0.0, "{} holds no labelled refusal", folder.display());
    println!(
        "{all} refusals: first {:.3}, three {:.3}, overconfident {:.3}",
        first / all,
        three / all,
        over / all
    );
    assert!(first / all >= 0.85 && three / all >= 0.95 && over / all <= 0.05);
}

/// Says that nothing was tested, past the test harness, which swallows what is printed.
fn skip(folder: &Path, error: &std::io::Error) {
    let text = format!(
        "\nSKIPPED labelled_captures_meet_the_bars: no labelled captures ({}: {error}).\n\
         Set WHY403_CASES to a folder of them; without it the bars on first, three and overconfident are NOT tested.\n\n",
        folder.display()
    );
    let _ = std::io::stderr().write_all(text.as_bytes());
}
