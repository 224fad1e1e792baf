//! Incidents of made-up traffic.

use super::Incidents;
use crate::edge::redact::Redactor;
use crate::explain::diagnoser::Diagnoser;
use crate::explain::inspector::Inspector;
use crate::features::tests::{exchange, request, response};
use crate::history::History;
use crate::incidents::{Incident, Onset, State};
use crate::model::Timestamp;

struct Box {
    inspector: Inspector,
    incidents: Incidents,
    redactor: Redactor,
    second: i64,
    build: &'static str,
}

impl Box {
    fn new() -> Self {
        let inspector = Inspector::new(History::new(16 << 20), Diagnoser::new());
        Self {
            inspector,
            incidents: Incidents::default(),
            redactor: Redactor::for_tests(false),
            second: 0,
            build: "1",
        }
    }

    /// One request a second.
    fn send(&mut self, target: &str, version: &str, refused: bool) {
        self.answer(
            target,
            version,
            if refused { Some(r#"{"error":"client version is blocked"}"#) } else { None },
        );
    }

    fn answer(&mut self, target: &str, version: &str, refusal: Option<&str>) {
        let agent = format!("AcmeApp/{version} (Android 14)");
        let fields = [("Host", "api.example"), ("User-Agent", agent.as_str()), ("X-App-Version", version)];
        let client = format!("10.0.0.{}", 1 + self.second % 7);
        let asked = request("POST", target, &fields, b"{\"n\":1}");
        let answered = match refusal {
            Some(body) => response(403, &[("Content-Type", "application/json")], body.as_bytes()),
            None => response(201, &[("X-Build-Version", self.build)], b""),
        };
        let id = self.inspector.push(exchange(&client, self.second, asked, answered));
        let record = self.inspector.history().get(id).unwrap();
        self.incidents.count(record, &self.inspector, &self.redactor);
        self.second += 1;
    }

    fn list(&mut self) -> Vec<Incident> {
        let now = Timestamp::from_parts(self.second, 0);
        for _ in 0..1000 {
            let (list, more) = self.incidents.list(&self.inspector, now, &self.redactor);
            if !more {
                return list;
            }
        }
        panic!("there is always more to find out");
    }
}

#[test]
fn one_incident_over_two_endpoints_with_its_onset_and_who() {
    let mut staged = Box::new();
    for at in 0..120 {
        staged.send(
            if at % 2 == 0 { "/v1/orders" } else { "/v1/refunds" },
            if at % 3 == 0 { "8.1" } else { "8.0" },
            false,
        );
    }
    // A deploy begins to refuse version 8.2; others go on.
    for at in 0..90 {
        let new = at % 3 == 0;
        staged.send(
            if at % 2 == 0 { "/v1/orders" } else { "/v1/refunds" },
            if new { "8.2" } else { "8.0" },
            new,
        );
    }
    let list = staged.list();
    let [incident] = list.as_slice() else { panic!("{list:?}") };
    assert_eq!((incident.refusals, incident.endpoints.len()), (30, 2));
    let Onset::At(at) = incident.onset else { panic!("{:?}", incident.onset) };
    assert!((116..=124).contains(&at.seconds()), "{at}");
    assert!(incident.rate.0 < 0.02 && incident.rate.1 > 0.25, "{:?}", incident.rate);
    assert_eq!(incident.state, State::New);
    let who = incident.who().expect("who");
    assert_eq!((who.name.as_str(), who.refused.as_slice()), ("X-App-Version", &["8.2".to_owned()][..]));
    assert!(who.accepted.contains(&"8.0".to_owned()), "{who:?}");
    assert_eq!(who.sentence(), "all with X-App-Version 8.2; 8.0 accepted");
    assert!(incident.others_succeed());
}

#[test]
fn a_version_that_was_fine_before_the_deploy_is_who_is_refused_since() {
    let mut staged = Box::new();
    for at in 0..120 {
        staged.send("/v1/orders", if at % 3 == 0 { "8.1" } else { "8.0" }, false);
    }
    for at in 0..90 {
        let blocked = at % 3 == 0;
        staged.send("/v1/orders", if blocked { "8.1" } else { "8.0" }, blocked);
    }
    let list = staged.list();
    assert_eq!(list.len(), 1);
    let who = list[0].who().expect("who");
    assert_eq!(who.short(), "X-App-Version 8.1");
    let callers = &list[0].affected.callers;
    let agents = callers.iter().find(|one| one.of == super::super::Trait::Product).expect("products");
    let row = |one: &super::super::Share| (one.value.clone(), one.refused, one.accepted);
    assert_eq!(
        agents.shares.iter().map(row).collect::<Vec<_>>(),
        [("AcmeApp/8.1".to_owned(), 30, 0), ("AcmeApp/8.0".to_owned(), 0, 60)]
    );
}

#[test]
fn answers_that_differ_in_their_words_are_one_incident_when_one_attribute_separates_them() {
    let mut staged = Box::new();
    for at in 0..200 {
        let blocked = at >= 100 && at % 2 == 0;
        let words = ["the client is too old", "please update your application"];
        let body =
            format!(r#"{{"error":"upgrade required","message":"{}"}}"#, words[usize::from(at % 4 == 0)]);
        staged.answer("/v1/orders", if blocked { "7.0" } else { "8.0" }, blocked.then_some(body.as_str()));
    }
    let list = staged.list();
    let leads: Vec<_> =
        list.iter().map(|one| (one.refusals, one.lead.clone(), one.cause, one.responses.len())).collect();
    assert_eq!(list.len(), 1, "{leads:?}");
    assert_eq!((list[0].refusals, list[0].responses.len()), (50, 2));
}

#[test]
fn what_changed_on_the_server_at_the_onset_is_named() {
    let mut staged = Box::new();
    for at in 0..100 {
        staged.build = if at < 50 { "1.4.0" } else { "1.5.0" };
        let blocked = at >= 50 && at % 2 == 0;
        staged.send("/v1/orders", if blocked { "8.1" } else { "8.0" }, blocked);
    }
    let list = staged.list();
    let [change] = list[0].changes.as_slice() else { panic!("{:?}", list[0].changes) };
    assert_eq!(
        (change.field.as_str(), change.before.as_str(), change.after.as_str()),
        ("x-build-version", "1.4.0", "1.5.0")
    );
}

#[test]
fn an_incident_is_over_when_what_was_refused_is_accepted_again() {
    let mut staged = Box::new();
    for refused in [vec![false; 40], vec![true; 20], vec![false; 3]].concat() {
        staged.send("/v1/orders", "8.0", refused);
    }
    assert_eq!(staged.list()[0].state, State::New, "three successes may be chance where others are refused");
    for _ in 0..20 {
        staged.send("/v1/orders", "8.0", false);
    }
    let list = staged.list();
    assert_eq!((list.len(), list[0].state), (1, State::Over));
    assert!(list[0].others_succeed());
}

#[test]
fn what_was_refused_from_the_start_began_before_the_capture() {
    let mut staged = Box::new();
    for _ in 0..40 {
        staged.send("/v1/orders", "8.0", true);
    }
    let list = staged.list();
    assert_eq!((list.len(), list[0].onset, list[0].state), (1, Onset::BeforeCapture, State::Ongoing));
    assert_eq!(list[0].who(), None, "nobody is accepted");
}

#[test]
fn successes_within_the_same_second_speak_against_a_beginning_before_the_capture() {
    let mut staged = Box::new();
    for refused in [vec![false; 2], vec![true; 9], vec![false; 3]].concat() {
        staged.send("/v1/orders", "8.0", refused);
    }
    assert_ne!(staged.list()[0].onset, Onset::BeforeCapture);
}

#[test]
fn a_new_incident_grows_old_without_traffic() {
    let mut staged = Box::new();
    for refused in [vec![false; 40], vec![true; 20]].concat() {
        staged.send("/v1/orders", "8.0", refused);
    }
    assert_eq!(staged.list()[0].state, State::New);
    staged.second += 600;
    assert_eq!(staged.list()[0].state, State::Ongoing);
}

#[test]
fn different_answers_are_different_incidents() {
    let mut staged = Box::new();
    for at in 0..60 {
        staged.send("/v1/orders", "8.0", false);
        let body = if at % 2 == 0 {
            r#"{"error":"csrf token missing"}"#
        } else {
            r#"{"error":"insufficient_scope"}"#
        };
        staged.answer("/v1/orders", "8.0", Some(body));
    }
    let list = staged.list();
    assert_eq!(list.iter().map(|incident| incident.refusals).collect::<Vec<_>>(), [30, 30]);
}

#[test]
fn kinds_beyond_the_bound_push_out_the_oldest_and_are_counted() {
    let mut staged = Box::new();
    for at in 0..super::MAX_CLUSTERS + 10 {
        let word: String =
            format!("{at:04}").chars().map(|digit| char::from(b'a' + digit as u8 - b'0')).collect();
        staged.answer("/v1/orders", "8.0", Some(&format!("refused because of rule {word}xyz")));
    }
    assert!(staged.incidents.clusters.len() <= super::MAX_CLUSTERS);
    let total = staged.incidents.refusals() + staged.incidents.forgotten();
    assert_eq!(total, super::MAX_CLUSTERS as u64 + 10);
}
