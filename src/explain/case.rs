//! One refusal with everything that rules look at, prepared once.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use crate::explain::contrast::columns;
use crate::explain::contrast::columns::Columns;
use crate::explain::contrast::lead::{Lead, lead, separates};
use crate::explain::contrast::recall::Recall;
use crate::explain::contrast::sample::Sample;
use crate::explain::contrast::stats::{Address, EndpointStats, Event, Server, Stats};
use crate::explain::contrast::{Against, Contrast, contrasts};
use crate::explain::knowledge::{Fingerprint, Knowledge};
use crate::explain::legs::Path;
use crate::explain::request::family::Family;
use crate::explain::request::features::Features;
use crate::explain::request::parsed_exchange::ParsedExchange;
use crate::explain::request::principal;
use crate::explain::response_fingerprint;
use crate::explain::rules::contrast_rules::place::one_segment_apart;
use crate::explain::rules::response_text::body::WINDOW;
use crate::explain::rules::response_text::utterance::{Utterance, utterances};
use crate::explain::rules::response_text::{Heard, Memory};
use crate::explain::rules::timing::Behaviour;
use crate::features::content;
use crate::history::{History, Record};
use crate::model::{Difference, Exchange, LogMatch, Part, Pointer, Refuser, Request, Response};
use crate::phrases::Found;

/// The attributes of no sample.
static NONE: Columns = Columns::none();

/// Where the successes come from that a refusal is set against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// The place itself.
    Own,
    /// The same method and path at another server or node.
    Node,
    /// The same method at paths that differ in one segment.
    Sibling,
    /// Any place of the server.
    Server,
}

/// One refusal with everything that rules look at.
pub struct Case<'a> {
    /// The data.
    pub knowledge: &'a Knowledge,
    /// The refusal.
    pub record: &'a Record,
    /// The exchanges.
    pub history: &'a History,
    /// All that was counted.
    pub stats: &'a Stats,
    /// What was read from successes before.
    pub recall: &'a Recall,
    /// Where it belongs.
    pub address: Address,
    /// What is known of the place.
    pub place: Option<&'a EndpointStats>,
    /// What is known of the server.
    pub server: Option<&'a Server>,
    /// The request's attributes.
    pub features: Features<'a>,
    /// Successes it is set against.
    pub good: Vec<&'a Sample>,
    /// Their attributes.
    pub columns: Cow<'a, Columns>,
    /// Whether those are of other places.
    pub borrowed: bool,
    /// Which places those are.
    pub nearness: Nearness,
    /// Which of the place's refusals sound like it, itself included.
    pub similar_refusals: u64,
    /// What separates them.
    pub contrasts: Vec<Contrast<'a>>,
    lead: OnceCell<Option<Lead>>,
    separation: OnceCell<f32>,
    mine: OnceCell<u64>,
    line: OnceCell<String>,
    /// What the response says.
    pub heard: Arc<Heard>,
    /// What this very response says, where the reading shared by similar responses holds other numbers.
    own: OnceCell<Option<Vec<Utterance>>>,
    /// What refusals say that happened behind this one.
    pub behind: Vec<Arc<Heard>>,
    /// Fingerprints that match.
    pub prints: Vec<&'a Fingerprint>,
    /// What the traffic did.
    pub behaviour: Behaviour,
    /// Who refused.
    pub refuser: Refuser,
    /// What the server's log says about it, best first.
    pub logs: &'a [LogMatch],
    /// Its legs through proxies, where they are known.
    pub path: Option<&'a Path>,
    /// Differences to the baseline.
    pub differences: &'a [Difference],
    /// Hash of the client.
    pub client: u64,
    /// Hash of the credential; 0 without one.
    pub credential: u64,
}

/// What was learnt before.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What responses say.
    pub memory: &'a Memory,
    /// All that was counted.
    pub stats: &'a Stats,
    /// What was read from successes.
    pub recall: &'a Recall,
}

