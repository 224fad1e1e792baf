//! One term of a query, compiled, and whether an exchange meets it.

use super::Context;
use super::evaluate::ask::messages;
use super::values::address::Addresses;
use super::values::number::Numbers;
use super::values::text::Text;
use super::values::when::When;
use crate::features::coding::MAX_DECODED;
use crate::features::{Target, content, cookies, forwarded_client, parameters, target};
use crate::history::Record;
use crate::history::store::columns::address_bits;
use crate::model::{AnomalySet, Cause, Outcome};

/// Which message of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
    Both,
}

/// A kind of exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    Success,
    Refusal,
    Answered,
    Unanswered,
    Orphan,
    Odd,
}

impl Is {
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("success", Self::Success),
        ("refusal", Self::Refusal),
        ("answered", Self::Answered),
        ("unanswered", Self::Unanswered),
        ("orphan", Self::Orphan),
        ("odd", Self::Odd),
    ];
}

/// A name, and what its value must be if that matters.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: Text,
    pub(crate) value: Option<Text>,
}

impl Named {
    pub(crate) fn matches(&self, name: &[u8], value: &[u8]) -> bool {
        self.name.matches(name) && self.value.as_ref().is_none_or(|wanted| wanted.matches(value))
    }
}

/// What an exchange must have; of several alternatives one is enough.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    Status(Numbers),
    Method(Vec<Text>),
    Endpoint(Vec<Text>),
    Host(Vec<Text>),
    Path(Vec<Text>),
    Target(Vec<Text>),
    Field(Side, Vec<Named>),
    Cookie(Vec<Named>),
    Query(Vec<Named>),
    Client(Vec<Addresses>),
    Peer(Vec<Addresses>),
    Forwarded(Vec<Addresses>),
    Process(Vec<Text>),
    Container(Vec<Text>),
    Server(Vec<Addresses>),
    Port(Numbers),
    Body(Side, Vec<Text>),
    Latency(Numbers),
    Size(Side, Numbers),
    Since(When),
    Until(When),
    Cause(Vec<Cause>),
    Outcome(Vec<Outcome>),
    Anomaly(AnomalySet),
    Id(Numbers),
    Is(Vec<Is>),
}

/// The cost of a term that asks for a diagnosis.
pub(crate) const DIAGNOSIS: u8 = 9;

impl Term {
    /// About how long it takes to answer for one exchange; the columns answer what costs 0 and 1.
    pub(crate) fn cost(&self) -> u8 {
        match self {
            Self::Status(_)
            | Self::Method(_)
            | Self::Outcome(_)
            | Self::Since(_)
            | Self::Until(_)
            | Self::Id(_) => 0,
            Self::Endpoint(_)
            | Self::Host(_)
            | Self::Client(_)
            | Self::Latency(_)
            | Self::Anomaly(_)
            | Self::Is(_) => 1,
            Self::Peer(_)
            | Self::Process(_)
            | Self::Container(_)
            | Self::Server(_)
            | Self::Port(_)
            | Self::Size(..) => 2,
            Self::Path(_) | Self::Target(_) => 3,
            Self::Field(..) | Self::Forwarded(_) | Self::Cookie(_) | Self::Query(_) => 4,
            Self::Body(..) => 6,
            Self::Cause(_) => DIAGNOSIS,
        }
    }

