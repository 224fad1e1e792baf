//! One refusal with everything that rules look at, prepared once.

use std::io::Read;

use super::attribute::Sheet;
use super::behaved::Behaviour;
use super::contrast::{Contrast, contrasts};
use super::knowledge::{Fingerprint, Knowledge};
use super::said::{Utterance, utterances};
use super::stats::{self, Address, Brief, Place, Sample, Server, Stats};
use super::voice;
use crate::history::{History, Record};
use crate::model::{Difference, Exchange, Part, Pointer, Refuser, Request, Response};

/// Most bytes that a compressed error body is inflated to.
const INFLATED: u64 = 64 << 10;

/// One refusal with everything that rules look at.
pub struct Case<'a> {
    /// The data.
    pub knowledge: &'a Knowledge,
    /// The refusal.
    pub record: &'a Record,
    /// All that was counted.
    pub stats: &'a Stats,
    /// Where it belongs.
    pub address: Address,
    /// What is known of the place.
    pub place: Option<&'a Place>,
    /// What is known of the server.
    pub server: Option<&'a Server>,
    /// The request's attributes.
    pub sheet: Sheet,
    /// Successes it is set against.
    pub good: Vec<&'a Sample>,
    /// Whether those are of other places of the server.
    pub borrowed: bool,
    /// Refusals of the place that sound like it, itself included.
    pub group: Vec<&'a Sample>,
    /// What separates them.
    pub contrasts: Vec<Contrast>,
    /// What the response says.
    pub said: Vec<Utterance>,
    /// The response's content, codings undone, at most 64 KiB.
    pub text: String,
    /// All words of the response, folded.
    pub words: String,
    /// Fingerprints that match.
    pub prints: Vec<&'a Fingerprint>,
    /// What the traffic did.
    pub behaviour: Behaviour,
    /// Who refused.
    pub refuser: Refuser,
    /// Differences to the baseline.
    pub differences: &'a [Difference],
    /// Hash of the client.
    pub client: u64,
    /// Hash of the credential; 0 without one.
    pub credential: u64,
}

