//! What a name says about how much a difference in it matters.

use std::cell::RefCell;

pub use crate::knowledge::names::Class;

use crate::knowledge::names::{At, catalogue};
use crate::memo::Memo;
use crate::model::Part;

/// Names of one part remembered by one thread.
const REMEMBERED: usize = 512;
/// Longest name that is remembered.
const LONGEST: usize = 256;

/// Parts of a message whose names are looked up.
const PLACES: [At; 6] = [At::Field, At::Response, At::Cookie, At::Parameter, At::Member, At::Claim];

thread_local! {
    static KNOWN: RefCell<[Memo<Box<str>, Class, REMEMBERED>; PLACES.len()]> = RefCell::default();
}

/// How `name` of `part` is weighed.
pub fn class(part: Part, name: &str) -> Class {
    let at = match part {
        Part::RequestHeader => 0,
        Part::ResponseHeader => 1,
        Part::Cookie => 2,
        Part::Query => 3,
        Part::RequestBody => 4,
        Part::Claim => 5,
        _ => return Class::Plain,
    };
    let find = || {
        let place = PLACES.get(at).copied().unwrap_or(At::Field);
        catalogue().facts(place, name).class.unwrap_or(Class::Plain)
    };
    KNOWN.with_borrow_mut(|known| {
        let Some(known) = known.get_mut(at).filter(|_| name.len() <= LONGEST) else { return find() };
        if let Some(class) = known.get(name) {
            return *class;
        }
        let class = find();
        known.put(name.into(), class);
        class
    })
}
