//! Whole diagnoses of traffic written as text: for every rule one on which it fires and one on which it keeps silent, and
//! what separates in `tests/scenarios`.

use crate::explain::diagnoser::Diagnoser;
use crate::explain::fixture;
use crate::explain::fixture::Scenario;
use crate::explain::inspector::Inspector;
use crate::explain::knowledge::Knowledge;
use crate::history::History;
use crate::knowledge::Kind;
use crate::knowledge::tests::sources;
use crate::model::{BaselineChoice, Diagnosis, EvidenceKind, Exchange, Part};

/// Diagnoses every 403 of `exchanges`, all of them known.
fn diagnose(exchanges: Vec<Exchange>) -> Vec<Diagnosis> {
    let mut inspector = Inspector::new(History::new(64 << 20), Diagnoser::new());
    let ids: Vec<_> = exchanges.into_iter().map(|exchange| inspector.push(exchange)).collect();
    let status = |id| inspector.history().get(id).and_then(|record| record.exchange.status());
    let refused = ids.into_iter().filter(|id| status(*id) == Some(403));
    refused.filter_map(|id| inspector.report(id, BaselineChoice::default())?.diagnosis).collect()
}

/// The last refusal of `text`: its diagnosis.
fn last(text: &str) -> Diagnosis {
    diagnose(fixture::exchanges(text)).pop().expect("a refusal")
}

/// Whether the evidence of any finding contains `phrase`.
fn says(diagnosis: &Diagnosis, phrase: &str) -> bool {
    diagnosis.findings.iter().flat_map(|finding| &finding.evidence).any(|one| one.text.contains(phrase))
}

fn top(text: &str) -> String {
    last(text).findings[0].cause.to_string()
}

const OK: &str = "POST /a\nHost: h.example\nUser-Agent: A/1\nAccept: */*\nAuthorization: Bearer {k1|k2}\nContent-Type: application/json\n\n{\"n\":{1|2}}\n--- 201 x4\nServer: app\n\n";
/// Without anybody named.
const OPEN: &str = "POST /open\nHost: h\nUser-Agent: A/1\nAccept: */*\n\nx\n--- 201 x4\n\n";
/// Two callers, each with an object of their own.
const OWNED: &str = "POST /u/7\nAuthorization: Bearer a\n--- 201 x2\n\n+++\nPOST /u/8\nAuthorization: Bearer b\n--- 201 x2\n\n";
/// A form with a token for each session.
const FORM: &str = "POST /f\nCookie: sid=s{1|2}\nX-CSRF-Token: t{1|2}\n--- 200 x4\n\n";

#[test]
fn a_refusal_without_anything_is_unknown_and_unsure() {
    let nothing = last("POST /x\nHost: a\nUser-Agent: A/1\nAccept: */*\nAuthorization: Bearer z\n--- 403\n");
    assert_eq!(nothing.findings[0].cause.id(), "unknown");
    assert!(nothing.findings[0].confidence < 0.4);
    assert!(!nothing.findings[0].next.is_empty());
}

#[test]
fn scenario_files_parse() {
    let scenarios: Vec<Scenario> = fixture::scenarios(
        "\n### t\nPOST /x\n--- 201\n\n=== a | csrf | origin\nlike t\n+++\n--- 403\n\n=== b | waf\nPOST /y\n--- 403\n",
    );
    assert_eq!(scenarios.len(), 2);
    assert_eq!(scenarios[0].accept, ["origin"]);
    assert_eq!(scenarios[0].exchanges.len(), 2);
    assert_eq!(scenarios[1].exchanges.len(), 1);
}

#[test]
fn a_new_version_at_the_onset_is_evidence() {
    let text = "@ 10.1.0.{1|2}\nPOST /a\n--- 200 x6\nServer: nginx/1.24\nX-App-Version: 7\n\n{}\n--- 403 x4\nServer: nginx/1.24\nX-App-Version: 8\n";
    let found = last(text);
    assert!(says(&found, "x-app-version was \"7\" until the last success and is \"8\" since"), "{found:#?}");
    assert!(!says(&last(&text.replace("Version: 8", "Version: 7")), "until the last success"));
}

