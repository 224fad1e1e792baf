//! A secret's pseudonym: its keyed hash, written in as many letters of the same kinds.
//!
//! White space, punctuation and escapes stay where they are, because they are evidence (quotes around a token, a space in
//! it) and because the text around must stay readable (JSON, percent-encoding). A number stays a number.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;

use crate::edge::redact::layers::Decoded;
use crate::edge::redact::text::random::looks_random;
use crate::edge::redact::text::shapes::public_prefix;
use crate::edge::redact::{Kind, Redactor, names};
use crate::features::{Jwt, is_placeholder};

/// Digits, lower and upper case letters.
const LETTERS: [&[u8]; 3] = [b"0123456789", b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
/// The letters of hexadecimal numbers.
const HEX: [&[u8]; 3] = [b"0123456789", b"abcdef", b"ABCDEF"];
/// Levels of tokens within tokens.
const DEPTH: usize = 3;

/// The pseudonym of `secret`; as long as it.
pub(super) fn of(key: &hmac::Key, finder: &Redactor, kind: Kind, secret: &[u8]) -> Vec<u8> {
    nested(key, finder, kind, secret, DEPTH)
}

fn nested(key: &hmac::Key, finder: &Redactor, kind: Kind, secret: &[u8], depth: usize) -> Vec<u8> {
    if names::is_harmless(secret) || is_placeholder(secret) {
        return secret.to_vec();
    }
    let structured = match kind {
        Kind::Basic => basic(key, secret),
        Kind::Opaque if depth > 0 => token(key, finder, secret, depth - 1),
        Kind::Opaque => None,
    };
    structured.filter(|new| new.len() == secret.len()).unwrap_or_else(|| {
        let (prefix, rest) = secret.split_at(public_prefix(secret));
        [prefix, &opaque(key, rest)].concat()
    })
}

/// `user:password` in base64: the user stays, unless it is the key.
fn basic(key: &hmac::Key, secret: &[u8]) -> Option<Vec<u8>> {
    let pair = STANDARD.decode(secret).ok()?;
    let colon = memchr::memchr(b':', &pair)?;
    let (user, password) = (pair.get(..colon)?, pair.get(colon + 1..)?);
    let is_key = password.is_empty() || looks_random(user) || names::is_secret_name(user);
    let user = if is_key { opaque(key, user) } else { user.to_vec() };
    let password = opaque(key, password);
    Some(STANDARD.encode([&*user, b":", &*password].concat()).into_bytes())
}

/// A token in JOSE's compact form: header and claims stay but for the secrets in them.
fn token(key: &hmac::Key, finder: &Redactor, secret: &[u8], depth: usize) -> Option<Vec<u8>> {
    Jwt::decode(secret)?;
    let mut parts = secret.split(|byte| *byte == b'.');
    let mut json = || {
        let mut json = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        for found in finder.body_secrets(b"application/json", &json) {
            let place = json.get_mut(found.range)?;
            let new = nested(key, finder, found.kind, place, depth);
            place.copy_from_slice(&new);
        }
        Some(URL_SAFE_NO_PAD.encode(json).into_bytes())
    };
    let (header, claims) = (json()?, json()?);
    let signature = parts.next()?;
    // The whole token decides, so that a token that was altered gets another signature.
    let mut stream = Stream::new(key, secret);
    let signature = letters(signature, &mut stream, &LETTERS);
    Some([&*header, b".", &*claims, b".", &*signature].concat())
}

fn opaque(key: &hmac::Key, secret: &[u8]) -> Vec<u8> {
    let Some(decoded) = Decoded::of(secret) else {
        return letters(secret, &mut Stream::new(key, secret), alphabet(secret));
    };
    // The letters are those of what it means, so that a secret has one pseudonym however it is escaped.
    let meant = &decoded.text;
    let new = letters(meant, &mut Stream::new(key, meant), alphabet(meant));
    let mut out = Vec::with_capacity(secret.len());
    let mut at = 0;
    for (index, (old, new)) in meant.iter().zip(&new).enumerate() {
        let place = decoded.source(&(index..index + 1));
        out.extend_from_slice(secret.get(at..place.start).unwrap_or_default());
        match secret.get(place.clone()) {
            Some([_]) => out.push(*new),
            Some(escape) => out.extend_from_slice(&escaped(escape, *old, *new)),
            None => {}
        }
        at = place.end.max(at);
    }
    out.extend_from_slice(secret.get(at..).unwrap_or_default());
    out
}

/// The escape for `new` in the form of `escape`, which stands for `old`.
fn escaped(escape: &[u8], old: u8, new: u8) -> Vec<u8> {
    if old == new {
        return escape.to_vec();
    }
    let mut out = escape.to_vec();
    let hex = format!("{new:02x}").into_bytes();
    let digits = out.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |last| last + 1);
    match digits.checked_sub(2).and_then(|from| out.get_mut(from..digits)) {
        // `%41`, `\x41`, `\u0041`, `=41`, `&#x41;`.
        Some(place) if !escape.starts_with(b"&#") || escape.get(2) == Some(&b'x') => {
            place.copy_from_slice(&hex);
        }
        // `&#65;`: two digits are those of capitals.
        Some(place) => place.copy_from_slice(format!("{:02}", 65 + new % 26).as_bytes()),
        None => {}
    }
    out
}

