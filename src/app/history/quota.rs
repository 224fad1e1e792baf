//! Which exchanges are kept: every refusal, and of the rest a sample that bounds the cost of a busy endpoint.

use std::collections::{HashMap, HashSet};

use ahash::RandomState;

use crate::model::{EndpointId, Timestamp};

/// Exchanges that are no refusals, kept of one endpoint in a second of capture time.
const A_SECOND: u32 = 256;
/// Pairs of endpoint and identity of which it is known that they succeeded.
const PAIRS: usize = 1 << 16;

/// What was kept in this second.
#[derive(Debug, Default)]
pub(super) struct Quota {
    second: i64,
    /// Bound: endpoints of a history.
    kept: HashMap<EndpointId, u32, RandomState>,
    /// Bound: [`PAIRS`].
    succeeded: HashSet<(EndpointId, u64), RandomState>,
}

impl Quota {
    /// Whether to keep an exchange that is no refusal.
    pub(super) fn takes(
        &mut self,
        at: Timestamp,
        endpoint: EndpointId,
        identity: u64,
        success: bool,
    ) -> bool {
        let second = at.seconds();
        if second != self.second {
            self.second = second;
            self.kept.clear();
        }
        let kept = self.kept.entry(endpoint).or_default();
        *kept += 1;
        // The first success of somebody is kept however busy the endpoint is.
        let first = success
            && (self.succeeded.len() < PAIRS || self.succeeded.contains(&(endpoint, identity)))
            && self.succeeded.insert((endpoint, identity));
        first || *kept <= A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::{A_SECOND, Quota};
    use crate::model::{EndpointId, Timestamp};

    #[test]
    fn a_busy_endpoint_is_sampled_and_a_new_caller_is_not() {
        let mut quota = Quota::default();
        let at = Timestamp(5);
        let kept = (0..10_000).filter(|_| quota.takes(at, EndpointId(1), 7, true)).count();
        assert_eq!(kept, A_SECOND as usize);
        assert!(quota.takes(at, EndpointId(1), 8, true), "a caller's first success");
        assert!(!quota.takes(at, EndpointId(1), 8, true));
        assert!(quota.takes(at, EndpointId(2), 7, false), "another endpoint");
        assert!(quota.takes(at.plus(1_000_000_000), EndpointId(1), 7, true), "another second");
    }
}