/// Each rule with a refusal on which it speaks, one on which it is silent, and a phrase of its evidence.
#[test]
fn rules_fire_and_keep_silent() {
    let plain = "+++\n--- 403\nServer: app\n";
    let cases: [(&str, &str, &str); 14] = [
        ("known-response", "+++\n--- 403\n\nRBAC: access denied\n", "the response is that of Envoy"),
        ("wording", "+++\n--- 403\n\n{\"code\":\"QUOTA_EXCEEDED\"}\n", "QUOTA_EXCEEDED"),
        ("allow", "+++\n--- 403\nAllow: GET\n", "not POST"),
        ("new-cookies", "+++\n--- 403\nSet-Cookie: cf_clearance=1\n", "sets the cookie cf_clearance"),
        ("facts", "+++\n\n{\"n\":\"' or 1=1 --\"}\n--- 403\n", "SQL injection"),
        ("separation", "+++\n-Authorization\n--- 403\n", "authorization is absent here"),
        (
            "accepted",
            "+++\n--- 403\nServer: app\n\npermission denied\n",
            "the same credential was accepted here",
        ),
        ("new-credential", "+++\nAuthorization: Bearer other\n--- 403\n", "never accepted anywhere"),
        ("elsewhere", "+++\nPOST /b\n--- 403\n", "accepted at other endpoints"),
        ("never-here", "+++\nPOST /a/\n--- 403\nServer: nginx\n", "never"),
        (
            "rate",
            "+++\n--- 403 x3 every=10\n\n+++\n--- 201 x1 every=9000\n\n+++\n--- 403 x2 every=5\n",
            "accepted again later",
        ),
        ("state-change", "+++\n--- 403 x2\n", "everybody is refused"),
        (
            "other-refusals",
            "+++\n-Authorization\n--- 401\n\n+++\nAuthorization: Bearer k1\n--- 403\n",
            "401 is used here",
        ),
        ("layer", "+++\n--- 403\nServer: AkamaiGHost\n", "the cdn refused"),
    ];
    for (rule, edit, phrase) in cases {
        let fired = last(&format!("{OK}{edit}"));
        assert!(says(&fired, phrase), "{rule} is silent: {fired:#?}");
        let silent = match rule {
            "accepted" => "+++\n@ 10.9.9.9\nAuthorization: Bearer other\n--- 403\n",
            "state-change" => "+++\n-Authorization\n--- 403 x2\n",
            _ => plain,
        };
        assert!(!says(&last(&format!("{OK}{silent}")), phrase), "{rule} speaks without cause");
    }
}

/// `rule` says `phrase` of the last refusal of the first traffic and not of that of the second; each is what comes before and
/// the refusal.
fn speaks_and_keeps_silent(rule: &str, phrase: &str, speaks: [&str; 2], silent: [&str; 2]) {
    let fired = last(&speaks.concat());
    assert!(says(&fired, phrase), "{rule} is silent: {fired:#?}");
    assert!(!says(&last(&silent.concat()), phrase), "{rule} speaks without cause");
}

const REFUSED: &str = "+++\n--- 403\n";

#[test]
fn rules_over_what_everybody_does_fire_and_keep_silent() {
    const DENIED: &str = "+++\n--- 403\n\n{\"message\":\"permission denied\"}\n";
    let crowd = "+++\n--- 403 x5 every=1 ttfb=80000\n";
    speaks_and_keeps_silent("crowd", "were still being answered", [OK, crowd], [OK, REFUSED]);
    let nobody = "neither this request nor the successes carry";
    speaks_and_keeps_silent("nobody", nobody, [OPEN, DENIED], [OK, DENIED]);
    let format = "--- 403\n\n{\"message\":\"the requested response format is not acceptable\"}\n";
    let (same, other) = (format!("+++\n{format}"), format!("+++\nAccept: text/html\n{format}"));
    speaks_and_keeps_silent("unchanged", "the same accept was accepted", [OK, &same], [OK, &other]);
}

