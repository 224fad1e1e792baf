//! What a name says about how much a difference in it matters.

use crate::history::principal::{KEY_FIELDS, is_session};
use crate::model::Part;

/// How a name is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Proves who is asking.
    Credential,
    /// Guards against forged requests.
    Csrf,
    /// Decides over access or interpretation in its own right: Origin, Host, Content-Type, scope, ….
    Critical,
    /// Differs between any two requests: Date, request ids, trace context, lengths.
    Volatile,
    /// Tells who answered.
    Answerer,
    /// Set by an upstream for each response: its presence tells who answered, its value nothing.
    Marker,
    /// Says what program the client is.
    Client,
    /// Hardly ever a reason: Accept-Encoding, Cache-Control, ….
    Minor,
    /// Nothing is known.
    Plain,
}

/// Fields that decide over access or interpretation.
const CRITICAL: &[&str] = &[
    "accept-version",
    "api-version",
    "content-encoding",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "origin",
    "referer",
    "sec-fetch-mode",
    "sec-fetch-site",
    "transfer-encoding",
    "upgrade",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "x-api-version",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-http-method-override",
    "x-method-override",
    "x-ms-version",
    "x-org-id",
    "x-organization",
    "x-organization-id",
    "x-real-ip",
    "x-requested-with",
    "x-tenant",
    "x-tenant-id",
];

/// Fields that differ between any two messages.
const VOLATILE: &[&str] = &[
    "age",
    "alt-svc",
    "b3",
    "baggage",
    "cf-ray",
    "content-length",
    "content-md5",
    "date",
    "dnt",
    "elastic-apm-traceparent",
    "etag",
    "expires",
    "idempotency-key",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "last-modified",
    "nel",
    "newrelic",
    "priority",
    "rate-limit",
    "report-to",
    "request-id",
    "sentry-trace",
    "server-timing",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "x-amz-cf-pop",
    "x-amz-date",
    "x-amz-id-2",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-cache-hits",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-trace-id",
    "x-kong-request-id",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "x-request-start",
    "x-response-time",
    "x-timer",
    "x-trace-id",
    "x-vcap-request-id",
];

/// Response fields that tell who answered.
const ANSWERER: &[&str] = &[
    "apigw-requestid",
    "cf-mitigated",
    "server",
    "via",
    "x-amzn-errortype",
    "x-application-context",
    "x-aspnet-version",
    "x-backend",
    "x-cache",
    "x-envoy-decorator-operation",
    "x-generator",
    "x-iinfo",
    "x-powered-by",
    "x-sucuri-id",
    "x-varnish",
];

/// Response fields that only some upstreams set, each time with another value.
const MARKERS: &[&str] = &[
    "x-amz-cf-id",
    "x-envoy-upstream-service-time",
    "x-kong-proxy-latency",
    "x-kong-upstream-latency",
    "x-runtime",
    "x-served-by",
];

/// Fields that say what program the client is.
const CLIENT: &[&str] = &["accept", "accept-language", "from", "user-agent", "x-client-version"];

/// Fields that are hardly ever a reason.
const MINOR: &[&str] = &[
    "accept-charset",
    "accept-encoding",
    "cache-control",
    "connection",
    "pragma",
    "proxy-connection",
    "sec-gpc",
    "te",
    "upgrade-insecure-requests",
];

/// Claims that decide over access.
const CLAIMS: &[&str] = &[
    "aud",
    "azp",
    "client_id",
    "groups",
    "iss",
    "org",
    "org_id",
    "permissions",
    "resource_access",
    "role",
    "roles",
    "scope",
    "scopes",
    "scp",
    "sub",
    "tenant",
    "tenant_id",
    "tid",
    "authorities",
    "header.kid",
    "header.alg",
];

/// Claims that differ between any two tokens.
const FLEETING: &[&str] =
    &["exp", "iat", "nbf", "jti", "auth_time", "at_hash", "c_hash", "nonce", "sid", "uti", "rh", "aio"];

