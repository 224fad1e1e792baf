//! The numbers of the rules: `[rule.NAME]` in `weights.toml`. A rule is an operator; what it speaks for, how much, and for which names is data.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::explain::request::family::Family;
use crate::model::Cause;

/// Causes with what an observation says for or against each.
pub type Causes = BTreeMap<Cause, f32>;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $type:ident { $($field:ident: $kind:ty,)* })*) => {
        /// The numbers of every rule that has any.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Rules { $($(#[$doc])* pub $name: $type,)* }

        $(
            $(#[$doc])*
            #[derive(Debug, Deserialize)]
            #[serde(deny_unknown_fields, rename_all = "kebab-case")]
            #[expect(missing_docs, reason = "documented in assets/weights.toml")]
            pub struct $type { $(pub $field: $kind,)* }
        )*
    };
}

rules! {
    /// A value that grows old.
    aged: Aged { csrf: Causes, session: Causes, dated: Causes, undated: f32, }
    /// A complaint about a CSRF token that nobody sends.
    exempt: Exempt { complaint: Cause, said: f32, surprise: f32, absent: Causes, value: Causes, }
    /// Requests for the object are refused since.
    turned: Turned { causes: Causes, }
    /// The request repeats an accepted one.
    repeats: Repeats { separation: f32, causes: Causes, }
    /// Whose object it is.
    owner: Owner { value: Causes, member: Causes, object: Causes, never: Causes, ends: Vec<String>, parts: Vec<String>, }
    /// The credential is accepted at other places.
    elsewhere: Elsewhere { causes: Causes, sibling: Causes, }
    /// Nothing was ever accepted here.
    never_here: NeverHere {
        method: Causes, method_in_front: Causes, path_exists: Cause, nothing: Causes, node: Causes, other_host: Causes,
        spelling: Causes, version: Causes, neighbour: Causes,
    }
    /// An attribute separates.
    separation: Separation {
        surprise: f32, full: f32, most: f32, least: f32, weak: f32, banned: f32, beside_lead: f32, claims: f32, beside_claims: f32,
        certain_alone: f32, alone: f32, certain: f32, node: f32, sibling: f32, borrowed: BTreeMap<Family, f32>, explained: Causes,
        chance_small: f32, chance_large: f32,
    }
    /// The same client or credential was accepted here.
    accepted: Accepted {
        client_later: Causes, client_before: Causes, credential: Causes, before: f32, revocable: Vec<Cause>, revocable_before: f32,
        not_where_lost: Vec<Cause>,
    }
    /// Nobody says who asks.
    nobody: Nobody { causes: Causes, borrowed: f32, not_where_borrowed: Vec<Cause>, }
    /// A signature that cannot be checked.
    signed: Signed { same: Causes, single_use: Causes, other_body: Causes, }
    /// A credential that was never accepted.
    new_credential: NewCredential { claims: f32, separation: f32, renewed: f32, token: Causes, opaque: Causes, }
    /// A CSRF token of another cookie.
    stale_token: StaleToken { causes: Causes, sent_again: Causes, }
    /// A new version of the server.
    deploy: Deploy { causes: Causes, gateway: Causes, separates: f32, }
    /// A field is as in accepted requests.
    unchanged: Unchanged { field: Vec<UnchangedField>, }
    /// Facts of the request.
    facts: FactWeights {
        no_success: f32, borrowed: f32, borrowed_shared: f32, shared: f32, one_success: f32, more_successes: f32, growth: f32,
        alike: f32, common: f32, harmless: BTreeMap<String, Cause>,
    }
    /// What the server's log says.
    logged: Logged { floor: f32, }
    /// The response contradicts its own words.
    consent: Consent { token_lasts: Causes, remaining: Causes, limit: Cause, explicit: f32, beside_explicit: f32, fields: Vec<String>, }
    /// What words of the response speak for.
    wording: Wording {
        meant: f32, beside_meant: f32, specific: f32, generic: f32, beside_specific: f32, named: f32, general: Cause, general_most: f32,
        beside_named: f32, code: f32, title: f32,
    }
    /// The Allow field.
    allow: Allow { lists: Causes, omits: Causes, }
    /// The refusal sets cookies.
    new_cookies: NewCookies { unsent: f32, clearance: Causes, csrf: Causes, session: Causes, other: Causes, }
    /// What came before a ban.
    banned: Banned { limited: Causes, failed: Causes, probed: Causes, login: Vec<String>, login_failed: Cause, login_words: f32, }
    /// More requests in a time than before any success.
    rate: Rate {
        for_good: Causes, for_a_while: Causes, alike: f32, likeness: f32, least: f32, separation: f32, recovered_short: f32, recovered: f32, burst: f32, hasty: f32, hasty_long: f32, slow: f32, usual: f32,
        usual_of_others: f32, scattered: f32, few: f32, contradicted: f32,
    }
    /// More requests at once than when successes came.
    crowd: Crowd { one: Causes, more: Causes, }
    /// The server's state changed.
    state_change: StateChange {
        alike: f32, banned: f32, same: Causes, same_gateway: Causes, everybody: Causes, everybody_gateway: Causes, several: Causes,
        several_gateway: Causes, everybody_for_a_while: Causes, credential: Causes, credential_after_burst: Causes, client: Causes,
        client_over_limit: Causes, untried: Causes, untried_over_limit: Causes,
    }
    /// How like accepted requests this one is.
    familiarity: Familiarity {
        surprise: f32, body: f32, signed: f32, new: f32, unknown: f32, strange: f32, strange_unknown: f32,
    }
    /// What a proxy changed.
    hops: Hops { change: Vec<HopChange>, }
    /// Other statuses at the same place.
    other_refusals: OtherRefusals { unauthorized: Causes, elsewhere: f32, status: Vec<StatusCauses>, }
}

/// A change of `[rule.hops]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HopChange {
    /// Names of fields, or `method` or `content`.
    pub of: Vec<String>,
    /// `removed`, `added` or `changed`; any when left out.
    pub kind: Option<String>,
    /// Shares of the weight that such a change has.
    pub causes: Causes,
}

/// A status of `[rule.other-refusals]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusCauses {
    /// The status.
    pub status: u16,
    /// What its use says about 403.
    pub causes: Causes,
}

/// A field of `[rule.unchanged]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnchangedField {
    /// Its family.
    pub family: Family,
    /// What it is called.
    pub name: String,
    /// What its accepted value speaks against.
    pub causes: Causes,
}
