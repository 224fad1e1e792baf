//! Rules are operators: what they speak for, and how much, is in `assets/weights.toml`.

use std::fs;
use std::path::{Path, PathBuf};

use why403::model::Cause;

/// The sources of the rules.
fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/explain/rules")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// The code of a file without comments and unit tests, and apart from it its string literals, both by line.
fn code_and_texts(text: &str) -> Vec<(String, Vec<String>)> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let of_line = |line: &str| {
        let (mut code, mut texts, mut open) = (String::new(), Vec::new(), None::<String>);
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match (&mut open, letter) {
                (None, '/') if letters.peek() == Some(&'/') => break,
                (None, '"') => open = Some(String::new()),
                (None, letter) => code.push(letter),
                (Some(text), '\\') => text.extend(letters.next()),
                (Some(text), '"') => {
                    texts.push(std::mem::take(text));
                    open = None;
                }
                (Some(text), letter) => text.push(letter),
            }
        }
        (code, texts)
    };
    text.lines().map(of_line).collect()
}

/// Numbers with a fraction in `code`, but 0.0 and 1.0, which weigh nothing.
fn weights(code: &str) -> Vec<&str> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.' || c == '_';
    code.split(|c: char| !is_number(c) && !c.is_alphanumeric())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .filter(|word| {
            word.split_once('.').is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
        .filter(|word| !["0.0", "1.0"].contains(word))
        .collect()
}

#[test]
fn rules_hold_no_weights_and_no_causes() {
    let mut wrong = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, (code, texts)) in code_and_texts(&text).iter().enumerate() {
            let mut report = |what: &str| wrong.push(format!("{}:{}: {what}", path.display(), number + 1));
            for weight in weights(code) {
                report(weight);
            }
            let names = Cause::ALL.iter().map(|cause| format!("Cause::{cause:?}"));
            for name in names.filter(|name| code.contains(name.as_str())) {
                report(&name);
            }
            // Some causes are called as fields are.
            let is_cause = |text: &&String| {
                let id = |cause: &Cause| cause.id() == **text;
                Cause::ALL.iter().any(id)
                    && !["content-type", "api-version"].contains(&&***text)
                    && text.contains('-')
            };
            for text in texts.iter().filter(is_cause) {
                report(text);
            }
        }
    }
    assert!(wrong.is_empty(), "move these to assets/weights.toml:\n{}", wrong.join("\n"));
}