/// How `name` of `part` is weighed.
pub fn class(part: Part, name: &str) -> Class {
    match part {
        Part::RequestHeader
            if name == "authorization" || name == "proxy-authorization" || KEY_FIELDS.contains(&name) =>
        {
            Class::Credential
        }
        Part::RequestHeader | Part::Query | Part::RequestBody | Part::Cookie if is_csrf(name) => Class::Csrf,
        Part::RequestHeader if CRITICAL.binary_search(&name).is_ok() => Class::Critical,
        Part::RequestHeader | Part::ResponseHeader if is_volatile(name) => Class::Volatile,
        Part::ResponseHeader if MARKERS.contains(&name) => Class::Marker,
        Part::RequestHeader if CLIENT.contains(&name) => Class::Client,
        Part::RequestHeader if MINOR.contains(&name) || name.starts_with("sec-ch-") => Class::Minor,
        Part::ResponseHeader if is_answerer(name) => Class::Answerer,
        Part::RequestHeader | Part::Query if is_secret(name) => Class::Credential,
        Part::Cookie if is_session(name.as_bytes()) => Class::Credential,
        Part::Cookie if is_analytics(name) => Class::Volatile,
        Part::Claim => claim(name),
        _ => Class::Plain,
    }
}

fn claim(name: &str) -> Class {
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    match () {
        () if FLEETING.contains(&name) => Class::Volatile,
        () if CLAIMS.contains(&name) || CLAIMS.contains(&last) => Class::Critical,
        () => Class::Plain,
    }
}

fn is_volatile(name: &str) -> bool {
    VOLATILE.binary_search(&name).is_ok() || name.ends_with("-request-id") || name.ends_with("-trace-id")
}

fn is_answerer(name: &str) -> bool {
    ANSWERER.contains(&name)
        || ["x-kong-", "x-envoy-", "x-amz-cf-", "x-akamai-", "cf-"].iter().any(|p| name.starts_with(p))
}

/// Whether a field, cookie or parameter of this name carries a token against forged requests.
pub fn is_csrf(name: &str) -> bool {
    let has = |word: &str| contains(name, word);
    has("csrf")
        || has("xsrf")
        || has("requestverificationtoken")
        || has("authenticity_token")
        || has("wpnonce")
        || has("wp-nonce")
        || has("jenkins-crumb")
}

fn is_secret(name: &str) -> bool {
    let word = |word: &str| contains(name, word);
    word("token")
        || word("secret")
        || word("signature")
        || word("apikey")
        || word("api-key")
        || word("api_key")
        || word("credential")
        || word("password")
        || name == "sig"
        || name == "key"
        || word("hmac")
}

fn is_analytics(name: &str) -> bool {
    [
        "_ga",
        "_gid",
        "_gat",
        "_fbp",
        "_hj",
        "ajs_",
        "amplitude",
        "mp_",
        "_pk_",
        "optimizely",
        "__utm",
        "intercom",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// Whether `name` has `word` (lower case) in it, ignoring case. Names are short; long ones are cut.
fn contains(name: &str, word: &str) -> bool {
    let name = name.as_bytes();
    name.get(..256).unwrap_or(name).windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{CRITICAL, Class, VOLATILE, class};
    use crate::model::Part;

    #[test]
    fn tables_are_sorted() {
        assert!(CRITICAL.is_sorted());
        assert!(VOLATILE.is_sorted());
    }

    #[test]
    fn names_have_classes() {
        for (part, name, expected) in [
            (Part::RequestHeader, "authorization", Class::Credential),
            (Part::RequestHeader, "x-csrf-token", Class::Csrf),
            (Part::RequestHeader, "x-acme-token", Class::Credential),
            (Part::RequestHeader, "origin", Class::Critical),
            (Part::RequestHeader, "x-acme-request-id", Class::Volatile),
            (Part::RequestHeader, "user-agent", Class::Client),
            (Part::Cookie, "csrftoken", Class::Csrf),
            (Part::Cookie, "JSESSIONID", Class::Credential),
            (Part::Cookie, "_ga_X1", Class::Volatile),
            (Part::Cookie, "theme", Class::Plain),
            (Part::Claim, "scope", Class::Critical),
            (Part::Claim, "realm_access.roles", Class::Critical),
            (Part::Claim, "x-token:exp", Class::Volatile),
            (Part::Claim, "name", Class::Plain),
            (Part::Query, "X-Amz-Signature", Class::Credential),
            (Part::RequestBody, "authenticity_token", Class::Csrf),
            (Part::ResponseHeader, "server", Class::Answerer),
            (Part::ResponseHeader, "date", Class::Volatile),
            (Part::ResponseHeader, "x-kong-upstream-latency", Class::Marker),
            (Part::RequestHeader, "connection", Class::Minor),
        ] {
            assert_eq!(class(part, name), expected, "{name}");
        }
    }
}
