//! Since when something is refused: the split of the time that explains refusals and successes best.

/// How much better a split must explain what was seen than none, as a logarithm of the likelihood: about 150 to 1, which a
/// series without a change reaches in fewer than one of twenty.
const GAIN: f64 = 5.0;

/// One bucket: refusals, and everything else that was answered.
pub(super) type Bucket = (u32, u32);

/// A change of the share that is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    /// The first bucket after it.
    pub bucket: usize,
    /// The share that was refused before, 0.0–1.0.
    pub before: f64,
    /// The share that is refused since.
    pub after: f64,
}

/// The rise of the refused share in `buckets`, when a split in two explains them much better than one share; `None` when the
/// share was the same all along, or fell.
pub(super) fn rise(buckets: &[Bucket]) -> Option<Change> {
    let sum = |buckets: &[Bucket]| {
        buckets
            .iter()
            .fold((0.0, 0.0), |(refused, other), (r, o)| (refused + f64::from(*r), other + f64::from(*o)))
    };
    let whole = likelihood(sum(buckets));
    let splits = (1..buckets.len()).filter_map(|at| {
        let (before, after) = buckets.split_at_checked(at)?;
        let (before, after) = (sum(before), sum(after));
        let rises = share(before) < share(after) && before.0 + before.1 > 0.0 && after.0 > 0.0;
        let gain = likelihood(before) + likelihood(after) - whole;
        rises.then_some((gain, Change { bucket: at, before: share(before), after: share(after) }))
    });
    let best = splits.max_by(|(a, _), (b, _)| a.total_cmp(b));
    // A split within buckets that hold nothing is as good as the one at their end, where the first refusal is.
    let (gain, mut change) = best?;
    while buckets.get(change.bucket).is_some_and(|(refused, other)| refused + other == 0) {
        change.bucket += 1;
    }
    (gain >= GAIN).then_some(change)
}

/// Share of refusals.
fn share((refused, other): (f64, f64)) -> f64 {
    if refused > 0.0 { refused / (refused + other) } else { 0.0 }
}

/// Logarithm of the likelihood of so many refusals under their own share (binomial, without the constant).
fn likelihood((refused, other): (f64, f64)) -> f64 {
    let all = refused + other;
    let part = |count: f64| if count > 0.0 { count * (count / all).ln() } else { 0.0 };
    part(refused) + part(other)
}

#[cfg(test)]
mod tests {
    use super::{Bucket, rise};

    #[test]
    fn a_deploy_is_found_where_it_was() {
        let mut buckets: Vec<Bucket> = vec![(0, 20); 12];
        buckets.extend([(7, 13); 9]);
        let change = rise(&buckets).expect("a rise");
        assert_eq!((change.bucket, change.before), (12, 0.0));
        assert!((change.after - 0.35).abs() < 1e-9);
    }

    #[test]
    fn a_stray_refusal_before_is_not_the_onset() {
        let mut buckets: Vec<Bucket> = vec![(0, 50); 20];
        buckets[3] = (1, 49);
        buckets.extend([(30, 20); 6]);
        assert_eq!(rise(&buckets).map(|change| change.bucket), Some(20));
    }

    #[test]
    fn what_was_always_so_has_no_onset() {
        assert_eq!(rise(&[(5, 5); 20]), None);
        assert_eq!(rise(&[(9, 0); 20]), None);
        assert_eq!(rise(&[(0, 9); 20]), None);
        let chance: Vec<Bucket> = (0..30).map(|at| (u32::from(at % 7 == 3), 10)).collect();
        assert_eq!(rise(&chance), None);
        assert_eq!(rise(&[]), None);
        assert_eq!(rise(&[(1, 0)]), None);
    }

    #[test]
    fn a_fall_is_no_onset() {
        let mut buckets: Vec<Bucket> = vec![(9, 1); 10];
        buckets.extend([(0, 10); 10]);
        assert_eq!(rise(&buckets), None);
    }

    #[test]
    fn silence_between_belongs_to_the_time_before() {
        let mut buckets: Vec<Bucket> = vec![(0, 20); 5];
        buckets.extend([(0, 0); 10]);
        buckets.extend([(20, 0); 5]);
        assert_eq!(rise(&buckets).map(|change| change.bucket), Some(15));
    }
}
