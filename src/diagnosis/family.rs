//! What sort of thing a part of a request is: the name of a field, cookie, parameter, claim or member decides.

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
            /// The name that `assets/weights.toml` uses.
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

fn any(name: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| name.contains(part))
}

/// Names that mean the same wherever they stand: field, parameter, cookie or member.
fn common(name: &str) -> Option<Family> {
    let csrf = [
        "csrf",
        "xsrf",
        "crumb",
        "verificationtoken",
        "antiforgery",
        "authenticity",
        "wpnonce",
        "wp-nonce",
        "forgery",
    ];
    if any(name, &csrf)
        || matches!(
            name,
            "_token" | "nonce_field" | "form_token" | "_nonce" | "formkey" | "form_key" | "state_token"
        )
    {
        return Some(Family::Csrf);
    }
    let keys = [
        "api-key",
        "apikey",
        "api_key",
        "access-key",
        "access_key",
        "access-token",
        "access_token",
        "auth-token",
        "auth_token",
        "x-auth",
        "x-token",
        "x-api-token",
        "private-token",
        "job-token",
        "secret",
        "subscription-key",
        "vault-token",
        "session-token",
        "security-token",
        "x-gitlab-token",
        "x-shopify-access",
        "x-functions-key",
        "x-admin-token",
        "app-key",
        "license-key",
        "service-key",
        "user-token",
        "x-plex-token",
        "x-master-key",
        "x-parse",
        "circle-token",
        "auth-key",
        "ocp-apim",
        "x-access",
        "token",
    ];
    if matches!(name, "key" | "apikey" | "token" | "auth" | "code_key")
        || (any(name, &keys)
            && !any(
                name,
                &[
                    "token_type",
                    "idempot",
                    "cancel",
                    "page",
                    "next",
                    "device",
                    "push",
                    "card",
                    "payment",
                    "stripe",
                    "tokens",
                    "request-token",
                ],
            ))
    {
        return Some(Family::ApiKey);
    }
    if any(name, &["signature", "hmac", "x-sign", "x-hub", "digest"])
        || matches!(name, "sign" | "sig" | "hash" | "md5" | "mac")
    {
        return Some(Family::Signature);
    }
    if any(name, &["tenant", "organization", "organisation", "workspace"])
        || matches!(
            name,
            "org"
                | "org_id"
                | "x-org-id"
                | "x-org"
                | "orgid"
                | "x-account-id"
                | "x-project-id"
                | "x-team-id"
                | "owner"
                | "owner_id"
                | "account_id"
                | "accountid"
                | "company_id"
                | "customer_id"
                | "user_id"
                | "userid"
                | "user"
                | "account"
                | "team"
                | "team_id"
                | "x-account"
        )
    {
        return Some(Family::Tenant);
    }
    None
}

/// The family of a request field, its name in lower case.
pub fn of_field(name: &str) -> Family {
    match name {
        "authorization" | "proxy-authorization" => Family::Credential,
        "host" => Family::Host,
        "origin" => Family::Origin,
        "referer" => Family::Referer,
        "user-agent" => Family::UserAgent,
        "accept" => Family::Accept,
        "content-encoding" => Family::ContentEncoding,
        "expect" => Family::Expect,
        "sec-fetch-site" => Family::FetchSite,
        "x-requested-with" => Family::Ajax,
        "x-forwarded-for"
        | "x-real-ip"
        | "forwarded"
        | "true-client-ip"
        | "cf-connecting-ip"
        | "x-client-ip"
        | "x-original-forwarded-for"
        | "x-cluster-client-ip"
        | "fastly-client-ip"
        | "x-azure-clientip"
        | "x-envoy-external-address" => Family::ForwardedFor,
        "x-forwarded-proto"
        | "x-forwarded-scheme"
        | "x-scheme"
        | "x-url-scheme"
        | "front-end-https"
        | "x-forwarded-ssl"
        | "x-forwarded-protocol"
        | "x-forwarded-port" => Family::ForwardedProto,
        "x-forwarded-host" | "x-original-host" | "x-host" => Family::ForwardedHost,
        "via" => Family::Via,
        "cookie"
        | "content-type"
        | "content-length"
        | "date"
        | "connection"
        | "keep-alive"
        | "te"
        | "dnt"
        | "cache-control"
        | "pragma"
        | "priority"
        | "upgrade-insecure-requests"
        | "accept-encoding"
        | "accept-language"
        | "accept-charset"
        | "if-none-match"
        | "if-modified-since"
        | "content-language"
        | "transfer-encoding"
        | "proxy-connection"
        | "sec-gpc"
        | "x-request-start"
        | "x-amz-content-sha256"
        | "content-md5"
        | "user-agent-id"
        | "range" => Family::Noise,
        _ => custom_field(name),
    }
}

