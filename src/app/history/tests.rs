//! A restart knows what the run before it knew.

use proptest::prelude::*;

use super::{DiskHistory, feed_back};
use crate::archive::{Bounds, Period, Reader, StoreKey, Writer};
use crate::edge::redact::{Mask, Redactor};
use crate::explain::diagnoser::Diagnoser;
use crate::explain::inspector::Inspector;
use crate::export::{ndjson, with_item};
use crate::features::tests::{exchange, request, response};
use crate::history::History;
use crate::history::principal::Principals;
use crate::model::{Exchange, ExchangeId};

const WIDE: Bounds = Bounds { bytes: 1 << 30, age: None };

/// One run with a history at `path`; the NDJSON of every refusal of it.
fn run(path: &std::path::Path, with_secrets: bool, exchanges: &[Exchange]) -> Vec<serde_json::Value> {
    let mut inspector = Inspector::new(History::new(64 << 20), Diagnoser::new());
    let key = StoreKey::open(path).unwrap();
    let opened = Writer::open(path, &key, "test", !with_secrets).unwrap();
    let mask = (!with_secrets).then(|| Mask::new(key.bytes()));
    let mut reader = Reader::open(path, Period::default()).unwrap();
    feed_back(&mut reader, &mut inspector, mask.as_ref()).unwrap();
    let redactor = Redactor::with_key(with_secrets, key.bytes());
    let (run, last, seeds) = (opened.run, opened.last, key.seeds("identities"));
    let writer = opened.start(WIDE, true, |text| panic!("{text}")).unwrap();
    let disk = DiskHistory::new(writer, run, mask, Principals::with_seeds(seeds), key);
    inspector.set_writer(Box::new(disk), ExchangeId(last));
    let ids: Vec<_> = exchanges.iter().map(|one| inspector.push(one.clone())).collect();
    let lines = ids
        .iter()
        .filter(|id| inspector.history().get(**id).is_some_and(|record| record.exchange.is_refusal()))
        .map(|id| {
            let mut line = Vec::new();
            with_item(&inspector, *id, |item| ndjson::write(&mut line, item, &redactor)).unwrap().unwrap();
            serde_json::from_slice(&line).unwrap()
        })
        .collect();
    inspector.close_writer();
    lines
}

fn one(client: u8, at: i64, who: u8, path: u8, body: u8, refused: bool) -> Exchange {
    let tokens = [
        "aB3dE5gH7jK9mN1p",
        "zY8xW6vU4tS2rQ0o",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3Iiwic2NvcGUiOiJyZWFkIn0.c2ln",
    ];
    let bearer = format!("Bearer {}", tokens[usize::from(who) % 3]);
    let agent = format!("client/{}", client % 2);
    let lines = [
        ("Host", "h"),
        ("Authorization", &*bearer),
        ("User-Agent", &*agent),
        ("Cookie", "sid=q1W2e3R4t5Y6u7I8"),
    ];
    let content = format!("{{\"user\":{body},\"password\":\"hunter{who}{body}\"}}");
    let request = request(
        "POST",
        &format!("/v1/{}/{}", ["orders", "users"][usize::from(path) % 2], body),
        &lines,
        content.as_bytes(),
    );
    let answer = if refused {
        response(403, &[("Content-Type", "application/json")], b"{\"error\":\"insufficient_scope\"}")
    } else {
        response(200, &[], b"{}")
    };
    exchange(&format!("10.0.0.{}", client % 4), at, request, answer)
}

fn capture() -> impl Strategy<Value = Vec<Exchange>> {
    let each = (any::<u8>(), 0_u8..3, any::<u8>(), 0_u8..5, prop::bool::weighted(0.3));
    prop::collection::vec(each, 2..24).prop_map(|all| {
        let numbered = all.into_iter().zip(1..);
        numbered
            .map(|((client, who, path, body, refused), at)| one(client, at * 7, who, path, body, refused))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    /// One run over two captures says of the second what a run over the first and another over the second say.
    #[test]
    fn a_restart_changes_no_diagnosis(all in capture(), cut in any::<prop::sample::Index>(), with_secrets: bool) {
        let dir = tempfile::tempdir().unwrap();
        let (whole, parts) = (dir.path().join("whole.db"), dir.path().join("parts.db"));
        let cut = cut.index(all.len());
        let mut expected = run(&whole, with_secrets, &all);
        std::fs::copy(dir.path().join("whole.db.key"), dir.path().join("parts.db.key")).unwrap();
        let first = run(&parts, with_secrets, &all[..cut]).len();
        let mut actual = run(&parts, with_secrets, &all[cut..]);
        let mut expected = expected.split_off(first);
        for line in expected.iter_mut().chain(&mut actual) {
            strip(line);
        }
        prop_assert_eq!(expected, actual);
    }
}

/// Leaves what must be equal.
fn strip(line: &mut serde_json::Value) {
    let kept: serde_json::Map<_, _> = line
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| {
            ["id", "endpoint", "baseline", "differences", "diagnosis"].contains(&name.as_str())
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    *line = kept.into();
}

#[test]
fn masking_leaves_the_diagnosis_as_it_is() {
    let all: Vec<_> = (0..30).map(|n| one(n, i64::from(n) * 5, n % 3, n, n % 5, n % 4 == 3)).collect();
    let dir = tempfile::tempdir().unwrap();
    let causes = |lines: Vec<serde_json::Value>| -> Vec<serde_json::Value> {
        lines.into_iter().map(|line| line["diagnosis"][0]["cause"].clone()).collect()
    };
    let masked = causes(run(&dir.path().join("m.db"), false, &all));
    assert_eq!(masked, causes(run(&dir.path().join("s.db"), true, &all)));
    assert!(!masked.is_empty());
}

#[test]
fn no_secret_is_in_the_files() {
    let all: Vec<_> = (0..30).map(|n| one(n, i64::from(n) * 5, n % 3, n, n % 5, n % 4 == 3)).collect();
    let dir = tempfile::tempdir().unwrap();
    for (name, with_secrets) in [("masked.db", false), ("plain.db", true)] {
        let path = dir.path().join(name);
        run(&path, with_secrets, &all);
        let bytes = std::fs::read(&path).unwrap();
        for secret in ["aB3dE5gH7jK9mN1p", "q1W2e3R4t5Y6u7I8", "hunter00", ".c2ln"] {
            let found = memchr::memmem::find(&bytes, secret.as_bytes()).is_some();
            assert_eq!(found, with_secrets, "{secret} in {name}");
        }
    }
    // What was kept with secrets is masked when it is read again by a run without.
    let lines = run(&dir.path().join("plain.db"), false, &all);
    assert!(
        lines.iter().all(|line| line["baseline"].is_object()),
        "equal endpoints and callers are found again"
    );
}
