//! What is known of each cause, for people: `causes.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use crate::knowledge::{self, Error, Kind, Sources, parse};
use crate::model::Cause;

/// What is known of one cause.
#[derive(Clone, Debug)]
pub struct About {
    /// What it is.
    pub about: String,
    /// What shows it.
    pub wire: String,
    /// What settles it.
    pub check: String,
    /// What helps.
    pub mend: String,
    /// What it is confused with.
    pub rival: String,
}

/// A file need not say everything: what it leaves out is as in the files after it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    about: Option<String>,
    wire: Option<String>,
    check: Option<String>,
    mend: Option<String>,
    rival: Option<String>,
}

type Table = BTreeMap<Cause, About>;

static TABLE: LazyLock<Result<Table, Error>> = LazyLock::new(|| read(knowledge::current()));

/// What is known of `cause`.
pub fn about(cause: Cause) -> Option<&'static About> {
    TABLE.as_ref().ok()?.get(&cause)
}

pub(super) fn check() -> Result<(), Error> {
    TABLE.as_ref().map(drop).map_err(Clone::clone)
}

pub(super) fn read(sources: &Sources) -> Result<Table, Error> {
    let mut all: BTreeMap<Cause, Raw> = BTreeMap::new();
    let mut last = None;
    for file in sources.of(Kind::Causes) {
        for (cause, raw) in parse::<BTreeMap<Spanned<Cause>, Raw>>(file)? {
            let known = all.entry(cause.into_inner()).or_default();
            known.about = known.about.take().or(raw.about);
            known.wire = known.wire.take().or(raw.wire);
            known.check = known.check.take().or(raw.check);
            known.mend = known.mend.take().or(raw.mend);
            known.rival = known.rival.take().or(raw.rival);
        }
        last = Some(file);
    }
    let whole = |(cause, raw): (Cause, Raw)| {
        let about = About {
            about: raw.about?,
            wire: raw.wire?,
            check: raw.check?,
            mend: raw.mend?,
            rival: raw.rival?,
        };
        Some((cause, about))
    };
    let table: Table = all.into_iter().filter_map(whole).collect();
    match (Cause::ALL.iter().find(|cause| !table.contains_key(cause)), last) {
        (Some(cause), Some(file)) => Err(Error::at(file, None, format!("[{cause}] lacks a member"))),
        _ => Ok(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::tests::sources;

    #[test]
    fn a_users_advice_replaces_what_it_names() {
        let mine = read(&sources(Kind::Causes, "[waf]\ncheck = \"Ask #waf-help.\"\n")).unwrap();
        assert_eq!(mine[&Cause::Waf].check, "Ask #waf-help.");
        assert_eq!(mine[&Cause::Waf].mend, about(Cause::Waf).unwrap().mend);
        let error = read(&sources(Kind::Causes, "\n[waff]\ncheck = \"x\"\n")).unwrap_err();
        assert_eq!(error.line, Some(2), "{error}");
        assert!(read(&sources(Kind::Causes, "[waf]\nchek = \"x\"\n")).unwrap_err().message.contains("chek"));
    }
}
