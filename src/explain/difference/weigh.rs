//! How much a difference says, given its name and how the endpoint's successes behave.

use std::cell::OnceCell;

use crate::explain::difference::align::Pair;
use crate::explain::difference::names::{Class, class};
use crate::explain::difference::notes;
use crate::explain::request::parsed_exchange::ParsedExchange;
use crate::features::Token;
use crate::features::request::parsed_request::ParsedRequest;
use crate::history::noise::Variation;
use crate::history::{History, Record};
use crate::model::{Anomaly, DifferenceKind, Part, Significance};

/// Successes that must agree before a name that nothing is known of counts as steady.
const STEADY: u32 = 3;

/// What weighing looks at.
pub(crate) struct Scene<'a> {
    pub(crate) history: &'a History,
    pub(crate) this: &'a Record,
    pub(crate) baseline: &'a Record,
    /// The requests of the baseline and of this exchange, taken apart.
    pub(crate) requests: [Option<&'a ParsedRequest<'a>>; 2],
    caller_succeeds: OnceCell<bool>,
}

/// A difference's weight, and what to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) significance: Significance,
    pub(crate) note: Option<String>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(
        history: &'a History,
        this: &'a ParsedExchange<'a>,
        baseline: &'a ParsedExchange<'a>,
    ) -> Self {
        let requests = [baseline, this].map(|parsed| parsed.request.as_ref());
        Self {
            history,
            this: this.record,
            baseline: baseline.record,
            requests,
            caller_succeeds: OnceCell::new(),
        }
    }

    /// The tokens of the baseline and of this request.
    pub(crate) fn tokens(&self) -> [&'a [Token<'a>]; 2] {
        self.requests.map(|parsed| parsed.map(|parsed| &*parsed.tokens).unwrap_or_default())
    }

    /// Whether both requests carry the very same tokens.
    pub(crate) fn same_tokens(&self) -> bool {
        let [one, two] = self.tokens();
        one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.raw == two.raw)
    }

    /// Whether the caller succeeded on this endpoint too.
    pub(crate) fn caller_succeeds(&self) -> bool {
        *self.caller_succeeds.get_or_init(|| self.history.caller_succeeds(self.this.exchange.id))
    }

    /// Whether the client's address succeeded on this endpoint too.
    pub(crate) fn client_succeeds(&self) -> bool {
        self.history.client_succeeds(self.this.exchange.id)
    }

    pub(crate) fn weigh(&self, pair: &Pair<'_>) -> Weight {
        let value = pair.this.as_deref();
        let variation = self.history.variation_of(self.this.endpoint, pair.part, &pair.name, value);
        let note = notes::of(self, pair);
        let significance = match notes::verdict(self, pair) {
            Some(known) => known,
            None => self.by_class(pair, variation),
        };
        let (significance, damage) = self.damaged(pair, significance);
        let varies = habit(pair, variation, significance);
        Weight { significance, note: damage.or(note).or(varies) }
    }

    fn by_class(&self, pair: &Pair<'_>, variation: Variation) -> Significance {
        let class = class(pair.part, &pair.name);
        match (class, pair.kind) {
            (Class::Volatile, _) | (Class::Marker, DifferenceKind::Changed) => Significance::Noise,
            _ if pair.part == Part::Claim && self.lacks_token(pair.kind) => Significance::Noise,
            (Class::Marker | Class::Responder, _) | (_, DifferenceKind::Reordered) => Significance::Context,
            (Class::Minor, kind) => plain(kind, variation).min(Significance::Context),
            (Class::Client, DifferenceKind::Changed) if !variation.known && variation.varies() => {
                Significance::Context
            }
            _ if is_longer_list(pair) => Significance::Noise,
            _ if !is_of_request(pair.part) => response(pair.kind, variation),
            (Class::Plain | Class::Client, kind) => plain(kind, variation),
            (_, kind) => guarded(class, kind, variation, &|| self.caller_succeeds()),
        }
    }

    /// Whether claims are on one side only because the other has no token at all; the credential says it then.
    fn lacks_token(&self, kind: DifferenceKind) -> bool {
        let [baseline, this] = self.tokens();
        match kind {
            DifferenceKind::Removed => this.is_empty(),
            DifferenceKind::Added => baseline.is_empty(),
            _ => false,
        }
    }

    /// What the capture lost cannot be missed: the difference is no suspect then.
    fn damaged(&self, pair: &Pair<'_>, significance: Significance) -> (Significance, Option<String>) {
        let record = match pair.kind {
            DifferenceKind::Removed => self.this,
            DifferenceKind::Added => self.baseline,
            _ => return (significance, None),
        };
        let lost = |anomalies: &[Anomaly]| anomalies.iter().any(|a| record.exchange.anomalies.contains(*a));
        let damage = match pair.part {
            Part::RequestHeader | Part::Cookie | Part::Claim | Part::Query => {
                lost(&[Anomaly::GapInRequestHead, Anomaly::HeadTooLarge])
                    .then_some("the capture lost part of that head")
            }
            Part::ResponseHeader => {
                lost(&[Anomaly::GapInResponseHead]).then_some("the capture lost part of that head")
            }
            Part::RequestBody => record
                .exchange
                .request
                .as_ref()
                .filter(|request| !request.body.is_whole())
                .map(|_| "that body was not kept or captured to its end"),
            _ => None,
        };
        match damage {
            Some(text) => (significance.min(Significance::Context), Some(text.to_owned())),
            None => (significance, None),
        }
    }
}