fn custom_field(name: &str) -> Family {
    if any(
        name,
        &[
            "request-id",
            "requestid",
            "trace",
            "correlation",
            "idempotency",
            "b3",
            "amzn-trace",
            "baggage",
            "sentry",
            "newrelic",
            "datadog",
            "span",
            "x-nonce",
            "nonce",
            "transaction-id",
            "message-id",
            "session-affinity",
            "sequence",
            "x-runtime",
            "delivery",
            "invocation",
            "attempt",
            "retry",
        ],
    ) && !name.contains("wp-nonce")
    {
        return Family::Noise;
    }
    if name.starts_with("sec-") || name.starts_with("save-data") {
        return Family::Browser;
    }
    if any(
        name,
        &[
            "ssl",
            "tls",
            "client-cert",
            "clientcert",
            "client-dn",
            "client-verify",
            "x509",
            "peer-cert",
            "x-spiffe",
        ],
    ) {
        return Family::Certificate;
    }
    if any(name, &["method-override", "http-method", "original-method"])
        || matches!(name, "x-original-url" | "x-rewrite-url")
    {
        return Family::Override;
    }
    if any(name, &["country", "geo", "ipcountry", "location", "region"]) && !name.contains("aws") {
        return Family::Country;
    }
    if let Some(family) = common(name) {
        return family;
    }
    if any(name, &["timestamp", "x-amz-date", "x-date", "x-time", "x-ms-date", "request-time", "x-created"]) {
        return Family::Timestamp;
    }
    if any(name, &["version"]) {
        return Family::ApiVersion;
    }
    if any(name, &["role", "group", "permission", "privilege", "authorities"]) {
        return Family::Role;
    }
    if any(name, &["scope"]) {
        return Family::Scope;
    }
    if any(name, &["environment", "x-env", "x-stage", "livemode"]) {
        return Family::Environment;
    }
    if any(name, &["plan", "tier", "subscription", "licen", "product"]) {
        return Family::Plan;
    }
    if any(
        name,
        &[
            "consumer",
            "client-id",
            "client_id",
            "app-id",
            "x-app",
            "x-user",
            "remote-user",
            "forwarded-user",
            "authenticated",
            "principal",
            "x-client",
            "partner",
            "vendor-id",
            "merchant",
            "application",
        ],
    ) {
        return Family::Consumer;
    }
    Family::Other
}

/// The family of a cookie by its name.
pub fn of_cookie(name: &str) -> Family {
    let name = name.to_ascii_lowercase();
    if any(&name, &["csrf", "xsrf", "antiforgery", "requestverification"]) {
        return Family::Csrf;
    }
    if any(
        &name,
        &[
            "incap_",
            "cf_clearance",
            "__cf_bm",
            "datadome",
            "_px",
            "_abck",
            "bm_sz",
            "aws-waf",
            "ak_bmsc",
            "reese84",
            "challenge",
            "__chk",
            "human",
            "bot",
            "ddg",
            "clearance",
            "captcha",
            "sucuri",
            "__test",
        ],
    ) {
        return Family::Clearance;
    }
    if any(
        &name,
        &[
            "_ga",
            "_gid",
            "utm",
            "lang",
            "locale",
            "theme",
            "consent",
            "_fb",
            "_hj",
            "pref",
            "seen",
            "banner",
            "tz",
            "ab_",
            "optimizely",
            "currency",
        ],
    ) {
        return Family::Noise;
    }
    if any(
        &name,
        &[
            "sess",
            "sid",
            "auth",
            "token",
            "jwt",
            "login",
            "remember",
            "identity",
            "sso",
            "ticket",
            "user",
            "aspnetcore.cookies",
            "_key",
            "wordpress_logged",
            "connect.",
        ],
    ) {
        return Family::Session;
    }
    Family::Cookie
}

