//! What sort of thing a part of a request is: the name of a field, cookie, parameter, claim or member decides, by
//! `assets/names.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

macro_rules! families {
    ($($variant:ident = $id:literal;)*) => {
        /// A family of attributes that refusals rest on for the same reasons.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the ids say it")]
        pub enum Family { $($variant,)* }

        impl Family {
            /// Every family.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The name that the assets use.
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id,)* } }
        }
    };
}

families! {
    Credential = "credential"; Scheme = "scheme"; ApiKey = "api-key"; KeyShape = "key-shape"; Consumer = "consumer";
    Session = "session"; Clearance = "clearance"; Cookie = "cookie"; Csrf = "csrf"; Ajax = "ajax";
    Audience = "audience"; Issuer = "issuer"; KeyId = "key-id"; Scope = "scope"; Role = "role"; Subject = "subject";
    Plan = "plan"; Tenant = "tenant"; Environment = "environment"; Claim = "claim";
    Client = "client"; Network = "network"; ForwardedFor = "forwarded-for"; Country = "country";
    UserAgent = "user-agent"; Browser = "browser"; FetchSite = "fetch-site"; Origin = "origin"; Referer = "referer";
    MediaType = "media-type"; Charset = "charset"; ContentEncoding = "content-encoding"; Accept = "accept";
    Expect = "expect"; Override = "override"; Host = "host"; ForwardedHost = "forwarded-host";
    ForwardedProto = "forwarded-proto"; Via = "via"; Certificate = "certificate"; Signature = "signature";
    Timestamp = "timestamp"; ApiVersion = "api-version"; VersionSegment = "version-segment"; Expiry = "expiry";
    Segment = "segment"; Query = "query"; Body = "body"; BodySize = "body-size"; BodyKind = "body-kind";
    HttpVersion = "http-version"; Ownership = "ownership"; Other = "other"; Fact = "fact"; Noise = "noise";
}

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// Request field.
    Field,
    /// Cookie.
    Cookie,
    /// Query parameter.
    Parameter,
    /// Member or form field of the body.
    Member,
    /// Claim of a token.
    Claim,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    name: Vec<RawEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    at: Option<At>,
    family: String,
    #[serde(default)]
    is: String,
    has: Option<String>,
    #[serde(default)]
    not: String,
}

struct Entry {
    at: Option<At>,
    family: Family,
    is: Vec<String>,
    has: Vec<String>,
    not: Vec<String>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let file: RawFile =
        toml::from_str(include_str!("../../../assets/names.toml")).unwrap_or(RawFile { name: Vec::new() });
    let entry = |raw: RawEntry| {
        let family = Family::ALL.iter().copied().find(|family| family.id() == raw.family)?;
        let has = match raw.has.as_deref() {
            Some("") => vec![String::new()],
            other => words(other.unwrap_or_default()),
        };
        Some(Entry { at: raw.at, family, is: words(&raw.is), has, not: words(&raw.not) })
    };
    file.name.into_iter().filter_map(entry).collect()
});

/// The family of `name`, in any case, at `at`. Walks the whole list; [`crate::explain::request::names::name`] remembers.
pub fn of(at: At, name: &str) -> Family {
    let lower = name.to_ascii_lowercase();
    let last = if at == At::Claim { lower.rsplit(['/', '.']).next().unwrap_or(&lower) } else { &lower };
    let fits = |entry: &&Entry| {
        entry.at.is_none_or(|wanted| wanted == at)
            && (entry.is.iter().any(|name| name == last)
                || entry.has.iter().any(|part| lower.contains(part.as_str())))
            && !entry.not.iter().any(|part| lower.contains(part.as_str()))
    };
    match ENTRIES.iter().find(fits).map_or(Family::Other, |entry| entry.family) {
        Family::ApiKey if at == At::Member => Family::Body,
        family => family,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide() {
        for (at, name, family) in [
            (At::Field, "X-CSRF-Token", Family::Csrf),
            (At::Field, "x-api-key", Family::ApiKey),
            (At::Field, "idempotency-key", Family::Noise),
            (At::Field, "x-hub-signature-256", Family::Signature),
            (At::Field, "x-consumer-id", Family::Consumer),
            (At::Field, "x-anything", Family::Other),
            (At::Cookie, "JSESSIONID", Family::Session),
            (At::Cookie, "cf_clearance", Family::Clearance),
            (At::Cookie, "XSRF-TOKEN", Family::Csrf),
            (At::Parameter, "expires", Family::Expiry),
            (At::Claim, "https://acme.example/roles", Family::Role),
            (At::Claim, "exp", Family::Noise),
            (At::Member, "csrfmiddlewaretoken", Family::Csrf),
            (At::Member, "comment", Family::Body),
        ] {
            assert_eq!(of(at, name), family, "{name}");
        }
    }

    #[test]
    fn every_entry_of_the_asset_counts() {
        let file: RawFile = toml::from_str(include_str!("../../../assets/names.toml")).unwrap();
        assert_eq!(file.name.len(), ENTRIES.len());
        let mut ids: Vec<&str> = Family::ALL.iter().map(|family| family.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Family::ALL.len());
    }
}
