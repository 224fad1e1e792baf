//! Records with names: JSON objects and logfmt. Their leaves are handed on by name.

use serde_json::Value;

/// Leaves of one record that are looked at, at most.
const MAX_LEAVES: usize = 256;
/// Depth of nested objects that is looked into.
const MAX_DEPTH: usize = 8;

/// Calls `leaf` with the name and the text of every leaf of a JSON object in `text`, or of its `key=value` pairs.
pub(super) fn leaves(text: &str, leaf: &mut dyn FnMut(&str, &str)) {
    let json = text.find('{').and_then(|at| text.get(at..)).and_then(|rest| {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        stream.next()?.ok()
    });
    match json {
        Some(value @ Value::Object(_)) => {
            let mut left = MAX_LEAVES;
            walk(&value, "", MAX_DEPTH, &mut left, leaf);
        }
        _ => pairs(text, leaf),
    }
}

fn walk(value: &Value, name: &str, depth: usize, left: &mut usize, leaf: &mut dyn FnMut(&str, &str)) {
    if *left == 0 || depth == 0 {
        return;
    }
    *left -= 1;
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let full = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                walk(value, &full, depth - 1, left, leaf);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, name, depth - 1, left, leaf)),
        Value::String(text) => leaf(name, text),
        Value::Number(number) => leaf(name, &number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

/// `key=value` and `key="a value"`.
fn pairs(text: &str, leaf: &mut dyn FnMut(&str, &str)) {
    let mut rest = text;
    for _ in 0..MAX_LEAVES {
        let Some(equals) = rest.find('=') else { return };
        let (before, after) = rest.split_at(equals);
        let name = before
            .rsplit(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | '[' | '?' | '&'))
            .next();
        let after = after.get(1..).unwrap_or_default();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = after
                    .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ')' | ']'))
                    .unwrap_or(after.len());
                after.split_at(end)
            }
        };
        if let Some(name) = name.filter(|name| !name.is_empty() && name.len() <= 40) {
            leaf(name, value);
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::leaves;

    fn all(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        leaves(text, &mut |name, value| found.push((name.to_owned(), value.to_owned())));
        found
    }

    #[test]
    fn json_is_flattened_and_logfmt_split() {
        assert_eq!(
            all(r#"app | {"req":{"method":"POST","url":"/x"},"res":{"statusCode":403}}"#),
            [("req.method", "POST"), ("req.url", "/x"), ("res.statusCode", "403")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        assert_eq!(
            all(r#"level=warn msg="role missing" path=/a?b=c status=403"#)[..2],
            [("level", "warn"), ("msg", "role missing")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn deep_and_broken_json_ends() {
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert!(all(&deep).is_empty());
        assert!(all("{\"a\": ").is_empty());
    }
}
