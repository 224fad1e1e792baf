//! Runs a query over the columns of the history: a chunk of 4,096 exchanges at a time, and into the exchanges themselves
//! only for those that everything cheaper has let through.

pub(super) mod ask;
pub(super) mod heads;
pub(super) mod needle;
pub(super) mod parallel;

use crate::features::Target;
use crate::filter::Context;
use crate::filter::evaluate::ask::{Reach, ask, ask_pieces};
use crate::filter::evaluate::heads::Heads;
use crate::filter::parse::Node;
use crate::filter::term::{Is, Side, Term, has_parameter, host};
use crate::filter::values::number::Numbers;
use crate::filter::values::text::Text;
use crate::history::Record;
use crate::history::store::columns::{Bitmap, Chunk, Columns, WORDS, flag, ones, set};
use crate::model::{AnomalySet, EndpointId, Outcome};

/// What a query knows of the endpoints and methods of a history, looked up once and not per exchange. Valid until the
/// history changes.
#[derive(Debug, Default)]
pub struct Prepared {
    /// For each term about endpoints, in the order of the query: whether the endpoint of that number matches.
    endpoints: Vec<Vec<Answer>>,
    /// For each term about methods: whether the method of that number matches.
    methods: Vec<Vec<bool>>,
    /// For each term about fields: what the shape of that number says.
    heads: Vec<Heads>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    No,
    Yes,
    /// The endpoint stands for many: ask the exchange.
    Ask,
}

impl Prepared {
    pub(crate) fn new(node: &Node, context: &Context<'_>) -> Self {
        let mut prepared = Self::default();
        prepared.visit(node, context);
        prepared
    }

    fn visit(&mut self, node: &Node, context: &Context<'_>) {
        match node {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| self.visit(node, context)),
            Node::Not(node) => self.visit(node, context),
            Node::Term(leaf) => match &leaf.term {
                Term::Endpoint(texts) => {
                    self.endpoints.push(endpoints(context, |name, _| any(texts, name)));
                }
                Term::Host(texts) => {
                    self.endpoints.push(endpoints(context, |_, authority| any(texts, authority)));
                }
                Term::Method(texts) => {
                    let methods = context.history.methods().iter();
                    self.methods.push(methods.map(|method| any(texts, method.as_bytes())).collect());
                }
                term => self.heads.extend(Heads::of(term, context.history)),
            },
        }
    }
}

fn any(texts: &[Text], value: &[u8]) -> bool {
    texts.iter().any(|text| text.matches(value))
}

fn endpoints(context: &Context<'_>, test: impl Fn(&[u8], &[u8]) -> bool) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (id, state) in context.history.endpoints() {
        let endpoint = &state.endpoint;
        answers.resize(id.0 as usize + 1, Answer::No);
        if let Some(answer) = answers.last_mut() {
            *answer = match () {
                () if &*endpoint.authority == "*" => Answer::Ask,
                () if test(endpoint.to_string().as_bytes(), endpoint.authority.as_bytes()) => Answer::Yes,
                () => Answer::No,
            };
        }
    }
    answers
}

/// The rows among `candidates` that `node` lets through.
pub(crate) fn rows(
    node: &Node,
    chunk: &Chunk,
    candidates: &Bitmap,
    prepared: &Prepared,
    context: &Context<'_>,
) -> Bitmap {
    let mut next = Slots::default();
    let mut found = Run { chunk, prepared, context }.node(node, candidates, &mut next);
    without_legs(&mut found, &chunk.columns().flags);
    found
}

/// Takes out inner legs of other exchanges, which are shown with those.
fn without_legs(found: &mut Bitmap, flags: &[u8]) {
    for (word, flags) in found.iter_mut().zip(flags.chunks(64)) {
        for (bit, _) in flags.iter().enumerate().filter(|(_, flags)| **flags & flag::LEG != 0) {
            *word &= !(1 << bit);
        }
    }
}

/// Which entry of [`Prepared`] the next term uses.
#[derive(Clone, Copy, Default)]
struct Slots {
    endpoints: usize,
    methods: usize,
    heads: usize,
}