/// The family of a query parameter.
pub fn of_parameter(name: &str) -> Family {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "expires" | "exp" | "x-amz-expires" | "se" | "expiry" | "e" | "x-goog-expires" | "valid_until" => {
            Family::Expiry
        }
        "x-amz-date" | "timestamp" | "ts" | "st" | "x-goog-date" => Family::Timestamp,
        "api-version" | "api_version" | "version" | "v" => Family::ApiVersion,
        "x-amz-signature" | "x-goog-signature" => Family::Signature,
        "x-amz-credential" | "awsaccesskeyid" | "x-goog-credential" | "client_id" => Family::ApiKey,
        _ => common(&name).unwrap_or(Family::Query),
    }
}

/// The family of a member or form field of the body.
pub fn of_member(name: &str) -> Family {
    let name = name.to_ascii_lowercase();
    match common(&name) {
        Some(Family::ApiKey) => Family::Body,
        Some(family) => family,
        None => Family::Body,
    }
}

/// The family of a token's claim.
pub fn of_claim(name: &str) -> Family {
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(['/', '.']).next().unwrap_or(&lower);
    match last {
        "exp" | "iat" | "nbf" | "jti" | "auth_time" | "nonce" | "at_hash" | "sid" | "session_state"
        | "typ" | "uti" | "rh" => Family::Noise,
        "aud" | "audience" | "resource" => Family::Audience,
        "iss" => Family::Issuer,
        "sub" | "uid" | "user_id" | "username" | "preferred_username" | "email" | "name" | "upn" | "oid" => {
            Family::Subject
        }
        "scope" | "scp" | "scopes" | "permissions" | "perms" => Family::Scope,
        "env" | "environment" | "stage" | "livemode" => Family::Environment,
        "tid" | "tenant" | "tenant_id" | "org" | "org_id" | "account" | "account_id" | "organization"
        | "team" | "team_id" => Family::Tenant,
        "plan" | "tier" | "subscription" | "product" | "products" | "features" | "entitlements" => {
            Family::Plan
        }
        "azp" | "client_id" | "cid" | "appid" => Family::Consumer,
        _ if any(last, &["role", "group", "authorit", "privilege", "admin", "realm_access"])
            || lower.contains("realm_access")
            || lower.contains("resource_access") =>
        {
            Family::Role
        }
        _ => Family::Claim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide() {
        assert_eq!(of_field("x-csrf-token"), Family::Csrf);
        assert_eq!(of_field("x-api-key"), Family::ApiKey);
        assert_eq!(of_field("idempotency-key"), Family::Noise);
        assert_eq!(of_field("x-hub-signature-256"), Family::Signature);
        assert_eq!(of_field("x-consumer-id"), Family::Consumer);
        assert_eq!(of_field("x-anything"), Family::Other);
        assert_eq!(of_cookie("JSESSIONID"), Family::Session);
        assert_eq!(of_cookie("cf_clearance"), Family::Clearance);
        assert_eq!(of_parameter("expires"), Family::Expiry);
        assert_eq!(of_claim("https://acme.example/roles"), Family::Role);
        assert_eq!(of_member("csrfmiddlewaretoken"), Family::Csrf);
    }

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<&str> = Family::ALL.iter().map(|family| family.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Family::ALL.len());
    }
}
