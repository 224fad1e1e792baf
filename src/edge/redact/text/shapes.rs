//! Keys and tokens with a shape of their own, wherever they stand.
//!
//! What comes before the secret is a public prefix (`sk_test_` tells a wrong environment).

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::edge::redact::{Secret, push};
use crate::step_counter;

/// A prefix and what has to follow it.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) prefix: &'static str,
    kind: Kind,
    /// Least length of what follows.
    least: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Letters, digits, `_`, `-` and `.`.
    Token,
    /// Sixteen capitals and digits and nothing more.
    Aws,
    /// A token in JOSE's compact form, or JSON in base64 with a secret in it.
    Jose,
    /// A block in armour: everything up to its end line.
    Armour,
    /// After a number: a Telegram bot's token.
    Telegram,
}

const fn token(prefix: &'static str, least: usize) -> Shape {
    Shape { prefix, kind: Kind::Token, least }
}

/// All shapes.
pub(super) const SHAPES: [Shape; 51] = [
    token("sk_live_", 8),
    token("sk_test_", 8),
    token("pk_live_", 8),
    token("pk_test_", 8),
    token("rk_live_", 8),
    token("rk_test_", 8),
    token("ghp_", 16),
    token("gho_", 16),
    token("ghu_", 16),
    token("ghs_", 16),
    token("ghr_", 16),
    token("github_pat_", 20),
    token("glpat-", 16),
    token("xoxa-", 10),
    token("xoxb-", 10),
    token("xoxe-", 10),
    token("xoxe.", 10),
    token("xoxo-", 10),
    token("xoxp-", 10),
    token("xoxr-", 10),
    token("xoxs-", 10),
    token("xapp-", 10),
    token("AIza", 30),
    token("sk-", 20),
    token("npm_", 16),
    token("hf_", 16),
    token("dckr_pat_", 16),
    token("shpat_", 16),
    token("shpss_", 16),
    token("pypi-", 16),
    token("whsec_", 16),
    token("dop_v1_", 16),
    token("figd_", 16),
    token("lin_api_", 16),
    token("rnd_", 16),
    token("sbp_", 16),
    token("glsa_", 16),
    token("hvs.", 16),
    token("hvb.", 16),
    token("SG.", 33),
    token("ya29.", 16),
    token("1//0", 30),
    token("AGE-SECRET-KEY-1", 16),
    Shape { prefix: "AKIA", kind: Kind::Aws, least: 16 },
    Shape { prefix: "ASIA", kind: Kind::Aws, least: 16 },
    Shape { prefix: "AROA", kind: Kind::Aws, least: 16 },
    Shape { prefix: "AIDA", kind: Kind::Aws, least: 16 },
    Shape { prefix: "eyJ", kind: Kind::Jose, least: 9 },
    Shape { prefix: "-- BEGIN ", kind: Kind::Armour, least: 0 },
    Shape { prefix: "--BEGIN ", kind: Kind::Armour, least: 0 },
    Shape { prefix: ":AA", kind: Kind::Telegram, least: 16 },
];

/// How many bytes of `value` are the public prefix of a key (`sk_test_`); 0 for none.
pub(in crate::edge::redact) fn public_prefix(value: &[u8]) -> usize {
    let is = |shape: &&Shape| {
        shape.kind == Kind::Token
            && value.starts_with(shape.prefix.as_bytes())
            && value.len() >= shape.prefix.len() + shape.least
    };
    SHAPES.iter().find(is).map_or(0, |shape| shape.prefix.len())
}

/// Longest JSON in base64 that is looked into.
const JSON: usize = 16 << 10;

