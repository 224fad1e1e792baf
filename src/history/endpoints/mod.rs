//! Which endpoint an exchange belongs to, and what is remembered of each endpoint.

pub mod authority;
pub mod path_templates;
pub mod segment;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;
use smallvec::SmallVec;

use crate::features::{Target, target};
use crate::history::endpoints::path_templates::{MAX_NODES, Merge, NodeId, REST, Trie};
use crate::history::noise::Noise;
use crate::history::openapi::OpenApi;
use crate::history::store::columns::{Row, flag};
use crate::model::{Endpoint, EndpointId, Exchange, ExchangeId};

/// Most endpoints of a run; what comes beyond belongs to one that stands for all others of its authority.
pub const MAX_ENDPOINTS: usize = 1 << 14;
/// Most authorities; what comes beyond shares the authority `*`.
pub const MAX_AUTHORITIES: usize = 1 << 12;
/// Most methods; what comes beyond is `*`.
const MAX_METHODS: usize = 250;
/// Longest method that is kept.
const MAX_METHOD: usize = 32;
/// Slots of the memory of paths seen; a slot forgets when another path takes it.
const SLOTS: usize = 1 << 14;
/// Clients and principals whose last success is remembered, per endpoint.
pub const MAX_CALLERS: usize = 8;

/// The root of the tree for authorities beyond the bound.
const STAR: NodeId = 0;

/// What is remembered of one endpoint.
#[derive(Debug)]
pub struct EndpointState {
    /// Its name.
    pub endpoint: Endpoint,
    /// Exchanges seen, kept or not.
    pub exchanges: u64,
    /// Successes seen, kept or not.
    pub successes: u64,
    /// Refusals (4xx) seen, kept or not.
    pub refusals: u64,
    /// The last success that is kept.
    pub last_success: Option<ExchangeId>,
    /// What varies between its successes.
    pub noise: Noise,
    /// Kept successes, ascending; evicted ones may linger until they are at the front.
    pub(crate) kept: VecDeque<Kept>,
    /// Number of evicted ones in `kept`.
    pub(crate) stale: usize,
    /// A client's address → its last success, the latest last.
    pub(crate) clients: SmallVec<[(u128, u64); 1]>,
    /// Principal → its last success, the latest last.
    pub(crate) principals: SmallVec<[(u64, u64); 1]>,
    /// Clients and principals with a success, for a quick "never".
    pub(crate) callers: Callers,
    alias: Option<EndpointId>,
}

/// A set of short hashes that may hold more than was put in, never less.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Callers([u64; 16]);

impl Callers {
    pub(crate) fn add(&mut self, hash: u32) {
        if let Some(word) = self.0.get_mut(hash as usize / 64 % 16) {
            *word |= 1 << (hash % 64);
        }
    }
    pub(crate) fn has(&self, hash: u32) -> bool {
        self.0.get(hash as usize / 64 % 16).is_some_and(|word| word & (1 << (hash % 64)) != 0)
    }
    fn absorb(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }
}

/// A success in an endpoint's list: enough to search the list by caller without a look at the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) id: u64,
    /// Short hash of the client's address.
    pub(crate) client: u32,
    /// Short hash of the principal; 0 for nobody.
    pub(crate) principal: u32,
}

