//! Whether one exchange is what a proxy made of another.

use std::net::IpAddr;
use std::sync::OnceLock;

use ahash::RandomState;
use smallvec::SmallVec;

use crate::features::forwarded_addresses;
use crate::model::{Body, Exchange, Fields, LegRole};

/// Fields that proxies set, replace or drop, so that another value says nothing against a pair.
const REWRITTEN: [&str; 24] = [
    "host",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "accept-encoding",
    "upgrade",
    "via",
    "forwarded",
    "authorization",
    "cookie",
    "max-forwards",
    "cdn-loop",
    "expect",
    "b3",
    "tracestate",
    "traceparent",
    "from",
    "origin",
    "referer",
    "user-agent",
];
/// The same, by how their names begin.
const REWRITTEN_FAMILIES: [&str; 8] =
    ["x-forwarded-", "x-real-", "x-original-", "proxy-", "x-envoy-", "x-amzn-", "cf-", "x-b3-"];
/// Fields that name a request or a trace.
const IDS: [&str; 6] =
    ["x-request-id", "x-correlation-id", "x-trace-id", "x-amzn-trace-id", "request-id", "x-b3-traceid"];
/// Fields in which a sub-request for authorization names the target that it is about.
const ORIGINAL: [&str; 5] = [
    "x-original-uri",
    "x-original-url",
    "x-forwarded-uri",
    "x-auth-request-redirect",
    "x-envoy-original-path",
];
/// Fields that say for whom a request is made.
const FOR_WHOM: [&str; 5] = ["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-request-id"];
/// Nanoseconds by which frames of two interfaces may be out of order.
const SLACK: i64 = 500_000;
/// Fields of one head that are compared, at most.
const MAX_FIELDS: usize = 64;
/// What a pair has to come to.
const ENOUGH: f32 = 5.0;

/// What is compared of an exchange, taken from it once.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits {
    /// Nanoseconds of the request's first byte, and of the response's first and last byte.
    started: i64,
    answered: i64,
    pub(super) ended: i64,
    /// Taken when it is first compared.
    names: OnceLock<Names>,
}

/// What an exchange says of itself and of for whom it was made.
#[derive(Clone, Debug, Default)]
struct Names {
    /// Hashes of the ids that its fields name.
    ids: SmallVec<[u64; 4]>,
    /// The trace id of W3C Trace Context.
    trace: Option<u64>,
    /// Addresses for which it says that it asks.
    forwarded: Vec<IpAddr>,
}

/// How well two exchanges agree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    score: f32,
    /// Whether the request was passed on, or asked about.
    role: LegRole,
    started: i64,
    answered: i64,
}

impl Traits {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let Some(request) = &exchange.request else { return Self::default() };
        let response = exchange.response.as_ref();
        Self {
            started: request.started.0,
            answered: response.map_or(request.ended.0, |response| response.started.0),
            ended: response.map_or(request.ended.0, |response| response.ended.0),
            names: OnceLock::new(),
        }
    }

    fn names(&self, exchange: &Exchange) -> &Names {
        self.names.get_or_init(|| Names::of(exchange))
    }

    /// Whether everything ended before this one began.
    pub(super) fn is_after(&self, other: &Self) -> bool {
        other.ended < self.started - SLACK
    }

    /// Whether `inner` began and was answered while this one waited.
    pub(super) fn contains(&self, inner: &Self) -> bool {
        inner.started >= self.started - SLACK && inner.answered <= self.answered + SLACK
    }
}

impl Names {
    fn of(exchange: &Exchange) -> Self {
        let Some(request) = &exchange.request else { return Self::default() };
        let fields = request.head.fields();
        let trace = fields.text("traceparent").and_then(|value| value.split('-').nth(1)).map(hash);
        let answer = exchange.response.as_ref().map(|response| response.head.fields());
        let ids =
            IDS.iter().flat_map(|name| [fields.text(name), answer.and_then(|fields| fields.text(name))]);
        let ids = ids.flatten().filter(|id| id.len() >= 6).map(hash).collect();
        Self { ids, trace, forwarded: forwarded_addresses(fields) }
    }
}

