//! What the terminal can show, and whether a copied curl command reaches the clipboard.

use super::{Mark, Row};

/// `environment` answers for a variable's name.
pub(super) fn rows(environment: &dyn Fn(&str) -> Option<String>) -> Vec<Row> {
    vec![kind(environment), colours(environment), clipboard(environment)]
}

fn kind(environment: &dyn Fn(&str) -> Option<String>) -> Row {
    let term = environment("TERM").unwrap_or_default();
    let size = crossterm::terminal::size()
        .map_or_else(|_| "no terminal here".to_owned(), |(w, h)| format!("{w}x{h}"));
    let over = if environment("SSH_CONNECTION").is_some() { ", over SSH" } else { "" };
    match term.as_str() {
        "" | "dumb" => Row {
            name: "terminal",
            mark: Mark::Limited,
            text: format!("TERM={term}, {size}{over}: no screen, only NDJSON"),
            fix: Some("run it in a terminal, or add --json".to_owned()),
        },
        _ => {
            Row { name: "terminal", mark: Mark::Good, text: format!("TERM={term}, {size}{over}"), fix: None }
        }
    }
}

fn colours(environment: &dyn Fn(&str) -> Option<String>) -> Row {
    let set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
    let text = if set("NO_COLOR") {
        "none: NO_COLOR is set"
    } else if environment("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") {
        "16 million"
    } else if environment("TERM").is_some_and(|term| term.contains("256color")) {
        "256"
    } else {
        "16"
    };
    Row { name: "colours", mark: Mark::Fact, text: text.to_owned(), fix: None }
}

fn clipboard(environment: &dyn Fn(&str) -> Option<String>) -> Row {
    let (mark, text, fix) = if environment("TMUX").is_some() {
        (
            Mark::Limited,
            "OSC 52 through tmux",
            Some("tmux set -g set-clipboard on; tmux set -g allow-passthrough on"),
        )
    } else if environment("STY").is_some() {
        (Mark::Limited, "OSC 52 through screen, short texts only", None)
    } else {
        (Mark::Fact, "OSC 52, if the terminal at your end allows it", None)
    };
    Row { name: "clipboard", mark, text: text.to_owned(), fix: fix.map(ToOwned::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn colours_follow_the_environment() {
        assert_eq!(colours(&with(&[("COLORTERM", "truecolor")])).text, "16 million");
        assert_eq!(colours(&with(&[("TERM", "xterm-256color")])).text, "256");
        assert_eq!(
            colours(&with(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")])).text,
            "none: NO_COLOR is set"
        );
        assert_eq!(colours(&with(&[("TERM", "linux"), ("NO_COLOR", "")])).text, "16");
    }

    #[test]
    fn tmux_needs_a_setting_and_the_table_says_which() {
        let row = clipboard(&with(&[("TMUX", "/tmp/tmux-0/default,1,0")]));
        assert!(row.fix.unwrap().contains("set-clipboard on"));
    }

    #[test]
    fn a_dumb_terminal_is_sent_to_json() {
        assert!(kind(&with(&[("TERM", "dumb")])).fix.unwrap().contains("--json"));
    }
}
