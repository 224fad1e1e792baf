//! Takes the secrets out of an exchange and leaves an exchange: for what is kept on disk and has to be compared in a later run.
//!
//! Each secret that the [`Redactor`] finds is replaced by a pseudonym of the same length ([`pseudonym`]): a keyed hash written
//! in the letters of the secret. Under one key equal secrets have equal pseudonyms, so baselines, noise, statistics and
//! principals of one run mean the same in the next one; without the key a pseudonym says nothing but the secret's form.
//! What stays is what the screen shows of a secret as well: schemes, prefixes such as `sk_test_`, the user of Basic, a
//! token's header and its claims that are no secrets themselves.

mod coded;
mod pseudonym;

use ring::hmac;

use super::{Kind, Redactor, Secret, is_worth_repeating};
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::model::{
    Body, BodyRare, Exchange, FieldSpan, Fields, Preface, Request, RequestHead, Response, ResponseHead, Span,
};

/// Secrets of one exchange whose pieces are recognised, at most.
const REMEMBERED: usize = 96;

/// Replaces secrets under a key.
#[derive(Clone, Debug)]
pub struct Mask {
    key: hmac::Key,
    finder: Redactor,
}

impl Mask {
    /// Under `key`, which belongs to whoever keeps the exchanges.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), finder: Redactor::new(false) }
    }
    /// Replaces the secrets of `exchange`; says how many there were.
    pub fn apply(&self, exchange: &mut Exchange) -> usize {
        let finder = self.finder.knowing(&[exchange]);
        let mut pass = Pass { key: &self.key, finder, replaced: Vec::new(), count: 0 };
        pass.exchange(exchange);
        pass.count
    }
    /// `text` that is no part of an exchange (a log line), without its secrets.
    pub fn text(&self, text: &[u8]) -> Vec<u8> {
        let mut pass = Pass { key: &self.key, finder: self.finder.clone(), replaced: Vec::new(), count: 0 };
        let secrets = pass.finder.text_secrets(text);
        let mut out = text.to_vec();
        pass.replace(&mut out, 0, &secrets);
        out
    }
}

/// One exchange on its way.
struct Pass<'a> {
    key: &'a hmac::Key,
    finder: Redactor,
    /// What was replaced by what, so that a piece of a secret becomes the same piece of its pseudonym. Bound: [`REMEMBERED`].
    replaced: Vec<(Vec<u8>, Vec<u8>)>,
    count: usize,
}

/// What the start line of a head holds besides its fields.
enum Start {
    Target(Span),
    Reason(Span),
    Nothing,
}

