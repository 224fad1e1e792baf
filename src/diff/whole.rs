//! Differences of a message as a whole: start line, path, order and spelling of fields, media type against content, size,
//! addresses, a token that ran out since.

use super::notes::{lifetime, now};
use super::weigh::Scene;
use crate::model::{Difference, DifferenceKind, Fields, Part, Request, Significance};
use crate::parts::items::is_readable;
use crate::parts::{MediaType, Target, client_network, sniff, tokens};

/// Content this much larger than the baseline's is worth a word; some firewalls look at the first 8 KiB only.
const LARGE: u64 = 8 << 10;

/// All of them, in no order.
pub(crate) fn all(scene: &Scene<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    addresses(scene, &mut found);
    if let (Some(baseline), Some(this)) = (&scene.baseline.exchange.request, &scene.this.exchange.request) {
        start_line(baseline, this, &mut found);
        path(scene, baseline, this, &mut found);
        order(baseline.head.fields(), this.head.fields(), Part::RequestHeader, &mut found);
        content(baseline, this, &mut found);
        ran_out(scene, this, &mut found);
    }
    if let (Some(baseline), Some(this)) = (&scene.baseline.exchange.response, &scene.this.exchange.response) {
        if baseline.head.status() != this.head.status() {
            let (one, two) = (baseline.head.status().to_string(), this.head.status().to_string());
            found.push(changed(
                Part::StatusLine,
                "status",
                one.as_bytes(),
                two.as_bytes(),
                Significance::Context,
            ));
        }
        order(baseline.head.fields(), this.head.fields(), Part::ResponseHeader, &mut found);
    }
    found
}

fn changed(part: Part, name: &str, baseline: &[u8], this: &[u8], significance: Significance) -> Difference {
    Difference {
        part,
        name: name.into(),
        kind: DifferenceKind::Changed,
        significance,
        baseline: Some(baseline.into()),
        this: Some(this.into()),
        note: None,
    }
}

fn addresses(scene: &Scene<'_>, found: &mut Vec<Difference>) {
    let (one, two) = (&scene.baseline.exchange, &scene.this.exchange);
    if one.client.ip() != two.client.ip() {
        let same_network = client_network(one.client.ip()) == client_network(two.client.ip());
        let varies = scene.variation(Part::Client, "").varies();
        let (significance, note) = match () {
            () if scene.client_succeeds() => (Significance::Noise, "this client also succeeds here"),
            () if varies => {
                (Significance::Context, "successes come from several clients, none from this one")
            }
            () if same_network => {
                (Significance::Suspect, "same network, but this client never succeeds here")
            }
            () => (Significance::Suspect, "another network, and this client never succeeds here"),
        };
        let (one, two) = (one.client.ip().to_string(), two.client.ip().to_string());
        let difference = changed(Part::Client, "", one.as_bytes(), two.as_bytes(), significance);
        found.push(Difference { note: Some(note.into()), ..difference });
    }
    if one.server != two.server {
        let (one, two) = (one.server.to_string(), two.server.to_string());
        found.push(changed(Part::Server, "", one.as_bytes(), two.as_bytes(), Significance::Context));
    }
}

fn start_line(baseline: &Request, this: &Request, found: &mut Vec<Difference>) {
    let (one, two) = (&baseline.head, &this.head);
    if one.method() != two.method() {
        let (one, two) = (one.method().as_bytes(), two.method().as_bytes());
        found.push(changed(Part::RequestLine, "method", one, two, Significance::Suspect));
    }
    if one.version() != two.version() {
        let (one, two) = (one.version().as_str().as_bytes(), two.version().as_str().as_bytes());
        found.push(changed(Part::RequestLine, "version", one, two, Significance::Context));
    }
    let (one, two) = (Target::of(one), Target::of(two));
    if one.authority.is_empty() != two.authority.is_empty() {
        let (one, two) = (baseline.head.target(), this.head.target());
        found.push(changed(Part::RequestLine, "target-form", one, two, Significance::Context));
    }
}