#[test]
fn rules_over_signatures_and_tokens_fire_and_keep_silent() {
    const UNASKED: &str = "--- 403\n\nCSRF Error\n";
    const SIGNED: &str = "POST /s\nX-Signature: {hex}\n\n{\"n\":{#}}\n--- 201 x4\n\n";
    let phrase = "only the server knows";
    speaks_and_keeps_silent("signed", phrase, [SIGNED, REFUSED], [OK, REFUSED]);
    let bare = "+++\n-X-Signature\n--- 403\n";
    speaks_and_keeps_silent("signed", phrase, [SIGNED, REFUSED], [SIGNED, bare]);
    let phrase_exempt = "with it none is needed";
    let (lost, kept) = (format!("+++\n-Authorization\n{UNASKED}"), format!("+++\n{UNASKED}"));
    speaks_and_keeps_silent("exempt", phrase_exempt, [OK, &lost], [OK, &kept]);
    let form = format!("+++\n-X-CSRF-Token\n{UNASKED}");
    speaks_and_keeps_silent("exempt", phrase_exempt, [OK, &lost], [FORM, &form]);
    let stale = "+++\nCookie: sid=s9\nX-CSRF-Token: t1\n--- 403\n";
    let fresh = "+++\nCookie: sid=s1\nX-CSRF-Token: t1\n--- 403\n";
    speaks_and_keeps_silent("stale-token", "was accepted with another", [FORM, stale], [FORM, fresh]);
}

#[test]
fn rules_over_objects_fire_and_keep_silent() {
    const OBJECTS: &str = "POST /d/7\nCookie: sid=s1\n\n{\"n\":{#}}\n--- 201 x2\n\n+++\nPOST /d/9\n--- 201 x2\n\n+++\nPOST /d/7\n--- 403\n\n+++\nPOST /d/9\n--- 201 x2\n\n";
    const ONCE: &str = "POST /blob/{#}\nHost: h\nUser-Agent: A/1\nAccept: */*\n--- 201 x5\n\n";
    let (turned, other) = ("+++\nPOST /d/7\n--- 403\n", "+++\nPOST /d/8\n--- 403\n");
    speaks_and_keeps_silent("turned", "refused since, while", [OBJECTS, turned], [OBJECTS, other]);
    let (again, new) = ("+++\nPOST /blob/2\n--- 403\n", "+++\nPOST /blob/77\n--- 403\n");
    speaks_and_keeps_silent("repeats", "it repeats a request", [ONCE, again], [ONCE, new]);
    let (a, b) = ("+++\nAuthorization: Bearer a\n--- 403\n", "+++\nAuthorization: Bearer b\n--- 403\n");
    let phrase = "the caller is accepted with other values";
    speaks_and_keeps_silent("owner", phrase, [OWNED, a], [OWNED, b]);
}

#[test]
fn a_cookie_that_is_deleted_is_not_set() {
    let deleted = last(&format!("{OK}+++\n--- 403\nSet-Cookie: cf_clearance=; Max-Age=0\n"));
    assert!(!says(&deleted, "sets the cookie"), "{deleted:#?}");
}

#[test]
fn no_phrase_runs_from_one_member_into_the_next() {
    let vague = last(
        "POST /x\n--- 403\nContent-Type: application/json\n\n{\"status\":\"error\",\"message\":\"Access denied\"}\n",
    );
    assert!(!says(&vague, "graph-denied") && vague.findings[0].confidence < 0.5, "{vague:#?}");
}

#[test]
fn words_of_a_default_page_count_in_a_member_of_their_own() {
    let words = "You don't have permission to access this resource.";
    let member = last(&format!("{OK}+++\n--- 403\n\n{{\"message\":\"{words}\"}}\n"));
    assert!(says(&member, "You don't have permission"));
    let page = last(&format!("{OK}+++\n--- 403\nContent-Type: text/html\n\n<html><p>{words}</p></html>\n"));
    assert!(!says(&page, "You don't have permission"));
}

#[test]
fn fingerprints_and_suspicious_text_point_at_the_very_bytes() {
    let body = "{\"note\":\"x\",\"message\":\"You cannot consume this service\"}";
    let refusal = format!("{OK}+++\n\n{{\"n\":\"a' or 1=1 --\"}}\n--- 403\nServer: kong/3.4.0\n\n{body}\n");
    let found = last(&refusal);
    let spot = |phrase: &str| {
        let all = found.findings.iter().flat_map(|finding| &finding.evidence);
        let one = all.filter(|one| one.text.contains(phrase)).flat_map(|one| &one.pointers).next().unwrap();
        (one.part, one.range.unwrap())
    };
    let (part, (start, end)) = spot("the response is that of Kong");
    assert_eq!(
        (part, &body[start as usize..end as usize]),
        (Part::ResponseBody, "You cannot consume this service")
    );
    let (part, (start, end)) = spot("SQL injection");
    assert_eq!(
        (part, &"{\"n\":\"a' or 1=1 --\"}"[start as usize..end as usize]),
        (Part::RequestBody, "' or 1=")
    );
}

