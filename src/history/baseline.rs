//! Which success a refusal is compared with, and why that one.

use super::History;
use super::endpoints::Kept;
use super::related::in_words;
use super::similar;
use super::store::columns::{Row, flag};
use crate::model::{Baseline, BaselineChoice, EndpointId, ExchangeId};

/// How many successes are searched for one of the same client or principal.
const SEARCHED: usize = 2048;
/// How many successes are compared for the most similar one.
const COMPARED: usize = 32;

impl History {
    /// The success to compare `id` with: of the same endpoint, with a reason that names its age. `None` when there is none
    /// (or, for [`BaselineChoice::SamePrincipal`], when the request names nobody); see [`History::related_successes`].
    pub fn baseline(&self, id: ExchangeId, choice: BaselineChoice) -> Option<Baseline> {
        let this = self.store.row(id.0)?;
        if let BaselineChoice::Pinned(pinned) = choice {
            return self.pinned(&this, pinned);
        }
        let (row, what) = match choice {
            BaselineChoice::SameClient => self.of_client(&this)?,
            BaselineChoice::SamePrincipal => self.of_principal(&this)?,
            BaselineChoice::MostSimilar => (self.most_similar(&this)?, "most similar success"),
            _ => self.nearest(&this, |_| true, |_| true)?,
        };
        Some(Baseline { id: ExchangeId(row.id), choice, why: why(&this, &row, what) })
    }

    /// Successes of the endpoint of `id` other than itself: those before it from the latest on, then those after it from
    /// the earliest on. What was evicted is not among them.
    pub fn successes(&self, id: ExchangeId) -> impl Iterator<Item = ExchangeId> {
        let endpoint = self.store.row(id.0).map(|row| row.endpoint);
        let others = endpoint.map(|endpoint| self.others(id.0, endpoint)).into_iter().flatten();
        others.map(|kept| ExchangeId(kept.id)).filter(|of| self.store.get(of.0).is_some())
    }

    /// Successes of the endpoint of `id` that came after `since`, from the latest on.
    pub fn successes_since(&self, id: ExchangeId, since: ExchangeId) -> impl Iterator<Item = ExchangeId> {
        let state = self.store.row(id.0).and_then(|row| self.endpoints.state(row.endpoint));
        let kept = state.map(|state| &state.kept);
        let start = kept.map_or(0, |kept| kept.partition_point(|of| of.id <= since.0));
        let newer = kept.into_iter().flat_map(move |kept| kept.range(start..).rev());
        newer.map(|kept| ExchangeId(kept.id)).filter(move |of| *of != id && self.store.get(of.0).is_some())
    }

    fn others(&self, id: u64, endpoint: EndpointId) -> impl Iterator<Item = &Kept> {
        let kept = self.endpoints.state(endpoint).map(|state| &state.kept);
        let split = kept.map_or(0, |kept| kept.partition_point(|of| of.id < id));
        let before = kept.into_iter().flat_map(move |kept| kept.range(..split).rev());
        let after = kept.into_iter().flat_map(move |kept| kept.range(split..));
        before.chain(after).filter(move |of| of.id != id)
    }

    /// Whether the endpoint of `this` has a success from the same client.
    pub(crate) fn client_succeeds(&self, this: ExchangeId) -> bool {
        self.store.row(this.0).is_some_and(|row| self.of_client(&row).is_some())
    }

    /// Whether the endpoint of `this` has a success of the same principal.
    pub(crate) fn caller_succeeds(&self, this: ExchangeId) -> bool {
        self.store.row(this.0).is_some_and(|row| self.of_principal(&row).is_some())
    }

    fn of_client(&self, this: &Row) -> Option<(Row, &'static str)> {
        let wanted = Kept::new(this).client;
        if !self.endpoints.state(this.endpoint)?.callers.has(wanted) {
            return None;
        }
        self.nearest(this, |kept| kept.client == wanted, |row| row.client == this.client)
    }

    fn of_principal(&self, this: &Row) -> Option<(Row, &'static str)> {
        let wanted = Kept::new(this).principal;
        if this.principal == 0 || !self.endpoints.state(this.endpoint)?.callers.has(wanted) {
            return None;
        }
        let same = |row: &Row| row.principal == this.principal;
        self.nearest(this, |kept| kept.principal == wanted, same)
    }

    /// The last success before `this` that passes both the quick look and the exact one, or the first after it.
    fn nearest(
        &self,
        this: &Row,
        maybe: impl Fn(&Kept) -> bool,
        passes: impl Fn(&Row) -> bool,
    ) -> Option<(Row, &'static str)> {
        let kept = &self.endpoints.state(this.endpoint)?.kept;
        let split = kept.partition_point(|of| of.id < this.id);
        let exact = |of: &Kept| {
            let candidate = maybe(of) && of.id != this.id;
            if candidate { self.store.row(of.id).filter(&passes) } else { None }
        };
        if let Some(row) = kept.range(..split).rev().take(SEARCHED).find_map(exact) {
            return Some((row, "last success"));
        }
        let row = kept.range(split..).take(SEARCHED).find_map(exact)?;
        Some((row, "next success"))
    }

    fn most_similar(&self, this: &Row) -> Option<Row> {
        let record = self.store.get(this.id)?;
        let others = self.successes(ExchangeId(this.id)).take(COMPARED).filter_map(|id| self.store.get(id.0));
        let (_, best) = others
            .map(|other| (similar::distance(self, record, other), other))
            .min_by_key(|(distance, _)| *distance)?;
        self.store.row(best.exchange.id.0)
    }

    fn pinned(&self, this: &Row, pinned: ExchangeId) -> Option<Baseline> {
        let row = self.store.row(pinned.0).filter(|row| row.id != this.id)?;
        let mut what = String::from("pinned by hand");
        if row.endpoint != this.endpoint {
            what.push_str(", another endpoint");
        }
        if row.flags & flag::SUCCESS == 0 {
            what.push_str(", not a success");
        }
        Some(Baseline { id: pinned, choice: BaselineChoice::Pinned(pinned), why: why(this, &row, &what) })
    }
}

/// `last success, 4.2 s earlier, same client and user`.
fn why(this: &Row, row: &Row, what: &str) -> String {
    let user = row.principal == this.principal && row.principal != 0;
    let who = match (row.client == this.client, user) {
        (true, true) => "same client and user",
        (true, false) => "same client",
        (false, true) => "same user, another client",
        (false, false) => "another client",
    };
    let age =
        in_words(this.started.since(row.started)).replace(" before", " earlier").replace(" after", " later");
    format!("{what}, {age}, {who}")
}
