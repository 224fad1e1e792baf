//! A request's attributes and the facts that it shows by itself.

use std::ops::Deref;

use crate::explain::rules::request_facts::facts;
use crate::explain::rules::request_facts::facts::Fact;
use crate::features::names::family::Family;
use crate::features::request::attribute_hash::hash;
use crate::features::request::attributes::Attributes;
use crate::features::request::parsed_request::ParsedRequest;
use crate::model::Exchange;

/// What rules look at of one request.
#[derive(Clone, Debug, Default)]
pub struct Features<'a> {
    list: Attributes<'a>,
    /// Facts that the request shows by itself; each is an attribute too.
    pub facts: Vec<Fact>,
}

impl<'a> Deref for Features<'a> {
    type Target = Attributes<'a>;
    fn deref(&self) -> &Attributes<'a> {
        &self.list
    }
}

impl<'a> Features<'a> {
    /// Those of `exchange`'s request.
    pub fn of(exchange: &'a Exchange) -> Self {
        exchange
            .request
            .as_ref()
            .map(|request| Self::given(exchange, &ParsedRequest::of(request)))
            .unwrap_or_default()
    }
    /// The same for somebody who has taken its request apart.
    pub fn given(exchange: &'a Exchange, parsed: &ParsedRequest<'a>) -> Self {
        let mut list = Attributes::of(exchange.client.ip(), parsed);
        let facts = facts::facts(exchange, &list, parsed);
        for fact in &facts {
            list.push_bare(Family::Fact, fact.id, hash(fact.detail.as_bytes()));
        }
        list.sort();
        Self { list, facts }
    }
}

#[cfg(test)]
mod tests {
    use super::Features;
    use crate::explain::fixture::exchanges;
    use crate::explain::request::shown::Shown;
    use crate::features::names::family::Family;
    use crate::model::Exchange;

    fn exchange(text: &str) -> Exchange {
        exchanges(text).remove(0)
    }

    #[test]
    fn scopes_roles_and_ownership_become_attributes() {
        let exchange = exchange(
            "POST /users/u7/files\nHost: a.example\nAuthorization: Bearer {jwt sub=u7 scope=files:read,files:write exp=+60}\n--- 201\n",
        );
        let features = Features::of(&exchange);
        assert!(features.has_token);
        let names: Vec<&str> = features.family(Family::Scope).map(|one| &*one.name).collect();
        assert!(names.contains(&"scope: files:write"), "{names:?}");
        assert!(features.family(Family::Ownership).any(|one| &*one.name == "sub = segment 2"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let exchange = exchange(
            "POST /x\nAuthorization: Bearer sk_test_hush\nCookie: sid=hush\nX-Api-Key: hush\n\n{\"password\":\"hush\",\"n\":1}\n--- 201\n",
        );
        let features = Features::of(&exchange);
        for attribute in &features.attributes {
            assert!(!attribute.shown().contains("hush"), "{attribute:?}");
        }
        assert!(features.family(Family::Environment).any(|one| one.shown() == "sk_test_"));
    }
}
