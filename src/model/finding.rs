//! What the diagnosis says: findings with their confidence, evidence and next checks, and who refused.

use super::{Cause, ExchangeId, Part};

/// How a baseline is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BaselineChoice {
    /// The last success before it, or the first after it.
    #[default]
    LastSuccess,
    /// The last success from the same client address.
    SameClient,
    /// The last success of the same principal.
    SamePrincipal,
    /// The success with the fewest significant differences.
    MostSimilar,
    /// The exchange that the user pinned.
    Pinned(ExchangeId),
}

/// The success a refusal is compared with, and why that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// Which exchange.
    pub id: ExchangeId,
    /// What was asked for.
    pub choice: BaselineChoice,
    /// Why this one: "last success, 4.0 s earlier, same client".
    pub why: String,
}

/// Where a piece of evidence can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Which exchange.
    pub exchange: ExchangeId,
    /// Which part of it.
    pub part: Part,
    /// Name within the part (field, cookie, claim, JSON path); empty for the whole part.
    pub name: String,
    /// Bytes that matter, if it is not all of the part: of a field's value; of a body with its content codings undone; of the
    /// request target, as on the wire, for a path or a query parameter.
    pub range: Option<(u32, u32)>,
}

/// The kinds of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// What the response says.
    Said,
    /// What the request shows by itself.
    Shown,
    /// What differs from successes.
    Differs,
    /// What the traffic did.
    Behaved,
    /// What the server's log says.
    Logged,
}

/// One thing in the bytes that supports a cause (or speaks against it).
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Which kind.
    pub kind: EvidenceKind,
    /// One sentence. Never holds a secret; control characters are escaped at the edge.
    pub text: String,
    /// Log-likelihood ratio it adds for the cause, in nats; negative speaks against it.
    pub weight: f32,
    /// Where to look.
    pub pointers: Vec<Pointer>,
}

/// A cause with its confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which cause.
    pub cause: Cause,
    /// Probability, 0.0–1.0.
    pub confidence: f32,
    /// Strongest first; never empty.
    pub evidence: Vec<Evidence>,
    /// What to do or check next, most useful first; concrete and filled in.
    pub next: Vec<String>,
    /// The attribute that separates all such refusals from all successes, where this cause follows from it.
    pub separates: Option<Separates>,
}

/// An attribute that all refusals of a kind have on one side and all successes on the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separates {
    /// Which part of the request.
    pub part: Part,
    /// Field, cookie, parameter, claim or member name.
    pub name: String,
    /// Refusals that differ so, and all that sound the same.
    pub refused: (u32, u32),
    /// Successes that differ so, which is none, and all that were looked at.
    pub accepted: (u32, u32),
    /// This refusal's value, secrets hashed; `None` when it is absent.
    pub this: Option<String>,
    /// A value that was accepted, secrets hashed; `None` when successes have none.
    pub accepted_value: Option<String>,
}

impl Separates {
    /// For people: "all 64 refusals lack x-tenant-id, all 231 successes carry it (t-1)".
    pub fn sentence(&self) -> String {
        let (name, refused, accepted) = (&self.name, self.refused.0, self.accepted.1);
        let shown = |value: &str| if value.is_empty() { String::new() } else { format!(" ({value})") };
        match (self.this.as_deref(), self.accepted_value.as_deref()) {
            (None, value) => format!(
                "all {refused} refusals lack {name}, all {accepted} successes carry it{}",
                shown(value.unwrap_or_default())
            ),
            (Some(this), Some(value)) => format!(
                "all {refused} refusals have another {name}{} than the {accepted} successes{}",
                shown(this),
                shown(value)
            ),
            (Some(this), None) => {
                format!(
                    "all {refused} refusals carry {name}{}, none of {accepted} successes does",
                    shown(this)
                )
            }
        }
    }
}

/// Which layer refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refuser {
    /// The application.
    Application,
    /// An API gateway or authorising proxy.
    Gateway,
    /// A web application firewall.
    Waf,
    /// A content delivery network.
    Cdn,
    /// The web server in front.
    WebServer,
    /// A proxy or filter in the client's own network, on its way out.
    OutboundProxy,
    /// Cannot be told.
    Unknown,
}

impl Refuser {
    /// For people and for NDJSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Gateway => "gateway",
            Self::Waf => "waf",
            Self::Cdn => "cdn",
            Self::WebServer => "web-server",
            Self::OutboundProxy => "outbound-proxy",
            Self::Unknown => "unknown",
        }
    }
}

/// Why one exchange was refused, as far as can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// Best first; never empty on a refusal.
    pub findings: Vec<Finding>,
    /// Who refused, with the evidence.
    pub refuser: Refuser,
    /// Why we think so.
    pub refuser_evidence: Vec<Evidence>,
    /// Causes that evidence speaks against, with that evidence.
    pub ruled_out: Vec<(Cause, String)>,
}
