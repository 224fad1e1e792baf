//! What looks like a key or a token, wherever it stands.

use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::Regex;

use super::{Secret, push};
use crate::step_counter;

/// Tokens and keys with a shape of their own. The group is the secret, what comes before it is a public prefix
/// (`sk_test_` tells a wrong environment). No alternative can run on for long and then fail, so that finding all
/// matches is linear too; that is why tokens of several parts are not among them.
static KEYS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u)",
        r"\b(?:sk|pk|rk)_(?:live|test)_(?P<b>[A-Za-z0-9]{8,})",
        r"|\bgh[pousr]_(?P<c>[A-Za-z0-9]{16,})",
        r"|\bgithub_pat_(?P<d>[A-Za-z0-9_]{20,})",
        r"|\bglpat-(?P<e>[A-Za-z0-9_-]{16,})",
        r"|\bxox[abeoprs]-(?P<f>[A-Za-z0-9-]{10,})",
        r"|\b(?:AKIA|ASIA|AROA|AIDA)(?P<g>[A-Z0-9]{16})\b",
        r"|\bAIza(?P<h>[A-Za-z0-9_-]{30,})",
        r"|\bsk-(?P<i>[A-Za-z0-9_-]{20,})",
        r"|\b(?:npm|hf|dckr_pat|shpat|shpss|pypi|whsec|dop_v1|figd|lin_api|rnd|sbp|glsa|hvs|hvb)[_.-](?P<j>[A-Za-z0-9_-]{16,})",
        r"|\bSG\.(?P<k>[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,})",
        r"|\bya29\.(?P<l>[A-Za-z0-9_-]{16,})",
        r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?P<m>[A-Za-z0-9+/=\s\\:,.-]*)",
    ))
    .ok()
});

/// The prefixes that a match begins with; without one there is nothing to do.
static HINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u)[spr]k_|gh[pousr]_|github_pat_|glpat-|xox|A[KS]IA|A[RI][OD]A|AIza|sk-|SG\.|ya29|PRIVATE KEY",
        r"|npm_|hf_|dckr_|shp|pypi|whsec|dop_|figd|lin_api|rnd_|sbp_|glsa|hv[sb]\."
    ))
    .ok()
});

/// Adds what looks like a key or a token in `text`. Linear.
pub(super) fn find(text: &[u8], out: &mut Vec<Secret>) {
    tokens(text, out);
    let (Some(hint), Some(keys)) = (HINT.as_ref(), KEYS.as_ref()) else { return };
    if text.len() < 12 || !hint.is_match(text) {
        return;
    }
    for found in keys.captures_iter(text) {
        if let Some(secret) = found.iter().skip(1).flatten().next() {
            push(out, secret.range(), &[b"key"]);
        }
    }
}

/// JWS and JWE: `eyJ…` with one to four dots in it (one, because a body may be cut).
fn tokens(text: &[u8], out: &mut Vec<Secret>) {
    let mut at = 0;
    while let Some(found) = memmem::find(text.get(at..).unwrap_or_default(), b"eyJ") {
        let start = at + found;
        let run = text.get(start..).unwrap_or_default();
        let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let run = run.iter().take_while(is_token).count();
        step_counter::steps(found + run);
        let whole = text.get(start..start + run).unwrap_or_default();
        if run > 11 && whole.contains(&b'.') {
            push(out, start..start + run, &[b"token"]);
        }
        at = start + run;
    }
}

#[cfg(test)]
mod tests {
    use super::{HINT, KEYS, find};

    #[test]
    fn the_patterns_compile() {
        assert!(KEYS.is_some() && HINT.is_some());
    }

    #[test]
    fn finds_keys_anywhere_and_leaves_words_alone() {
        // Put together here, so that nobody's scanner takes this file for a leak.
        let keys = [
            format!("{}_live_{}", "sk", "abcdefgh12345678"),
            format!("{}p_{}", "gh", "abcdefghijklmnop1234"),
            format!("AKIA{}", "ABCDEFGHIJKLMNOP"),
            format!("{}J{}.{}.{}", "ey", "hbGciOiJIUzI1NiJ9", "eyJzdWIiOiI3In0", "c2ln"),
            format!("{}ab-{}", "xox", "1234567890-abc").replace("xoxab", "xoxb"),
        ];
        for key in keys {
            let mut out = Vec::new();
            find(format!("before {key} after").as_bytes(), &mut out);
            assert_eq!(out.len(), 1, "{key}");
        }
        let mut out = Vec::new();
        find(b"the eyJacket of a skier at sk-iing, AKIA and a risk_live_show", &mut out);
        assert!(out.is_empty(), "{out:?}");
    }
}
