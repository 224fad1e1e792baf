//! Why a query found nothing, for the end of a run.

use std::fmt::Write as _;
use std::sync::Arc;

use super::parse::Node;
use super::{Context, Filter, cheap_first};

/// Terms that are counted.
const MAX_TERMS: usize = 6;

impl Filter {
    /// Why nothing matched among the exchanges of a history: how many there were, and how many each term lets through, the
    /// term that excludes most first. `total` were read; of those that the history gave up or never took in only that is said.
    pub fn explain_none(&self, total: u64, context: &Context<'_>) -> String {
        let mut text = format!("nothing matched `{}`", self.text());
        if total == 0 {
            text.push_str(": there was no HTTP/1.1 exchange");
            return text;
        }
        let _ = write!(text, ": {total} {}", if total == 1 { "exchange" } else { "exchanges" });
        let kept = context.history.len() as u64;
        if kept < total {
            text.push_str(", none of them like that");
        } else {
            let mut parts: Vec<(usize, String)> = self
                .parts()
                .iter()
                .filter_map(|part| Some((part.count(context)?, part.to_string())))
                .collect();
            parts.sort_by_key(|(count, _)| *count);
            for (at, (count, part)) in parts.iter().take(MAX_TERMS).enumerate() {
                let matches = if at == 0 { " matches " } else { " " };
                let count = if *count == 0 { "none".to_owned() } else { count.to_string() };
                let _ = write!(text, "{} `{part}`{matches}{count}", if at == 0 { ";" } else { "," });
            }
        }
        for word in self.parts().iter().filter_map(Self::bare_word) {
            let _ = write!(text, "; `{word}` is searched in the target");
            if word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()) {
                let _ = write!(text, ", the status is `status:{word}`");
            } else if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()) {
                let _ = write!(text, ", the method is `method:{word}`");
            }
        }
        text
    }

    /// What has to be met at once.
    fn parts(&self) -> Vec<Self> {
        let nodes = match &*self.typed {
            Node::All(nodes) => nodes.as_slice(),
            node => std::slice::from_ref(node),
        };
        let part = |node: &Node| {
            let (cost, cheap) = cheap_first(node);
            Self { text: node.to_string(), typed: Arc::new(node.clone()), node: Arc::new(cheap), cost }
        };
        nodes.iter().map(part).collect()
    }

    /// How many exchanges match; `None` where each would have to be diagnosed.
    fn count(&self, context: &Context<'_>) -> Option<usize> {
        (!self.asks_causes()).then(|| self.select(context).len())
    }

    fn bare_word(&self) -> Option<String> {
        match &*self.typed {
            Node::Term(leaf) if leaf.key.is_none() => Some(leaf.shown.clone()),
            _ => None,
        }
    }
}