/// Whether a request names the client for whom it is made, or itself.
pub(super) fn says_for_whom(fields: &Fields) -> bool {
    FOR_WHOM.iter().any(|name| fields.has(name))
}

/// How `inner` agrees with `outer`, which contains it in time; `None` where it is not a leg of it.
pub(super) fn compare(
    outer: (&Exchange, &Traits),
    inner: (&Exchange, &Traits),
    rewrite: Option<&(Vec<u8>, Vec<u8>)>,
) -> Option<Match> {
    let ((outer, outer_traits), (inner, inner_traits)) = (outer, inner);
    let (asked, passed) = (outer.request.as_ref()?, inner.request.as_ref()?);
    let (outer_names, inner_names) = (outer_traits.names(outer), inner_traits.names(inner));
    let whom = for_whom(outer, outer_names, inner_names)?;
    if matches!((outer_names.trace, inner_names.trace), (Some(one), Some(other)) if one != other) {
        return None;
    }
    let is_same_trace = outer_names.trace.is_some() && outer_names.trace == inner_names.trace;
    let named = is_same_trace || outer_names.ids.iter().any(|id| inner_names.ids.contains(id));
    let here = outer.server.ip() == inner.client.ip();
    if !(here || named || whom > 0.0) {
        return None;
    }
    let fields = fields(asked.head.fields(), passed.head.fields())?;
    let base = fields + whom + if named { 3.0 } else { 0.0 } + if here { 1.0 } else { 0.0 };
    let matched = |score, role| {
        let (started, answered) = (inner_traits.started, inner_traits.answered);
        Some(Match { score, role, started, answered })
    };
    if let Some(original) = ORIGINAL.iter().find_map(|name| passed.head.fields().value(name)) {
        let is_about = original == asked.head.target() || original.ends_with(asked.head.target());
        if is_about && passed.head.target() != asked.head.target() && passed.body.len == 0 {
            return matched(base + 3.0, LegRole::Check);
        }
    }
    if asked.head.method() == passed.head.method() {
        let target = target(asked.head.target(), passed.head.target(), rewrite);
        let body = body(&asked.body, &passed.body);
        let answer = answer(outer, inner);
        if let (Some(body), true) = (body, target > 0.0 || named) {
            let score = base + target + body + answer;
            return (score >= ENOUGH).then_some(()).and_then(|()| matched(score, LegRole::Forwarded));
        }
    }
    // A sub-request of nginx's auth_request: a GET of another path with the fields of the request.
    let is_check =
        here && fields >= 1.0 && passed.head.method() == "GET" && passed.head.target() != asked.head.target();
    if is_check { matched(base, LegRole::Check) } else { None }
}

/// The legs among what agrees: the best that was passed on, and what was asked about it before.
pub(super) fn choose(found: &[(u64, Match)]) -> Vec<(u64, LegRole)> {
    let better = |a: &&(u64, Match), b: &&(u64, Match)| {
        let key = |one: &Match| (one.score, one.answered);
        let ((a, at), (b, bt)) = (key(&a.1), key(&b.1));
        a.total_cmp(&b).then(at.cmp(&bt))
    };
    let is = |role: LegRole| move |one: &&(u64, Match)| one.1.role == role;
    let main = found.iter().filter(is(LegRole::Forwarded)).max_by(better);
    let before = main.map_or(i64::MAX, |main| main.1.started);
    let checks = || found.iter().filter(is(LegRole::Check)).filter(|one| one.1.answered <= before);
    let check = checks().max_by(better);
    // Several that agree equally may be those of other requests.
    let check = check.filter(|best| checks().filter(|one| one.1.score >= best.1.score).count() == 1);
    // A check with the same target, as Envoy's ext_authz sends it, was answered before the request went on.
    let same = |one: &&(u64, Match)| {
        one.1.role == LegRole::Forwarded
            && main.is_some_and(|main| {
                one.0 != main.0 && one.1.answered <= before && one.1.score >= main.1.score - 2.0
            })
    };
    let twin = found.iter().filter(same).max_by(better);
    let twin = twin.filter(|_| check.is_none() && found.iter().filter(same).count() == 1);
    let checks = check.or(twin).map(|one| (one.0, LegRole::Check));
    checks.into_iter().chain(main.map(|one| (one.0, LegRole::Forwarded))).collect()
}