fn path(scene: &Scene<'_>, baseline: &Request, this: &Request, found: &mut Vec<Difference>) {
    let (one, two) = (Target::of(&baseline.head).path, Target::of(&this.head).path);
    if one == two {
        return;
    }
    let same_endpoint = scene.this.endpoint == scene.baseline.endpoint;
    let decoded = |path: &[u8]| percent_encoding::percent_decode(path).collect::<Vec<u8>>();
    let (significance, note) = if decoded(one) == decoded(two) {
        (Significance::Suspect, "the same path in another percent-encoding")
    } else if same_endpoint {
        (Significance::Context, "another object of the same endpoint")
    } else {
        (Significance::Suspect, "another endpoint")
    };
    let difference = changed(Part::Path, "", one, two, significance);
    found.push(Difference { note: Some(note.into()), ..difference });
}

/// Names as spelled, in wire order, when those that both sides have differ in order or spelling.
fn order(baseline: &Fields, this: &Fields, part: Part, found: &mut Vec<Difference>) {
    let common = |fields: &Fields, other: &Fields| -> Vec<Vec<u8>> {
        let shared = |name: &[u8]| other.iter().any(|field| field.name.eq_ignore_ascii_case(name));
        fields.iter().take(128).filter(|field| shared(field.name)).map(|field| field.name.to_vec()).collect()
    };
    if same_names(baseline, this) {
        return;
    }
    let (one, two) = (common(baseline, this), common(this, baseline));
    if one == two {
        return;
    }
    let spelling =
        one.len() == two.len() && one.iter().zip(&two).all(|(one, two)| one.eq_ignore_ascii_case(two));
    let note = match (part, spelling) {
        (Part::ResponseHeader, _) => "another order of fields: somebody else may have answered",
        (_, true) => "names spelled otherwise: another client program",
        (_, false) => "another order of fields: another client program",
    };
    let difference = changed(part, "", &one.join(&b", "[..]), &two.join(&b", "[..]), Significance::Context);
    found.push(Difference { kind: DifferenceKind::Reordered, note: Some(note.into()), ..difference });
}

fn same_names(one: &Fields, two: &Fields) -> bool {
    one.len() == two.len() && one.iter().zip(two.iter()).all(|(one, two)| one.name == two.name)
}

fn content(baseline: &Request, this: &Request, found: &mut Vec<Difference>) {
    let (one, two) = (baseline.body.len, this.body.len);
    let sizes = |significance, note: Option<&str>| Difference {
        note: note.map(str::to_owned),
        ..changed(
            Part::RequestBody,
            "size",
            one.to_string().as_bytes(),
            two.to_string().as_bytes(),
            significance,
        )
    };
    match () {
        () if one == two => {}
        () if two == 0 => found.push(sizes(Significance::Suspect, Some("no content; the success has some"))),
        () if one == 0 => found.push(sizes(Significance::Suspect, Some("content; the success has none"))),
        () if two > LARGE && two / 2 > one => {
            found.push(sizes(Significance::Context, Some("much larger, above 8 KiB")));
        }
        () => found.push(sizes(Significance::Noise, None)),
    }
    let Some(claim) = contradiction(this) else { return };
    if contradiction(baseline).is_none() {
        let note = Some(format!("Content-Type says {}, the content looks like {}", claim.0, claim.1));
        let value = this.head.fields().value("content-type").unwrap_or_default();
        let before = baseline.head.fields().value("content-type").unwrap_or_default();
        let difference = changed(Part::RequestBody, "", before, value, Significance::Suspect);
        found.push(Difference { note, ..difference });
    }
}

/// The media type and what the content looks like, when they contradict each other.
fn contradiction(request: &Request) -> Option<(&str, &'static str)> {
    let fields = request.head.fields();
    let media = MediaType::parse(fields.value("content-type")?)?;
    let looks = sniff(&request.body.kept);
    (is_readable(fields) && looks.contradicts(&media)).then(|| (media.essence, looks.as_str()))
}

/// The very token of the baseline, valid then and expired now: nothing in the bytes differs, only the time.
fn ran_out(scene: &Scene<'_>, this: &Request, found: &mut Vec<Difference>) {
    let then = scene.baseline.exchange.started().seconds();
    let before = scene.baseline.exchange.request.iter().flat_map(tokens).collect::<Vec<_>>();
    for token in tokens(this) {
        let Some(exp) = token.jwt.seconds("exp") else { continue };
        if exp <= now(scene) && exp > then && before.iter().any(|other| other.raw == token.raw) {
            let difference = changed(Part::Timing, "exp", b"valid", b"expired", Significance::Suspect);
            let note = format!("the same token, {}", lifetime(exp, now(scene)));
            found.push(Difference { note: Some(note), ..difference });
            return;
        }
    }
}
