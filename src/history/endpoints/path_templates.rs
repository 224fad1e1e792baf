//! Path templates of every authority, as a tree of segments. A segment whose values keep growing is learnt as `{name}`.

use std::collections::HashMap;

use ahash::RandomState;
use smallvec::SmallVec;

use crate::history::endpoints::segment;
use crate::history::endpoints::segment::Kind;
use crate::model::EndpointId;

/// Most nodes of all trees together; beyond, new paths share one endpoint an authority.
pub const MAX_NODES: usize = 1 << 16;
/// Most segments of a template; what is deeper is `{rest}`.
pub const MAX_SEGMENTS: usize = 24;
/// Children of one node at which their segment is a parameter, whatever they look like.
const MANY: usize = 512;
/// Children that look like values at which it may be one.
const SLUGS: u32 = 16;
/// Children that look like words at which it may be one.
const WORDS: u32 = 96;

/// A learnt segment in a template.
pub const LEARNT: &str = "{name}";
/// What stands for the segments beyond a bound.
pub const REST: &str = "{rest}";

/// A node's number.
pub type NodeId = u32;

#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, NodeId, RandomState>,
    learnt: Option<NodeId>,
    slugs: u32,
    words: u32,
    /// Endpoints that end here, by number of their method.
    endpoints: SmallVec<[(u8, EndpointId); 1]>,
}

/// Endpoints that turned out to be the same: the first is now the second.
pub type Merge = (EndpointId, EndpointId);

/// What learning a segment changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// Endpoints that are one now, in order.
    pub merges: Vec<Merge>,
    /// Endpoints whose template is another now.
    pub renamed: Vec<(EndpointId, String)>,
}

/// The trees.
#[derive(Debug, Default)]
pub struct Trie {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
    bytes: u64,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Walk {
    /// The last node, `None` when a bound was reached.
    pub node: Option<NodeId>,
    /// A node on the way whose children have become many; ask [`Trie::learn`] and walk again.
    pub crowded: Option<(NodeId, String)>,
}

impl Trie {
    /// A new tree.
    pub fn root(&mut self) -> Option<NodeId> {
        self.node()
    }
    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }
    /// Whether there is no tree yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The node of a template that is known exactly; grows the tree as needed.
    pub fn exact(&mut self, root: NodeId, template: &str) -> Option<NodeId> {
        let segments = template.strip_prefix('/').unwrap_or(template).split('/');
        segments.take(2 * MAX_SEGMENTS).try_fold(root, |node, text| self.child(node, text, Kind::Value("id")))
    }
    /// Bytes in use, about.
    pub fn memory(&self) -> u64 {
        self.bytes + (self.nodes.capacity() * size_of::<Node>()) as u64
    }
    /// The endpoint of `method` that ends at `node`.
    pub fn endpoint(&self, node: NodeId, method: u8) -> Option<EndpointId> {
        let (_, id) = self.at(node)?.endpoints.iter().find(|(of, _)| *of == method)?;
        Some(*id)
    }
    /// Lets the endpoint of `method` end at `node`.
    pub fn put(&mut self, node: NodeId, method: u8, id: EndpointId) {
        if let Some(node) = self.at_mut(node) {
            node.endpoints.push((method, id));
        }
    }

    /// Follows `path` from `root`, growing the tree as needed, and writes its template to `template`.
    pub fn walk(&mut self, root: NodeId, path: &[u8], template: &mut String) -> Walk {
        template.clear();
        let mut walk = Walk { node: Some(root), crowded: None };
        let rooted = path.first() == Some(&b'/');
        let mut after = 0..0;
        for (depth, raw) in path.split(|byte| *byte == b'/').skip(usize::from(rooted)).enumerate() {
            let Some(node) = walk.node else { break };
            if depth > 0 || rooted {
                template.push('/');
            }
            let start = template.len();
            if depth >= MAX_SEGMENTS {
                template.push_str(REST);
                walk.node = self.child(node, REST, Kind::Value("text"));
                break;
            }
            let segment = segment::read(raw, template.get(after).unwrap_or_default());
            let known = self.at(node).and_then(|node| node.children.get(&*segment.text).copied());
            let learnt = self.at(node).and_then(|node| node.learnt);
            walk.node = match (known, learnt, segment.kind) {
                (Some(child), ..) => {
                    template.push_str(&segment.text);
                    Some(child)
                }
                (None, Some(child), Kind::Word | Kind::Slug) => {
                    template.push_str(LEARNT);
                    Some(child)
                }
                _ => {
                    let child = self.child(node, &segment.text, segment.kind);
                    if self.is_crowded(node) && walk.crowded.is_none() {
                        walk.crowded = Some((node, template.clone()));
                    }
                    template.push_str(&segment.text);
                    child
                }
            };
            after = start..template.len();
        }
        walk
    }