struct Run<'a, 'c> {
    chunk: &'a Chunk,
    prepared: &'a Prepared,
    context: &'a Context<'c>,
}

impl<'a> Run<'a, '_> {
    fn node(&self, node: &Node, candidates: &Bitmap, slots: &mut Slots) -> Bitmap {
        match node {
            Node::All(nodes) => nodes.iter().fold(*candidates, |left, node| self.node(node, &left, slots)),
            Node::Any(nodes) => {
                let mut found = [0; WORDS];
                for node in nodes {
                    let left = combine(candidates, &found, |candidate, found| candidate & !found);
                    found = combine(&found, &self.node(node, &left, slots), |one, two| one | two);
                }
                found
            }
            Node::Not(node) => {
                let found = self.node(node, candidates, slots);
                combine(candidates, &found, |candidate, found| candidate & !found)
            }
            Node::Term(leaf) => self.term(&leaf.term, candidates, slots),
        }
    }

    fn term(&self, term: &Term, candidates: &Bitmap, slots: &mut Slots) -> Bitmap {
        let columns = self.chunk.columns();
        let has =
            |wanted: AnomalySet| move |set: AnomalySet| wanted.iter().any(|anomaly| set.contains(anomaly));
        match term {
            Term::Status(Numbers(ranges)) => scan(&columns.status, candidates, |status| {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&status.into()))
            }),
            Term::Latency(numbers) => {
                scan(&columns.latency, candidates, |latency| latency != i64::MIN && numbers.contains(latency))
            }
            Term::Id(numbers) => {
                scan(&columns.id, candidates, |id| numbers.contains(i64::try_from(id).unwrap_or(i64::MAX)))
            }
            Term::Since(when) => {
                let from = when.resolve(self.context.now);
                scan(&columns.started, candidates, |started| started >= from)
            }
            Term::Until(when) => {
                let to = when.resolve(self.context.now);
                scan(&columns.started, candidates, |started| started < to)
            }
            Term::Client(addresses) => {
                scan(&columns.client, candidates, |bits| addresses.iter().any(|a| a.contains(bits)))
            }
            Term::Outcome(outcomes) => {
                scan(&columns.outcome, candidates, |outcome| outcomes.contains(&outcome))
            }
            Term::Anomaly(wanted) => scan(&columns.anomalies, candidates, has(*wanted)),
            Term::Is(kinds) => is(columns, candidates, kinds),
            Term::Method(_) => {
                let known = self.prepared.methods.get(slots.methods).map_or(&[][..], Vec::as_slice);
                slots.methods += 1;
                let found =
                    scan(&columns.method, candidates, |method| known.get(usize::from(method)) == Some(&true));
                let unknown = scan(&columns.method, candidates, |method| method == 0);
                let found = combine(&found, &unknown, |found, unknown| found & !unknown);
                combine(&found, &self.ask(term, &unknown), |one, two| one | two)
            }
            Term::Endpoint(_) | Term::Host(_) => self.endpoint(term, candidates, slots),
            Term::Field(..) | Term::Cookie(_) => {
                let heads = self.prepared.heads.get(slots.heads);
                slots.heads += 1;
                match heads {
                    Some(heads) => heads.rows(self.chunk, candidates, term, |left| self.ask(term, left)),
                    None => self.ask(term, candidates),
                }
            }
            Term::Target(texts) => self.targets(term, candidates, |target| any(texts, target)),
            Term::Path(texts) => {
                self.targets(term, candidates, |target| any(texts, Target::parse(target).path))
            }
            Term::Query(named) => self.targets(term, candidates, |target| has_parameter(target, named)),
            Term::Body(side, texts) => self.bodies(term, candidates, *side, texts),
            _ => self.ask(term, candidates),
        }
    }

    /// The candidates of which a body matches. Bodies are searched as they were sent, so that their heads need not be read,
    /// unless a coding was applied.
    fn bodies(&self, term: &Term, candidates: &Bitmap, side: Side, texts: &[Text]) -> Bitmap {
        let coded = scan(&self.chunk.columns().flags, candidates, |flags| flags & flag::CODED != 0);
        let plain = combine(candidates, &coded, |candidate, coded| candidate & !coded);
        let bodies = |at, record: &'a Record, to: &mut Vec<_>| {
            let exchange = &record.exchange;
            if let Some(request) = exchange.request.as_ref().filter(|_| side != Side::Response) {
                to.push((at, &request.body));
            }
            if let Some(response) = exchange.response.as_ref().filter(|_| side != Side::Request) {
                to.push((at, &response.body));
            }
        };
        let found = ask_pieces(self.chunk, &plain, bodies, |body| &body.kept, |_, kept| any(texts, kept));
        combine(&found, &self.ask(term, &coded), |one, two| one | two)
    }

    /// The candidates whose request has a target that passes.
    fn targets(&self, term: &Term, candidates: &Bitmap, test: impl Fn(&[u8]) -> bool) -> Bitmap {
        let texts = self.chunk.texts();
        let (mut found, mut asked) = ([0; WORDS], [0; WORDS]);
        for at in ones(candidates) {
            match texts.target(at) {
                Some(target) if test(target) => set(&mut found, at),
                Some(_) => {}
                None => set(&mut asked, at),
            }
        }
        combine(&found, &self.ask(term, &asked), |one, two| one | two)
    }

    fn endpoint(&self, term: &Term, candidates: &Bitmap, slots: &mut Slots) -> Bitmap {
        let answers = self.prepared.endpoints.get(slots.endpoints).map_or(&[][..], Vec::as_slice);
        slots.endpoints += 1;
        let column = &self.chunk.columns().endpoint;
        let answer = |id: EndpointId| answers.get(id.0 as usize).copied().unwrap_or(Answer::Ask);
        let found = scan(column, candidates, |id| answer(id) == Answer::Yes);
        let asked = scan(column, candidates, |id| answer(id) == Answer::Ask);
        combine(&found, &self.ask(term, &asked), |one, two| one | two)
    }

    /// Looks into the exchanges.
    fn ask(&self, term: &Term, candidates: &Bitmap) -> Bitmap {
        match term {
            Term::Host(texts) => {
                ask(self.chunk, candidates, Reach::of(term), |record| host(record, self.context, texts))
            }
            _ => ask(self.chunk, candidates, Reach::of(term), |record| term.matches(record, self.context)),
        }
    }
}