    pub(crate) fn matches(&self, record: &Record, context: &Context<'_>) -> bool {
        let exchange = &record.exchange;
        match self {
            Self::Status(numbers) => numbers.contains(exchange.status().unwrap_or(0).into()),
            Self::Method(texts) => any(texts, exchange.method().as_bytes()),
            Self::Endpoint(texts) => {
                endpoint(record, context).is_some_and(|name| any(texts, name.as_bytes()))
            }
            Self::Host(texts) => host(record, context, texts),
            Self::Process(texts) => record.process.as_ref().is_some_and(|one| {
                any(texts, one.program.as_bytes())
                    || one.unit.as_ref().is_some_and(|unit| any(texts, unit.as_bytes()))
            }),
            Self::Container(texts) => record.process.as_ref().is_some_and(|one| {
                let mut names = [&one.container, &one.image].into_iter().flatten();
                names.any(|name| any(texts, name.as_bytes()))
            }),
            Self::Path(texts) => any(texts, path(record)),
            Self::Target(texts) => any(texts, exchange.target()),
            Self::Field(side, named) => messages(record, *side).any(|(fields, _)| {
                fields.iter().any(|field| named.iter().any(|named| named.matches(field.name, field.value)))
            }),
            Self::Cookie(named) => exchange.request.as_ref().is_some_and(|request| {
                cookies(request.head.fields())
                    .any(|c| named.iter().any(|named| named.matches(c.name, c.value)))
            }),
            Self::Query(named) => exchange
                .request
                .as_ref()
                .is_some_and(|request| has_pair(Target::of(&request.head).query(), named)),
            Self::Client(addresses) => addresses.iter().any(|addresses| addresses.matches(exchange.client)),
            Self::Peer(addresses) => addresses.iter().any(|addresses| addresses.matches(exchange.peer())),
            Self::Forwarded(addresses) => forwarded_client(exchange).is_some_and(|client| {
                addresses.iter().any(|addresses| addresses.contains(address_bits(client)))
            }),
            Self::Server(addresses) => addresses.iter().any(|addresses| addresses.matches(exchange.server)),
            Self::Port(numbers) => numbers.contains(exchange.server.port().into()),
            Self::Body(side, texts) => messages(record, *side).any(|(fields, body)| match &*body.kept {
                [] => any(texts, &[]),
                kept => any(texts, &content::read(fields, kept, MAX_DECODED).bytes),
            }),
            Self::Latency(numbers) => exchange.latency().is_some_and(|latency| numbers.contains(latency)),
            Self::Size(side, numbers) => messages(record, *side)
                .any(|(_, body)| numbers.contains(i64::try_from(body.len).unwrap_or(i64::MAX))),
            Self::Since(when) => exchange.started() >= when.resolve(context.now),
            Self::Until(when) => exchange.started() < when.resolve(context.now),
            Self::Cause(causes) => (context.cause)(record).is_some_and(|cause| causes.contains(&cause)),
            Self::Outcome(outcomes) => outcomes.contains(&exchange.outcome),
            Self::Anomaly(wanted) => wanted.iter().any(|anomaly| exchange.anomalies.contains(anomaly)),
            Self::Id(numbers) => numbers.contains(i64::try_from(exchange.id.0).unwrap_or(i64::MAX)),
            Self::Is(kinds) => kinds.iter().any(|kind| match kind {
                Is::Success => exchange.is_success(),
                Is::Refusal => exchange.is_refusal(),
                Is::Answered => exchange.response.is_some(),
                Is::Unanswered => exchange.response.is_none(),
                Is::Orphan => exchange.outcome == Outcome::Orphan,
                Is::Odd => !exchange.anomalies.is_empty(),
            }),
        }
    }
}

fn any(texts: &[Text], value: &[u8]) -> bool {
    texts.iter().any(|text| text.matches(value))
}

fn endpoint(record: &Record, context: &Context<'_>) -> Option<String> {
    context.history.endpoint(record.endpoint).map(ToString::to_string)
}

/// By the endpoint's authority; by the request itself where that endpoint stands for many hosts.
pub(crate) fn host(record: &Record, context: &Context<'_>, texts: &[Text]) -> bool {
    match context.history.endpoint(record.endpoint) {
        Some(endpoint) if &*endpoint.authority != "*" => any(texts, endpoint.authority.as_bytes()),
        _ => {
            let head = record.exchange.request.as_ref().map(|request| &request.head);
            head.and_then(target::authority).is_some_and(|named| any(texts, named))
        }
    }
}

fn path(record: &Record) -> &[u8] {
    record.exchange.request.as_ref().map_or(&[], |request| Target::of(&request.head).path)
}

/// Whether `target`, which is not a CONNECT's, has one of these parameters.
pub(crate) fn has_parameter(target: &[u8], named: &[Named]) -> bool {
    has_pair(Target::parse(target).query(), named)
}

fn has_pair(query: &[u8], named: &[Named]) -> bool {
    parameters(query).any(|parameter| {
        let (name, value) = (parameter.name(), parameter.value());
        named.iter().any(|named| named.matches(name.as_bytes(), &value))
    })
}