#[test]
fn evidence_quotes_its_own_response_and_points_at_the_bytes() {
    let denied =
        |ip: &str| format!("+++\n@ {ip}\n--- 403\n\n{{\"message\":\"IP address {ip} is not allowed\"}}\n\n");
    let diagnoses =
        diagnose(fixture::exchanges(&format!("{OK}{}{}", denied("10.9.9.7"), denied("10.9.9.8"))));
    for (diagnosis, ip) in diagnoses.iter().zip(["10.9.9.7", "10.9.9.8"]) {
        let said =
            diagnosis.findings[0].evidence.iter().find(|one| one.text.contains("is not allowed")).unwrap();
        assert!(said.text.contains(ip), "{}", said.text);
        assert_eq!(said.pointers[0].range, Some((12, 46)));
    }
}

#[test]
fn a_suspicious_text_is_pointed_at_where_it_stands() {
    for (edit, part, name) in [
        ("POST /a?q=../../etc/passwd", Part::Query, "q"),
        ("User-Agent: ${jndi:ldap://x}", Part::RequestHeader, "user-agent"),
        ("\n{\"n\":\"<script>alert(1)</script>\"}", Part::RequestBody, "$.n"),
    ] {
        let found = last(&format!("{OK}+++\n{edit}\n--- 403\n"));
        let evidence = found.findings.iter().flat_map(|finding| &finding.evidence);
        let mut shown = evidence.filter(|one| one.kind == EvidenceKind::Shown);
        assert!(
            shown.any(|one| one.pointers[0].part == part && one.pointers[0].name == name),
            "{edit}: {found:#?}"
        );
    }
}

#[test]
fn prose_of_other_languages_is_read() {
    for (body, cause) in [
        ("{\"fehler\":\"Ihre IP-Adresse ist nicht freigegeben.\"}", "ip-denied"),
        ("{\"mensaje\":\"El token ha caducado.\"}", "expired-credentials"),
        ("{\"message\":\"Vous n'avez pas les droits nécessaires.\"}", "insufficient-role"),
        ("{\"msg\":\"签名错误\"}", "signature"),
        ("{\"msg\":\"请求过于频繁，请稍后再试\"}", "rate-limited"),
        ("{\"message\":\"トークンが無効です\"}", "invalid-credentials"),
        ("{\"erro\":\"Limite diário atingido.\"}", "quota"),
    ] {
        assert_eq!(top(&format!("POST /x\nAuthorization: Bearer k\n--- 403\n\n{body}\n")), cause, "{body}");
    }
}

#[test]
fn a_burst_of_one_caller_is_a_limit_and_not_a_lost_key() {
    let calm = "POST /a\nHost: h\nAuthorization: Bearer {k1|k2}\n--- 201 x8 every=4000\n\n";
    let burst = "+++\nAuthorization: Bearer k1\n--- 201 x12 every=15\n\n+++\n--- 403 x3 every=15\n\n";
    let rest = "+++\nAuthorization: Bearer k2\n--- 201 x3 every=900\n";
    assert_eq!(top(&format!("{calm}{burst}{rest}")), "rate-limited");
}

#[test]
fn owners_and_stale_tokens_come_first() {
    assert_eq!(top(&format!("{OWNED}+++\nAuthorization: Bearer a\n--- 403\n")), "not-owner");
    assert_eq!(top(&format!("{FORM}+++\nCookie: sid=s9\nX-CSRF-Token: t1\n--- 403\n")), "csrf");
}

#[test]
fn nobody_named_is_not_about_rights() {
    let denied = last(&format!("{OPEN}+++\n@ 203.0.113.9\n--- 403 x2\n"));
    assert_eq!(denied.findings[0].cause.id(), "ip-denied");
}

#[test]
fn secrets_do_not_reach_the_evidence() {
    let text =
        format!("{OK}+++\nAuthorization: Bearer sk_live_verysecret\nCookie: sid=verysecret\n--- 403\n");
    let all = format!("{:?}", last(&text));
    assert!(!all.contains("verysecret"), "{all}");
}