fn is(columns: &Columns, candidates: &Bitmap, kinds: &[Is]) -> Bitmap {
    let mut found = [0; WORDS];
    for kind in kinds {
        let rows = match kind {
            Is::Success => scan(&columns.flags, candidates, |flags| flags & flag::SUCCESS != 0),
            Is::Refusal => scan(&columns.flags, candidates, |flags| flags & flag::REFUSAL != 0),
            Is::Answered => scan(&columns.status, candidates, |status| status != 0),
            Is::Unanswered => scan(&columns.status, candidates, |status| status == 0),
            Is::Orphan => scan(&columns.outcome, candidates, |outcome| outcome == Outcome::Orphan),
            Is::Odd => scan(&columns.anomalies, candidates, |set| !set.is_empty()),
        };
        found = combine(&found, &rows, |one, two| one | two);
    }
    found
}

/// The candidates whose value passes.
pub(crate) fn scan<T: Copy>(column: &[T], candidates: &Bitmap, test: impl Fn(T) -> bool) -> Bitmap {
    let mut found = [0; WORDS];
    for ((values, candidates), found) in column.chunks(64).zip(candidates).zip(&mut found) {
        if *candidates == 0 {
            continue;
        }
        let mut bits = 0_u64;
        for (at, value) in values.iter().enumerate() {
            bits |= u64::from(test(*value)) << at;
        }
        *found = bits & candidates;
    }
    found
}

pub(crate) fn combine(one: &Bitmap, two: &Bitmap, with: impl Fn(u64, u64) -> u64) -> Bitmap {
    let mut result = *one;
    for (one, two) in result.iter_mut().zip(two) {
        *one = with(*one, *two);
    }
    result
}
