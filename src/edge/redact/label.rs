//! What stands in a secret's place.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::text::random::looks_random;
use super::{Kind, names};
use crate::features::Jwt;

/// Longest piece of a claim or user name that is shown, in characters.
const SHOWN: usize = 80;
/// Longest Basic credential that is decoded.
const BASIC: usize = 4096;

/// `[redacted 40 bytes #1a2b3c4d]`, `[redacted jwt sub=7 … #1a2b3c4d]`, `[redacted user=alice #1a2b3c4d]`.
pub(super) fn of(kind: Kind, bytes: &[u8], hash: u32) -> String {
    let about = match kind {
        Kind::Basic => user(bytes).map(|user| format!("user={}", shown(&user))),
        Kind::Opaque => Jwt::decode(bytes).map(|jwt| claims(&jwt)),
    };
    match about {
        Some(about) => format!("[redacted {about} #{hash:08x}]"),
        None => format!("[redacted {} bytes #{hash:08x}]", bytes.len()),
    }
}

/// The claims that are safe to say.
fn claims(jwt: &Jwt) -> String {
    let mut text = String::from("jwt");
    for name in ["sub", "iss", "aud", "scope", "scp"] {
        match jwt.claims.get(name) {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(Value::String(value)) => {
                let _ = write!(text, " {name}={}", shown(value));
            }
            Some(value) => {
                let _ = write!(text, " {name}={}", shown(&value.to_string()));
            }
        }
    }
    if let Some(exp) = jwt.seconds("exp") {
        match jiff::Timestamp::from_second(exp) {
            Ok(time) => drop(write!(text, " exp={time}")),
            Err(_) => drop(write!(text, " exp={exp}")),
        }
    }
    text
}

/// A value that cannot be mistaken for the label around it.
fn shown(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/@-+*|".contains(c);
    let cut: String = value.chars().take(SHOWN).collect();
    let more = if cut.len() < value.len() { "…" } else { "" };
    if !cut.is_empty() && cut.chars().all(plain) { format!("{cut}{more}") } else { format!("{cut:?}{more}") }
}

fn user(encoded: &[u8]) -> Option<String> {
    let decoded = STANDARD.decode(encoded.get(..BASIC).unwrap_or(encoded)).ok()?;
    let colon = memchr::memchr(b':', &decoded)?;
    // Some services take a key for the user and nothing for the password.
    let name = decoded.get(..colon)?;
    let is_key = colon + 1 == decoded.len() || looks_random(name) || names::is_secret_name(name);
    if is_key {
        return None;
    }
    Some(String::from_utf8_lossy(decoded.get(..colon)?).into_owned())
}