impl<'a> Case<'a> {
    /// Prepares a refusal; who refused is found by the caller afterwards.
    pub fn new(
        knowledge: &'a Knowledge,
        known: Known<'a>,
        history: &'a History,
        parsed: &ParsedExchange<'a>,
        differences: &'a [Difference],
    ) -> Self {
        let Known { memory, stats, recall } = known;
        let record = parsed.record;
        let exchange = &record.exchange;
        let address = Stats::address(record, history);
        let (place, server) = (stats.place(address), stats.server(address));
        let features = parsed.features();
        let (good, columns, nearness) = accepted(stats, history, address, record);
        let borrowed = nearness != Nearness::Own;
        let (bad, bad_columns) = place.map_or((&[][..], &NONE), |place| (&place.bad[..], &place.bad_columns));
        let sampled = bad.iter().find(|sample| sample.id == exchange.id).map(|sample| sample.voice);
        let find = || exchange.response.as_ref().map_or(0, response_fingerprint::of);
        let sound = sampled.unwrap_or_else(find);
        let similar_refusals = columns::set(bad.iter().map(|sample| sample.voice == sound));
        let against = Against { good: &good, columns: &columns, bad, bad_columns, similar_refusals };
        let hear = |response: &Response| memory.hear(knowledge, response);
        let response = exchange.response.as_ref();
        let heard = response.map(|response| memory.hear_as(knowledge, response, sound)).unwrap_or_default();
        let mut case = Self {
            contrasts: contrasts(&features, &against, stats),
            client: principal::client_of(exchange),
            credential: principal::credential_of(record),
            behaviour: Behaviour::default(),
            refuser: Refuser::Unknown,
            prints: prints(knowledge, &heard, exchange),
            behind: behind(stats, history, record, hear),
            knowledge,
            history,
            record,
            stats,
            recall,
            address,
            place,
            server,
            features,
            good,
            columns,
            borrowed,
            nearness,
            similar_refusals,
            heard,
            own: OnceCell::new(),
            lead: OnceCell::new(),
            separation: OnceCell::new(),
            mine: OnceCell::new(),
            line: OnceCell::new(),
            differences,
            logs: &[],
            path: None,
        };
        case.behaviour = Behaviour::of(&case);
        case
    }
    /// The exchange.
    pub fn exchange(&self) -> &'a Exchange {
        &self.record.exchange
    }
    /// Its request.
    pub fn request(&self) -> Option<&'a Request> {
        self.record.exchange.request.as_ref()
    }
    /// Its response.
    pub fn response(&self) -> Option<&'a Response> {
        self.record.exchange.response.as_ref()
    }
    fn own(&self) -> &[Utterance] {
        let own = self.own.get_or_init(|| {
            let response = self.response()?;
            let text = content(response);
            (!self.is_heard(response, &text)).then(|| utterances(response, text.as_bytes()))
        });
        own.as_ref().unwrap_or(&self.heard.said)
    }
    /// Whether the shared reading is of a response that says letter by letter the same.
    fn is_heard(&self, response: &Response, text: &str) -> bool {
        let fields = response.head.fields();
        let same = |one: &Utterance| {
            let values = || fields.values(&one.name).map(<[u8]>::trim_ascii);
            one.part != Part::ResponseHeader || values().any(|value| value == one.text.as_bytes())
        };
        text == self.heard.text && self.heard.said.iter().all(same)
    }
    /// What this very response says; nothing where that is not as many things as were read.
    pub(super) fn own_said(&self) -> Option<&[Utterance]> {
        let said = self.own();
        (said.len() == self.heard.said.len()).then_some(said)
    }
    /// Points into this exchange.
    pub fn point(&self, part: Part, name: &str) -> Pointer {
        Pointer { exchange: self.record.exchange.id, part, name: name.to_owned(), range: None }
    }
    /// Successes of this very place.
    pub fn own_good(&self) -> &[&'a Sample] {
        if self.borrowed { &[] } else { &self.good }
    }
    /// Their attributes.
    pub fn own_columns(&self) -> &'a Columns {
        match &self.columns {
            Cow::Borrowed(columns) if !self.borrowed => columns,
            _ => &NONE,
        }
    }
    /// The refusals of the place that sound like it, itself included.
    pub fn group(&self) -> impl Iterator<Item = &'a Sample> {
        columns::those(self.place.map_or(&[][..], |place| &place.bad), self.similar_refusals)
    }
    /// Which of them are of the same caller; none where nobody says who asks.
    pub fn mine(&self) -> u64 {
        *self.mine.get_or_init(|| {
            let me = self.features.caller(self.credential);
            columns::set(self.own_good().iter().map(|sample| me != 0 && sample.caller == me))
        })
    }
    /// Which line of a log is about it: "from 10.0.0.7 at …".
    pub fn line(&self) -> &str {
        self.line.get_or_init(|| {
            let client = self.exchange().client.ip().to_canonical();
            format!("from {client} at {}", self.exchange().started())
        })
    }
    /// The attribute that separates all such refusals from all successes of the place.
    pub fn lead(&self) -> Option<(&Contrast<'a>, Lead)> {
        let found = || if self.borrowed { None } else { lead(&self.contrasts, self.knowledge) };
        let lead = (*self.lead.get_or_init(found))?;
        Some((self.contrasts.get(lead.index)?, lead))
    }
    /// How much else may count beside the attribute that leads, unless it is `key` itself: 1 where none leads.
    pub fn beside_lead(&self, key: u64) -> f32 {
        match self.lead() {
            Some((contrast, lead)) if contrast.key != key => {
                if lead.certain {
                    0.2
                } else {
                    0.5
                }
            }
            _ => 1.0,
        }
    }
    /// The strongest separation in the place's own successes that a mechanism exists for.
    pub fn separation(&self) -> f32 {
        *self.separation.get_or_init(|| self.separation_by(|_| true))
    }
    /// The same in the families that `counts` keeps.
    pub fn separation_by(&self, counts: impl Fn(Family) -> bool) -> f32 {
        if self.borrowed {
            return 0.0;
        }
        let strength = |contrast: &Contrast<'_>| {
            let mechanism = self.knowledge.mechanism(contrast.family, contrast.change.id());
            let least = if separates(contrast) { 2.0 } else { 0.0 };
            let most = mechanism.iter().map(|(_, weight)| *weight).fold(least, f32::max);
            contrast.surprise * most / 2.3
        };
        let kept = self.contrasts.iter().filter(|contrast| counts(contrast.family));
        kept.map(strength).fold(0.0, f32::max)
    }
}