    /// Makes the words below `node` one parameter, if `count` (requests of an endpoint) speaks for values: at least half of
    /// them came only once or twice. A word with an eighth of all requests stays one, and so do all that look like words
    /// while those are few. `prefix` is the node's template.
    pub fn learn(&mut self, node: NodeId, prefix: &str, count: &dyn Fn(EndpointId) -> u64) -> Learnt {
        let all = self.at(node).is_some_and(|node| node.words >= WORDS || node.children.len() >= MANY);
        let mut words: Vec<(Box<str>, NodeId, u64)> = self
            .at(node)
            .into_iter()
            .flat_map(|node| &node.children)
            .filter(|(text, _)| match segment::read(text.as_bytes(), "").kind {
                Kind::Slug => true,
                Kind::Word => all,
                Kind::Value(_) => false,
            })
            .map(|(text, child)| (text.clone(), *child, self.requests(*child, count)))
            .collect();
        let rare = words.iter().filter(|(.., requests)| *requests <= 2).count();
        if rare * 2 < words.len() && words.len() < MANY {
            return Learnt::default();
        }
        let total: u64 = words.iter().map(|(.., requests)| requests).sum();
        words.retain(|(.., requests)| requests.saturating_mul(8) < total || *requests <= 2);
        words.sort_unstable();
        let Some(into) = self.at(node).and_then(|node| node.learnt).or_else(|| self.node()) else {
            return Learnt::default();
        };
        if let Some(node) = self.at_mut(node) {
            node.learnt = Some(into);
            (node.slugs, node.words) = (0, 0);
        }
        let mut learnt = Learnt::default();
        for (text, child, _) in words {
            if let Some(node) = self.at_mut(node) {
                node.children.remove(&text);
            }
            self.merge(child, into, &mut learnt.merges);
        }
        self.rename(into, &format!("{prefix}{LEARNT}"), &mut learnt.renamed);
        learnt
    }

