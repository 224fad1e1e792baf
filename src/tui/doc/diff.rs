//! The differences between a refusal and its baseline: suspects first, then context, noise folded.

use std::borrow::Cow;

use super::changed;
use super::{Doc, Line, Link, Scene};
use crate::edge::sanitize;
use crate::history::{History, Record};
use crate::model::{BaselineChoice, Difference, DifferenceKind, ExchangeId, Part, Pointer, Significance};
use crate::tui::text;
use crate::tui::theme::Role;

/// From this width on the two values stand side by side.
const SIDE_BY_SIDE: u16 = 84;

/// What is compared with what.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The refusal, or the second of two marked exchanges.
    pub this: ExchangeId,
    /// The baseline, or the first of two.
    pub baseline: ExchangeId,
    /// What the columns are called.
    pub names: [&'a str; 2],
}

/// The Diff tab and the comparison.
pub fn diff(differences: &[Difference], pair: Pair<'_>, noise: bool, scene: &Scene<'_>) -> Doc {
    let mut doc = Doc::default();
    if differences.is_empty() {
        doc.push(
            Line::of(Role::Good, "No difference")
                .add(Role::Dim, ": the requests are equal, so look at time, rate and the server's state")
                .prose(),
        );
        return doc;
    }
    let side_by_side = scene.width >= SIDE_BY_SIDE;
    let shown: Vec<Entry<'_>> = differences.iter().map(|difference| Entry::new(difference, scene)).collect();
    let widest = shown.iter().map(|entry| text::width(&entry.name)).max().unwrap_or_default();
    let layout = Layout::new(scene.width, widest, side_by_side);
    if side_by_side {
        layout.heading(&mut doc, pair.names, scene);
    }
    for (significance, title) in [
        (Significance::Suspect, "Suspects"),
        (Significance::Context, "Context"),
        (Significance::Noise, "Noise"),
    ] {
        let group: Vec<&Entry<'_>> =
            shown.iter().filter(|entry| entry.difference.significance == significance).collect();
        if group.is_empty() {
            continue;
        }
        doc.gap();
        let fold = significance == Significance::Noise;
        heading(&mut doc, title, group.len(), fold.then_some(noise), scene);
        if fold && !noise {
            continue;
        }
        layout.group(&mut doc, &group, pair, scene);
    }
    doc
}

fn heading(doc: &mut Doc, title: &str, count: usize, fold: Option<bool>, scene: &Scene<'_>) {
    let role = if title == "Suspects" { Role::Bad } else { Role::Title };
    let [folded, open] = scene.glyphs.folds;
    match fold {
        None => doc.push(Line::of(role, title).add(Role::Dim, &format!(" {count}"))),
        Some(shown) => {
            let sign = if shown { open } else { folded };
            let text = format!("{sign} {title} {count}  also varies between successes");
            doc.push(Line::of(Role::Dim, &text).link(Link::Noise));
        }
    }
}

/// A difference, ready to show.
struct Entry<'a> {
    difference: &'a Difference,
    /// As it may be shown: keys of a body are a stranger's words.
    name: Cow<'a, str>,
    values: [Option<String>; 2],
}

impl<'a> Entry<'a> {
    fn new(difference: &'a Difference, scene: &Scene<'_>) -> Self {
        let shown = |value: &Option<Vec<u8>>| {
            value.as_ref().map(|value| {
                let value = scene.redactor.value(difference.part, &difference.name, value);
                sanitize::short(&value, 2000).into_owned()
            })
        };
        let name = sanitize::text(called(difference));
        Self { difference, name, values: [shown(&difference.baseline), shown(&difference.this)] }
    }

    fn sign(&self) -> (&'static str, Role) {
        match self.difference.kind {
            DifferenceKind::Added => ("+", Role::Added),
            DifferenceKind::Removed => ("-", Role::Removed),
            DifferenceKind::Changed => ("~", Role::Warn),
            DifferenceKind::Reordered => ("=", Role::Dim),
        }
    }

    /// The two values as pieces with roles: what changed within them stands out.
    fn pieces(&self) -> [Vec<(String, Role)>; 2] {
        match &self.values {
            [Some(before), Some(after)] => {
                let (gone, come) = changed::parts(before, after);
                [
                    cut(before, &gone, Role::Removed, Role::RemovedPart),
                    cut(after, &come, Role::Added, Role::AddedPart),
                ]
            }
            [before, after] => {
                let one =
                    |value: &Option<String>, role| value.iter().map(|text| (text.clone(), role)).collect();
                [one(before, Role::Removed), one(after, Role::Added)]
            }
        }
    }
}

/// The name that links lead to: the part's own where the difference has none.
fn called(difference: &Difference) -> &str {
    if difference.name.is_empty() { title(difference.part) } else { &difference.name }
}

