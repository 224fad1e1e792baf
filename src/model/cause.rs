//! The causes of a refusal: the program's vocabulary.

use std::fmt;
use std::str::FromStr;

macro_rules! causes {
    ($($variant:ident = $id:literal, $doc:literal;)*) => {
        /// Why a request was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Cause { $(#[doc = $doc] $variant,)* }

        impl Cause {
            /// Every cause, in the documented order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The id that output and filters use.
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id,)* } }
            /// One line for people.
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $doc,)* } }
        }
    };
}

causes! {
    MissingCredentials = "missing-credentials", "No credential was sent";
    InvalidCredentials = "invalid-credentials", "The credential is malformed, unknown or revoked";
    ExpiredCredentials = "expired-credentials", "The credential has expired";
    WrongEnvironment = "wrong-environment", "The credential belongs to another environment";
    InsufficientScope = "insufficient-scope", "The token lacks a scope";
    InsufficientRole = "insufficient-role", "The caller lacks a role or permission";
    NotOwner = "not-owner", "The object belongs to somebody else";
    Subscription = "subscription", "The consumer is not subscribed to this API";
    Quota = "quota", "A plan's quota or billing limit is used up";
    RateLimited = "rate-limited", "Too many requests in a short time";
    IpDenied = "ip-denied", "The client's address is not allowed";
    GeoDenied = "geo-denied", "The client's country or region is not allowed";
    ContentType = "content-type", "The media type is not allowed or does not match the body";
    Accept = "accept", "The Accept field cannot be met";
    Referer = "referer", "The Referer is missing or foreign";
    Origin = "origin", "The Origin is not allowed";
    Csrf = "csrf", "The CSRF token is missing, stale or of another session";
    Signature = "signature", "The request's signature is wrong";
    ClockSkew = "clock-skew", "The signed time is too far from the server's";
    ClientCertificate = "client-certificate", "A client certificate is missing or refused";
    Host = "host", "The Host is not served or not allowed";
    Method = "method", "The method is not allowed here";
    Route = "route", "The path is not one the gateway serves";
    ApiVersion = "api-version", "The API version is retired or unknown";
    Waf = "waf", "A web application firewall blocked it";
    BotChallenge = "bot-challenge", "Taken for a bot, or challenged to prove otherwise";
    ServerConfig = "server-config", "The server's configuration or file permissions refuse it";
    ResourceState = "resource-state", "The resource's state does not allow it";
    GatewayPolicy = "gateway-policy", "A named gateway policy denies it";
    Unknown = "unknown", "Nothing on the wire tells";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Cause {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|cause| cause.id() == text).ok_or(())
    }
}
