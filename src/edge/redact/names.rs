//! Which names announce a secret.
//!
//! Names are split into words at punctuation and changes of case (`X-Api-Key`, `apiKey`, `api_key` are all `api key`).
//! Too much is hidden rather than too little, but not what merely speaks of a secret (`token_type`, `max_tokens`).

/// Longest shell variable name that is made.
const VARIABLE: usize = 40;

/// A word that announces a secret wherever it stands.
const SECRET_WORDS: [&str; 26] = [
    "authorization",
    "bearer",
    "credential",
    "credentials",
    "crumb",
    "csrf",
    "cvc",
    "cvv",
    "hmac",
    "jwt",
    "nonce",
    "otp",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pin",
    "pwd",
    "secret",
    "secrets",
    "sessid",
    "sig",
    "signature",
    "token",
    "totp",
    "xsrf",
];
/// A word that announces a secret at the end of a name.
const LAST_WORDS: [&str; 8] = ["auth", "cookie", "pass", "pw", "session", "sid", "assertion", "apikey"];
/// What makes a following `key` a secret.
const BEFORE_KEY: [&str; 22] = [
    "access",
    "account",
    "admin",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "consumer",
    "encryption",
    "function",
    "functions",
    "license",
    "master",
    "private",
    "rapidapi",
    "secret",
    "service",
    "shared",
    "signing",
    "subscription",
    "storage",
];
/// What a glued word may end with: `sessiontoken`, `clientsecret`.
const ENDINGS: [&str; 9] =
    ["token", "secret", "password", "passwd", "apikey", "signature", "sessid", "sessionid", "privatekey"];
/// Last words after which the name only speaks of a secret.
const ABOUT: [&str; 38] = [
    "age",
    "alg",
    "algorithm",
    "count",
    "date",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "field",
    "format",
    "header",
    "hint",
    "in",
    "input",
    "length",
    "limit",
    "max",
    "method",
    "min",
    "name",
    "param",
    "parameter",
    "policy",
    "remaining",
    "required",
    "reset",
    "state",
    "status",
    "ttl",
    "type",
    "uri",
    "url",
    "used",
    "valid",
    "version",
    "at",
];
/// Query and form parameters that are secrets although the same name in JSON or in a field is not.
const PARAMETERS: [&str; 18] = [
    "_wpnonce",
    "awsaccesskeyid",
    "code",
    "code_verifier",
    "hash",
    "hdnea",
    "hdnts",
    "key",
    "md5",
    "p_auth",
    "samlrequest",
    "samlresponse",
    "se_sig",
    "st",
    "ticket",
    "x-amz-credential",
    "x-goog-credential",
    "googleaccessid",
];
/// Token claims that are shown.
const PUBLIC_CLAIMS: [&str; 32] = [
    "acr",
    "alg",
    "amr",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "cty",
    "email",
    "exp",
    "groups",
    "iat",
    "iss",
    "kid",
    "nbf",
    "org",
    "permissions",
    "preferred_username",
    "realm_access",
    "role",
    "roles",
    "scope",
    "scopes",
    "scp",
    "sub",
    "tenant",
    "tid",
    "token_use",
    "typ",
    "uid",
    "user_id",
    "ver",
];

/// Whether a field, JSON member, cookie or form field called `name` holds a secret.
pub fn is_secret_name(name: &[u8]) -> bool {
    let mut previous: &[u8] = b"";
    let mut last: &[u8] = b"";
    let mut secret = false;
    for word in words(name) {
        secret |= one_of(word, &SECRET_WORDS)
            || is_glued(word)
            || (word.eq_ignore_ascii_case(b"key") && one_of(last, &BEFORE_KEY))
            || (word.eq_ignore_ascii_case(b"id") && one_of(last, &["session", "sess"]))
            || (word.eq_ignore_ascii_case(b"number") && one_of(last, &["card"]));
        previous = std::mem::replace(&mut last, word);
    }
    secret |= one_of(last, &LAST_WORDS);
    let only_about =
        one_of(last, &ABOUT) || (one_of(last, &["id"]) && one_of(previous, &["key", "token", "secret"]));
    secret && !only_about
}