fn cut(text: &str, marked: &[std::ops::Range<usize>], plain: Role, strong: Role) -> Vec<(String, Role)> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for range in marked {
        pieces.push((text.get(from..range.start).unwrap_or_default().to_owned(), plain));
        pieces.push((text.get(range.clone()).unwrap_or_default().to_owned(), strong));
        from = range.end;
    }
    pieces.push((text.get(from..).unwrap_or_default().to_owned(), plain));
    pieces
}

/// Where the columns are.
struct Layout {
    name: usize,
    value: usize,
    side_by_side: bool,
}

impl Layout {
    fn new(width: u16, widest: usize, side_by_side: bool) -> Self {
        let width = usize::from(width);
        let name = (widest + 7).clamp(14, (width / 4).max(18));
        Self { name, value: width.saturating_sub(name + 4) / 2, side_by_side }
    }

    fn heading(&self, doc: &mut Doc, names: [&str; 2], scene: &Scene<'_>) {
        let [left, right] = names;
        let bar = scene.glyphs.vertical;
        let cut = |text| text::fit(text, self.value, scene.glyphs.ellipsis);
        let line = Line::default()
            .pad(self.name)
            .add(Role::Line, bar)
            .add(Role::Removed, &format!(" {}", cut(left)));
        let line = line.pad(self.name + self.value + 2).add(Role::Line, bar);
        doc.push(line.add(Role::Added, &format!(" {}", cut(right))));
    }

    /// Entries of the same part as branches of one tree, parts in the order of their most telling entry.
    fn group(&self, doc: &mut Doc, group: &[&Entry<'_>], pair: Pair<'_>, scene: &Scene<'_>) {
        let mut parts: Vec<Part> = Vec::new();
        for entry in group {
            if !parts.contains(&entry.difference.part) {
                parts.push(entry.difference.part);
            }
        }
        for part in parts {
            let of_part = |entry: &&&Entry<'_>| entry.difference.part == part;
            let entries: Vec<&Entry<'_>> = group.iter().filter(of_part).copied().collect();
            self.part(doc, &entries, pair, scene);
        }
    }

    fn part(&self, doc: &mut Doc, entries: &[&Entry<'_>], pair: Pair<'_>, scene: &Scene<'_>) {
        let alone = matches!(entries, [entry] if entry.difference.name.is_empty());
        if let Some(entry) = entries.first().filter(|_| !alone) {
            doc.push(Line::of(Role::Dim, &format!(" {}", title(entry.difference.part))));
        }
        for (index, entry) in entries.iter().enumerate() {
            let [middle, end, _] = scene.glyphs.tree;
            let branch = match index + 1 == entries.len() {
                _ if alone => "",
                true => end,
                false => middle,
            };
            if self.side_by_side {
                self.beside(doc, entry, branch, pair, scene);
            } else {
                Self::below(doc, entry, branch, pair);
            }
            if let Some(note) = &entry.difference.note {
                let note = sanitize::text(note);
                let indent = if self.side_by_side { self.name + 2 } else { 6 };
                let line = Line::default().pad(indent).add(Role::Warn, &note);
                doc.push(line.hang(indent).prose());
            }
        }
    }

    /// Name, baseline's value, this value: three columns, wrapped within each.
    fn beside(&self, doc: &mut Doc, entry: &Entry<'_>, branch: &str, pair: Pair<'_>, scene: &Scene<'_>) {
        let [left, right] = entry.pieces().map(|pieces| columns(&pieces, self.value));
        let (sign, role) = entry.sign();
        let name = text::fit_middle(&entry.name, self.name.saturating_sub(7), scene.glyphs.ellipsis);
        let absent = |rows: &Vec<Vec<(String, Role)>>, index| rows.is_empty() && index == 0;
        for index in 0..left.len().max(right.len()).max(1) {
            let mut line = if index == 0 {
                stem(branch).add(role, sign).add(Role::Name, &format!(" {name}"))
            } else {
                Line::default()
            };
            line = line.pad(self.name).add(Role::Line, scene.glyphs.vertical).add(Role::Text, " ");
            line = cell(line, left.get(index), absent(&left, index));
            line = line.pad(self.name + self.value + 2).add(Role::Line, scene.glyphs.vertical);
            line = cell(line.add(Role::Text, " "), right.get(index), absent(&right, index));
            doc.push(line.link(link(entry, pair)).anchor(entry.difference.part, called(entry.difference)));
        }
    }

    /// Name, then each value in a line of its own.
    fn below(doc: &mut Doc, entry: &Entry<'_>, branch: &str, pair: Pair<'_>) {
        let (sign, role) = entry.sign();
        let line = stem(branch).add(role, sign).add(Role::Name, &format!(" {}", entry.name));
        doc.push(line.link(link(entry, pair)).anchor(entry.difference.part, called(entry.difference)));
        for ((pieces, sign), role) in
            entry.pieces().into_iter().zip(["- ", "+ "]).zip([Role::Removed, Role::Added])
        {
            if pieces.is_empty() {
                continue;
            }
            let mut line = Line::of(role, &format!("      {sign}"));
            for (text, role) in pieces {
                line = line.add(role, &text);
            }
            doc.push(line.hang(8).link(link(entry, pair)));
        }
    }
}

/// What stands before a name: its branch, or nothing where the name is all of its part.
fn stem(branch: &str) -> Line {
    if branch.is_empty() { Line::of(Role::Line, " ") } else { Line::of(Role::Line, &format!(" {branch} ")) }
}

fn cell(mut line: Line, pieces: Option<&Vec<(String, Role)>>, absent: bool) -> Line {
    if absent {
        return line.add(Role::Dim, "absent");
    }
    for (text, role) in pieces.into_iter().flatten() {
        line = line.add(*role, text);
    }
    line
}

/// Breaks pieces into rows of `width` columns.
fn columns(pieces: &[(String, Role)], width: usize) -> Vec<Vec<(String, Role)>> {
    let width = width.max(4);
    let mut rows: Vec<Vec<(String, Role)>> = Vec::new();
    let mut used = width;
    for (text, role) in pieces {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if used >= width {
                rows.push(Vec::new());
                used = 0;
            }
            let taken = text::head(rest, width - used);
            if taken.is_empty() {
                used = width;
                continue;
            }
            used += text::width(taken);
            rest = rest.get(taken.len()..).unwrap_or_default();
            if let Some(row) = rows.last_mut() {
                row.push((taken.to_owned(), *role));
            }
        }
    }
    rows
}

/// Enter goes to where the value is: in this exchange, or in the baseline when only that has it.
fn link(entry: &Entry<'_>, pair: Pair<'_>) -> Link {
    let only_there = entry.difference.kind == DifferenceKind::Removed;
    Link::Bytes(Pointer {
        exchange: if only_there { pair.baseline } else { pair.this },
        part: entry.difference.part,
        name: entry.difference.name.clone(),
        range: None,
    })
}

/// A part's heading.
pub const fn title(part: Part) -> &'static str {
    match part {
        Part::Client => "client address",
        Part::Server => "server address",
        Part::RequestLine => "request line",
        Part::Path => "path",
        Part::Query => "query",
        Part::RequestHeader => "request fields",
        Part::Cookie => "cookies",
        Part::Claim => "token claims",
        Part::RequestBody => "request body",
        Part::StatusLine => "status line",
        Part::ResponseHeader => "response fields",
        Part::ResponseBody => "response body",
        Part::Timing => "timing",
        Part::Connection => "connection",
    }
}