/// What successes do with the name and the value.
fn habit(pair: &Pair<'_>, variation: Variation, significance: Significance) -> Option<String> {
    match pair.kind {
        _ if significance == Significance::Noise || !is_of_request(pair.part) => None,
        DifferenceKind::Removed if variation.is_always_present() && variation.samples > 1 => {
            Some(format!("all {} successes looked at have it", variation.samples))
        }
        DifferenceKind::Changed if variation.known => Some("other successes have this value".into()),
        DifferenceKind::Changed if variation.varies() && variation.repeats() => Some(format!(
            "none of {} successes looked at has this value; they have {} others",
            variation.present, variation.distinct
        )),
        DifferenceKind::Changed if variation.varies() => Some("also varies between successes".into()),
        DifferenceKind::Added if variation.present > 0 => Some("some successes have it too".into()),
        DifferenceKind::Added if variation.samples > 1 => {
            Some(format!("none of {} successes looked at has it", variation.samples))
        }
        _ => None,
    }
}

/// One more or one less element of a list that still has others.
fn is_longer_list(pair: &Pair<'_>) -> bool {
    let once = pair.kind == DifferenceKind::Added || pair.kind == DifferenceKind::Removed;
    let later =
        |name: &str| name.split('[').skip(1).any(|rest| rest.starts_with(|c: char| matches!(c, '1'..='9')));
    once && pair.part == Part::RequestBody && pair.name.starts_with('$') && later(&pair.name)
}

/// Whether the part belongs to the request, and so can be a reason.
pub(crate) fn is_of_request(part: Part) -> bool {
    !matches!(part, Part::StatusLine | Part::ResponseHeader | Part::ResponseBody)
}

/// Of the response: an effect, never a reason.
fn response(kind: DifferenceKind, variation: Variation) -> Significance {
    let usual = match kind {
        DifferenceKind::Changed => variation.known || variation.varies(),
        DifferenceKind::Added => variation.present > 0,
        DifferenceKind::Removed => variation.is_optional(),
        DifferenceKind::Reordered => false,
    };
    if usual { Significance::Noise } else { Significance::Context }
}

/// Nothing is known of the name: what successes do decides.
fn plain(kind: DifferenceKind, variation: Variation) -> Significance {
    let known = variation.samples >= STEADY;
    match kind {
        DifferenceKind::Changed if variation.known => Significance::Noise,
        DifferenceKind::Changed if variation.varies() && variation.is_categorical() => Significance::Context,
        DifferenceKind::Changed if variation.varies() => Significance::Noise,
        DifferenceKind::Added if variation.present > 0 => Significance::Noise,
        DifferenceKind::Removed if variation.is_optional() => Significance::Noise,
        DifferenceKind::Changed | DifferenceKind::Added if known => Significance::Suspect,
        DifferenceKind::Removed if variation.samples > 1 => Significance::Suspect,
        _ => Significance::Context,
    }
}

/// Credentials, guards against forged requests and fields that decide over access: never noise.
fn guarded(
    class: Class,
    kind: DifferenceKind,
    variation: Variation,
    caller_succeeds: &dyn Fn() -> bool,
) -> Significance {
    let usual = match kind {
        DifferenceKind::Changed => {
            let few =
                if class == Class::Credential { variation.is_categorical() } else { variation.repeats() };
            variation.known || !few && variation.varies() || class == Class::Credential && caller_succeeds()
        }
        DifferenceKind::Added => variation.present > 0,
        DifferenceKind::Removed => variation.is_optional(),
        DifferenceKind::Reordered => true,
    };
    if usual { Significance::Context } else { Significance::Suspect }
}
