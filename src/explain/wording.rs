//! What is known of a cause, as text for people.

use std::fmt::Write;

use crate::explain::knowledge::causes::about;
use crate::model::Cause;

/// The text of `why403 explain CAUSE`.
pub fn explain(cause: Cause) -> String {
    let mut out = format!("{}: {}\n", cause.id(), cause.title());
    if let Some(about) = about(cause) {
        let parts = [
            ("", &about.about),
            ("What shows it", &about.wire),
            ("What settles it", &about.check),
            ("What helps", &about.mend),
            ("Taken for it", &about.rival),
        ];
        for (heading, text) in parts {
            out.push('\n');
            if !heading.is_empty() {
                let _ = writeln!(out, "{heading}");
            }
            wrap(text, if heading.is_empty() { "" } else { "  " }, &mut out);
        }
    }
    out
}

/// The text of `why403 explain` without a cause: every cause in a line.
pub fn list() -> String {
    Cause::ALL.iter().fold(String::new(), |mut out, cause| {
        let _ = writeln!(out, "{:<20} {}", cause.id(), cause.title());
        out
    })
}

fn wrap(text: &str, indent: &str, out: &mut String) {
    let mut width = 0;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if width == 0 {
            out.push_str(indent);
        } else if width + 1 + len > 76 {
            out.push('\n');
            out.push_str(indent);
            width = 0;
        } else {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += len;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_explained_within_80_columns() {
        for cause in Cause::ALL {
            assert!(about(*cause).is_some(), "{cause}");
            assert!(explain(*cause).lines().all(|line| line.chars().count() <= 80), "{cause}");
        }
        assert_eq!(list().lines().count(), Cause::ALL.len());
    }
}
