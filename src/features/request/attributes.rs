//! An exchange's request as a flat list of attributes, so that refusals and successes can be counted against each other.

use std::borrow::Cow;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use crate::features;
use crate::features::json::JsonEnd;
use crate::features::names::family::Family;
use crate::features::names::{Kind, Label, Name, Which, name};
use crate::features::request::agent::{agent, home};
use crate::features::request::attribute::{Attribute, Value, lower};
use crate::features::request::attribute_hash::{Mark, hash, key};
use crate::features::request::parsed_request::ParsedRequest;
use crate::features::request::shape;
use crate::features::{Authorization, Jwt, MediaType, Sniffed, parameters};

/// Most attributes taken from one request.
pub const MAX: usize = 160;
/// Most members of a body that become attributes.
const MAX_MEMBERS: usize = 64;

/// The attributes of one request.
#[derive(Clone, Debug, Default)]
pub struct Attributes<'a> {
    /// Sorted by key, one a key.
    pub attributes: Vec<Attribute<'a>>,
    /// Whether a token could be decoded, so that absent claims mean something.
    pub has_token: bool,
    /// Whether a body could be taken apart, so that absent members mean something.
    pub has_members: bool,
    /// Bytes of the body.
    pub body_len: u64,
}

impl<'a> Attributes<'a> {
    /// The attributes of a request of the client at `address`.
    pub fn of(address: IpAddr, parsed: &ParsedRequest<'a>) -> Self {
        let mut attributes =
            Self { attributes: Vec::with_capacity(48), body_len: parsed.request.body.len, ..Self::default() };
        let (address, network) = home(address);
        attributes.add(Family::Client, Label::Fixed(""), address);
        attributes.add(Family::Network, Label::Fixed(""), network);
        attributes.add(Family::HttpVersion, Label::Fixed(""), parsed.request.head.version().as_str());
        attributes.target(parsed);
        attributes.fields(parsed);
        attributes.tokens(parsed);
        attributes.body(parsed);
        attributes.relations();
        attributes
    }
    /// Adds one that has no value but `hash`, up to the bound.
    pub fn push_bare(&mut self, family: Family, name: &'static str, hash: u64) {
        if self.attributes.len() < MAX {
            let name = Label::Fixed(name);
            let mark = Mark { key: key(family, &name), value: hash };
            self.attributes.push(Attribute { mark, family, name, value: Value::Wire(b"") });
        }
    }
    /// Sorts by key, which leaves one a key.
    pub fn sort(&mut self) {
        self.attributes.sort_by_key(|attribute| attribute.mark.key);
        self.attributes.dedup_by_key(|attribute| attribute.mark.key);
    }
    /// The hashes alone.
    pub fn marks(&self) -> Arc<[Mark]> {
        self.attributes.iter().map(|attribute| attribute.mark).collect()
    }
    /// The attributes of `family`.
    pub fn family(&self, family: Family) -> impl Iterator<Item = &Attribute<'a>> {
        self.attributes.iter().filter(move |attribute| attribute.family == family)
    }

    /// Who asks: the token's subject, else `credential`, else the session cookie; 0 for nobody.
    pub fn caller(&self, credential: u64) -> u64 {
        let first = |family, named: fn(&str) -> bool| {
            let found = self.family(family).filter(|one| named(&one.name));
            found.min_by(|a, b| a.name.cmp(&b.name)).map(|one| one.mark.value)
        };
        first(Family::Subject, |name| matches!(name, "sub" | "user"))
            .or((credential != 0).then_some(credential))
            .or_else(|| first(Family::Session, |_| true))
            .unwrap_or(0)
    }

    fn add(&mut self, family: Family, name: Label, value: impl Into<Value<'a>>) {
        let key = key(family, &name);
        self.push(family, key, name, value.into());
    }

    /// Of a name whose family is its own.
    fn named(&mut self, name: Rc<Name>, value: impl Into<Value<'a>>) {
        self.push(name.family, name.key, Label::Known(name), value.into());
    }

    fn push(&mut self, family: Family, key: u64, name: Label, value: Value<'a>) {
        if matches!(family, Family::Body | Family::Query | Family::Other | Family::Cookie) {
            self.forms(family, &name, &value);
        }
        if family != Family::Noise && self.attributes.len() < MAX {
            let mark = Mark { key, value: hash(&value) };
            self.attributes.push(Attribute { mark, family, name, value });
        }
    }

    /// What a value that differs every time still shares with others: where an address leads, who keeps the mailbox, marks
    /// that need quoting.
    fn forms(&mut self, family: Family, name: &Label, value: &[u8]) {
        let form = shape::form(value);
        if let Some(place) = form.place {
            let label = [&**name, " ", form.kind].concat();
            self.add(family, Label::Made(label.into()), Rc::<[u8]>::from(place.to_ascii_lowercase()));
        }
        if form.quoted && family == Family::Cookie {
            self.add(family, Label::Made([&**name, " (quotes)"].concat().into()), &b""[..]);
        }
    }

    fn target(&mut self, seen: &ParsedRequest<'a>) {
        let text = |part: &'a [u8]| match String::from_utf8_lossy(part) {
            Cow::Borrowed(text) => Value::from(text),
            Cow::Owned(text) => Value::from(text),
        };
        let segments = seen.target.path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
        let secret = features::path_secret(seen.target.path);
        for (segment, name) in segments.zip(SEGMENTS) {
            if secret.is_some_and(|secret| std::ptr::eq(secret, segment)) {
                self.add(Family::ApiKey, Label::Fixed("path secret"), segment);
                continue;
            }
            let version =
                segment.len() <= 5 && matches!(segment, [b'v' | b'V', digit, ..] if digit.is_ascii_digit());
            let family = if version { Family::VersionSegment } else { Family::Segment };
            self.add(family, Label::Fixed(name), text(segment));
        }
        for parameter in seen.query.iter().take(32) {
            self.named(name(Kind::Parameter, parameter.name().as_bytes()), parameter.value());
        }
    }

    fn fields(&mut self, seen: &ParsedRequest<'a>) {
        for (field, value) in &seen.fields {
            let name = Label::Known(Rc::clone(field));
            match field.which {
                Which::Authorization | Which::ProxyAuthorization => self.authorization(&name, value),
                Which::Cookie => {}
                Which::ContentType => self.content_type(value),
                Which::UserAgent => self.add(Family::UserAgent, name, Rc::clone(&agent(value).product)),
                Which::Referer => self.add(Family::Referer, name, site(value)),
                Which::Origin | Which::Accept | Which::ContentEncoding => {
                    self.named(Rc::clone(field), lower(value));
                }
                Which::Host => {
                    let bare = value.strip_suffix(b":80").unwrap_or(value);
                    self.add(Family::Host, name, lower(bare));
                }
                Which::Other => self.other(field, value),
            }
        }
        for cookie in &seen.cookies {
            self.named(name(Kind::Cookie, cookie.name), cookie.value);
        }
    }

    fn other(&mut self, name: &Rc<Name>, value: &'a [u8]) {
        match name.family {
            Family::Browser => self.named(Rc::clone(name), &b""[..]),
            Family::Scope | Family::Role => {
                self.words(&Label::Known(Rc::clone(name)), name.family, &String::from_utf8_lossy(value));
            }
            Family::ForwardedFor => {
                if let Some(first) = features::first_address(value) {
                    self.add(Family::ForwardedFor, Label::Fixed("forwarded network"), home(first).1);
                }
                self.named(Rc::clone(name), value);
            }
            Family::ApiKey => {
                self.shape(&Label::Known(Rc::clone(name)), value);
                self.named(Rc::clone(name), value);
            }
            _ => self.named(Rc::clone(name), value),
        }
    }

    fn content_type(&mut self, value: &'a [u8]) {
        let name = Label::Fixed("content-type");
        let Some(media) = MediaType::parse(value) else { return self.add(Family::MediaType, name, value) };
        self.add(Family::MediaType, name, lower(media.essence.as_bytes()));
        let usual = |set: &str| set.eq_ignore_ascii_case("utf-8") || set.eq_ignore_ascii_case("utf8");
        if let Some(charset) = media.charset().filter(|set| !usual(set)) {
            let charset = charset.to_ascii_lowercase();
            self.add(Family::Charset, Label::Fixed("content-type charset"), charset);
        }
    }

    fn authorization(&mut self, name: &Label, value: &'a [u8]) {
        let parsed = Authorization::parse(value);
        self.add(Family::Scheme, name.clone(), parsed.scheme().to_ascii_lowercase());
        match parsed {
            Authorization::Basic { user } => {
                self.add(Family::Credential, name.clone(), value);
                self.add(Family::Subject, Label::Fixed("user"), user.unwrap_or_default());
            }
            Authorization::Aws4(aws) => {
                self.add(Family::ApiKey, Label::Fixed("access key id"), aws.access_key);
                self.add(Family::Signature, name.clone(), aws.signature);
                self.add(Family::Environment, Label::Fixed("aws region"), aws.region);
            }
            Authorization::Other { .. } if features::signer(value).is_some() => {
                self.add(
                    Family::ApiKey,
                    Label::Fixed("access key id"),
                    features::signer(value).unwrap_or_default(),
                );
                self.add(Family::Signature, name.clone(), value);
            }
            Authorization::Bearer { token } | Authorization::Other { rest: token, .. } => {
                let hmac = value.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"hmac"));
                if (value.len() > 20 && hmac) || memchr::memmem::find(&lower(value), b"signature").is_some() {
                    self.add(Family::Signature, name.clone(), value);
                } else {
                    let kind = if token.starts_with(b"eyJ") { "JWT" } else { "opaque" };
                    self.add(Family::Scheme, Label::Fixed("token kind"), kind);
                    self.shape(name, token);
                    self.add(Family::Credential, name.clone(), value);
                }
            }
        }
    }

    /// The part of a key before its random part, such as `sk_test_`.
    fn shape(&mut self, name: &Label, key: &'a [u8]) {
        let window = key.get(..14.min(key.len())).unwrap_or_default();
        let end = window.iter().rposition(|byte| matches!(byte, b'_' | b'-' | b'.'));
        if let Some(prefix) = end.and_then(|end| window.get(..=end)).filter(|_| !key.starts_with(b"eyJ")) {
            let stages: [&[u8]; 6] = [b"test", b"live", b"sandbox", b"stag", b"prod", b"dev"];
            let lower = prefix.to_ascii_lowercase();
            let known = stages.iter().any(|stage| memchr::memmem::find(&lower, stage).is_some());
            self.add(if known { Family::Environment } else { Family::KeyShape }, name.clone(), prefix);
        }
    }

    fn tokens(&mut self, seen: &ParsedRequest<'a>) {
        if let Some(token) = seen.tokens.first() {
            self.has_token = true;
            self.claims(&token.jwt);
        }
    }

    fn claims(&mut self, jwt: &Jwt) {
        for id in ["kid", "alg"] {
            if let Some(text) = jwt.header.get(id).and_then(|value| value.as_str()) {
                self.add(Family::KeyId, Label::Fixed(id), Rc::<[u8]>::from(text.as_bytes()));
            }
        }
        for (claim, value) in jwt.claims.iter().take(48) {
            let claim = name(Kind::Claim, claim.as_bytes());
            let listed = matches!(claim.family, Family::Scope | Family::Role);
            let label = || Label::Known(Rc::clone(&claim));
            match value {
                serde_json::Value::String(text) if listed => self.words(&label(), claim.family, text),
                serde_json::Value::String(text) => self.named(claim, Rc::<[u8]>::from(text.as_bytes())),
                other if listed => self.members(&label(), claim.family, other),
                other => self.named(claim, other.to_string()),
            }
        }
    }

    fn members(&mut self, name: &Label, family: Family, value: &serde_json::Value) {
        let mut words = Vec::new();
        strings(value, &mut words, 0);
        self.words(name, family, &words.join(" "));
    }

    /// A set of words: each by itself, and the whole.
    fn words(&mut self, name: &Label, family: Family, text: &str) {
        let mut all: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        all.sort_unstable();
        for word in all.iter().take(40) {
            let one = [name, ": ", word].concat();
            self.add(family, Label::Made(one.into()), &b""[..]);
        }
        self.add(family, name.clone(), all.join(" "));
    }

    fn body(&mut self, seen: &ParsedRequest<'a>) {
        if seen.content.is_empty() {
            return;
        }
        // JSON with a fault is still JSON; the fault is a fact of its own.
        let kind = if seen.sniffed == Sniffed::InvalidJson { Sniffed::Json } else { seen.sniffed };
        self.add(Family::BodyKind, Label::Fixed(""), kind.as_str());
        match seen.sniffed {
            Sniffed::Json => {
                let Some(flat) = &seen.json else { return };
                self.has_members = matches!(flat.end, JsonEnd::Complete | JsonEnd::Limit);
                for leaf in flat.leaves.iter().take(MAX_MEMBERS) {
                    self.named(name(Kind::Path, leaf.path.as_bytes()), leaf.raw.clone());
                }
            }
            Sniffed::Form => {
                self.has_members = true;
                for parameter in parameters(&seen.content).take(MAX_MEMBERS) {
                    let value = match parameter.value() {
                        Cow::Borrowed(piece) => seen.content.keep(piece),
                        Cow::Owned(made) => Value::from(Cow::Owned(made)),
                    };
                    self.named(name(Kind::Member, parameter.name().as_bytes()), value);
                }
            }
            Sniffed::Multipart => {
                self.has_members = true;
                for part in seen.parts().iter().take(MAX_MEMBERS) {
                    let value = seen.content.keep(part.filename.unwrap_or(part.value));
                    self.named(name(Kind::Member, part.name), value);
                }
            }
            _ => {}
        }
    }

    /// Equalities inside one request: who asks is named in what is asked for; a token repeats its cookie.
    fn relations(&mut self) {
        let mut equal = Vec::new();
        let askers =
            |one: &&Attribute<'_>| matches!(one.family, Family::Subject | Family::Tenant | Family::Consumer);
        let asked = |one: &&Attribute<'_>| {
            matches!(one.family, Family::Segment | Family::Query | Family::Body | Family::Tenant)
        };
        for who in self.attributes.iter().filter(askers).take(12) {
            let value = who.value();
            for what in self.attributes.iter().filter(asked).take(40).filter(|_| value.len() > 1) {
                let other = what.value();
                let bare =
                    other.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(other);
                if value == bare && *who.name != *what.name {
                    equal.push([&who.name, " = ", &what.name].concat());
                }
            }
        }
        for name in equal {
            self.add(Family::Ownership, Label::Made(name.into()), &b""[..]);
        }
        let csrf: Vec<u64> = self.family(Family::Csrf).map(|one| one.mark.value).collect();
        if csrf.iter().enumerate().any(|(at, value)| csrf.iter().skip(at + 1).any(|other| other == value)) {
            self.add(Family::Csrf, Label::Fixed("token = cookie"), &b""[..]);
        }
    }
}

/// Names of the parts of a path; further ones are not looked at.
const SEGMENTS: [&str; 12] = [
    "segment 1",
    "segment 2",
    "segment 3",
    "segment 4",
    "segment 5",
    "segment 6",
    "segment 7",
    "segment 8",
    "segment 9",
    "segment 10",
    "segment 11",
    "segment 12",
];

fn strings(value: &serde_json::Value, out: &mut Vec<String>, depth: usize) {
    match value {
        serde_json::Value::String(text) => out.push(text.clone()),
        serde_json::Value::Array(list) if depth < 4 => {
            list.iter().take(64).for_each(|one| strings(one, out, depth + 1));
        }
        serde_json::Value::Object(map) if depth < 4 => {
            map.values().take(64).for_each(|one| strings(one, out, depth + 1));
        }
        serde_json::Value::Bool(flag) => out.push(flag.to_string()),
        _ => {}
    }
}

/// Scheme and host of an address.
fn site(value: &[u8]) -> &[u8] {
    let from = memchr::memmem::find(value, b"://").map_or(0, |at| at + 3);
    let end =
        value.get(from..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')));
    end.and_then(|end| value.get(..from + end)).unwrap_or(value)
}
