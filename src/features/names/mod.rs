//! Names of fields, cookies, parameters, members and claims, each looked at once: traffic uses the same few again and again.

pub mod family;

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use crate::features::json;
use crate::features::names::family::{At, Family};
use crate::features::request::attribute_hash::key;
use crate::knowledge::names::{Set, catalogue};
use crate::memo::Memo;

/// Names of one kind remembered by one thread.
const REMEMBERED: usize = 1024;
/// Longest name that is remembered.
const LONGEST: usize = 256;

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A field of a request or response.
    Field,
    /// A cookie.
    Cookie,
    /// A query parameter.
    Parameter,
    /// A form field.
    Member,
    /// The path of a value in JSON; its last member decides.
    Path,
    /// A claim of a token.
    Claim,
}

/// A field that is read in a way of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields of HTTP")]
pub enum Which {
    Authorization,
    ProxyAuthorization,
    Cookie,
    ContentType,
    ContentEncoding,
    UserAgent,
    Referer,
    Origin,
    Accept,
    Host,
    /// Any other.
    #[default]
    Other,
}

/// What is known of a name.
#[derive(Debug)]
pub struct Name {
    /// As it is shown; a field's in lower case.
    pub text: Box<str>,
    /// What sort of thing it names.
    pub family: Family,
    /// See [`key`].
    pub key: u64,
    /// Which field it is.
    pub which: Which,
    /// Properties of a field.
    pub traits: Set,
}

/// Names by how they stand on the wire.
type Known = Memo<Box<[u8]>, Rc<Name>, REMEMBERED>;

thread_local! {
    static KNOWN: RefCell<[Known; 6]> = RefCell::default();
}

/// What is known of `name`, which is as on the wire.
pub fn name(kind: Kind, name: &[u8]) -> Rc<Name> {
    KNOWN.with_borrow_mut(|known| {
        let Some(known) = known.get_mut(kind as usize) else { return Rc::new(Name::of(kind, name)) };
        if let Some(known) = known.get(name) {
            return Rc::clone(known);
        }
        let new = Rc::new(Name::of(kind, name));
        if name.len() <= LONGEST {
            known.put(name.into(), Rc::clone(&new));
        }
        new
    })
}

impl Name {
    fn of(kind: Kind, name: &[u8]) -> Self {
        let text = String::from_utf8_lossy(name);
        let text = if kind == Kind::Field { text.to_ascii_lowercase() } else { text.into_owned() };
        if kind == Kind::Field {
            // A field may be one of a request or of a response.
            let [request, response] = catalogue().facts_at([At::Field, At::Response], &text);
            let family = family::given(At::Field, request.family);
            let traits = request.traits.union(response.traits);
            return Self { family, key: key(family, &text), which: which(&text), traits, text: text.into() };
        }
        let family = match kind {
            Kind::Field => Family::Other,
            Kind::Cookie => family::of(At::Cookie, &text),
            Kind::Parameter => family::of(At::Parameter, &text),
            Kind::Member => family::of(At::Member, &text),
            Kind::Path => family::of(At::Member, json::last_name(&text).unwrap_or_default()),
            Kind::Claim => family::of(At::Claim, &text),
        };
        let (which, traits) = Default::default();
        Self { family, key: key(family, &text), which, traits, text: text.into() }
    }
}

fn which(name: &str) -> Which {
    match name {
        "authorization" => Which::Authorization,
        "proxy-authorization" => Which::ProxyAuthorization,
        "cookie" => Which::Cookie,
        "content-type" => Which::ContentType,
        "content-encoding" => Which::ContentEncoding,
        "user-agent" => Which::UserAgent,
        "referer" => Which::Referer,
        "origin" => Which::Origin,
        "accept" => Which::Accept,
        "host" => Which::Host,
        _ => Which::Other,
    }
}

/// What an attribute is called.
#[derive(Clone, Debug)]
pub enum Label {
    /// Known before.
    Fixed(&'static str),
    /// Found in this or an earlier message.
    Known(Rc<Name>),
    /// Made for one attribute.
    Made(Rc<str>),
}

impl Deref for Label {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Known(name) => &name.text,
            Self::Made(text) => text,
        }
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::names::Trait;

    #[test]
    fn names_are_known_by_what_they_tell() {
        let date = name(Kind::Field, b"X-Amz-Date");
        assert_eq!(&*date.text, "x-amz-date");
        let has = |one| date.traits.has_trait(one);
        assert!(has(Trait::SigningTime) && !has(Trait::Signature) && has(Trait::Varies));
        assert_eq!(name(Kind::Field, b"Host").which, Which::Host);
        assert!(name(Kind::Field, b"Accept-Charset").traits.has_trait(Trait::Restricted));
        assert_eq!(name(Kind::Path, b"$.user.csrf_token").family, Family::Csrf);
        assert_eq!(name(Kind::Path, b"$['csrf token']").family, Family::Csrf);
        assert_eq!(&*name(Kind::Cookie, b"SID").text, "SID");
        assert!(Rc::ptr_eq(&name(Kind::Claim, b"sub"), &name(Kind::Claim, b"sub")));
    }
}
