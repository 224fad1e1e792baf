//! Path templates from a description of the API (OpenAPI 2 and 3), for `--openapi FILE`.

use std::collections::HashMap;

use ahash::RandomState;
use percent_encoding::percent_decode;
use serde_json::Value;

/// Most paths that are read.
pub const MAX_PATHS: usize = 10_000;

mod yaml;

/// Why a description cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    /// It begins like JSON and is none.
    #[error("the OpenAPI description is not valid JSON: {0}")]
    Json(String),
    /// It is no YAML.
    #[error("the OpenAPI description is not valid YAML: {0}")]
    Yaml(String),
    /// It has no `paths`.
    #[error("the OpenAPI description has no `paths`: is it an OpenAPI 2 or 3 document?")]
    NoPaths,
}

/// The path templates of an API.
#[derive(Clone, Debug, Default)]
pub struct OpenApi {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    words: HashMap<Box<str>, u32, RandomState>,
    /// Segments with a parameter in them: what stands before it, what after it, and where it leads.
    parameters: Vec<(Box<str>, Box<str>, u32)>,
    template: Option<Box<str>>,
}

impl OpenApi {
    /// Reads a description in JSON or YAML.
    pub fn parse(text: &str) -> Result<Self, OpenApiError> {
        let text = text.trim_start_matches('\u{feff}');
        let document = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| OpenApiError::Json(error.to_string()))?
        } else {
            yaml::parse(text).map_err(OpenApiError::Yaml)?
        };
        Self::from_value(&document)
    }

    fn from_value(document: &Value) -> Result<Self, OpenApiError> {
        let paths = document.get("paths").and_then(Value::as_object).ok_or(OpenApiError::NoPaths)?;
        let mut api = Self { nodes: vec![Node::default()] };
        for base in bases(document) {
            for path in paths.keys().filter(|path| path.starts_with('/')).take(MAX_PATHS) {
                api.add(&format!("{base}{path}"));
            }
        }
        Ok(api)
    }

    /// Number of templates.
    pub fn len(&self) -> usize {
        self.nodes.iter().filter(|node| node.template.is_some()).count()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The template of `path`, if one fits; words win over parameters (OpenAPI 3.1 §4.8.8.2).
    pub fn template(&self, path: &[u8]) -> Option<&str> {
        let segments: Vec<&[u8]> = path.strip_prefix(b"/")?.split(|byte| *byte == b'/').take(64).collect();
        self.search(0, &segments)
    }

    fn search(&self, node: u32, segments: &[&[u8]]) -> Option<&str> {
        let node = self.nodes.get(node as usize)?;
        let Some((first, rest)) = segments.split_first() else { return node.template.as_deref() };
        let decoded = percent_decode(first).decode_utf8_lossy();
        let word = node.words.get(&*decoded).and_then(|next| self.search(*next, rest));
        word.or_else(|| {
            node.parameters.iter().find_map(|(before, after, next)| {
                let value = decoded.strip_prefix(&**before)?.strip_suffix(&**after)?;
                if value.is_empty() { None } else { self.search(*next, rest) }
            })
        })
    }

    fn add(&mut self, template: &str) {
        let mut at = 0;
        for segment in template.split('/').skip(1) {
            at = self.child(at, segment);
        }
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.template = Some(template.into());
        }
    }

    fn child(&mut self, node: u32, segment: &str) -> u32 {
        let new = self.nodes.len() as u32;
        let Some(node) = self.nodes.get_mut(node as usize) else { return node };
        let parameter = segment.split_once('{').zip(segment.rsplit_once('}'));
        let child = match parameter {
            None => *node.words.entry(segment.into()).or_insert(new),
            Some(((before, _), (_, after))) => {
                let mut known = node.parameters.iter().filter(|(b, a, _)| **b == *before && **a == *after);
                let known = known.next().map(|(.., next)| *next);
                known.unwrap_or_else(|| {
                    node.parameters.push((before.into(), after.into(), new));
                    node.parameters.sort_by_key(|(b, a, _)| std::cmp::Reverse(b.len() + a.len()));
                    new
                })
            }
        };
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }
}

/// The paths of `servers` (OpenAPI 3) or `basePath` (2), without a slash at the end; one empty one when there are none.
fn bases(document: &Value) -> Vec<String> {
    let path_of = |url: &str| {
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}")),
            None => url.to_owned(),
        };
        path.trim_end_matches('/').to_owned()
    };
    let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
    let mut bases: Vec<String> =
        servers.filter_map(|server| server.get("url")?.as_str()).map(path_of).take(16).collect();
    bases.extend(document.get("basePath").and_then(Value::as_str).map(path_of));
    if bases.is_empty() {
        bases.push(String::new());
    }
    bases.sort();
    bases.dedup();
    bases
}

#[cfg(test)]
mod tests {
    use super::{OpenApi, OpenApiError};

    #[test]
    fn templates_are_exact() {
        let text = r#"{"servers":[{"url":"https://x.example/api/"}],"paths":{"/users/{userId}":{},"/users/me":{},
            "/users/{userId}/posts":{},"/files/{name}.json":{},"/files/{name}":{},"/jobs/{id}:cancel":{},"/":{}}}"#;
        let api = OpenApi::parse(text).unwrap();
        assert_eq!(api.len(), 7);
        for (path, template) in [
            ("/api/users/alice", Some("/api/users/{userId}")),
            ("/api/users/me", Some("/api/users/me")),
            ("/api/users/me/posts", Some("/api/users/{userId}/posts")),
            ("/api/files/a.json", Some("/api/files/{name}.json")),
            ("/api/files/a.xml", Some("/api/files/{name}")),
            ("/api/jobs/7:cancel", Some("/api/jobs/{id}:cancel")),
            ("/api/", Some("/api/")),
            ("/api/users", None),
            ("/api/users/", None),
            ("/users/alice", None),
            ("*", None),
        ] {
            assert_eq!(api.template(path.as_bytes()), template, "{path}");
        }
    }

    #[test]
    fn yaml_reads_like_json() {
        let text = "swagger: '2.0'\nbasePath: /v1/\npaths:\n  /users/{id}:\n    get: {}\n  x-other: {}\n";
        let api = OpenApi::parse(text).unwrap();
        assert_eq!((api.len(), api.template(b"/v1/users/zoe")), (1, Some("/v1/users/{id}")));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(matches!(OpenApi::parse("{\"a\""), Err(OpenApiError::Json(_))));
        assert!(matches!(OpenApi::parse("a: [b"), Err(OpenApiError::Yaml(_))));
        assert_eq!(OpenApi::parse("{}").unwrap_err(), OpenApiError::NoPaths);
        assert_eq!(OpenApi::parse("openapi: 3.0.0").unwrap_err(), OpenApiError::NoPaths);
    }
}