impl Pass<'_> {
    fn exchange(&mut self, exchange: &mut Exchange) {
        if let Some(request) = &mut exchange.request {
            self.request(request);
        }
        for head in &mut exchange.interim {
            self.response_head(head);
        }
        if let Some(response) = &mut exchange.response {
            self.response(response);
        }
        if let Some(junk) = &mut exchange.not_http {
            self.text(junk);
        }
        if let Some(preface) = &mut exchange.preface {
            self.preface(preface);
        }
    }

    fn request(&mut self, request: &mut Request) {
        let head = &request.head;
        // The content first: its media type and codings stand in the head.
        self.body(head.fields(), &mut request.body);
        if let Some(fields) = self.fields(head.fields(), &Start::Target(head.target_span())) {
            request.head = RequestHead::new(fields, head.method_span(), head.target_span(), head.version());
        }
    }

    fn response(&mut self, response: &mut Response) {
        self.body(response.head.fields(), &mut response.body);
        self.response_head(&mut response.head);
    }

    fn response_head(&mut self, head: &mut ResponseHead) {
        if let Some(fields) = self.fields(head.fields(), &Start::Reason(head.reason_span())) {
            *head = ResponseHead::new(fields, head.status(), head.reason_span(), head.version());
        }
    }

    fn preface(&mut self, preface: &mut Preface) {
        for text in [&mut preface.destination, &mut preface.authority] {
            let Some(text) = text else { continue };
            let mut bytes = text.as_bytes().to_vec();
            self.text(&mut bytes);
            *text = String::from_utf8_lossy(&bytes).into();
        }
    }

    fn text(&mut self, bytes: &mut [u8]) {
        let secrets = self.finder.text_secrets(bytes);
        self.replace(bytes, 0, &secrets);
    }

    /// The head with its secrets replaced in place; `None` where it has none.
    fn fields(&mut self, fields: &Fields, start: &Start) -> Option<Fields> {
        let old = fields.raw();
        let mut raw = old.to_vec();
        let before = self.count;
        let mut covered: Vec<(usize, usize)> = Vec::with_capacity(2 * fields.len() + 1);
        let mut cover = |span: Span| covered.push((span.start as usize, span.of(old).len()));
        match *start {
            Start::Target(span) => {
                cover(span);
                let secrets = self.finder.target_secrets(span.of(old));
                self.replace(&mut raw, span.start as usize, &secrets);
            }
            Start::Reason(span) => {
                cover(span);
                let secrets = self.finder.text_secrets(span.of(old));
                self.replace(&mut raw, span.start as usize, &secrets);
            }
            Start::Nothing => {}
        }
        for FieldSpan { name, value } in fields.spans() {
            cover(name);
            cover(value);
            let secrets = self.finder.field_secrets(name.of(old), value.of(old));
            self.replace(&mut raw, value.start as usize, &secrets);
        }
        self.between(old, &mut raw, covered);
        (self.count > before).then(|| Fields::new(&raw, fields.spans().collect::<Vec<_>>()))
    }

    /// What stands between the parts of a head: in a malformed one, lines that are no fields.
    fn between(&mut self, old: &[u8], raw: &mut [u8], mut covered: Vec<(usize, usize)>) {
        covered.sort_unstable();
        let mut at = 0;
        for (start, len) in covered.into_iter().chain([(old.len(), 0)]) {
            if let Some(between) = old.get(at..start).filter(|between| is_worth_repeating(between)) {
                let secrets = self.finder.text_secrets(between);
                self.replace(raw, at, &secrets);
            }
            at = at.max(start + len);
        }
    }

    fn body(&mut self, fields: &Fields, body: &mut Body) {
        if let Some(rare) = &mut body.rare
            && let Some(trailers) = self.fields(&rare.trailers, &Start::Nothing)
        {
            let gaps = std::mem::take(&mut rare.gaps);
            **rare = BodyRare { gaps, trailers };
        }
        if body.kept.is_empty() {
            return;
        }
        let media = fields.value("content-type").unwrap_or_default();
        let read = content::read(fields, &body.kept, MAX_DECODED);
        if read.is_opaque() {
            // It may hold secrets that cannot be found.
            self.count += 1;
            body.kept = Box::default();
            return;
        }
        let secrets = self.finder.body_secrets(media, &read.bytes);
        if secrets.is_empty() {
            return;
        }
        let mut bytes = read.bytes.to_vec();
        self.replace(&mut bytes, 0, &secrets);
        if read.undone.is_empty() && read.charset.is_none() {
            body.kept = bytes.into_boxed_slice();
            return;
        }
        let whole = body.is_whole();
        let text = match read.charset {
            Some(charset) => coded::in_charset(&bytes, charset),
            None => Some(bytes),
        };
        let coded = text.and_then(|text| coded::encode(text, &read.undone));
        body.kept = coded.unwrap_or_default().into_boxed_slice();
        if whole {
            body.len = body.kept.len() as u64;
        }
    }

    /// Replaces `secrets`, whose ranges count from `offset`, in `bytes`.
    fn replace(&mut self, bytes: &mut [u8], offset: usize, secrets: &[Secret]) {
        for secret in secrets {
            let range = secret.range.start + offset..secret.range.end + offset;
            let Some(place) = bytes.get_mut(range) else { continue };
            let pseudonym = self.pseudonym(secret.kind, place);
            self.count += 1;
            if pseudonym.len() == place.len() {
                place.copy_from_slice(&pseudonym);
            }
        }
    }

    fn pseudonym(&mut self, kind: Kind, secret: &[u8]) -> Vec<u8> {
        if is_worth_repeating(secret) {
            let piece = self.replaced.iter().find_map(|(old, new)| {
                let at = memchr::memmem::find(old, secret)?;
                new.get(at..at + secret.len())
            });
            if let Some(piece) = piece {
                return piece.to_vec();
            }
        }
        let new = pseudonym::of(self.key, &self.finder, kind, secret);
        if self.replaced.len() < REMEMBERED {
            self.replaced.push((secret.to_vec(), new.clone()));
        }
        new
    }
}

#[cfg(test)]
mod tests;
