//! What sort of thing a part of a request is: the name of a field, cookie, parameter, claim or member decides, by
//! `assets/names.toml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::knowledge::{self, Error, Kind, Sources, parse};
use crate::phrases::{Numbering, Phrases};
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
    family: Family,
    #[serde(default)]
    is: String,
    has: Option<String>,
    #[serde(default)]
    not: String,
}

/// Names of one family.
#[derive(Debug)]
pub struct Entry {
    at: Option<At>,
    family: Family,
    is: Vec<String>,
    /// Parts of the name; the empty one is in every name.
    has: Vec<String>,
    not: Vec<String>,
}

/// The list, so that a name is compared with none of its entries but those whose words it has.
#[derive(Debug, Default)]
struct Entries {
    /// In the order of the files; the first that fits counts.
    all: Vec<Numbered>,
    /// Whole name → entries.
    is: HashMap<String, Vec<usize>>,
    /// Number of a phrase → entries that ask for it.
    has: Vec<Vec<usize>>,
    /// Entries that fit any name.
    any: Vec<usize>,
    phrases: Phrases,
}

/// An entry as [`Entries`] keeps it.
#[derive(Debug)]
struct Numbered {
    at: Option<At>,
    family: Family,
    /// Numbers of phrases that must not be in the name.
    not: Vec<usize>,
}

static ENTRIES: LazyLock<Result<Entries, Error>> =
    LazyLock::new(|| read(knowledge::current()).map(Entries::of));

/// Why the names cannot be used, if they cannot.
pub fn check() -> Result<(), Error> {
    ENTRIES.as_ref().map(drop).map_err(Clone::clone)
}

/// Reads the `names.toml` of `sources`.
pub fn read(sources: &Sources) -> Result<Vec<Entry>, Error> {
    let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let entry = |raw: RawEntry| {
        let has = match raw.has.as_deref() {
            Some("") => vec![String::new()],
            other => words(other.unwrap_or_default()),
        };
        Entry { at: raw.at, family: raw.family, is: words(&raw.is), has, not: words(&raw.not) }
    };
    let mut entries = Vec::new();
    for file in sources.of(Kind::Names) {
        entries.extend(parse::<RawFile>(file)?.name.into_iter().map(entry));
    }
    Ok(entries)
}

impl Entries {
    fn of(entries: Vec<Entry>) -> Self {
        let (mut all, mut any) = (Vec::with_capacity(entries.len()), Vec::new());
        let mut is: HashMap<String, Vec<usize>> = HashMap::new();
        let (mut has, mut numbering): (Vec<Vec<usize>>, _) = (Vec::new(), Numbering::default());
        for (index, entry) in entries.into_iter().enumerate() {
            for name in entry.is {
                is.entry(name).or_default().push(index);
            }
            for part in &entry.has {
                if part.is_empty() {
                    any.push(index);
                    continue;
                }
                let number = numbering.number(part);
                has.resize_with(has.len().max(number + 1), Vec::new);
                has.get_mut(number).into_iter().for_each(|entries| entries.push(index));
            }
            let not = entry.not.iter().map(|part| numbering.number(part)).collect();
            all.push(Numbered { at: entry.at, family: entry.family, not });
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

/// The family of `name`, in any case, at `at`. [`crate::features::names::name`] remembers.
pub fn of(at: At, name: &str) -> Family {
    let lower = name.to_ascii_lowercase();
    let last = if at == At::Claim { lower.rsplit(['/', '.']).next().unwrap_or(&lower) } else { &lower };
    let entries = ENTRIES.as_ref().ok();
    match entries.and_then(|entries| entries.family(at, &lower, last)).unwrap_or(Family::Other) {
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
    fn a_users_names_are_asked_first_and_mistakes_have_a_line() {
        use crate::knowledge::tests::sources;
        let mine =
            "name = [\n{ at = \"field\", family = \"tenant\", is = \"x-acme-space\", has = \"csrf\" }\n]";
        let entries = read(&sources(Kind::Names, mine)).unwrap();
        assert_eq!((entries[0].family, &*entries[0].is), (Family::Tenant, &["x-acme-space".to_owned()][..]));
        let entries = Entries::of(entries);
        let family = |at, name| entries.family(at, name, name);
        assert_eq!(family(At::Field, "x-acme-space"), Some(Family::Tenant));
        // Both lists have a fitting entry; where the user's does not fit, the one that is built in counts.
        assert_eq!(family(At::Field, "x-csrf-token"), Some(Family::Tenant));
        assert_eq!(family(At::Cookie, "xsrf-csrf-token"), Some(Family::Csrf));
        for (from, to) in [("tenant", "tenent"), ("field", "head"), ("is", "called")] {
            assert_eq!(
                read(&sources(Kind::Names, &mine.replace(from, to))).unwrap_err().line,
                Some(2),
                "{to}"
            );
        }
    }

    #[test]
    fn ids_are_unique() {
        assert!(!read(&Sources::default()).unwrap().is_empty());
        let mut ids: Vec<&str> = Family::ALL.iter().map(|family| family.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Family::ALL.len());
    }
}