    fn at(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    fn at_mut(&mut self, node: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(node as usize)
    }

    fn node(&mut self) -> Option<NodeId> {
        if let Some(node) = self.free.pop() {
            return Some(node);
        }
        if self.nodes.len() >= MAX_NODES {
            return None;
        }
        self.nodes.push(Node::default());
        Some(self.nodes.len() as NodeId - 1)
    }

    fn child(&mut self, parent: NodeId, text: &str, kind: Kind) -> Option<NodeId> {
        if let Some(child) = self.at(parent)?.children.get(text) {
            return Some(*child);
        }
        let child = self.node()?;
        self.bytes += 64 + text.len() as u64;
        let parent = self.at_mut(parent)?;
        parent.children.insert(text.into(), child);
        match kind {
            Kind::Word => parent.words += 1,
            Kind::Slug => parent.slugs += 1,
            Kind::Value(_) => {}
        }
        Some(child)
    }

    /// Asked after a child was added: at the first threshold, and then each time a quarter as many came.
    fn is_crowded(&self, node: NodeId) -> bool {
        self.at(node).is_some_and(|node| {
            let steps = |count: u32, first: u32| count >= first && count.is_multiple_of(first / 4);
            steps(node.slugs, SLUGS) || steps(node.words, WORDS) || node.children.len() >= MANY
        })
    }

    fn requests(&self, node: NodeId, count: &dyn Fn(EndpointId) -> u64) -> u64 {
        let mut sum = 0;
        let mut todo = vec![node];
        while let Some(node) = todo.pop().and_then(|node| self.at(node)) {
            sum += node.endpoints.iter().map(|(_, id)| count(*id)).sum::<u64>();
            todo.extend(node.children.values().copied().chain(node.learnt));
        }
        sum
    }

    /// Moves everything below `from` into `into`. The older endpoint stays.
    fn merge(&mut self, from: NodeId, into: NodeId, merges: &mut Vec<Merge>) {
        let mut todo = vec![(from, into)];
        while let Some((from, into)) = todo.pop() {
            let Some(old) = self.at_mut(from).map(std::mem::take) else { continue };
            self.free.push(from);
            let mut children: Vec<_> = old.children.into_iter().collect();
            children.sort_unstable();
            let Some(target) = self.at_mut(into) else { continue };
            for (method, id) in old.endpoints {
                match target.endpoints.iter_mut().find(|(of, _)| *of == method) {
                    Some((_, kept)) => {
                        merges.push((id.max(*kept), id.min(*kept)));
                        *kept = id.min(*kept);
                    }
                    None => target.endpoints.push((method, id)),
                }
            }
            match (old.learnt, target.learnt) {
                (Some(from), Some(into)) => todo.push((from, into)),
                (Some(from), None) => target.learnt = Some(from),
                _ => {}
            }
            for (text, child) in children {
                match target.children.get(&text) {
                    Some(same) => todo.push((child, *same)),
                    None => {
                        target.children.insert(text, child);
                    }
                }
            }
            target.slugs += old.slugs;
            target.words += old.words;
        }
    }

    fn rename(&self, node: NodeId, template: &str, renamed: &mut Vec<(EndpointId, String)>) {
        let mut todo = vec![(node, template.to_owned())];
        while let Some((node, template)) = todo.pop() {
            let Some(node) = self.at(node) else { continue };
            renamed.extend(node.endpoints.iter().map(|(_, id)| (*id, template.clone())));
            let named = node.children.iter().map(|(text, child)| (&**text, *child));
            for (text, child) in named.chain(node.learnt.map(|child| (LEARNT, child))) {
                todo.push((child, format!("{template}/{text}")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Trie;
    use crate::model::EndpointId;

    struct Case {
        trie: Trie,
        root: u32,
        next: u32,
        merges: Vec<(EndpointId, EndpointId)>,
        counts: std::collections::HashMap<EndpointId, u64>,
    }

    impl Case {
        fn new() -> Self {
            let mut trie = Trie::default();
            let root = trie.root().unwrap();
            Self { trie, root, next: 0, merges: Vec::new(), counts: std::collections::HashMap::new() }
        }
        fn visit(&mut self, path: &str) -> String {
            let mut template = String::new();
            for _ in 0..3 {
                let walk = self.trie.walk(self.root, path.as_bytes(), &mut template);
                if let Some((node, prefix)) = walk.crowded {
                    let counts = &self.counts;
                    let learnt = self.trie.learn(node, &prefix, &|id| counts.get(&id).copied().unwrap_or(0));
                    self.merges.extend(learnt.merges);
                    continue;
                }
                let node = walk.node.unwrap();
                let id = self.trie.endpoint(node, 0).unwrap_or_else(|| {
                    let id = EndpointId(self.next);
                    self.next += 1;
                    self.trie.put(node, 0, id);
                    id
                });
                *self.counts.entry(id).or_default() += 1;
                break;
            }
            template
        }
    }

    #[test]
    fn learns_a_segment_whose_values_grow() {
        let mut case = Case::new();
        for n in 0..40 {
            case.visit(&format!("/users/name{n}x{n}y{n}/profile"));
        }
        assert_eq!(case.visit("/users/someone-else77z7/profile"), "/users/{name}/profile");
        assert_eq!(case.visit("/users/name3x3y3/profile"), "/users/{name}/profile");
        assert!(case.merges.len() >= 12, "{:?}", case.merges);
    }

    #[test]
    fn a_busy_word_stays() {
        let mut case = Case::new();
        for n in 0..40 {
            case.visit("/users/search");
            case.visit(&format!("/users/name{n}x{n}y{n}"));
        }
        assert_eq!(case.visit("/users/search"), "/users/search");
        assert_eq!(case.visit("/users/zoe12345"), "/users/{name}");
    }

    #[test]
    fn an_api_with_many_words_is_not_learnt() {
        let mut case = Case::new();
        for n in 0..90 {
            let word: String = [n / 26, n % 26].iter().map(|l| char::from(b'a' + *l as u8)).collect();
            case.visit(&format!("/api/list{word}"));
        }
        assert_eq!(case.visit("/api/listaa"), "/api/listaa");
    }
}
