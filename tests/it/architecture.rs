//! The structure that ARCHITECTURE.md describes, read from the source: who imports whom, and how large things are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Top-level modules and the other top-level modules that each may import. A new entry must not close a circle.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    (
        "app",
        &[
            "archive",
            "cli",
            "config",
            "demo",
            "doctor",
            "edge",
            "explain",
            "export",
            "features",
            "feed",
            "filter",
            "history",
            "hops",
            "incidents",
            "knowledge",
            "logs",
            "model",
            "processes",
            "sandbox",
            "source",
            "spelling",
            "tap",
            "tui",
            "wire",
        ],
    ),
    ("archive", &["edge", "model"]),
    ("cli", &["model", "sandbox", "tap"]),
    ("config", &["cli", "sandbox", "spelling", "tui"]),
    ("demo", &["features", "model", "source", "synth"]),
    ("doctor", &["edge", "sandbox"]),
    ("edge", &["features", "knowledge", "model", "sandbox", "step_counter"]),
    (
        "explain",
        &[
            "edge",
            "features",
            "history",
            "hops",
            "knowledge",
            "logs",
            "memo",
            "model",
            "phrases",
            "step_counter",
        ],
    ),
    ("export", &["cli", "edge", "explain", "features", "history", "model", "wire"]),
    ("features", &["knowledge", "memo", "model"]),
    ("feed", &["logs", "model"]),
    ("filter", &["edge", "features", "history", "model"]),
    (
        "fuzzing",
        &[
            "edge",
            "features",
            "filter",
            "history",
            "import",
            "knowledge",
            "logs",
            "model",
            "source",
            "synth",
            "tap",
            "wire",
        ],
    ),
    ("history", &["features", "knowledge", "memo", "model", "step_counter"]),
    ("hops", &["features", "model"]),
    ("import", &["features", "model", "wire"]),
    ("incidents", &["edge", "explain", "features", "history", "model"]),
    ("knowledge", &["phrases", "step_counter"]),
    ("logs", &["features", "history", "knowledge", "model"]),
    ("memo", &[]),
    ("model", &[]),
    ("phrases", &["step_counter"]),
    ("processes", &["model", "sandbox"]),
    ("sandbox", &[]),
    ("source", &["edge", "import", "model", "sandbox", "wire"]),
    ("spelling", &[]),
    ("step_counter", &[]),
    ("synth", &["model"]),
    ("tap", &["edge", "memo", "model", "sandbox", "synth"]),
    (
        "tui",
        &[
            "edge",
            "explain",
            "features",
            "feed",
            "filter",
            "history",
            "incidents",
            "memo",
            "model",
            "spelling",
        ],
    ),
    ("wire", &["model", "step_counter"]),
];

/// Rust files in one folder, at most.
const FILES: usize = 25;
/// Lines of one file, at most.
const LINES: usize = 500;
/// Lines of one function, at most.
const FUNCTION: usize = 60;

fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

fn relative(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_string_lossy().into_owned()
}

fn is_test_file(path: &Path) -> bool {
    let relative = relative(path);
    ["/cases/", "/tests/"].iter().any(|folder| relative.contains(folder))
        || relative.ends_with("tests.rs")
        || relative.ends_with("fixture.rs")
}

/// The text of a file without comments and without its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The top-level modules that `text` names after `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, prefix) in text.match_indices("crate::") {
        let rest = &text[at + prefix.len()..];
        let word = |text: &str| -> String {
            text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
        };
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(word(&item));
                        item.clear();
                        continue;
                    }
                    _ => {}
                }
                item.push(c);
            }
            found.insert(word(&item));
        } else {
            found.insert(word(rest));
        }
    }
    found
}

/// What every top-level module imports.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let known: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in sources().iter().filter(|path| !is_test_file(path)) {
        let relative = relative(path);
        let top =
            relative.trim_start_matches("src/").split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if top == "main" || top == "lib" {
            continue;
        }
        assert!(known.contains(top.as_str()), "{relative}: add the module {top} to MAY_IMPORT");
        let own = edges.entry(top.clone()).or_default();
        own.extend(
            imports(&code(path)).into_iter().filter(|name| known.contains(name.as_str()) && *name != top),
        );
    }
    edges
}

#[test]
fn modules_import_what_the_table_allows_and_the_table_is_minimal() {
    let edges = edges();
    let mut wrong = Vec::new();
    for (name, allowed) in MAY_IMPORT {
        let empty = BTreeSet::new();
        let actual = edges.get(*name).unwrap_or(&empty);
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        wrong.extend(
            actual
                .difference(&allowed)
                .map(|other| format!("{name} imports {other}, which MAY_IMPORT does not allow")),
        );
        wrong.extend(
            allowed
                .difference(actual)
                .map(|other| format!("MAY_IMPORT allows {name} to import {other}, which it does not")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_is_no_circle_between_top_level_modules() {
    let mut left: BTreeMap<&str, BTreeSet<&str>> =
        MAY_IMPORT.iter().map(|(name, imports)| (*name, imports.iter().copied().collect())).collect();
    while let Some(free) = left.iter().find(|(_, imports)| imports.is_empty()).map(|(name, _)| *name) {
        left.remove(free);
        for imports in left.values_mut() {
            imports.remove(free);
        }
    }
    assert!(
        left.is_empty(),
        "these modules import each other in a circle: {:?}",
        left.keys().collect::<Vec<_>>()
    );
}

#[test]
fn folders_and_files_stay_small() {
    let mut wrong = Vec::new();
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in sources() {
        *folders.entry(path.parent().unwrap().to_owned()).or_default() += 1;
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > LINES {
            wrong.push(format!("{} has {lines} lines, at most {LINES} are allowed", relative(&path)));
        }
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (folder, count) in folders.into_iter().filter(|(folder, count)| *count > FILES && *folder != top) {
        wrong.push(format!("{} has {count} files, at most {FILES} are allowed", relative(&folder)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn functions_stay_short() {
    let mut wrong = Vec::new();
    for path in sources().into_iter().filter(|path| !is_test_file(path)) {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let mut open: Option<(usize, usize, &str)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start();
            let starts = words.split('(').next().is_some_and(|head| head.split(' ').any(|word| word == "fn"));
            if starts && !words.starts_with("//") && !words.ends_with(';') {
                open = Some((number, indent, words));
            }
            if let Some((start, depth, head)) = open
                && words == "}"
                && indent == depth
            {
                if number - start > FUNCTION {
                    wrong.push(format!(
                        "{}:{}: {head} has {} lines",
                        relative(&path),
                        start + 1,
                        number - start
                    ));
                }
                open = None;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
