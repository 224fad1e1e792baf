//! Which names announce a secret.
//!
//! Names are split into words at punctuation, digits and changes of case (`X-Api-Key`, `apiKey`, `api_key2` are all
//! `api key`), and the words are looked up in the catalogue of names. Too much is hidden rather than too little, but not what merely
//! speaks of a secret (`token_type`, `max_tokens`).

mod catalogue;
mod variable;

pub(super) use catalogue::Catalogue;
pub use catalogue::{check, check_sources};
pub(super) use variable::variable;

use super::text::random::looks_random;
use crate::knowledge::names::catalogue as names;
use crate::knowledge::names::words::{Words, role};

/// Longest word that is looked up; longer ones are judged by their end.
const WORD: usize = 40;

/// Whether a field, JSON member, cookie or form field called `name` holds a secret.
pub fn is_secret_name(name: &[u8]) -> bool {
    let catalogue = &names().words;
    let (mut secret, mut about) = (false, false);
    // Roles of the last word that counts, and the word before the one at hand.
    let mut last = 0;
    let mut before: &[u8] = b"";
    for word in words(name) {
        let roles = roles_of(catalogue, word);
        let pair = roles & role::SECOND != 0 && is_pair(catalogue, before, word);
        secret |= roles & role::ANYWHERE != 0 || pair;
        about |= roles & role::ABOUT_ANYWHERE != 0;
        if roles & (role::MODIFIER | role::LAST) != role::MODIFIER || last == 0 {
            last = roles | if pair { role::LAST } else { 0 };
        }
        before = word;
    }
    // `DPoP` is one word however it is written.
    secret |= !secret
        && name.len() <= 8
        && lowered(name, |lower| catalogue.roles.get(lower).is_some_and(|roles| roles & role::ANYWHERE != 0));
    secret |= last & role::LAST != 0;
    let is_about = last & (role::ABOUT | role::LAST) == role::ABOUT;
    secret && !about && !is_about || lowered(name, |lower| names().is_listed_secret(lower, false))
}

/// Whether a query or form parameter called `name` (decoded) holds a secret.
pub fn is_secret_parameter(name: &[u8]) -> bool {
    is_secret_name(name) || lowered(name, |lower| names().is_listed_secret(lower, true))
}

/// Whether a short number under `name` is no secret: `"max_token": 4096`, but not `"pin": 1234`.
pub(super) fn is_countable(name: &[u8]) -> bool {
    let is = |word: &[u8], other: &str| word.eq_ignore_ascii_case(other.as_bytes());
    words(name)
        .any(|word| ["token", "tokens", "nonce", "session", "secrets", "keys"].iter().any(|w| is(word, w)))
}

/// Whether everything inside an object called `name` is a secret.
pub(super) fn is_secret_object(name: &[u8]) -> bool {
    let inherits = ["secret", "secrets", "password", "passwords", "credentials", "credential"];
    let is = |word: &[u8]| inherits.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes()));
    is_secret_name(name) && words(name).any(is)
}

/// Whether the last word is `key`: its value is a secret when it looks random.
pub(super) fn ends_in_key(name: &[u8]) -> bool {
    let catalogue = &names().words;
    let mut last: &[u8] = b"";
    for word in words(name) {
        if roles_of(catalogue, word) & role::ABOUT_ANYWHERE != 0 {
            return false;
        }
        last = word;
    }
    ["key", "keys"].iter().any(|key| last.eq_ignore_ascii_case(key.as_bytes()))
}

/// Whether `name` is of a credential field, whose value has a scheme.
pub(super) fn is_authorization(name: &[u8]) -> bool {
    words(name).any(|word| word.eq_ignore_ascii_case(b"authorization"))
}