/// Whether a query or form parameter called `name` (decoded) holds a secret.
pub fn is_secret_parameter(name: &[u8]) -> bool {
    is_secret_name(name) || one_of(name, &PARAMETERS)
}

/// Whether numbers under `name` are secrets too: `"pin": 1234`, but not `"max_token": 4096`.
pub(super) fn is_secret_number(name: &[u8]) -> bool {
    is_secret_name(name) && !words(name).any(|word| one_of(word, &["token", "nonce", "session"]))
}

/// Whether everything inside an object called `name` is a secret.
pub(super) fn is_secret_object(name: &[u8]) -> bool {
    let inherits = ["secret", "secrets", "password", "passwords", "credentials"];
    is_secret_name(name) && words(name).any(|word| one_of(word, &inherits))
}

/// Whether a token's claim is safe to show.
pub(super) fn is_public_claim(name: &str) -> bool {
    one_of(name.as_bytes(), &PUBLIC_CLAIMS)
}

/// A shell variable's name made of `parts`: `COOKIE_SESSION_ID`.
pub(super) fn variable(parts: &[&[u8]]) -> String {
    let mut name = String::new();
    for part in parts {
        if !name.is_empty() {
            name.push('_');
        }
        let part = part.strip_prefix(b"x-").or_else(|| part.strip_prefix(b"X-")).unwrap_or(part);
        for byte in part.iter().take(VARIABLE) {
            if byte.is_ascii_alphanumeric() {
                name.push(byte.to_ascii_uppercase() as char);
            } else if !name.ends_with('_') && !name.is_empty() {
                name.push('_');
            }
        }
    }
    name.truncate(VARIABLE);
    let name = name.trim_end_matches('_');
    match name.as_bytes().first() {
        None => "SECRET".to_owned(),
        Some(b'0'..=b'9') => format!("SECRET_{name}"),
        // Assigning these would change the shell that runs the command.
        Some(_) if RESERVED.contains(&name) => format!("SECRET_{name}"),
        Some(_) => name.to_owned(),
    }
}

/// Variables that mean something to a shell, to curl or to the loader.
const RESERVED: [&str; 16] = [
    "PATH", "IFS", "HOME", "ENV", "PS1", "PS4", "PWD", "SHELL", "USER", "TERM", "LANG", "UID", "STATUS",
    "RANDOM", "SECONDS", "OPTIND",
];

fn one_of(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|entry| word.eq_ignore_ascii_case(entry.as_bytes()))
}

fn is_glued(word: &[u8]) -> bool {
    let ends = |end: &&str| {
        word.len()
            .checked_sub(end.len())
            .and_then(|at| word.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    let begins = |start: &&str| {
        word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    };
    ENDINGS.iter().any(ends) || ["csrf", "xsrf", "apikey"].iter().any(begins)
}

/// The words of `name`: split at punctuation, before a capital after a small letter, and before the last capital of a run
/// that a small letter follows (`XMLToken` → `XML`, `Token`).
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while name.get(at).is_some_and(|byte| !byte.is_ascii_alphanumeric()) {
            at += 1;
        }
        let start = at;
        while let Some(byte) = name.get(at).filter(|byte| byte.is_ascii_alphanumeric()) {
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
    use super::{is_secret_name, is_secret_parameter, variable, words};

    #[test]
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
        assert_eq!(split("XMLToken2"), [&b"XML"[..], b"Token2"]);
        assert!(split("--").is_empty());
    }

    #[test]
    fn variables_are_shell_names() {
        assert_eq!(variable(&[b"cookie", b"session-id"]), "COOKIE_SESSION_ID");
        assert_eq!(variable(&[b"x-api-key"]), "API_KEY");
        assert_eq!(variable(&[b"$(rm)"]), "RM");
        assert_eq!(variable(&[b"pwd"]), "SECRET_PWD");
        assert_eq!(variable(&[b"1st"]), "SECRET_1ST");
        assert_eq!(variable(&["é".as_bytes()]), "SECRET");
    }
}
