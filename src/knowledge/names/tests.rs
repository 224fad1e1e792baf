//! The catalogue as it is embedded, and with a user's names.

use super::{At, Catalogue, Class, Family, Trait, catalogue};
use crate::knowledge::tests::sources;
use crate::knowledge::{Error, Kind, Sources};

fn with(text: &str) -> Result<Catalogue, Error> {
    Catalogue::read(&sources(Kind::Names, text))
}

#[test]
fn names_have_classes() {
    for (at, name, expected) in [
        (At::Field, "authorization", Some(Class::Credential)),
        (At::Field, "X-CSRF-Token", Some(Class::Csrf)),
        (At::Field, "x-acme-token", Some(Class::Credential)),
        (At::Field, "origin", Some(Class::Critical)),
        (At::Field, "x-acme-request-id", Some(Class::Volatile)),
        (At::Field, "x-request-id-of", None),
        (At::Field, "user-agent", Some(Class::Client)),
        (At::Field, "connection", Some(Class::Minor)),
        (At::Field, "sec-ch-ua-arch", Some(Class::Minor)),
        (At::Cookie, "csrftoken", Some(Class::Csrf)),
        (At::Cookie, "JSESSIONID", Some(Class::Credential)),
        (At::Cookie, "ID", Some(Class::Credential)),
        (At::Cookie, "_ga_X1", Some(Class::Volatile)),
        (At::Cookie, "x_ga", None),
        (At::Cookie, "theme", None),
        (At::Claim, "scope", Some(Class::Critical)),
        (At::Claim, "realm_access.roles", Some(Class::Critical)),
        (At::Claim, "https://acme.example/roles", Some(Class::Critical)),
        (At::Claim, "header.kid", Some(Class::Critical)),
        (At::Claim, "x-token:exp", Some(Class::Volatile)),
        (At::Claim, "name", None),
        (At::Parameter, "X-Amz-Signature", Some(Class::Credential)),
        (At::Member, "authenticity_token", Some(Class::Csrf)),
        (At::Response, "server", Some(Class::Responder)),
        (At::Response, "cf-request-id", Some(Class::Volatile)),
        (At::Response, "cf-cache-status", Some(Class::Responder)),
        (At::Response, "date", Some(Class::Volatile)),
        (At::Response, "x-kong-upstream-latency", Some(Class::Marker)),
    ] {
        assert_eq!(catalogue().facts(at, name).class, expected, "{name}");
    }
}

#[test]
fn names_have_families() {
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
        assert_eq!(catalogue().facts(at, name).family, Some(family), "{name}");
    }
}

#[test]
fn fields_have_traits() {
    let has = |at, name, one| catalogue().facts(at, name).traits.has_trait(one);
    assert!(
        has(At::Field, "x-amz-date", Trait::SigningTime) && !has(At::Field, "update", Trait::SigningTime)
    );
    assert!(has(At::Field, "x-hub-signature", Trait::Signature));
    assert!(has(At::Field, "cookie", Trait::NotScanned) && !has(At::Field, "x-comment", Trait::NotScanned));
    assert!(has(At::Field, "accept-charset", Trait::Restricted));
    assert!(has(At::Response, "x-trace", Trait::Varies) && !has(At::Response, "server", Trait::Varies));
    assert!(has(At::Response, "x-runtime", Trait::Upstream) && has(At::Response, "vary", Trait::AnyServer));
    assert!(catalogue().list(At::Field, Trait::Likeness).position(b"Origin").is_some());
    assert!(catalogue().list(At::Response, Trait::Fingerprint).position(b"server").is_some());
}

#[test]
fn credentials_are_believed_in_the_order_of_their_ranks() {
    let mine = with("name = [\n{ at = \"field\", is = \"x-acme-key\", rank = 0 },\n{ at = \"field\", is = \"x-acme-who\", rank = 9 },\n]").unwrap();
    let names: Vec<&str> = mine.credential_fields.iter().collect();
    assert_eq!(names[..3], ["x-acme-key", "authorization", "x-api-key"]);
    assert_eq!(names.last(), Some(&"x-acme-who"));
    assert!(mine.credential_parameters.position(b"API_KEY").is_some());
    assert!(catalogue().facts(At::Cookie, "connect.sid").rank.is_some());
    assert!(catalogue().facts(At::Cookie, "csrftoken").rank.is_none());
}

#[test]
fn a_users_names_are_asked_first() {
    let mine = with(
        "name = [\n{ at = \"field\", family = \"tenant\", is = \"x-acme-space\", has = \"csrf\" },\n\
         { secret = true, is = \"losung\", has = \"acmepin\" },\n{ at = \"claim\", secret = false, is = \"acme_level\" },\n]\n\
         [words]\nanywhere = \"zauberwort\"\n",
    )
    .unwrap();
    let family = |at, name| mine.facts(at, name).family;
    assert_eq!(family(At::Field, "x-acme-space"), Some(Family::Tenant));
    // Both files have an entry that fits; where the user's does not fit, the embedded one counts.
    assert_eq!(family(At::Field, "x-csrf-token"), Some(Family::Tenant));
    assert_eq!(mine.facts(At::Field, "x-csrf-token").class, Some(Class::Csrf), "properties are independent");
    assert_eq!(family(At::Cookie, "xsrf-csrf-token"), Some(Family::Csrf));
    assert!(mine.is_listed_secret(b"losung", false) && mine.is_listed_secret(b"x-acmepin-2", true));
    assert!(!catalogue().is_listed_secret(b"losung", true));
    assert!(mine.is_public_claim(b"acme_level") && mine.is_public_claim(b"sub"));
    assert!(
        mine.words.roles.contains_key(&b"zauberwort"[..]) && mine.words.roles.contains_key(&b"password"[..])
    );
}

#[test]
fn mistakes_have_a_line() {
    let base = "name = [\n\n{ at = \"field\", family = \"tenant\", is = \"x-acme\" },\n]\n[words]\nlast = \"\"\"\nabc\ndef\"\"\"\n";
    for (from, to, line, message) in [
        ("tenant", "tenent", 3, "no family"),
        ("\"field\"", "\"head\"", 3, "no place"),
        ("is =", "called =", 3, "called"),
        ("x-acme", "X-Acme", 3, "lower case"),
        ("is = \"x-acme\"", "secret = true", 3, "needs `is`"),
        ("family = \"tenant\", ", "", 3, "needs `family`"),
        ("family = \"tenant\"", "secret = false", 3, "claims"),
        ("family = \"tenant\", is", "rank = 1, has", 3, "whole names"),
        ("family = \"tenant\"", "traits = \"vary\"", 3, "no trait"),
        ("def", "Def", 8, "Def is not in lower case"),
        ("def", "def abc", 8, "abc is in the list twice"),
        ("last =", "list =", 6, "list"),
    ] {
        let error = with(&base.replace(from, to)).unwrap_err();
        assert_eq!(error.line, Some(line), "{to}: {error}");
        assert!(error.message.contains(message), "{error}");
    }
    assert!(with(base).is_ok());
}

#[test]
fn a_name_costs_its_length_and_few_entries() {
    let catalogue = Catalogue::read(&Sources::default()).unwrap();
    let before = crate::step_counter::done();
    for number in 0..90 {
        catalogue.facts(At::Field, &format!("x-something-new-{number}"));
    }
    let steps = crate::step_counter::done() - before;
    assert!(steps < 90 * 40, "{steps}");
}