/// Adds the key of shape number `shape` whose prefix is at `found`; returns where to go on, if it is one.
/// `looked` is where the last run that was looked at as a token in JOSE's form ends.
pub(super) fn find(
    text: &[u8],
    found: &Range<usize>,
    shape: usize,
    looked: &mut usize,
    out: &mut Vec<Secret>,
) -> Option<usize> {
    let shape = SHAPES.get(shape)?;
    // The automaton folds case, which matters here.
    if text.get(found.clone())? != shape.prefix.as_bytes() {
        return None;
    }
    let before = found.start.checked_sub(1).and_then(|at| text.get(at));
    let begins = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    let from = found.end;
    let rest = text.get(from..)?;
    match shape.kind {
        Kind::Armour => armour(text, from, out),
        Kind::Telegram => telegram(text, found, shape.least, out),
        _ if !begins => None,
        Kind::Token => {
            let len = run(rest, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
            let len =
                len - rest.get(..len)?.iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
            let digits = rest.get(..len)?.iter().any(u8::is_ascii_digit) || len >= 24;
            (len >= shape.least && digits).then(|| {
                push(out, from..from + len, &[b"key"]);
                from + len
            })
        }
        Kind::Aws => {
            let len = run(rest.get(..17).unwrap_or(rest), |byte| {
                byte.is_ascii_uppercase() || byte.is_ascii_digit()
            });
            let ends = rest.get(16).is_none_or(|byte| !byte.is_ascii_alphanumeric());
            (len == shape.least && ends).then(|| {
                push(out, from..from + len, &[b"key"]);
                from + len
            })
        }
        Kind::Jose if found.start < *looked => None,
        Kind::Jose => jose(text, found.start, shape.least, looked, out),
    }
}

/// JWS and JWE: `eyJ…` with one to four dots in it (one, because a body may be cut).
fn jose(text: &[u8], start: usize, least: usize, looked: &mut usize, out: &mut Vec<Secret>) -> Option<usize> {
    let rest = text.get(start..)?;
    let len = run(rest, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let whole = rest.get(..len)?;
    let end = start + len;
    *looked = end;
    if len >= least + 3 && whole.contains(&b'.') {
        push(out, start..end, &[b"token"]);
        return Some(end);
    }
    let whole = whole.get(..(len & !3).min(JSON))?;
    let json = URL_SAFE_NO_PAD.decode(whole).ok().filter(|_| len >= 16)?;
    let mut inner = Vec::new();
    super::super::body::json::members(&json, &mut inner);
    (!inner.is_empty()).then(|| {
        push(out, start..end, &[b"token"]);
        end
    })
}

/// `-----BEGIN … PRIVATE KEY-----` and what follows, up to the line that ends it.
fn armour(text: &[u8], from: usize, out: &mut Vec<Secret>) -> Option<usize> {
    let rest = text.get(from..)?;
    let label = rest.get(
        ..run(rest.get(..48).unwrap_or(rest), |byte| {
            byte.is_ascii_uppercase() || byte == b' ' || byte.is_ascii_digit()
        }),
    )?;
    let secret =
        [&b"PRIVATE KEY"[..], b"PGP MESSAGE"].iter().any(|word| memchr::memmem::find(label, word).is_some());
    let begin = from + label.len() + run(rest.get(label.len()..)?, |byte| byte == b'-' || byte == b' ');
    if !secret {
        return None;
    }
    let body = text.get(begin..)?;
    let end = memchr::memmem::find(body, b"-- END ")
        .or_else(|| memchr::memmem::find(body, b"--END "))
        .unwrap_or(body.len());
    step_counter::steps(end);
    let len = end - body.get(..end)?.iter().rev().take_while(|byte| **byte == b'-').count();
    push(out, begin..begin + len, &[b"private_key"]);
    Some(begin + end)
}

/// `123456:AA…`: the number is the bot's, what follows the colon its key.
fn telegram(text: &[u8], found: &Range<usize>, least: usize, out: &mut Vec<Secret>) -> Option<usize> {
    let before = text.get(..found.start)?;
    let digits = before.iter().rev().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let start = found.start + 1;
    let len = run(text.get(start..)?, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    (digits >= 5 && len >= least).then(|| {
        push(out, start..start + len, &[b"bot_token"]);
        start + len
    })
}

fn run(text: &[u8], fits: impl Fn(u8) -> bool) -> usize {
    let len = text.iter().take_while(|byte| fits(**byte)).count();
    step_counter::steps(len);
    len
}

#[cfg(test)]
mod tests {
    use crate::edge::redact::text::{Reading, find};

    fn found(text: &str) -> usize {
        let mut out = Vec::new();
        find(text.as_bytes(), Reading::default(), &mut out);
        out.len()
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
            format!("{}J{}", "ey", "wYXNzd29yZCI6Imh1bnRlcjIifQ"),
            "/bot123456:AAzQ7Kp096AXw9TmR4vB2qL/send".to_owned(),
        ];
        for key in keys {
            assert_eq!(found(&format!("before {key} after")), 1, "{key}");
        }
        assert_eq!(
            found("the eyJacket of a skier at sk-iing, AKIA and a risk_live_show, sk-learn-a-lot-of-things"),
            0
        );
        assert_eq!(found("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"), 0);
        assert_eq!(found("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----"), 1);
    }
}
