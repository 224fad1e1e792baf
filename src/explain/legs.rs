//! The legs of a request through proxies, as far as they are in the history, and which hop refused.

use std::collections::{HashMap, HashSet};

use crate::history::History;
use crate::hops;
use crate::model::{Exchange, ExchangeId, Leg, LegRole, RefusedAt, Significance};

/// Legs of one request, at most.
const MAX_LEGS: usize = 16;
/// Numbers of inner legs whose outer one is still to come, at most.
const MAX_WAITING: usize = 16_384;

/// Which exchanges are legs of which.
#[derive(Debug, Default)]
pub(super) struct Legs {
    /// Numbers of inner legs whose outer one is still to come; at most [`MAX_WAITING`].
    waiting: HashMap<u64, ExchangeId>,
    /// The legs behind an exchange; those of what leaves the history leave too.
    inner: HashMap<ExchangeId, Vec<(ExchangeId, LegRole)>>,
    /// Refusals of servers that pass other requests on; the same.
    forwarders: HashSet<ExchangeId>,
}

/// The legs of one refusal, outermost first, and which of them refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// The legs; empty where there is one.
    pub legs: Vec<Leg>,
    /// Who refused, where it is known.
    pub refused_at: Option<RefusedAt>,
}

impl Path {
    /// Whether a proxy changed something that may be why the server behind it refused.
    pub fn has_suspects(&self) -> bool {
        let status = self.legs.first().and_then(|first| first.status);
        let behind = self.legs.iter().filter(|leg| leg.role == LegRole::Forwarded && leg.status == status);
        behind.flat_map(|leg| &leg.changed).any(|one| one.significance == Significance::Suspect)
    }
}

impl Legs {
    /// Takes note of the exchange `id`, which came as `number`.
    pub(super) fn note(&mut self, id: ExchangeId, arrival: &hops::Place, is_refusal: bool) {
        if arrival.outer.is_some() && self.waiting.len() < MAX_WAITING {
            self.waiting.insert(arrival.number, id);
        }
        let known =
            arrival.inner.iter().filter_map(|(number, role)| Some((self.waiting.remove(number)?, *role)));
        let inner: Vec<_> = known.collect();
        if !inner.is_empty() {
            self.inner.insert(id, inner);
        } else if arrival.forwards && is_refusal {
            self.forwarders.insert(id);
        }
    }

    /// Forgets `id`, which leaves the history.
    pub(super) fn forget(&mut self, id: ExchangeId) {
        self.inner.remove(&id);
        self.forwarders.remove(&id);
    }

    /// The legs of `id` and which of them refused; `None` where there is nothing to say.
    pub(super) fn of(&self, id: ExchangeId, history: &History) -> Option<Path> {
        if !self.inner.contains_key(&id) && !self.forwarders.contains(&id) {
            return None;
        }
        let outer = &history.get(id)?.exchange;
        let mut legs = vec![leg(outer, LegRole::Client, None)];
        self.behind(outer, history, &mut legs);
        let refused_at = outer.is_refusal().then(|| refused_at(&legs)).flatten();
        if legs.len() == 1 {
            legs.clear();
        }
        Some(Path { legs, refused_at })
    }

    fn behind(&self, outer: &Exchange, history: &History, legs: &mut Vec<Leg>) {
        for (id, role) in self.inner.get(&outer.id).into_iter().flatten() {
            let Some(record) = history.get(*id).filter(|_| legs.len() < MAX_LEGS) else { continue };
            legs.push(leg(&record.exchange, *role, Some(outer)));
            self.behind(&record.exchange, history, legs);
        }
    }
}

fn leg(exchange: &Exchange, role: LegRole, outer: Option<&Exchange>) -> Leg {
    let changed = outer.filter(|_| role == LegRole::Forwarded);
    Leg {
        id: exchange.id,
        role,
        client: exchange.client,
        server: exchange.server,
        status: exchange.status(),
        latency: exchange.latency(),
        changed: changed.map(|outer| hops::changes(outer, exchange)).unwrap_or_default(),
    }
}

/// Which hop refused, by the statuses of the legs.
fn refused_at(legs: &[Leg]) -> Option<RefusedAt> {
    let first = legs.first()?;
    let status = |leg: &Leg| leg.status.map_or("nothing".to_owned(), |status| status.to_string());
    let is_refusal = |leg: &Leg| leg.status.is_some_and(|status| (400..500).contains(&status));
    let main = legs.iter().rev().find(|leg| leg.role == LegRole::Forwarded);
    let check = legs.iter().rev().find(|leg| leg.role == LegRole::Check && is_refusal(leg));
    let (server, text) = match (main, check) {
        (None, Some(check)) => (
            check.server,
            format!(
                "{} asked {} whether the request may pass, which answered {}: the request never reached the application",
                first.server,
                check.server,
                status(check)
            ),
        ),
        (Some(main), _) if main.status == first.status => {
            (main.server, format!("{} refused, and {} passed it on", main.server, first.server))
        }
        (Some(main), _) => (
            first.server,
            format!("{} refused although {} answered {}", first.server, main.server, status(main)),
        ),
        (None, None) => {
            let text = format!("{} answered itself: the request went no further", first.server);
            (first.server, text)
        }
    };
    Some(RefusedAt { server, text })
}
