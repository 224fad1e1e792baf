//! Who signs a request: the key id of schemes whose credential differs from request to request.

use memchr::memchr;

/// Longest credential that is taken apart.
const LIMIT: usize = 4096;
/// Parameters that name the key or the user, in the order in which they are believed.
const KEYS: [&[u8]; 11] = [
    b"credential",
    b"oauth_token",
    b"oauth_consumer_key",
    b"username",
    b"keyid",
    b"key_id",
    b"client_token",
    b"access_key",
    b"accesskey",
    b"app_id",
    b"id",
];
/// Parameters that hold what is computed for one request.
const PROOFS: [&[u8]; 7] =
    [b"signature", b"oauth_signature", b"response", b"mac", b"hash", b"sign", b"signedheaders"];
/// Schemes whose credential stays as it is.
const CONSTANT: [&[u8]; 6] = [b"bearer", b"basic", b"token", b"apikey", b"negotiate", b"ntlm"];

/// The key id or user name in an Authorization value that is computed anew for every request: SigV4 and its kin, Digest,
/// OAuth 1, Hawk, HTTP signatures (`name=value` lists) and `Scheme KEY:SIGNATURE` (Shared Key, AWS 2, OSS, OBS).
pub fn signer(value: &[u8]) -> Option<&[u8]> {
    let value = value.get(..LIMIT.min(value.len()))?.trim_ascii();
    let (scheme, rest) = value.split_at(memchr(b' ', value)?);
    if CONSTANT.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let rest = rest.trim_ascii();
    parameter_list(rest).or_else(|| pair(rest))
}

fn parameter_list(rest: &[u8]) -> Option<&[u8]> {
    let mut best: Option<(usize, &[u8])> = None;
    let mut proved = false;
    for part in rest.split(|byte| *byte == b',').take(32) {
        let Some(at) = memchr(b'=', part) else { continue };
        let (name, value) = part.split_at(at);
        let name = name.trim_ascii();
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let value = value.strip_suffix(b"\"").unwrap_or(value);
        proved |= PROOFS.iter().any(|known| name.eq_ignore_ascii_case(known));
        let rank = KEYS.iter().position(|known| name.eq_ignore_ascii_case(known));
        if let Some(rank) = rank.filter(|rank| best.is_none_or(|(known, _)| *rank < known)) {
            // The scope that follows the key names a day, which is not who asks.
            let end = if rank == 0 { memchr(b'/', value).unwrap_or(value.len()) } else { value.len() };
            best = value.get(..end).filter(|key| !key.is_empty()).map(|key| (rank, key)).or(best);
        }
    }
    best.filter(|_| proved).map(|(_, key)| key)
}

fn pair(rest: &[u8]) -> Option<&[u8]> {
    let at = memchr(b':', rest)?;
    let (key, signature) = (rest.get(..at)?, rest.get(at + 1..)?);
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b',' | b'"');
    let encoded =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    let fits = (2..=128).contains(&key.len()) && key.iter().all(plain);
    (fits && signature.len() >= 16 && signature.iter().all(encoded)).then_some(key)
}

/// Words in a path that announce a secret segment.
const ANNOUNCING: [&[u8]; 9] =
    [b"hook", b"/services/", b"/bot", b"token", b"trigger", b"notify", b"/incoming", b"/push/", b"/key"];

/// The segment of `path` that is a secret: long and random, in a path that is called as web hooks are.
pub fn path_secret(path: &[u8]) -> Option<&[u8]> {
    let path = path.get(..LIMIT.min(path.len())).unwrap_or_default();
    let secret = path.split(|byte| matches!(byte, b'/' | b'?')).find(|segment| is_secret(segment))?;
    let lower = path.to_ascii_lowercase();
    ANNOUNCING.iter().any(|word| memchr::memmem::find(&lower, word).is_some()).then_some(secret)
}

fn is_secret(segment: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| segment.iter().any(kind);
    segment.len() >= 20
        && segment.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'))
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::{path_secret, signer};

    #[test]
    fn the_key_id_is_who_signs() {
        for (value, key) in [
            ("SharedKey acct:3mFzsK0rQ0ZkPq7yG8m2Zw==", Some("acct")),
            ("AWS AKIAEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", Some("AKIAEXAMPLE")),
            ("OSS LTAI5t:26NBxoKdsyly4EDv6inkoDft/yA=", Some("LTAI5t")),
            ("Hawk id=\"dh37\", ts=\"1\", nonce=\"j4\", mac=\"6R4r\"", Some("dh37")),
            ("Digest username=\"ada\", realm=\"r\", response=\"66\"", Some("ada")),
            ("OAuth oauth_consumer_key=\"ck\", oauth_token=\"tk\", oauth_signature=\"x\"", Some("tk")),
            ("TC3-HMAC-SHA256 Credential=AKID/2026-11-22/cvm/tc3_request, Signature=ab", Some("AKID")),
            ("Signature keyId=\"k1\",signature=\"ab\"", Some("k1")),
            ("EG1-HMAC-SHA256 client_token=akab-c;access_token=x", None),
            ("Bearer abc:0123456789abcdef0123", None),
            ("Basic YTpi", None),
            ("Token abc", None),
            ("", None),
            ("Custom \u{e9}:x", None),
        ] {
            assert_eq!(signer(value.as_bytes()), key.map(str::as_bytes), "{value}");
        }
    }

    #[test]
    fn a_secret_in_a_path_is_random_and_announced() {
        let secret = |path: &str| path_secret(path.as_bytes()).is_some();
        assert!(secret("/services/T03/B04/Si7lyYaDZHZvl1cB6cAVt4Qm"));
        assert!(secret("/api/webhooks/1/aB3dEfGh1jKlMn0pQrStUvWxYz"));
        assert!(secret("/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage"));
        assert!(!secret("/users/aB3dEfGh1jKlMn0pQrStUvWxYz"));
        assert!(!secret("/hooks/0f8fad5b-d9cb-469f-a165-70867728950e"));
        assert!(!secret("/services/list"));
    }
}
