//! What a name can be about, and how much a difference in its value matters.

use serde::de::{Deserialize, Deserializer, Error};

macro_rules! names {
    ($(#[$meta:meta])* $type:ident, $what:literal: $($(#[$doc:meta])* $variant:ident = $id:literal;)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $type { $($(#[$doc])* $variant,)* }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The name that the files use.
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id,)* } }
        }

        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(id: &str) -> Result<Self, String> {
                let known = Self::ALL.iter().copied().find(|one| one.id() == id);
                known.ok_or_else(|| format!(concat!("no ", $what, " {:?}; docs/knowledge.md lists them"), id))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

names! {
    /// A family of attributes that refusals rest on for the same reasons.
    #[expect(missing_docs, reason = "the ids say it")]
    Family, "family":
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

names! {
    /// How a difference in the value is weighed.
    Class, "class":
    /// Proves who is asking.
    Credential = "credential";
    /// Guards against forged requests.
    Csrf = "csrf";
    /// Decides over access or interpretation in its own right: Origin, Host, Content-Type, scope, ….
    Critical = "critical";
    /// Differs between any two messages: Date, request ids, trace context, lengths.
    Volatile = "volatile";
    /// Identifies who answered.
    Responder = "responder";
    /// Set by an upstream for each response: its presence identifies who answered, its value means nothing.
    Marker = "marker";
    /// Identifies the client program.
    Client = "client";
    /// Hardly ever a reason: Accept-Encoding, Cache-Control, ….
    Minor = "minor";
    /// Nothing is known.
    Plain = "plain";
}

names! {
    /// Where a name stands.
    At, "place":
    /// Request field.
    Field = "field";
    /// Response field.
    Response = "response";
    /// Cookie.
    Cookie = "cookie";
    /// Query parameter.
    Parameter = "parameter";
    /// Member or form field of the body.
    Member = "member";
    /// Claim of a token.
    Claim = "claim";
}

names! {
    /// A property of a field.
    Trait, "trait":
    /// The value may be the time at which the request was signed.
    SigningTime = "signing-time";
    /// The value is a signature.
    Signature = "signature";
    /// Usual values look like attacks, or are credentials: payloads are not looked for.
    NotScanned = "not-scanned";
    /// Firewall rule sets restrict this field.
    Restricted = "restricted";
    /// The value changes from response to response.
    Varies = "varies";
    /// Only a response that passed through the application has it.
    Upstream = "upstream";
    /// Any server sets it.
    AnyServer = "any-server";
    /// Requests count as alike only if this field has the same value.
    Likeness = "likeness";
    /// The value is part of the response fingerprint.
    Fingerprint = "fingerprint";
}

/// A set of traits or places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u16);

impl Set {
    /// The set of every place.
    pub(super) const ALL: Self = Self(u16::MAX);

    /// Whether `bit`, a variant as a number, is in it.
    const fn has_bit(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
    /// Whether `one` is in it.
    pub const fn has_trait(self, one: Trait) -> bool {
        self.has_bit(one as u8)
    }
    /// Whether `at` is in it.
    pub const fn has_place(self, at: At) -> bool {
        self.has_bit(at as u8)
    }
    /// This and `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// With the variant that has this number.
    const fn with(self, bit: u8) -> Self {
        Self(self.0 | 1 << bit)
    }
    /// The traits in `list`, separated by spaces.
    pub(super) fn of_traits(list: &str) -> Result<Self, String> {
        list.split_ascii_whitespace()
            .try_fold(Self::default(), |set, id| Ok(set.with(id.parse::<Trait>()? as u8)))
    }
    /// The places in `list`, separated by spaces.
    pub(super) fn of_places(list: &str) -> Result<Self, String> {
        list.split_ascii_whitespace()
            .try_fold(Self::default(), |set, id| Ok(set.with(id.parse::<At>()? as u8)))
    }
}

#[cfg(test)]
mod tests {
    use super::{At, Class, Family, Set, Trait};

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<&str> = Family::ALL.iter().map(|family| family.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Family::ALL.len());
    }

    #[test]
    fn sets_are_read_from_lists() {
        let places = Set::of_places("field claim").unwrap();
        assert_eq!([At::Field, At::Cookie, At::Claim].map(|at| places.has_place(at)), [true, false, true]);
        let traits = Set::of_traits("varies").unwrap().union(Set::of_traits(" restricted").unwrap());
        assert!(traits.has_trait(Trait::Varies) && traits.has_trait(Trait::Restricted));
        assert!(!traits.has_trait(Trait::Signature));
        assert_eq!(Set::of_places("head").unwrap_err(), "no place \"head\"; docs/knowledge.md lists them");
        assert!("volatle".parse::<Class>().unwrap_err().contains("no class"));
    }
}
