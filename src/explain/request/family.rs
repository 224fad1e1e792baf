//! What sort of thing a part of a request is: the name of a field, cookie, parameter, claim or member decides, by
//! `assets/names.toml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::explain::phrases::{Numbering, Phrases};
use crate::step_counter;

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
    /// Numbers of phrases that must not be in the name.
    not: Vec<usize>,
}

/// The list of the asset, so that a name is compared with none of its entries but those whose words it has.
struct Entries {
    /// In the order of the asset; the first that fits counts.
    all: Vec<Entry>,
    /// Whole name → entries.
    is: HashMap<String, Vec<usize>>,
    /// Number of a phrase → entries that ask for it.
    has: Vec<Vec<usize>>,
    /// Entries that fit any name.
    any: Vec<usize>,
    phrases: Phrases,
}

static ENTRIES: LazyLock<Entries> = LazyLock::new(|| {
    let file: RawFile =
        toml::from_str(include_str!("../../../assets/names.toml")).unwrap_or(RawFile { name: Vec::new() });
    Entries::of(file)
});

impl Entries {
    fn of(file: RawFile) -> Self {
        let (mut all, mut any) = (Vec::new(), Vec::new());
        let mut is: HashMap<String, Vec<usize>> = HashMap::new();
        let (mut has, mut numbering): (Vec<Vec<usize>>, _) = (Vec::new(), Numbering::default());
        for raw in file.name {
            let Some(family) = Family::ALL.iter().copied().find(|family| family.id() == raw.family) else {
                continue;
            };
            let index = all.len();
            for name in raw.is.split_ascii_whitespace() {
                is.entry(name.to_owned()).or_default().push(index);
            }
            if raw.has.as_deref() == Some("") {
                any.push(index);
            }
            for part in raw.has.iter().flat_map(|parts| parts.split_ascii_whitespace()) {
                let number = numbering.number(part);
                has.resize_with(has.len().max(number + 1), Vec::new);
                has.get_mut(number).into_iter().for_each(|entries| entries.push(index));
            }
            let not = raw.not.split_ascii_whitespace().map(|part| numbering.number(part)).collect();
            all.push(Entry { at: raw.at, family, not });
        }
        Self { all, is, has, any, phrases: numbering.build() }
    }

    /// The first entry that fits; `lower` is the name and `last` what of it is compared as a whole.
    fn family(&self, at: At, lower: &str, last: &str) -> Option<Family> {
        let found = self.phrases.found(lower);
        let parts = found.iter().filter_map(|number| self.has.get(number)).flatten();
        let candidates = self.is.get(last).into_iter().flatten().chain(parts).chain(&self.any);
        let fits = |index: &usize| {
            step_counter::steps(1);
            let entry = self.all.get(*index)?;
            let fits = entry.at.is_none_or(|wanted| wanted == at) && !found.has_any(&entry.not);
            fits.then_some((*index, entry.family))
        };
        candidates.filter_map(fits).min_by_key(|(index, _)| *index).map(|(_, family)| family)
    }
}

/// The family of `name`, in any case, at `at`. [`crate::explain::request::names::name`] remembers.
pub fn of(at: At, name: &str) -> Family {
    let lower = name.to_ascii_lowercase();
    let last = if at == At::Claim { lower.rsplit(['/', '.']).next().unwrap_or(&lower) } else { &lower };
    match ENTRIES.family(at, &lower, last).unwrap_or(Family::Other) {
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
    fn a_name_costs_its_length_and_few_entries() {
        of(At::Field, "x");
        let before = crate::step_counter::done();
        for number in 0..90 {
            of(At::Field, &format!("x-something-new-{number}"));
        }
        let steps = crate::step_counter::done() - before;
        assert!(steps < 90 * 40, "{steps}");
    }

    #[test]
    fn every_entry_of_the_asset_counts() {
        let file: RawFile = toml::from_str(include_str!("../../../assets/names.toml")).unwrap();
        assert_eq!(file.name.len(), ENTRIES.all.len());
        let mut ids: Vec<&str> = Family::ALL.iter().map(|family| family.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Family::ALL.len());
    }
}
