//! YAML as JSON values: as much of it as API descriptions use.
//!
//! Aliases become null (nothing that is read here is ever behind one), so a document cannot grow when it is read.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 128;

/// A container that is open.
enum Open {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Map(Map<String, Value>, Option<String>),
}

/// The first document of `text`.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let value = match event {
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            Event::Alias(_) => Value::Null,
            Event::SequenceStart(..) => {
                push(&mut open, Open::List(Vec::new()))?;
                continue;
            }
            Event::MappingStart(..) => {
                push(&mut open, Open::Map(Map::new(), None))?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Value::Array(list),
                Some(Open::Map(map, _)) => Value::Object(map),
                None => Value::Null,
            },
            _ => continue,
        };
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map(map, key)) => match key.take() {
                Some(key) => {
                    map.insert(key, value);
                }
                None => *key = Some(value.as_str().unwrap_or_default().to_owned()),
            },
        }
    }
    Err("it is empty".into())
}

fn push(open: &mut Vec<Open>, container: Open) -> Result<(), String> {
    if open.len() >= MAX_DEPTH {
        return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
    }
    open.push(container);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn reads_what_descriptions_use() {
        let text =
            "a: 1\nb:\n  - x\n  - {c: d, e: [f]}\n'/p/{id}': &anchor {}\ng: *anchor\nh: |\n  two\n  lines\n";
        let expected = json!({"a": "1", "b": ["x", {"c": "d", "e": ["f"]}], "/p/{id}": {}, "g": null, "h": "two\nlines\n"});
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn refuses_what_is_no_yaml() {
        assert!(parse("").is_err());
        assert!(parse("a: [1").is_err());
        assert!(parse("\ta: 1: 2").is_err());
        assert!(parse(&"[".repeat(500)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[a-z{}\\[\\]:,&*'\"\n |>-]{0,60}") {
            let _ = parse(&text);
        }
    }
}
