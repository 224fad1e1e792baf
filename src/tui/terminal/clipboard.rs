//! The user's clipboard, reached through the terminal (OSC 52), also from inside tmux and GNU screen and over SSH.
//!
//! A terminal never says whether it took the text, so neither do we: the message says what was sent, and when nothing
//! could be sent the text goes to a file that only the user can read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::tui::settings::Environment;
use crate::tui::text;

/// Bytes of text that are handed to a terminal; many cut or drop longer ones.
const MAX: usize = 74_994;

/// Bytes that GNU screen takes in one string.
const SCREEN_CHUNK: usize = 500;

/// Why text cannot go through the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Refusal {
    /// Longer than [`MAX`].
    TooLong,
    /// The terminal is known not to have a clipboard.
    NoClipboard,
}

/// The bytes that hand `content` to the terminal.
pub(in crate::tui) fn sequence(content: &str, environment: &Environment) -> Result<Vec<u8>, Refusal> {
    if content.len() > MAX {
        return Err(Refusal::TooLong);
    }
    if matches!(environment.term.as_str(), "linux" | "dumb" | "vt100" | "") {
        return Err(Refusal::NoClipboard);
    }
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(content));
    if environment.tmux {
        // The plain form serves `set-clipboard on`, the wrapped one `allow-passthrough on`.
        let wrapped = plain.replace('\x1b', "\x1b\x1b");
        return Ok(format!("{plain}\x1bPtmux;{wrapped}\x1b\\").into_bytes());
    }
    if environment.screen {
        let mut out = Vec::with_capacity(plain.len() * 2);
        for chunk in plain.as_bytes().chunks(SCREEN_CHUNK) {
            out.extend_from_slice(b"\x1bP");
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\x1b\\");
        }
        return Ok(out);
    }
    Ok(plain.into_bytes())
}

/// What to tell the user after `what` was handed over.
pub(in crate::tui) fn message(what: &str, content: &str, environment: &Environment) -> String {
    let size = text::bytes(content.len() as u64);
    if environment.tmux {
        format!(
            "{what} ({size}) handed to tmux; if pasting gives something else: tmux set -g set-clipboard on"
        )
    } else if environment.screen {
        format!(
            "{what} ({size}) handed through screen to the terminal (OSC 52); it does not say whether it took it"
        )
    } else {
        format!("{what} ({size}) handed to the terminal (OSC 52); it does not say whether it took it")
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX, Refusal, sequence};
    use crate::tui::settings::Environment;

    fn xterm() -> Environment {
        Environment { term: "xterm-256color".into(), ..Environment::default() }
    }

    #[test]
    fn speaks_osc_52() {
        assert_eq!(sequence("curl", &xterm()).unwrap(), b"\x1b]52;c;Y3VybA==\x07");
    }

    #[test]
    fn goes_through_tmux_both_ways() {
        let bytes = sequence("curl", &Environment { tmux: true, ..xterm() }).unwrap();
        assert_eq!(bytes, b"\x1b]52;c;Y3VybA==\x07\x1bPtmux;\x1b\x1b]52;c;Y3VybA==\x07\x1b\\");
    }

    #[test]
    fn goes_through_screen_in_chunks() {
        let bytes = sequence(&"x".repeat(1000), &Environment { screen: true, ..xterm() }).unwrap();
        let inside: Vec<u8> = bytes.windows(2).filter(|pair| pair == b"\x1bP").map(|_| 0).collect();
        assert_eq!(inside.len(), 3);
    }

    #[test]
    fn refuses_what_would_be_cut() {
        assert_eq!(sequence(&"x".repeat(MAX + 1), &xterm()), Err(Refusal::TooLong));
        let console = Environment { term: "linux".into(), ..Environment::default() };
        assert_eq!(sequence("x", &console), Err(Refusal::NoClipboard));
    }
}
