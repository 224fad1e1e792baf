//! Who is affected by the selected incident and who is not: every property of the callers, refused beside accepted.

use super::{Kind, Screen, View};
use crate::incidents::Callers;
use crate::tui::doc::{Doc, Line};
use crate::tui::keys::{Binding, Command, Place};
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;

/// The view.
pub(super) struct AffectedView;

static BINDING: Binding = Binding {
    command: Command::Show(View::Affected),
    name: "who",
    place: Place::Incidents,
    keys: &["w"],
    hint: "who",
    help: "Who is affected and who is not",
};

impl Screen for AffectedView {
    fn name(&self) -> &'static str {
        "Who"
    }

    fn title(&self) -> &'static str {
        "Who is affected"
    }

    fn kind(&self) -> Kind {
        Kind::Page
    }

    fn binding(&self) -> Option<&'static Binding> {
        Some(&BINDING)
    }

    fn is_in_header(&self) -> bool {
        false
    }

    fn refuses(&self, state: &State) -> Option<String> {
        state.incidents.selected().is_none().then(|| "nothing is selected yet".to_owned())
    }

    fn prepare(&self, state: &mut State, height: usize) -> bool {
        super::incidents::prepare(state, height)
    }

    fn document(&self, state: &State, width: u16) -> Doc {
        let mut doc = Doc::default();
        let Some(incident) = state.incidents.selected() else { return doc };
        let affected = &incident.affected;
        let title = format!("incident {}: {}", incident.id, incident.cause.title());
        doc.push(Line::of(Role::Title, &title).prose());
        let who = incident.who().map_or_else(
            || "No property of the callers tells refused requests from accepted ones.".to_owned(),
            crate::incidents::Who::sentence,
        );
        doc.push(Line::of(Role::Accent, &who).prose());
        let compared = format!(
            "The latest {} are compared with the latest {} of the same endpoints since it began.",
            text::plural(u64::from(affected.refused), "refusal", "refusals"),
            text::plural(u64::from(affected.accepted), "success", "successes"),
        );
        doc.push(Line::of(Role::Dim, &compared).prose());
        let room = room(width);
        doc.push(
            Line::of(Role::Dim, "")
                .pad(room + 5)
                .add(Role::Dim, "REFUSED")
                .pad(room + 5 + BAR + 9)
                .add(Role::Dim, "ACCEPTED"),
        );
        for callers in &affected.callers {
            property(&mut doc, state, callers, (affected.refused, affected.accepted), width);
        }
        doc
    }
}

/// Columns of the values.
fn room(width: u16) -> usize {
    usize::from(width).saturating_sub(2 * (BAR + 10) + 4).clamp(12, 60)
}

/// Columns of the bars.
const BAR: usize = 12;

fn property(doc: &mut Doc, state: &State, callers: &Callers, totals: (u32, u32), width: u16) {
    doc.gap();
    let name = if callers.name.is_empty() { String::new() } else { format!(" {}", callers.name) };
    let what = match callers.of {
        crate::incidents::Trait::Platform => "user agent and platform",
        of => of.as_str(),
    };
    let line = Line::of(Role::Title, what).add(Role::Title, &name);
    doc.push(if callers.separates { line.add(Role::Accent, "  separates") } else { line });
    let room = room(width);
    for share in &callers.shares {
        let value = text::fit_middle(&share.value, room, state.theme.glyphs.ellipsis);
        let mut line = Line::of(Role::Text, &format!("  {value}")).pad(room + 4);
        for (count, total, role) in
            [(share.refused, totals.0, Role::Bad), (share.accepted, totals.1, Role::Good)]
        {
            let filled = (count as usize * BAR).div_ceil(total.max(1) as usize).min(BAR);
            let full = state.theme.glyphs.levels.last().copied().unwrap_or("#");
            let drawn = format!("{}{}", full.repeat(filled), " ".repeat(BAR - filled));
            line = line.add(Role::Dim, &format!("{count:>6} ")).add(role, &drawn).add(Role::Dim, "  ");
        }
        doc.push(line);
    }
    if callers.more > 0 {
        doc.push(Line::of(Role::Dim, &format!("  and {} more", callers.more)));
    }
}