impl<'a> Case<'a> {
    /// Prepares `record`; who refused is found by the caller afterwards.
    pub fn new(
        knowledge: &'a Knowledge,
        stats: &'a Stats,
        history: &History,
        record: &'a Record,
        differences: &'a [Difference],
    ) -> Self {
        let exchange = &record.exchange;
        let address = Stats::address(record, history);
        let (place, server) = (stats.place(address), stats.server(address));
        let sheet = Sheet::of(exchange);
        let sound = exchange.response.as_ref().map_or(0, voice::of);
        let group: Vec<&Sample> = place
            .map(|place| place.bad.iter().filter(|sample| sample.voice == sound).collect())
            .unwrap_or_default();
        let mut good: Vec<&Sample> = place.map(|place| place.good.iter().collect()).unwrap_or_default();
        let borrowed = good.is_empty();
        if let Some(server) = server.filter(|_| borrowed) {
            good = server.good.iter().collect();
        }
        let text = exchange.response.as_ref().map(content).unwrap_or_default();
        let mut said = exchange
            .response
            .as_ref()
            .map(|response| utterances(response, text.as_bytes()))
            .unwrap_or_default();
        behind(stats, history, record, &mut said);
        let mut words = String::from(" ");
        for one in &said {
            words.push_str(one.words.trim_start());
        }
        let mut case = Self {
            contrasts: contrasts(&sheet, &good, &group, stats),
            client: stats::client_of(exchange),
            credential: stats::credential_of(record),
            behaviour: Behaviour::default(),
            refuser: Refuser::Unknown,
            prints: Vec::new(),
            knowledge,
            record,
            stats,
            address,
            place,
            server,
            sheet,
            good,
            borrowed,
            group,
            said,
            text,
            words,
            differences,
        };
        case.prints = knowledge.fingerprints.iter().filter(|print| print.matches(&case)).collect();
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
    /// Points into this exchange.
    pub fn point(&self, part: Part, name: &str) -> Pointer {
        Pointer { exchange: self.record.exchange.id, part, name: name.to_owned(), range: None }
    }
    /// Successes of this very place.
    pub fn own_good(&self) -> &[&'a Sample] {
        if self.borrowed { &[] } else { &self.good }
    }
    /// The strongest separation in the place's own successes that a mechanism exists for.
    pub fn separation(&self) -> f32 {
        if self.borrowed {
            return 0.0;
        }
        let strength = |contrast: &Contrast| {
            let most = self
                .knowledge
                .mechanism(contrast.family, contrast.change.id())
                .iter()
                .map(|(_, weight)| *weight)
                .fold(0.0, f32::max);
            contrast.surprise * most / 2.3
        };
        self.contrasts.iter().map(strength).fold(0.0, f32::max)
    }
}

/// What refusals said that began and ended while this request was waiting: an authorisation service or the application
/// behind a proxy, seen on its other leg.
fn behind(stats: &Stats, history: &History, record: &Record, said: &mut Vec<Utterance>) {
    let from = record.exchange.started().0;
    let to = record.exchange.response.as_ref().map_or(from, |response| response.started.0);
    let nested = |brief: &&Brief| brief.from > from && brief.to < to && matches!(brief.status, 401 | 403);
    for brief in stats.recent.iter().rev().filter(nested).take(2) {
        let Some(inner) = history.get(brief.id) else { continue };
        if inner.exchange.server == record.exchange.server {
            continue;
        }
        let Some(response) = &inner.exchange.response else { continue };
        for mut one in utterances(response, content(response).as_bytes()) {
            one.name.push_str(" behind it");
            said.push(one);
        }
    }
}

impl Fingerprint {
    fn matches(&self, case: &Case<'_>) -> bool {
        let Some(response) = case.response() else { return false };
        let fields = response.head.fields();
        let has = |name: &str| fields.has(name);
        self.lacks.as_deref().is_none_or(|name| !has(name))
            && (!self.empty || case.text.trim().is_empty())
            && self.header.iter().all(|(name, regex)| {
                fields.values(name).any(|value| regex.is_match(&String::from_utf8_lossy(value)))
            })
            && (self.says.is_empty() || self.says.iter().any(|phrase| contains(&case.words, phrase)))
            && self.says_all.iter().all(|phrase| contains(&case.words, phrase))
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(&case.text))
            && self.request.as_deref().is_none_or(|wanted| {
                let present =
                    |name: &str| case.request().is_some_and(|request| request.head.fields().has(name));
                wanted.strip_prefix('-').map_or_else(|| present(wanted), |name| !present(name))
            })
    }
}

fn contains(words: &str, phrase: &str) -> bool {
    words.match_indices(phrase).any(|(at, _)| at == 0 || words.as_bytes().get(at - 1) == Some(&b' '))
}

/// The content of a response with gzip or deflate undone, as text.
fn content(response: &Response) -> String {
    let kept = response.body.kept.get(..response.body.kept.len().min(INFLATED as usize)).unwrap_or_default();
    let coding = response.head.fields().text("content-encoding").unwrap_or_default().to_ascii_lowercase();
    let mut out = Vec::new();
    let inflated = match coding.as_str() {
        "gzip" | "x-gzip" => {
            flate2::read::MultiGzDecoder::new(kept).take(INFLATED).read_to_end(&mut out).is_ok()
                || !out.is_empty()
        }
        "deflate" => {
            flate2::read::ZlibDecoder::new(kept).take(INFLATED).read_to_end(&mut out).is_ok()
                || !out.is_empty()
        }
        "br" => {
            brotli_decompressor::Decompressor::new(kept, 4096).take(INFLATED).read_to_end(&mut out).is_ok()
                || !out.is_empty()
        }
        _ => false,
    };
    String::from_utf8_lossy(if inflated { &out } else { kept }).into_owned()
}
