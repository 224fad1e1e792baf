//! Lines two messages up, item by item.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::features::{Item, JsonKind};
use crate::model::{DifferenceKind, Part};
use crate::step_counter;

/// Two items of the same name that are not equal, or one that the other side lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) part: Part,
    pub(crate) name: Cow<'a, str>,
    pub(crate) kind: DifferenceKind,
    pub(crate) baseline: Option<Cow<'a, [u8]>>,
    pub(crate) this: Option<Cow<'a, [u8]>>,
    /// JSON kinds when they differ: baseline's, this one's.
    pub(crate) kinds: Option<(JsonKind, JsonKind)>,
}

/// What differs, in the order of the names. Items of one name are compared in wire order; the same values in another order
/// are one reordered pair.
pub(crate) fn align<'a>(baseline: Vec<Item<'a>>, this: Vec<Item<'a>>) -> Vec<Pair<'a>> {
    let differing = unlike(&baseline, &this).map(|names| {
        let differs =
            |item: &Item<'_>| names.iter().any(|(part, name)| *part == item.part && **name == *item.name);
        [&baseline, &this].map(|items| items.iter().map(differs).collect::<Vec<bool>>())
    });
    let Some([before, now]) = differing else { return sorted(baseline, this) };
    sorted(those(baseline, &before), those(this, &now))
}

/// Most names that differ between two lists which are walked side by side.
const MAX_UNLIKE: usize = 16;

/// The names whose items are not the same on both sides, found by walking both lists in wire order: most messages of an
/// endpoint have the same items in the same order. `None` where they have not, or where many differ.
fn unlike<'i>(
    baseline: &'i [Item<'_>],
    this: &'i [Item<'_>],
) -> Option<SmallVec<[(Part, &'i str); MAX_UNLIKE]>> {
    let same = |one: Option<&Item<'_>>, two: Option<&Item<'_>>| {
        one.zip(two).is_some_and(|(one, two)| one.part == two.part && one.name == two.name)
    };
    let mut names = SmallVec::new();
    let (mut at, mut there) = (0, 0);
    loop {
        step_counter::steps(1);
        let (one, two) = (baseline.get(at), this.get(there));
        let odd = match (one, two) {
            (None, None) => return Some(names),
            (Some(before), Some(now)) if same(one, two) => {
                (at, there) = (at + 1, there + 1);
                (before.value != now.value || before.kind != now.kind).then_some(before)
            }
            (Some(before), now) if now.is_none() || same(baseline.get(at + 1), two) => {
                at += 1;
                Some(before)
            }
            (before, Some(now)) if before.is_none() || same(one, this.get(there + 1)) => {
                there += 1;
                Some(now)
            }
            _ => return None,
        };
        if let Some(item) = odd {
            if names.len() == MAX_UNLIKE {
                return None;
            }
            names.push((item.part, &*item.name));
        }
    }
}

/// The items for which `wanted` has a yes.
fn those<'a>(items: Vec<Item<'a>>, wanted: &[bool]) -> Vec<Item<'a>> {
    items.into_iter().zip(wanted).filter(|(_, wanted)| **wanted).map(|(item, _)| item).collect()
}

/// Lines up all items by name.
fn sorted<'a>(baseline: Vec<Item<'a>>, this: Vec<Item<'a>>) -> Vec<Pair<'a>> {
    let mut all: Vec<(bool, Item<'a>)> = Vec::with_capacity(baseline.len() + this.len());
    all.extend(baseline.into_iter().map(|item| (false, item)));
    all.extend(this.into_iter().map(|item| (true, item)));
    all.sort_by(|(side, one), (other, two)| (one.part, &one.name, side).cmp(&(two.part, &two.name, other)));
    let mut pairs = Vec::new();
    let mut rest = all.as_mut_slice();
    while let Some((_, first)) = rest.first() {
        let len =
            rest.iter().take_while(|(_, item)| item.part == first.part && item.name == first.name).count();
        let split = rest.iter().take(len).take_while(|(side, _)| !side).count();
        let (group, tail) = rest.split_at_mut(len);
        let (before, now) = group.split_at_mut(split);
        compare(before, now, &mut pairs);
        rest = tail;
    }
    pairs
}

fn compare<'a>(before: &mut [(bool, Item<'a>)], now: &mut [(bool, Item<'a>)], pairs: &mut Vec<Pair<'a>>) {
    let same = |one: &[(bool, Item)], two: &[(bool, Item)]| {
        one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.1.value == two.1.value)
    };
    if same(before, now) && kinds_agree(before, now) {
        return;
    }
    if before.len() == now.len() && before.len() > 1 && reordered(before, now) {
        if let (Some((_, one)), Some((_, two))) = (before.first_mut(), now.first_mut()) {
            pairs.push(pair(Some(one), Some(two), DifferenceKind::Reordered));
        }
        return;
    }
    for at in 0..before.len().max(now.len()) {
        match (before.get_mut(at), now.get_mut(at)) {
            (Some((_, one)), Some((_, two))) if one.value == two.value && one.kind == two.kind => {}
            (Some((_, one)), Some((_, two))) => {
                pairs.push(pair(Some(one), Some(two), DifferenceKind::Changed));
            }
            (Some((_, one)), None) => pairs.push(pair(Some(one), None, DifferenceKind::Removed)),
            (None, Some((_, two))) => pairs.push(pair(None, Some(two), DifferenceKind::Added)),
            (None, None) => {}
        }
    }
}