/// Whether `name` is of a field of cookies.
pub(super) fn is_cookie(name: &[u8]) -> bool {
    [&b"cookie"[..], b"set-cookie", b"cookie2"].iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// Whether a token's claim is safe to show.
pub(super) fn is_public_claim(name: &str) -> bool {
    lowered(name.as_bytes(), |lower| names().is_public_claim(lower))
}

/// Whether `value` is no secret whatever it is called: `true`, `include`, `expired`.
pub(super) fn is_harmless(value: &[u8]) -> bool {
    let around = |byte: &u8| byte.is_ascii_whitespace() || b"\"'!.:,;?`".contains(byte);
    let start = value.iter().take_while(|byte| around(byte)).count();
    let value = value.get(start..).unwrap_or_default();
    let end = value.len() - value.iter().rev().take_while(|byte| around(byte)).count();
    let value = value.get(..end).unwrap_or_default();
    matches!(value, [] | [b'0'..=b'9'])
        || is_mask(value)
        || value.len() <= WORD && lowered(value, |lower| Catalogue::current().harmless.contains(lower))
}

/// Whether somebody has hidden the value already: `***`, `•••`.
fn is_mask(value: &[u8]) -> bool {
    value.iter().all(|byte| *byte == b'*') || value.chunks(3).all(|letter| letter == "•".as_bytes())
}

/// Whether `word` may stand between a secret's name and its value in a sentence.
pub(super) fn is_between(word: &[u8]) -> bool {
    lowered(word, |lower| Catalogue::current().between.contains(lower))
}

/// Whether a cookie is a preference of a person rather than who they are.
pub(super) fn is_public_cookie(name: &[u8], value: &[u8]) -> bool {
    let public = |word: &[u8]| lowered(word, |lower| names().words.preferences.contains(lower));
    if is_secret_name(name) {
        return matches!(value, [] | [b'0'..=b'9']);
    }
    is_harmless(value) || value.len() <= 24 && words(name).any(public) && !looks_random(value)
}

/// What the catalogue says of `word`; a plural is as good as its singular.
fn roles_of(catalogue: &Words, word: &[u8]) -> u8 {
    if word.len() > WORD {
        return if is_glued(catalogue, word) { role::ANYWHERE } else { 0 };
    }
    lowered(word, |lower| {
        let singular = || lower.strip_suffix(b"s").and_then(|one| catalogue.roles.get(one)).copied();
        let roles = catalogue.roles.get(lower).copied().or_else(singular).unwrap_or_default();
        if roles == 0 && is_glued(catalogue, lower) { role::ANYWHERE } else { roles }
    })
}

fn is_pair(catalogue: &Words, first: &[u8], second: &[u8]) -> bool {
    if first.len() + second.len() >= WORD {
        return false;
    }
    let second = if catalogue.roles.contains_key(second) {
        second
    } else {
        second.strip_suffix(b"s").unwrap_or(second)
    };
    lowered(&[first, b" ", second].concat(), |lower| {
        catalogue.pairs.contains(lower)
            || lower.strip_suffix(b"s").is_some_and(|one| catalogue.pairs.contains(one))
    })
}

fn is_glued(catalogue: &Words, word: &[u8]) -> bool {
    let ends = |end: &[u8]| {
        word.len()
            .checked_sub(end.len())
            .and_then(|at| word.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let begins = |start: &[u8]| word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    catalogue.ends.iter().any(|end| ends(end)) || catalogue.begins.iter().any(|start| begins(start))
}

/// Calls `with` with the bytes in lower case; without copying to the heap when they are few and of ASCII.
fn lowered<T>(bytes: &[u8], with: impl FnOnce(&[u8]) -> T) -> T {
    if !bytes.is_ascii() {
        return with(String::from_utf8_lossy(bytes).to_lowercase().as_bytes());
    }
    let mut buffer = [0; WORD];
    let Some(room) = buffer.get_mut(..bytes.len()) else { return with(&bytes.to_ascii_lowercase()) };
    room.copy_from_slice(bytes);
    room.make_ascii_lowercase();
    with(room)
}

/// The words of `name`: split at punctuation and digits, before a capital after a small letter, and before the last
/// capital of a run that a small letter follows (`XMLToken` → `XML`, `Token`).
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    let mut at = 0;
    std::iter::from_fn(move || {
        while name.get(at).is_some_and(|byte| !is_letter(byte)) {
            at += 1;
        }
        let start = at;
        while let Some(byte) = name.get(at).filter(|byte| is_letter(byte)) {
            let upper = byte.is_ascii_uppercase();
            let before = name.get(at.wrapping_sub(1)).filter(|_| at > start);
            let after_small = before.is_some_and(|before| !before.is_ascii_uppercase());
            let begins_word = before.is_some() && name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            if upper && at > start && (after_small || begins_word) {
                break;
            }
            at += 1;
        }
        name.get(start..at).filter(|word| !word.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::{is_harmless, is_secret_name, is_secret_parameter, words};

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of names")]
    fn names_of_secrets() {
        for name in [
            "password",
            "X-Api-Key",
            "apikey",
            "apiKey",
            "API_KEY",
            "X-Auth-Token",
            "access_token",
            "accessToken",
            "client_secret",
            "clientSecret",
            "X-Amz-Security-Token",
            "X-Vault-Token",
            "Ocp-Apim-Subscription-Key",
            "csrfmiddlewaretoken",
            "authenticity_token",
            "X-CSRFToken",
            "X-XSRF-TOKEN",
            "X-Hub-Signature-256",
            "Stripe-Signature",
            "PHPSESSID",
            "JSESSIONID",
            "session_id",
            "sessionid",
            "sid",
            "X-WP-Nonce",
            "_csrf",
            "Jenkins-Crumb",
            "private_key",
            "newPassword",
            "user[password]",
            "cvv",
            "otp",
            "id_token",
            "X-Auth",
            "refresh_token",
            "aws_secret_access_key",
            "hmac",
            "X-Goog-Api-Key",
            "card_number",
            "password2",
            "newPassword2",
            "api_keys",
            "tokens",
            "x-foo-sig",
            "passwort",
            "contraseña",
            "ПАРОЛЬ",
            "mot_de_passe",
            "login[pw][first]",
            "user_pass_confirm",
            "DB_PASSWORD",
            "DPoP",
            "secretAccessKey",
            "AccountKey",
            "SharedAccessKey",
            "oauth2_token",
            "cvc2",
            "verificationCode",
            "seedPhrase",
        ] {
            assert!(is_secret_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_only_speak_of_secrets() {
        for name in [
            "token_type",
            "max_tokens",
            "total_tokens",
            "X-RateLimit-Remaining-Tokens",
            "token_endpoint",
            "key",
            "Sec-WebSocket-Key",
            "Idempotency-Key",
            "password_required",
            "passwordExpiresAt",
            "Signature-Input",
            "oauth_signature_method",
            "keyId",
            "kid",
            "author",
            "authority",
            "Content-Type",
            "User-Agent",
            "passenger",
            "session_state",
            "code",
            "X-Request-Id",
            "design",
            "pinned",
            "oauth_version",
            "tokenization",
            "Access-Control-Allow-Credentials",
            "X-CSRF-Protection",
            "X-Require-Signature",
            "total_tokens",
            "promptTokens",
            "discount_code",
            "error_code",
            "passport",
            "compass",
            "X-Auth-User",
            "secretName",
            "is_password_set",
            "private_key_id",
            "tokenId",
            "spine",
            "authenticated",
            "signed_headers",
        ] {
            assert!(!is_secret_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn parameters_know_more_names() {
        for name in
            ["key", "code", "X-Amz-Signature", "sig", "ticket", "SAMLResponse", "token", "X-Amz-Credential"]
        {
            assert!(is_secret_parameter(name.as_bytes()), "{name}");
        }
        assert!(!is_secret_parameter(b"page"));
    }

    #[test]
    fn words_of_all_conventions() {
        let split = |name: &'static str| words(name.as_bytes()).collect::<Vec<_>>();
        assert_eq!(split("X-Api_keyName"), [&b"X"[..], b"Api", b"key", b"Name"]);
        assert_eq!(split("XMLToken2"), [&b"XML"[..], b"Token"]);
        assert!(split("--").is_empty());
    }

    #[test]
    fn values_that_are_no_secrets() {
        for value in ["true", "include", "1", "Expired.", "", "String!"] {
            assert!(is_harmless(value.as_bytes()), "{value}");
        }
        assert!(!is_harmless(b"hunter2"));
    }
}
