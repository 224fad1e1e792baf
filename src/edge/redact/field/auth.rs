//! Credential fields: the scheme and what is public in it stay, the rest is a secret.

use crate::edge::redact::{Kind, Secret, names, push};

/// Schemes that are shown; an unknown first word may itself be the secret.
const SCHEMES: [&str; 35] = [
    "apikey",
    "api-key",
    "aws",
    "aws3",
    "aws4-ecdsa-p256-sha256",
    "aws4-hmac-sha256",
    "aws4-hmac-sha384",
    "basic",
    "bearer",
    "bot",
    "concealed",
    "digest",
    "dpop",
    "gnap",
    "goog4-hmac-sha256",
    "hawk",
    "hmac",
    "hmac-sha256",
    "hoba",
    "jwt",
    "kerberos",
    "key",
    "mac",
    "macaroon",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "privatetoken",
    "sharedaccesssignature",
    "sharedkey",
    "sharedkeylite",
    "signature",
    "ssws",
    "token",
];
/// Parameters of a scheme that are shown.
const PUBLIC: [&str; 27] = [
    "algorithm",
    "created",
    "expires",
    "headers",
    "id",
    "keyid",
    "nc",
    "oauth_callback",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_version",
    "qop",
    "realm",
    "se",
    "signedheaders",
    "skn",
    "sr",
    "t",
    "timestamp",
    "ts",
    "uri",
    "url",
    "username",
    "v",
    "v1_alg",
    "vapid",
    "version",
];
/// Parameters looked at; what follows is one secret.
const PARAMETERS: usize = 64;

/// The secrets of a value that is a credential, with or without a scheme. `name` is the field's, in lower case.
pub(in crate::edge::redact) fn credentials(name: &[u8], value: &[u8], out: &mut Vec<Secret>) {
    let mut at = 0;
    let mut basic = false;
    // A doubled scheme ("Bearer Bearer …") is a mistake worth seeing.
    while let Some((word, next)) = scheme(value, at) {
        basic = word.eq_ignore_ascii_case(b"basic");
        at = next;
    }
    let rest = value.get(at..).unwrap_or_default();
    if at > 0 && !basic && is_parameters(rest) {
        parameters(name, value, at, out);
        return;
    }
    let range = trimmed(value, at);
    if basic && !range.is_empty() {
        out.push(Secret { range, name: names::variable(&[name]), kind: Kind::Basic });
    } else {
        push(out, range, &[name]);
    }
}

/// Whether `word` is a scheme.
pub(in crate::edge::redact) fn is_scheme(word: &[u8]) -> bool {
    SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// Whether `value` is a scheme with parameters (`Digest username=…`).
pub(in crate::edge::redact) fn has_parameters(value: &[u8]) -> bool {
    scheme(value, 0).is_some_and(|(_, at)| is_parameters(value.get(at..).unwrap_or_default()))
}

/// The secrets of a challenge: what a scheme without parameters says. Parameters are found by their names.
pub(in crate::edge::redact) fn challenge(name: &[u8], value: &[u8], out: &mut Vec<Secret>) {
    if let Some((word, at)) = scheme(value, 0)
        && [&b"negotiate"[..], b"ntlm", b"kerberos"].iter().any(|one| word.eq_ignore_ascii_case(one))
    {
        let rest = value.get(at..).unwrap_or_default();
        let len = memchr::memchr(b',', rest).unwrap_or(rest.len());
        push(out, trimmed(value.get(..at + len).unwrap_or_default(), at), &[name]);
    }
}

/// A known scheme at `at`, and where what follows it begins.
fn scheme(value: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = value.get(at..)?;
    let len = rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b':')).unwrap_or(rest.len());
    let word = rest.get(..len).filter(|word| is_scheme(word))?;
    let spaces = rest.get(len..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b':')).count();
    Some((word, at + len + spaces))
}

/// What is left from `at` without the white space and quotes around it: a quoted token is a mistake worth seeing.
fn trimmed(value: &[u8], at: usize) -> std::ops::Range<usize> {
    let around = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'');
    let rest = value.get(at..).unwrap_or_default();
    let start = at + rest.iter().take_while(around).count();
    let rest = value.get(start..).unwrap_or_default();
    start..value.len() - rest.iter().rev().take_while(around).count()
}

/// Whether `rest` begins with `name=`, and not with the padding of a bare token.
fn is_parameters(rest: &[u8]) -> bool {
    let Some(equals) = memchr::memchr(b'=', rest) else { return false };
    let name = rest.get(..equals).unwrap_or_default();
    let after = rest.get(equals + 1);
    equals <= 32
        && !name.is_empty()
        && after.is_some_and(|byte| !matches!(byte, b'=' | b' '))
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `a=b, c="d"` or `a=b&c=d` from `at` on.
fn parameters(field: &[u8], value: &[u8], mut at: usize, out: &mut Vec<Secret>) {
    for _ in 0..PARAMETERS {
        let rest = value.get(at..).unwrap_or_default();
        let skip = rest.iter().take_while(|byte| matches!(byte, b' ' | b',' | b'&' | b';' | b'\t')).count();
        at += skip;
        let rest = value.get(at..).unwrap_or_default();
        let Some(equals) = memchr::memchr(b'=', rest) else { break };
        let name = rest.get(..equals).unwrap_or_default().trim_ascii();
        let begin = at + equals + 1;
        let (start, end, next) = parameter_value(value, begin);
        if !PUBLIC.iter().any(|public| name.eq_ignore_ascii_case(public.as_bytes())) {
            // Of `AKID/20261122/region/service/aws4_request` only the first part is a key.
            let scope = name.eq_ignore_ascii_case(b"credential");
            let hidden = value.get(start..end).unwrap_or_default();
            let key = memchr::memchr(b'/', hidden).filter(|_| scope).map_or(end, |slash| start + slash);
            push(out, start..key, &[field, name]);
        }
        at = next;
    }
    push(out, at..value.len(), &[field]);
}

/// Start and end of a parameter's value without quotes, and where the next parameter may begin.
fn parameter_value(value: &[u8], begin: usize) -> (usize, usize, usize) {
    let rest = value.get(begin..).unwrap_or_default();
    if rest.first() == Some(&b'"') {
        let inner = rest.get(1..).unwrap_or_default();
        let len = memchr::memchr(b'"', inner).unwrap_or(inner.len());
        let end = begin + 1 + len;
        return (begin + 1, end, (end + 1).min(value.len()));
    }
    let len = rest.iter().position(|byte| matches!(byte, b',' | b'&' | b';' | b' ')).unwrap_or(rest.len());
    (begin, begin + len, begin + len)
}
