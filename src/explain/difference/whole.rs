//! Differences of a message as a whole: start line, path, order and spelling of fields, media type against content, size,
//! addresses, a token that ran out since.

use crate::explain::difference::notes::{lifetime, now};
use crate::explain::difference::weigh::Scene;
use crate::features::json::JsonEnd;
use crate::features::names::Which;
use crate::features::request::parsed_request::ParsedRequest;
use crate::features::{Target, client_network, json};
use crate::history::noise::{MAX_VALUES, NETWORK, order as names_of};
use crate::model::{Difference, DifferenceKind, Fields, Part, Request, Significance};

/// Content this much larger than the baseline's is worth a word; some firewalls look at the first 8 KiB only.
const LARGE: u64 = 8 << 10;

/// Field lines whose order is compared.
const MAX_ORDER: usize = 64;

/// All of them, in no order.
pub(crate) fn all(scene: &Scene<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    addresses(scene, &mut found);
    if let [Some(baseline), Some(this)] = scene.requests {
        content(baseline, this, &mut found);
        let (baseline, this) = (baseline.request, this.request);
        start_line(baseline, this, &mut found);
        path(scene, baseline, this, &mut found);
        order(scene, baseline.head.fields(), this.head.fields(), Part::RequestHeader, &mut found);
        ran_out(scene, &mut found);
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
        order(scene, baseline.head.fields(), this.head.fields(), Part::ResponseHeader, &mut found);
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
        // Loopback addresses stand for machines of their own.
        let alone = two.client.ip().is_loopback();
        let network = client_network(two.client.ip());
        let (name, of_network) =
            if alone { ("", two.client.ip().to_string()) } else { (NETWORK, network.to_string()) };
        let endpoint = scene.this.endpoint;
        let seen = scene.history.variation_of(endpoint, Part::Client, name, Some(of_network.as_bytes()));
        let same = !alone && network.contains(&one.client.ip());
        let many = usize::from(seen.distinct) > MAX_VALUES;
        let (significance, note) = match () {
            () if scene.client_succeeds() => (Significance::Noise, "this client also succeeds here"),
            () if seen.known || same => {
                (Significance::Context, "others of its network succeed, this client never does")
            }
            () if many => (Significance::Context, "successes come from many networks, none from this one"),
            () => (Significance::Suspect, "no success comes from this client or its network"),
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
fn order(scene: &Scene<'_>, baseline: &Fields, this: &Fields, part: Part, found: &mut Vec<Difference>) {
    if same_names(baseline, this) {
        return;
    }
    let (one, two) = (common(baseline, this), common(this, baseline));
    if one == two {
        return;
    }
    let usual = scene.history.variation_of(scene.this.endpoint, part, "", Some(&names_of(this)));
    let significance =
        if usual.known || usual.varies() { Significance::Noise } else { Significance::Context };
    let spelling =
        one.len() == two.len() && one.iter().zip(&two).all(|(one, two)| one.eq_ignore_ascii_case(two));
    let note = match (part, spelling) {
        (Part::ResponseHeader, _) => "another order of fields: somebody else may have answered",
        (_, true) => "names spelled otherwise: another client program",
        (_, false) => "another order of fields: another client program",
    };
    let difference = changed(part, "", &one.join(&b", "[..]), &two.join(&b", "[..]), significance);
    found.push(Difference { kind: DifferenceKind::Reordered, note: Some(note.into()), ..difference });
}

/// The names in `fields` that `other` has too.
fn common<'a>(fields: &'a Fields, other: &Fields) -> Vec<&'a [u8]> {
    let shared =
        |name: &[u8]| other.iter().take(MAX_ORDER).any(|field| field.name.eq_ignore_ascii_case(name));
    fields.iter().take(MAX_ORDER).map(|field| field.name).filter(|name| shared(name)).collect()
}

fn same_names(one: &Fields, two: &Fields) -> bool {
    one.len() == two.len() && one.iter().zip(two.iter()).all(|(one, two)| one.name == two.name)
}

fn content(baseline: &ParsedRequest<'_>, this: &ParsedRequest<'_>, found: &mut Vec<Difference>) {
    let (one, two) = (baseline.request.body.len, this.request.body.len);
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
    let Some(fault_here) = fault(this) else { return };
    if fault(baseline).is_none() {
        let note = Some(fault_here);
        let value = this.field(Which::ContentType).unwrap_or_default();
        let before = baseline.field(Which::ContentType).unwrap_or_default();
        let difference = changed(Part::RequestBody, "", before, value, Significance::Suspect);
        found.push(Difference { note, ..difference });
    }
}

/// What is wrong with the content: it contradicts its media type, or it is JSON that strict parsers refuse.
fn fault(parsed: &ParsedRequest<'_>) -> Option<String> {
    let media = parsed.media.as_ref().filter(|_| !parsed.opaque)?;
    let looks = parsed.sniffed;
    if looks.contradicts(media) {
        return Some(format!(
            "Content-Type says {}, the content looks like {}",
            media.essence,
            looks.as_str()
        ));
    }
    let complete = parsed.json.as_ref().is_some_and(|json| json.end == JsonEnd::Complete)
        && !parsed.content.starts_with(b"\xef\xbb\xbf");
    let whole = parsed.request.body.is_whole() && !parsed.cut && !complete;
    let (fault, at) = (media.is_json() && whole).then(|| json::fault(&parsed.content)).flatten()?;
    Some(format!("invalid JSON: {fault} at byte {at}"))
}

/// The very token of the baseline, valid then and expired now: nothing in the bytes differs, only the time.
fn ran_out(scene: &Scene<'_>, found: &mut Vec<Difference>) {
    let then = scene.baseline.exchange.started().seconds();
    let [before, tokens] = scene.tokens();
    for token in tokens {
        let Some(exp) = token.jwt.seconds("exp") else { continue };
        if exp <= now(scene) && exp > then && before.iter().any(|other| other.raw == token.raw) {
            let difference = changed(Part::Timing, "exp", b"valid", b"expired", Significance::Suspect);
            let note = format!("the same token, {}", lifetime(exp, now(scene)));
            found.push(Difference { note: Some(note), ..difference });
            return;
        }
    }
}