#[test]
fn what_was_accepted_afterwards_is_ruled_out() {
    let text = format!("{OK}+++\nAuthorization: Bearer k1\n--- 403\n\n+++\n--- 201 x2\n");
    let ruled: Vec<&str> = last(&text).ruled_out.iter().map(|(cause, _)| cause.id()).collect();
    assert!(ruled.contains(&"ip-denied") && ruled.contains(&"invalid-credentials"), "{ruled:?}");
}

#[test]
fn a_users_fingerprint_counts() {
    let mine = "fingerprint = [{ id = \"mine\", system = \"our gate\", says = [\"nope 77\"], causes = { subscription = 7.0 } }]";
    let mut inspector = Inspector::new(
        History::new(1 << 20),
        Diagnoser::with_knowledge(Knowledge::read(&sources(Kind::Fingerprints, mine)).unwrap()),
    );
    let exchange = fixture::exchanges("POST /x\n--- 403\n\nNope-77\n").remove(0);
    let id = inspector.push(exchange);
    let report = inspector.report(id, BaselineChoice::default()).unwrap();
    assert_eq!(report.diagnosis.unwrap().findings[0].cause.id(), "subscription");
}

/// The word that follows the name of a scenario.
fn expected(name: &str) -> &str {
    name.split_once(' ').map_or("", |(_, word)| word)
}

#[test]
fn the_attribute_that_separates_is_named() {
    for scenario in fixture::scenarios(include_str!("../../tests/scenarios/separates.txt")) {
        let wanted = expected(&scenario.name).to_owned();
        let diagnosis = diagnose(scenario.exchanges).pop().unwrap();
        let found =
            diagnosis.findings[0].separates.clone().unwrap_or_else(|| panic!("{wanted}: {diagnosis:#?}"));
        assert_eq!(found.name.split(" (").next(), Some(&*wanted));
        assert!(
            found.refused.0 == found.refused.1 && found.accepted.0 == 0 && found.accepted.1 >= 3,
            "{found:?}"
        );
        assert_ne!(diagnosis.findings[0].cause.id(), "unknown");
    }
}

#[test]
fn differences_and_diagnosis_name_one_attribute() {
    for scenario in fixture::scenarios(include_str!("../../tests/scenarios/separates.txt")) {
        let mut inspector = Inspector::new(History::new(64 << 20), Diagnoser::new());
        let ids: Vec<_> = scenario.exchanges.into_iter().map(|exchange| inspector.push(exchange)).collect();
        let refusals = ids.into_iter().filter(|id| inspector.top_cause(*id).is_some());
        let report = inspector.report(refusals.last().unwrap(), BaselineChoice::default()).unwrap();
        let first = &report.differences[0];
        assert_eq!(first.name, expected(&scenario.name), "{:#?}", report.differences);
        assert_eq!(first.significance, crate::model::Significance::Suspect);
    }
}

#[test]
fn who_refused_is_told() {
    for scenario in fixture::scenarios(include_str!("../../tests/scenarios/refusers.txt")) {
        let wanted = expected(&scenario.name).to_owned();
        let diagnosis = diagnose(scenario.exchanges).pop().unwrap();
        assert!(
            wanted.is_empty() || diagnosis.refuser.as_str() == wanted,
            "{}: {}",
            scenario.name,
            diagnosis.refuser.as_str()
        );
    }
}

#[test]
fn a_header_that_becomes_required_is_never_a_question_of_ownership() {
    let shop = "@ 10.2.{0|1|2}.{5|6|7}\nPOST /v1/orders/{#}\nHost: h\nAuthorization: Bearer {a|b|c|d}\nX-Tenant-Id: t-{1|2|3}\n\n{\"n\":{#}}\n--- 201 x231 every=40\n\n";
    let diagnosis =
        last(&format!("{shop}+++\n-X-Tenant-Id\n--- 403 x64 every=40\n\n{{\"error\":\"forbidden\"}}\n"));
    let first = &diagnosis.findings[0];
    let separates = first.separates.as_ref().unwrap();
    assert_eq!(
        (separates.name.as_str(), separates.refused, separates.accepted),
        ("x-tenant-id", (64, 64), (0, 231))
    );
    assert_ne!(first.cause.id(), "not-owner");
    assert!(first.next[0].contains("x-tenant-id: t-"), "{:?}", first.next);
}

