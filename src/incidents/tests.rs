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
}

impl Box {
    fn new() -> Self {
        let inspector = Inspector::new(History::new(16 << 20), Diagnoser::new());
        Self { inspector, incidents: Incidents::default(), redactor: Redactor::for_tests(false), second: 0 }
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
            None => response(201, &[], b""),
        };
        let id = self.inspector.push(exchange(&client, self.second, asked, answered));
        let record = self.inspector.history().get(id).unwrap();
        self.incidents.count(record, &self.inspector, &self.redactor);
        self.second += 1;
    }

    fn list(&mut self) -> Vec<Incident> {
        self.incidents.list(&self.inspector, Timestamp::from_parts(self.second, 0))
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
    let who = incident.who.clone().expect("who");
    assert_eq!(who.refused, ["X-App-Version 8.2"]);
    assert!(who.accepted.contains(&"X-App-Version 8.0".to_owned()), "{who:?}");
    assert!(incident.others_succeed());
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
    assert_eq!(list[0].who, None, "nobody is accepted");
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