fn kinds_agree(before: &[(bool, Item)], now: &[(bool, Item)]) -> bool {
    before.iter().zip(now).all(|(one, two)| one.1.kind == two.1.kind)
}

fn reordered(before: &[(bool, Item)], now: &[(bool, Item)]) -> bool {
    let sorted = |items: &[(bool, Item)]| {
        let mut values: Vec<Vec<u8>> = items.iter().map(|(_, item)| item.value.to_vec()).collect();
        values.sort_unstable();
        values
    };
    sorted(before) == sorted(now)
}

fn pair<'a>(baseline: Option<&mut Item<'a>>, this: Option<&mut Item<'a>>, kind: DifferenceKind) -> Pair<'a> {
    let kinds = match (&baseline, &this) {
        (Some(one), Some(two)) => one.kind.zip(two.kind).filter(|(one, two)| one != two),
        _ => None,
    };
    let (part, name) = match (&this, &baseline) {
        (Some(item), _) | (None, Some(item)) => (item.part, item.name.clone()),
        (None, None) => (Part::Connection, Cow::Borrowed("")),
    };
    let value = |item: Option<&mut Item<'a>>| item.map(|item| std::mem::take(&mut item.value));
    Pair { part, name, kind, baseline: value(baseline), this: value(this), kinds }
}

#[cfg(test)]
mod tests {
    use super::{align, sorted};
    use crate::features::Item;
    use crate::model::{DifferenceKind, Part};

    fn item(name: &'static str, value: &'static str) -> Item<'static> {
        Item { part: Part::Cookie, name: name.into(), value: value.as_bytes().into(), kind: None }
    }

    #[test]
    fn lines_up_by_name_and_position() {
        let before = vec![
            item("same", "1"),
            item("gone", "1"),
            item("other", "1"),
            item("twice", "a"),
            item("twice", "b"),
            item("more", "1"),
        ];
        let now = vec![
            item("other", "2"),
            item("same", "1"),
            item("twice", "b"),
            item("twice", "a"),
            item("new", "1"),
            item("more", "1"),
            item("more", "2"),
        ];
        let shown: Vec<_> = align(before, now).into_iter().map(|pair| (pair.name, pair.kind)).collect();
        let expected = [
            ("gone", DifferenceKind::Removed),
            ("more", DifferenceKind::Added),
            ("new", DifferenceKind::Added),
            ("other", DifferenceKind::Changed),
            ("twice", DifferenceKind::Reordered),
        ];
        assert_eq!(shown, expected.map(|(name, kind)| (name.into(), kind)));
    }

    /// One letter a name, a digit a value: `a1`.
    fn items(text: &str) -> Vec<Item<'_>> {
        let pair = |at: usize| Item {
            part: if at % 7 == 3 { Part::Query } else { Part::Cookie },
            name: text[at..=at].into(),
            value: text.as_bytes()[at + 1..=at + 1].into(),
            kind: None,
        };
        (0..text.len() / 2).map(|at| pair(2 * at)).collect()
    }

    proptest::proptest! {
        #[test]
        fn a_walk_side_by_side_changes_nothing(before in "([a-d][0-2]){0,12}", now in "([a-d][0-2]){0,12}", same in "([a-f][0-2]){0,9}") {
            for (before, now) in [(before.clone(), now.clone()), (format!("{same}{before}{same}"), format!("{same}{now}{same}"))] {
                assert_eq!(align(items(&before), items(&now)), sorted(items(&before), items(&now)));
            }
        }
    }

    #[test]
    fn a_message_like_another_is_walked_once() {
        let long: String = (0..700).map(|at| if at % 2 == 0 { "a1" } else { "b2" }).collect();
        let other = format!("{}c1", &long[..long.len() - 2]);
        let before = crate::step_counter::done();
        assert_eq!(align(items(&long), items(&other)).len(), 2);
        assert!(crate::step_counter::done() - before <= 701);
    }
}