#[test]
fn the_quick_answer_is_that_of_the_diagnosis() {
    let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
    let text = format!("{OK}+++\n-Authorization\n--- 403 x3\n");
    let ids: Vec<_> =
        fixture::exchanges(&text).into_iter().map(|exchange| inspector.push(exchange)).collect();
    let id = *ids.last().unwrap();
    let full = inspector.report(id, BaselineChoice::default()).unwrap().diagnosis.unwrap();
    for _ in 0..2 {
        let top = inspector.top(id).unwrap();
        let first = &full.findings[0];
        assert_eq!((top.cause, top.confidence, top.refuser), (first.cause, first.confidence, full.refuser),);
    }
    assert_eq!(inspector.top_cause(ids[0]), None);
}

#[test]
fn confidence_means_probability() {
    let mut bins = [(0_u32, 0_u32); 5];
    for text in [
        include_str!("../../tests/scenarios/said.txt"),
        include_str!("../../tests/scenarios/vague.txt"),
        include_str!("../../tests/scenarios/hard.txt"),
    ] {
        for scenario in fixture::scenarios(text) {
            let right = |id: &str| id == scenario.cause || scenario.accept.iter().any(|other| other == id);
            for diagnosis in diagnose(scenario.exchanges) {
                let best = &diagnosis.findings[0];
                let bin = &mut bins[((best.confidence * 5.0) as usize).min(4)];
                bin.0 += 1;
                bin.1 += u32::from(right(best.cause.id()));
            }
        }
    }
    for (bin, (all, right)) in bins.iter().enumerate() {
        println!("confidence {:.1}–{:.1}: {right} of {all} right", bin as f32 / 5.0, (bin + 1) as f32 / 5.0);
        assert!(f64::from(*right) >= f64::from(*all) * 0.2 * bin as f64, "bin {bin}: {right} of {all}");
    }
}

#[test]
fn a_coded_refusal_is_understood_as_the_plain_one() {
    use crate::features::content::tests::{coded, wide};
    use crate::features::tests::{exchange, request, response};
    let text = r#"{"error":"insufficient_scope","message":"The token lacks the scope orders:write"}"#;
    let cause = |fields: &[(&str, &str)], body: &[u8]| {
        let one = exchange(
            "10.0.0.1",
            1,
            request("POST", "/x", &[("Host", "h")], b""),
            response(403, fields, body),
        );
        diagnose(vec![one]).pop().unwrap().findings.swap_remove(0).cause.id()
    };
    let media = ("Content-Type", "application/json");
    for (coding, body) in coded(text.as_bytes()) {
        assert_eq!(cause(&[media, ("Content-Encoding", coding)], &body), "insufficient-scope", "{coding}");
    }
    for body in wide(text) {
        assert_eq!(cause(&[media], &body), "insufficient-scope", "{body:x?}");
    }
}

#[test]
fn json_that_strict_parsers_refuse_is_named_and_is_no_wrong_content_type() {
    for (body, fault) in [
        ("{\"n\":1,}", "invalid JSON: trailing comma at byte 7"),
        ("{\"n\":NaN}", "invalid JSON: NaN at byte 5"),
        ("{\"n\":1 /* x */}", "invalid JSON: comment at byte 7"),
        ("\u{feff}{\"n\":1}", "invalid JSON: byte order mark at byte 0"),
        ("{'n':1}", "invalid JSON: single quotes at byte 1"),
        ("{n:1}", "invalid JSON: name without quotes at byte 1"),
        ("{\"n\":", "invalid JSON: ends too early at byte 5"),
    ] {
        let refused = "+++\nPOST /a\nHost: h.example\nUser-Agent: A/1\nAccept: */*\nAuthorization: Bearer k1\nContent-Type: application/json\n\n";
        let diagnosis = last(&format!("{OK}{refused}{body}\n--- 403\n"));
        assert!(says(&diagnosis, fault), "{body}: {diagnosis:?}");
        let media = diagnosis.findings.iter().find(|finding| finding.cause.id() == "content-type");
        assert!(media.is_none(), "{body}: {media:?}");
    }
}