/// The alphabet that `secret` is written in.
fn alphabet(secret: &[u8]) -> &'static [&'static [u8]; 3] {
    let mut letters = secret.iter().filter(|byte| byte.is_ascii_alphanumeric());
    if secret.len() >= 8 && letters.all(u8::is_ascii_hexdigit) { &HEX } else { &LETTERS }
}

/// `secret` with its letters and digits exchanged for others of the kinds that it has.
fn letters(secret: &[u8], stream: &mut Stream<'_>, alphabet: &[&[u8]; 3]) -> Vec<u8> {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let number = std::str::from_utf8(secret).is_ok_and(|text| text.parse::<f64>().is_ok());
    let mut used = [false; 3];
    for kind in secret.iter().filter_map(|byte| kind(*byte)) {
        if let Some(used) = used.get_mut(kind) {
            *used = true;
        }
    }
    let pool: Vec<u8> = if number {
        LETTERS.iter().take(1).flat_map(|letters| letters.iter().copied()).collect()
    } else {
        let pools = alphabet.iter().zip(used).filter(|(_, used)| *used);
        pools.flat_map(|(letters, _)| letters.iter().copied()).collect()
    };
    let mut first = true;
    let mut out = Vec::with_capacity(secret.len());
    for byte in secret {
        let random = stream.next();
        out.push(match kind(*byte) {
            Some(0) if number && first && *byte != b'0' => b'1' + random % 9,
            Some(1 | 2) if number => *byte,
            Some(_) => pool.get(usize::from(random) % pool.len().max(1)).copied().unwrap_or(b'x'),
            None => beyond_ascii(*byte, random),
        });
        first &= kind(*byte).is_none();
    }
    out
}

/// A byte of a letter beyond ASCII: of the same place in its UTF-8 sequence.
const fn beyond_ascii(byte: u8, random: u8) -> u8 {
    match byte {
        0x80..=0xbf => 0x80 | (random & 0x0f) | (byte & 0x30),
        _ => byte,
    }
}

/// As many bytes as are asked for, decided by the key and the secret.
struct Stream<'a> {
    key: &'a hmac::Key,
    secret: &'a [u8],
    block: u64,
    bytes: [u8; 32],
    at: usize,
}

impl<'a> Stream<'a> {
    const fn new(key: &'a hmac::Key, secret: &'a [u8]) -> Self {
        Self { key, secret, block: 0, bytes: [0; 32], at: 32 }
    }
    fn next(&mut self) -> u8 {
        if self.at >= self.bytes.len() {
            let mut context = hmac::Context::with_key(self.key);
            context.update(&self.block.to_le_bytes());
            if self.block == 0 {
                context.update(self.secret);
            } else {
                // Later blocks follow from the first, so that a long secret is hashed once.
                context.update(&self.bytes);
            }
            self.bytes.copy_from_slice(context.sign().as_ref().get(..32).unwrap_or(&[0; 32]));
            self.block += 1;
            self.at = 0;
        }
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }
}
