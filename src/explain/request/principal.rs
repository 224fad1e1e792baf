//! Who asked, and whether they were let through.

use std::net::IpAddr;

use crate::explain::request::attribute_hash::hash;
use crate::features::{path_secret, signer};
use crate::history::Record;
use crate::knowledge::names::catalogue;
use crate::model::Exchange;

/// Whether the request was let through: a success, or a redirect that does not lead to a login or an error.
pub fn accepted(exchange: &Exchange) -> bool {
    let moved = || {
        let location = exchange.response.as_ref()?.head.fields().text("location")?.to_ascii_lowercase();
        let away = [
            "login",
            "signin",
            "sign-in",
            "sign_in",
            "auth",
            "sso",
            "denied",
            "forbidden",
            "error",
            "challenge",
        ];
        Some(!away.iter().any(|part| location.contains(part)))
    };
    exchange.is_success() || (matches!(exchange.status(), Some(302 | 303)) && moved().unwrap_or(false))
}

/// Who asked, without the port.
pub fn client_of(exchange: &Exchange) -> u64 {
    match exchange.client.ip().to_canonical() {
        IpAddr::V4(address) => hash(&address.octets()),
        IpAddr::V6(address) => hash(&address.octets()),
    }
}

/// With what credential, as a hash: Authorization, else a usual key field, else who the history says it is; 0 for nobody.
pub fn credential_of(record: &Record) -> u64 {
    own_credential(&record.exchange).or(record.principal.map(|principal| principal | 1)).unwrap_or(0)
}

/// The credential that the request has a field of its own for, so that nobody needs to look for another.
pub fn own_credential(exchange: &Exchange) -> Option<u64> {
    let secret = || path_secret(exchange.request.as_ref()?.head.target());
    credential(exchange)
        .map(|value| signer(value).unwrap_or(value))
        .or_else(secret)
        .map(|value| hash(value) | 1)
}

fn credential(exchange: &Exchange) -> Option<&[u8]> {
    let mut best: Option<(usize, &[u8])> = None;
    let fields = exchange.request.as_ref()?.head.fields();
    let known = &catalogue().credential_fields;
    for span in fields.spans().filter(|span| known.has_length(span.name.len as usize)) {
        let (name, value) = (span.name.of(fields.raw()), span.value.of(fields.raw()));
        let rank = known.position(name).filter(|rank| best.is_none_or(|(best, _)| *rank < best));
        match rank {
            Some(0) => return Some(value),
            Some(rank) => best = Some((rank, value)),
            None => {}
        }
    }
    best.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::fixture::exchanges;

    #[test]
    fn the_field_that_is_believed_most_is_the_credential() {
        let names = catalogue().credential_fields.iter().collect::<Vec<_>>();
        for (at, name) in names.iter().enumerate() {
            let less = names.last().filter(|last| *last != name).map(|last| format!("{last}: other\n"));
            let text = format!("POST /x\nHost: h\n{}{name}: key\n--- 403\n", less.unwrap_or_default());
            let exchange = exchanges(&text).remove(0);
            assert_eq!(credential(&exchange), Some(&b"key"[..]), "{at} {name}");
        }
        assert!(own_credential(&exchanges("POST /x\nX-Api-Kex: a\n--- 403\n")[0]).is_none());
    }
}