/// The successes that a refusal is set against, their attributes, and where they come from: the nearest places that have any.
fn accepted<'a>(
    stats: &'a Stats,
    history: &History,
    address: Address,
    record: &Record,
) -> (Vec<&'a Sample>, Cow<'a, Columns>, Nearness) {
    let of = |place: &'a EndpointStats, nearness| {
        (place.good.iter().collect(), Cow::Borrowed(&place.good_columns), nearness)
    };
    let place = stats.place(address);
    if let Some(place) = place.filter(|place| !place.good.is_empty()) {
        return of(place, Nearness::Own);
    }
    let twins = place.into_iter().flat_map(|place| stats.twins(place, address));
    if let Some(twin) = twins.max_by_key(|twin| twin.good.len()).filter(|twin| twin.good.len() >= 2) {
        return of(twin, Nearness::Node);
    }
    let Some(server) = stats.server(address) else {
        return (Vec::new(), Cow::Borrowed(&NONE), Nearness::Server);
    };
    let template = |record: &Record| history.endpoint(record.endpoint).map(|endpoint| &*endpoint.template);
    let (method, here) = (record.exchange.method(), template(record).unwrap_or_default());
    let beside = |sample: &&Sample| {
        let there = history.get(sample.id).filter(|there| there.exchange.method() == method);
        there.and_then(template).is_some_and(|there| one_segment_apart(here, there))
    };
    let siblings: Vec<&Sample> = server.good.iter().filter(beside).collect();
    if siblings.len() >= 3 {
        let columns = Columns::of(siblings.iter().map(|sample| &*sample.marks));
        return (siblings, Cow::Owned(columns), Nearness::Sibling);
    }
    (server.good.iter().collect(), Cow::Borrowed(server.columns()), Nearness::Server)
}

/// The fingerprints that fit both the response and what was asked.
fn prints<'a>(knowledge: &'a Knowledge, heard: &Heard, exchange: &Exchange) -> Vec<&'a Fingerprint> {
    let known = heard.prints.iter().filter_map(|index| knowledge.fingerprints.get(*index));
    known.filter(|print| print.asked_by(exchange)).collect()
}

/// What refusals said that began and ended while this request was waiting: an authorisation service or the application
/// behind a proxy, seen on its other leg.
fn behind(
    stats: &Stats,
    history: &History,
    record: &Record,
    hear: impl Fn(&Response) -> Arc<Heard>,
) -> Vec<Arc<Heard>> {
    let from = record.exchange.started().0;
    let to = record.exchange.response.as_ref().map_or(from, |response| response.started.0);
    let nested = |brief: &&Event| brief.from > from && brief.to < to && matches!(brief.status, 401 | 403);
    let inner = stats.recent.iter().rev().filter(nested).take(2).filter_map(|brief| history.get(brief.id));
    let other = inner.filter(|inner| inner.exchange.server != record.exchange.server);
    other.filter_map(|inner| inner.exchange.response.as_ref()).map(hear).collect()
}

impl Fingerprint {
    /// Whether the response alone fits, in whose words `found` was found; what costs most is asked last.
    pub fn fits(&self, heard: &Heard, found: &Found, response: &Response) -> bool {
        let fields = response.head.fields();
        self.lacks.as_deref().is_none_or(|name| !fields.has(name))
            && (!self.empty || heard.text.trim().is_empty())
            && self.is_said(found)
            && self.header.iter().all(|(name, regex)| {
                fields.values(name).any(|value| regex.is_match(&String::from_utf8_lossy(value)))
            })
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(&heard.text))
    }
    /// Whether the request has, or lacks, what it must.
    fn asked_by(&self, exchange: &Exchange) -> bool {
        self.request.as_deref().is_none_or(|wanted| {
            let present =
                |name: &str| exchange.request.as_ref().is_some_and(|request| request.head.fields().has(name));
            wanted.strip_prefix('-').map_or_else(|| present(wanted), |name| !present(name))
        })
    }
}

/// The content of a response as text: content codings undone, in UTF-8.
pub fn content(response: &Response) -> String {
    let content = content::read(response.head.fields(), &response.body.kept, WINDOW);
    String::from_utf8_lossy(content.bytes.get(..WINDOW).unwrap_or(&content.bytes)).into_owned()
}
