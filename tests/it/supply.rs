//! What the program is built from: every direct dependency is used, and has its reason in CONTRIBUTING.md.

use std::fs;
use std::path::Path;

/// The Rust files below `dir`, one after the other.
fn sources(dir: &Path, all: &mut String) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_direct_dependency_is_used_and_has_its_reason() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = fs::read_to_string(home.join("Cargo.toml")).unwrap().parse().unwrap();
    let reasons = fs::read_to_string(home.join("CONTRIBUTING.md")).unwrap();
    let reasons: Vec<&str> = reasons.lines().filter(|line| line.starts_with("| ")).collect();
    let (mut program, mut rest) = (String::new(), String::new());
    sources(&home.join("src"), &mut program);
    for dir in ["tests", "examples", "benches"] {
        sources(&home.join(dir), &mut rest);
    }
    rest.push_str(&program);
    for (section, text) in [("dependencies", &program), ("dev-dependencies", &rest)] {
        for name in manifest[section].as_table().unwrap().keys() {
            let used = format!("{}::", name.replace('-', "_"));
            assert!(text.contains(&used), "{name} is not used");
            let named = |line: &&str| {
                line.split('|').nth(1).unwrap_or_default().split(',').any(|one| one.trim() == name)
            };
            assert!(reasons.iter().any(named), "{name} has no reason in CONTRIBUTING.md");
        }
    }
}