/// How a path was rewritten: what its beginning was, and what it became; `None` where nothing of it stayed.
pub(super) fn rewrite(outer: &[u8], inner: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let common = outer.iter().rev().zip(inner.iter().rev()).take_while(|(a, b)| a == b).count();
    let end = |target: &[u8]| target.get(target.len() - common..).map(<[u8]>::to_vec).unwrap_or_default();
    // From a slash on, so that a part of a segment is no rule.
    let slash = end(outer).iter().position(|byte| *byte == b'/')?;
    let kept = common - slash;
    let start = |target: &[u8]| target.get(..target.len() - kept).map(<[u8]>::to_vec).unwrap_or_default();
    Some((start(outer), start(inner)))
}

/// How the targets agree: the same, one with a prefix of the other's taken off or put on, or one as learnt.
fn target(outer: &[u8], inner: &[u8], learnt: Option<&(Vec<u8>, Vec<u8>)>) -> f32 {
    if outer == inner {
        return 3.0;
    }
    let tails =
        learnt.map(|(from, to)| (outer.strip_prefix(from.as_slice()), inner.strip_prefix(to.as_slice())));
    if matches!(tails, Some((Some(a), Some(b))) if a == b) {
        return 3.0;
    }
    let is_suffix =
        |long: &[u8], short: &[u8]| short.len() > 1 && short.starts_with(b"/") && long.ends_with(short);
    if is_suffix(outer, inner) || is_suffix(inner, outer) {
        return 2.0;
    }
    match self::rewrite(outer, inner) {
        Some((from, _)) if outer.len() - from.len() > 1 => 1.0,
        _ => 0.0,
    }
}

/// How the fields agree that proxies leave alone; `None` where one has another value.
fn fields(outer: &Fields, inner: &Fields) -> Option<f32> {
    let mut same = 0;
    for field in inner.iter().take(MAX_FIELDS) {
        let name = field.name_text();
        let Some(value) = outer.value(&name) else { continue };
        if value == field.value {
            same += 1;
        } else if !is_rewritten(&name) && outer.values(&name).all(|value| value != field.value) {
            return None;
        }
    }
    Some((same as f32 * 0.5).min(3.0))
}

fn is_rewritten(name: &str) -> bool {
    let begins =
        |family: &str| name.get(..family.len()).is_some_and(|start| start.eq_ignore_ascii_case(family));
    REWRITTEN.iter().chain(&IDS).any(|known| name.eq_ignore_ascii_case(known))
        || REWRITTEN_FAMILIES.iter().any(|family| begins(family))
}

/// How well the client for whom `inner` asks is that of `outer`; `None` where it is another.
fn for_whom(outer: &Exchange, outer_names: &Names, inner: &Names) -> Option<f32> {
    if inner.forwarded.is_empty() {
        return Some(0.0);
    }
    let client = outer.client.ip().to_canonical();
    let mut named = inner.forwarded.iter().map(IpAddr::to_canonical);
    let is_known = named.any(|one| one == client || outer_names.forwarded.contains(&one));
    is_known.then_some(2.0)
}

/// How the contents of the requests agree; `None` where they differ.
fn body(outer: &Body, inner: &Body) -> Option<f32> {
    match (outer.len, inner.len) {
        (0, 0) => Some(0.5),
        (a, b) if a == b && outer.kept == inner.kept => Some(if a >= 8 { 3.0 } else { 1.0 }),
        _ => None,
    }
}

fn answer(outer: &Exchange, inner: &Exchange) -> f32 {
    let (Some(a), Some(b)) = (&outer.response, &inner.response) else { return 0.0 };
    let status = if a.head.status() == b.head.status() { 0.5 } else { -0.5 };
    let content = if a.body.len == b.body.len && a.body.kept == b.body.kept { 1.5 } else { 0.0 };
    status + content
}

fn hash(text: &str) -> u64 {
    // Never leaves the process; the same seeds within one.
    static STATE: std::sync::LazyLock<RandomState> = std::sync::LazyLock::new(RandomState::new);
    STATE.hash_one(text)
}