/// What to show without a baseline: what is known of the endpoint instead.
pub fn alone(record: &Record, history: &History, choice: BaselineChoice, scene: &Scene<'_>) -> Doc {
    let mut doc = Doc::default();
    doc.push(Line::of(Role::Title, "Nothing to compare with").prose());
    let name = history.endpoint(record.endpoint).map(ToString::to_string).unwrap_or_default();
    let name = scene.redactor.endpoint(&name);
    doc.gap();
    let text = format!("{}: {}", sanitize::text(&name), no_baseline(record, history, choice));
    doc.push(Line::of(Role::Text, &text).prose());
    doc.gap();
    let text = "To compare with any other exchange: Space on it and on this one, then C.";
    doc.push(Line::of(Role::Dim, text).prose());
    doc
}

/// Why there is no success to compare with, from what was counted of the endpoint.
pub(super) fn no_baseline(record: &Record, history: &History, choice: BaselineChoice) -> String {
    let state = history.endpoint_state(record.endpoint);
    let (seen, successes) = state.map_or((0, 0), |state| (state.exchanges, state.successes));
    let whose = match choice {
        BaselineChoice::SameClient => " by this client",
        BaselineChoice::SamePrincipal => " by this user",
        BaselineChoice::LastSuccess | BaselineChoice::MostSimilar | BaselineChoice::Pinned(_) => "",
    };
    let exchanges = text::plural(seen, "exchange", "exchanges");
    match (successes, whose) {
        (0, _) => format!("no success among {exchanges}"),
        (_, "") => {
            let all = text::plural(successes, "success", "successes");
            format!("{all} among {exchanges}, none kept: memory limit reached (--memory SIZE)")
        }
        (_, whose) => {
            let others = text::plural(successes, "success", "successes");
            format!("no success{whose} among {exchanges}, but {others} by others: b changes the baseline")
        }
    }
}