impl Kept {
    pub(crate) fn new(row: &Row) -> Self {
        let client = (row.client as u64 ^ (row.client >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { id: row.id, client: (client >> 32) as u32, principal: row.principal as u32 }
    }
}

/// All endpoints of a run.
#[derive(Debug)]
pub struct Endpoints {
    states: Vec<EndpointState>,
    trie: Trie,
    authorities: HashMap<Box<str>, NodeId, RandomState>,
    methods: Vec<Box<str>>,
    openapi: Option<OpenApi>,
    hasher: RandomState,
    /// Hash of method, authority and path → endpoint.
    seen: Box<[(u64, EndpointId)]>,
    merges: Vec<Merge>,
    released: Vec<(u64, u8)>,
    host: String,
    template: String,
    bytes: u64,
}

impl Default for Endpoints {
    fn default() -> Self {
        let mut trie = Trie::default();
        trie.root();
        Self {
            states: Vec::new(),
            trie,
            authorities: HashMap::default(),
            methods: vec!["*".into()],
            openapi: None,
            hasher: RandomState::new(),
            seen: vec![(0, EndpointId(0)); SLOTS].into(),
            merges: Vec::new(),
            released: Vec::new(),
            host: String::new(),
            template: String::new(),
            bytes: 0,
        }
    }
}

impl Endpoints {
    /// Templates from a description of the API; they win over what is guessed.
    pub fn set_openapi(&mut self, openapi: OpenApi) {
        self.openapi = Some(openapi);
    }
    /// Hashes names and values for what is learnt.
    pub(crate) fn hasher(&self) -> &RandomState {
        &self.hasher
    }
    /// The methods seen; number 0 stands for those beyond the bound.
    pub fn methods(&self) -> &[Box<str>] {
        &self.methods
    }
    /// The endpoint that `id` is now (endpoints merge when a segment is learnt).
    pub fn canonical(&self, id: EndpointId) -> EndpointId {
        let mut id = id;
        while let Some(alias) = self.states.get(id.0 as usize).and_then(|state| state.alias) {
            id = alias;
        }
        id
    }
    /// What is remembered of `id`, or of what it has become.
    pub fn state(&self, id: EndpointId) -> Option<&EndpointState> {
        self.states.get(self.canonical(id).0 as usize)
    }
    pub(crate) fn state_mut(&mut self, id: EndpointId) -> Option<&mut EndpointState> {
        let id = self.canonical(id);
        self.states.get_mut(id.0 as usize)
    }
    /// Every endpoint that is not merged into another, in the order in which they were first seen.
    pub fn iter(&self) -> impl Iterator<Item = (EndpointId, &EndpointState)> {
        let numbered = self.states.iter().enumerate();
        numbered.filter(|(_, state)| state.alias.is_none()).map(|(at, state)| (EndpointId(at as u32), state))
    }
    /// Merges since the last call, in order: the first is now the second.
    pub(crate) fn take_merges(&mut self) -> Vec<Merge> {
        std::mem::take(&mut self.merges)
    }
    /// Successes that are no longer the last of their endpoint since it was merged, with the flag they lose.
    pub(crate) fn take_released(&mut self) -> Vec<(u64, u8)> {
        std::mem::take(&mut self.released)
    }
    /// Whether [`Self::take_merges`] would give any.
    pub(crate) fn has_merges(&self) -> bool {
        !self.merges.is_empty()
    }
    /// Bytes that the state of `id` takes up besides its own size.
    pub(crate) fn memory_of(&self, id: EndpointId) -> u64 {
        self.state(id).map_or(0, EndpointState::memory)
    }
    /// Tells that a state's own memory changed.
    pub(crate) fn account(&mut self, before: u64, after: u64) {
        self.bytes = self.bytes.saturating_add(after).saturating_sub(before);
    }
    /// Bytes in use, about.
    pub fn memory(&self) -> u64 {
        self.bytes
            + self.trie.memory()
            + (SLOTS * size_of::<(u64, EndpointId)>() + self.states.capacity() * size_of::<EndpointState>())
                as u64
    }
    /// The number of `method`, which is added when it is new.
    pub(crate) fn method(&mut self, method: &str) -> u8 {
        if let Some(at) = self.methods.iter().position(|known| **known == *method) {
            return at as u8;
        }
        if self.methods.len() >= MAX_METHODS || method.len() > MAX_METHOD {
            return 0;
        }
        self.methods.push(method.into());
        self.methods.len() as u8 - 1
    }

    /// The endpoint of `exchange`; for an orphan response that of its server alone.
    pub(crate) fn of(&mut self, exchange: &Exchange, method: u8) -> EndpointId {
        let head = exchange.request.as_ref().map(|request| &request.head);
        let named = head.and_then(target::authority);
        let path = head.map(|head| Target::of(head).path).unwrap_or_default();
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u8(method);
        match named {
            Some(named) => hasher.write(named),
            None => std::hash::Hash::hash(&exchange.server, &mut hasher),
        }
        hasher.write_u8(0xff);
        hasher.write(path);
        let hash = hasher.finish().max(1);
        let slot = hash as usize % SLOTS;
        if let Some((of, id)) = self.seen.get(slot)
            && *of == hash
        {
            return *id;
        }
        let mut host = std::mem::take(&mut self.host);
        authority::normalise(named, exchange.server, &mut host);
        let id = self.look_up(&host, method, path);
        self.host = host;
        if let Some(slot) = self.seen.get_mut(slot) {
            *slot = (hash, id);
        }
        id
    }

    fn look_up(&mut self, host: &str, method: u8, path: &[u8]) -> EndpointId {
        let (host, root) = self.root(host);
        let mut template = std::mem::take(&mut self.template);
        let node = match self.openapi.as_ref().and_then(|openapi| openapi.template(path)) {
            Some(known) => {
                template.clear();
                template.push_str(known);
                self.trie.exact(root, known)
            }
            None => self.walk(root, path, &mut template),
        };
        let full = self.states.len() >= MAX_ENDPOINTS;
        let id = match node.map(|node| (node, self.trie.endpoint(node, method))) {
            Some((_, Some(id))) => id,
            Some((node, None)) if !full => self.add(node, method, host, &template),
            _ => self.others(root, host),
        };
        self.template = template;
        id
    }

    fn walk(&mut self, root: NodeId, path: &[u8], template: &mut String) -> Option<NodeId> {
        let walk = self.trie.walk(root, path, template);
        let Some((node, prefix)) = walk.crowded else { return walk.node };
        let states = &self.states;
        let count = |id: EndpointId| states.get(id.0 as usize).map_or(0, |state| state.exchanges);
        let learnt = self.trie.learn(node, &prefix, &count);
        for (from, into) in learnt.merges {
            self.merge(from, into);
        }
        for (id, template) in learnt.renamed {
            if let Some(state) = self.states.get_mut(id.0 as usize) {
                state.endpoint.template = template.into();
            }
        }
        self.seen.fill((0, EndpointId(0)));
        self.trie.walk(root, path, template).node
    }

    /// The root of `host`'s tree, or of `*` beyond the bound.
    fn root<'a>(&mut self, host: &'a str) -> (&'a str, NodeId) {
        if let Some(root) = self.authorities.get(host) {
            return (host, *root);
        }
        let full = self.authorities.len() >= MAX_AUTHORITIES || self.trie.len() >= MAX_NODES / 4 * 3;
        if full {
            return ("*", STAR);
        }
        let Some(root) = self.trie.root() else { return ("*", STAR) };
        self.bytes += 64 + host.len() as u64;
        self.authorities.insert(host.into(), root);
        (host, root)
    }

    fn add(&mut self, node: NodeId, method: u8, authority: &str, template: &str) -> EndpointId {
        let id = EndpointId(self.states.len() as u32);
        let name = self.methods.get(method as usize).cloned().unwrap_or_else(|| "*".into());
        self.bytes += (name.len() + authority.len() + template.len()) as u64 + 64;
        self.states.push(EndpointState {
            endpoint: Endpoint { method: name, authority: authority.into(), template: template.into() },
            exchanges: 0,
            successes: 0,
            refusals: 0,
            last_success: None,
            noise: Noise::default(),
            kept: VecDeque::new(),
            stale: 0,
            clients: SmallVec::new(),
            principals: SmallVec::new(),
            callers: Callers::default(),
            alias: None,
        });
        self.trie.put(node, method, id);
        id
    }

    /// The endpoint for everything of an authority that found no place; the last resort is one for everything.
    fn others(&mut self, root: NodeId, host: &str) -> EndpointId {
        if let Some(id) = self.trie.endpoint(root, u8::MAX) {
            return id;
        }
        if self.states.len() < MAX_ENDPOINTS + MAX_AUTHORITIES {
            return self.add(root, u8::MAX, host, &format!("/{REST}"));
        }
        EndpointId(MAX_ENDPOINTS as u32)
    }

    fn merge(&mut self, from: EndpointId, into: EndpointId) {
        let (from, into) = (self.canonical(from), self.canonical(into));
        if from == into {
            return;
        }
        let Some(old) = self.states.get_mut(from.0 as usize) else { return };
        old.alias = Some(into);
        let taken = EndpointState {
            endpoint: old.endpoint.clone(),
            noise: std::mem::take(&mut old.noise),
            kept: std::mem::take(&mut old.kept),
            clients: std::mem::take(&mut old.clients),
            principals: std::mem::take(&mut old.principals),
            ..*old
        };
        if let Some(state) = self.states.get_mut(into.0 as usize) {
            let older = state.last_success.min(taken.last_success);
            self.released.extend(older.map(|id| (id.0, flag::LAST)));
            state.absorb(taken);
        }
        self.merges.push((from, into));
    }
}

impl EndpointState {
    fn absorb(&mut self, other: Self) {
        self.exchanges += other.exchanges;
        self.successes += other.successes;
        self.refusals += other.refusals;
        self.last_success = self.last_success.max(other.last_success);
        self.stale += other.stale;
        self.callers.absorb(&other.callers);
        self.noise.absorb(other.noise);
        self.kept.extend(other.kept);
        self.kept.make_contiguous().sort_unstable();
        self.clients.extend(other.clients);
        self.principals.extend(other.principals);
    }
    /// Bytes it takes up besides its own size.
    fn memory(&self) -> u64 {
        self.noise.memory() + (self.kept.capacity() * size_of::<Kept>()) as u64
    }
}
