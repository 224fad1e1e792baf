//! The times of a place's late exchanges, sorted once for all refusals that ask about them.

use std::collections::VecDeque;
use std::sync::OnceLock;

use crate::explain::contrast::stats::Event;
use crate::explain::rules::timing::line::Line;

/// Requests of a place in the order in which they began.
#[derive(Debug, Default)]
pub struct Timeline {
    briefs: Vec<Event>,
    all: OnceLock<Line>,
    clients: OnceLock<Callers>,
    credentials: OnceLock<Callers>,
}

/// By what requests are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The client's address.
    Client,
    /// The credential.
    Credential,
}

impl Timeline {
    /// Of the times of a place, oldest answer first.
    pub fn of(briefs: &VecDeque<Event>) -> Self {
        let mut briefs: Vec<Event> = briefs.iter().copied().collect();
        if !briefs.is_sorted_by_key(|brief| brief.from) {
            briefs.sort_by_key(|brief| brief.from);
        }
        Self { briefs, ..Self::default() }
    }
    /// Of everybody.
    pub fn all(&self) -> &Line {
        self.all.get_or_init(|| Line::of(self.briefs.iter()))
    }
    /// Of one client or credential.
    pub fn own(&self, by: By, who: u64) -> Option<&Line> {
        let callers = self.callers(by);
        let at = callers.all.binary_search_by_key(&who, |caller| caller.who).ok()?;
        let caller = callers.all.get(at)?;
        Some(caller.line.get_or_init(|| Line::of(callers.briefs(caller, &self.briefs))))
    }
    /// Whether a success of somebody else came after at least `count` requests of theirs within `window`.
    pub fn others_reach(&self, by: By, me: u64, window: i64, count: u32) -> bool {
        let (count, callers) = (count as usize, self.callers(by));
        let others = callers.all.iter().filter(|caller| caller.who != me && caller.len() > count);
        others.into_iter().any(|other| {
            let (mut start, mut end) = (0, 0);
            let mut from = callers.briefs(other, &self.briefs);
            let mut late = from.clone();
            let (mut first, mut next) = (late.next(), from.next());
            callers.briefs(other, &self.briefs).any(|this| {
                while next.is_some_and(|brief| brief.from < this.from) {
                    (next, end) = (from.next(), end + 1);
                }
                while first.is_some_and(|brief| brief.from < this.from.saturating_sub(window)) {
                    (first, start) = (late.next(), start + 1);
                }
                this.ok && end - start >= count
            })
        })
    }

    fn callers(&self, by: By) -> &Callers {
        match by {
            By::Client => self.clients.get_or_init(|| Callers::of(&self.briefs, |brief| brief.client)),
            By::Credential => {
                self.credentials.get_or_init(|| Callers::of(&self.briefs, |brief| brief.credential))
            }
        }
    }
}

/// Whose each request is.
#[derive(Debug)]
struct Callers {
    /// Indices of requests, those of one caller together, each in the order of time.
    order: Box<[u32]>,
    /// By who they are.
    all: Box<[Caller]>,
}

#[derive(Debug)]
struct Caller {
    who: u64,
    /// The part of the order that is theirs.
    from: u32,
    to: u32,
    line: OnceLock<Line>,
}

impl Caller {
    const fn len(&self) -> usize {
        self.to.saturating_sub(self.from) as usize
    }
}

impl Callers {
    fn of(briefs: &[Event], who: impl Fn(&Event) -> u64) -> Self {
        let mut order: Vec<(u64, u32)> = briefs.iter().map(&who).zip(0..).collect();
        order.sort_unstable();
        let mut from = 0;
        let caller = |run: &[(u64, u32)]| {
            let to = from + run.len() as u32;
            let caller = Caller { who: run.first()?.0, from, to, line: OnceLock::new() };
            from = to;
            Some(caller)
        };
        let all = order.chunk_by(|a, b| a.0 == b.0).filter_map(caller).collect();
        Self { order: order.into_iter().map(|(_, at)| at).collect(), all }
    }

    fn briefs<'a>(&'a self, caller: &Caller, briefs: &'a [Event]) -> impl Iterator<Item = &'a Event> + Clone {
        let own = self.order.get(caller.from as usize..caller.to as usize).unwrap_or_default();
        own.iter().filter_map(|at| briefs.get(*at as usize))
    }
}
