//! One table over another: a user's weights over those that are built in.

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::{Error, File};

/// Puts what `file` says over `base`: values replace values, arrays of tables come before those that are there. A key that
/// `base` does not have is an error unless `may_add` allows it, given the path of its table.
pub fn over(base: &mut Table, file: &File, may_add: fn(&str, &str) -> bool) -> Result<(), Error> {
    let table = DeTable::parse(&file.text).map_err(|error| Error::at(file, error.span(), error.message()))?;
    let values: Table = super::parse(file)?;
    Over { file, may_add }.table(base, table.get_ref(), values, "")
}

struct Over<'a> {
    file: &'a File,
    may_add: fn(&str, &str) -> bool,
}

impl Over<'_> {
    fn table(&self, base: &mut Table, places: &DeTable<'_>, values: Table, path: &str) -> Result<(), Error> {
        for (name, value) in values {
            let Some((key, place)) = places.iter().find(|(key, _)| **key.get_ref() == *name) else {
                continue;
            };
            let error = |message: String| Error::at(self.file, Some(key.span()), message);
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match (base.get_mut(&name), value) {
                (None, value) if (self.may_add)(path, &name) => {
                    base.insert(name, value);
                }
                (None, _) => return Err(error(format!("{inner} is not known"))),
                (Some(Value::Table(base)), Value::Table(values)) => {
                    if let DeValue::Table(places) = place.get_ref() {
                        self.table(base, places, values, &inner)?;
                    }
                }
                (Some(Value::Array(base)), Value::Array(mut values))
                    if base.first().is_some_and(Value::is_table) =>
                {
                    values.append(base);
                    *base = values;
                }
                (Some(base @ Value::Float(_)), Value::Integer(value)) => *base = Value::Float(value as f64),
                (Some(base), value) if base.same_type(&value) => *base = value,
                (Some(base), value) => {
                    return Err(error(format!("{inner} must be {}, not {}", article(base), article(&value))));
                }
            }
        }
        Ok(())
    }
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::Float(_) | Value::Integer(_) => "a number",
        Value::String(_) => "a text",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "an array",
        Value::Table(_) => "a table",
        Value::Datetime(_) => "a date",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn merged(text: &str) -> Result<Table, Error> {
        let mut base: Table = toml::from_str("[a]\nx = 1.0\n[a.b]\ny = 2.0\n[[list]]\nn = 1\n").unwrap();
        let file = File::of_user(Path::new("weights.toml"), text.to_owned());
        over(&mut base, &file, |path, key| path == "a.b" && key == "z").map(|()| base)
    }

    #[test]
    fn values_replace_values_and_lists_come_first() {
        let table = merged("[a]\nx = 3\n[a.b]\nz = 4.0\n[[list]]\nn = 7\n").unwrap();
        assert_eq!(table["a"]["x"].as_float(), Some(3.0));
        assert_eq!(
            (table["a"]["b"]["y"].as_float(), table["a"]["b"]["z"].as_float()),
            (Some(2.0), Some(4.0))
        );
        assert_eq!(table["list"].as_array().map(Vec::len), Some(2));
        assert_eq!(table["list"][0]["n"].as_integer(), Some(7));
    }

    #[test]
    fn unknown_keys_and_other_types_are_errors_with_their_line() {
        for (text, line, message) in [
            ("[a]\nx = 1.0\nq = 1\n", 3, "a.q is not known"),
            ("\n[a.b]\ny = \"2\"\n", 3, "a.b.y must be a number, not a text"),
            ("a = 1\n", 1, "a must be a table"),
            ("[a\n", 1, ""),
        ] {
            let error = merged(text).unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            assert!(error.message.contains(message), "{error}");
        }
    }
}
