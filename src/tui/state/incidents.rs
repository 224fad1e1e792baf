//! What the Incidents view shows: one row an incident, with what the user knows of them.

use std::collections::BTreeMap;

use crate::edge::redact::Redactor;
use crate::explain::incident_id::IncidentId;
use crate::explain::inspector::Inspector;
use crate::incidents::{Incident, Incidents, State};
use crate::model::Timestamp;

/// Notes that are kept; each is a line that the user typed.
const MAX_NOTES: usize = 1000;

/// Incidents with the row that is selected.
#[derive(Debug, Default)]
pub struct IncidentList {
    /// Finds them.
    pub found: Incidents,
    shown: Vec<Incident>,
    /// The selected one; the first until one was chosen.
    selected: Option<IncidentId>,
    /// Notes of acknowledged incidents, by the id's text.
    notes: BTreeMap<String, String>,
    top: usize,
    height: usize,
    /// What the rows were made of: exchanges seen, and the second.
    made: Option<(u64, i64)>,
}

impl IncidentList {
    /// Decides what `height` rows show at `now`; whether the next frame would tell more.
    pub fn prepare(
        &mut self,
        inspector: &Inspector,
        now: Timestamp,
        redactor: &Redactor,
        height: usize,
    ) -> bool {
        self.height = height.max(1);
        let of = (inspector.history().last_id().0, now.seconds());
        let mut more = false;
        if self.made != Some(of) {
            (self.shown, more) = self.found.list(inspector, now, redactor);
            self.made = (!more).then_some(of);
            self.apply_notes();
        }
        let at = self.position();
        let last = self.shown.len().saturating_sub(self.height);
        self.top = self.top.clamp((at + 1).saturating_sub(self.height), at).min(last);
        more
    }

    fn apply_notes(&mut self) {
        for incident in &mut self.shown {
            if self.notes.contains_key(&incident.id.to_string()) {
                incident.state = State::Known;
            }
        }
        self.shown.sort_by_key(|incident| incident.state);
    }

    /// Acknowledges the selected incident with a note, or takes that back.
    pub fn acknowledge(&mut self, id: IncidentId, note: Option<String>) {
        match note {
            Some(note) if self.notes.len() < MAX_NOTES => {
                self.notes.insert(id.to_string(), note);
            }
            Some(_) => {}
            None => {
                self.notes.remove(&id.to_string());
            }
        }
        self.made = None;
    }

    /// The note of an acknowledged incident.
    pub fn note(&self, id: IncidentId) -> Option<&str> {
        self.notes.get(&id.to_string()).map(String::as_str)
    }

    /// Every note, by the incident's id.
    pub fn notes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.notes.iter().map(|(id, note)| (id.as_str(), note.as_str()))
    }

    /// Notes of runs before.
    pub fn set_notes(&mut self, notes: BTreeMap<String, String>) {
        self.notes = notes.into_iter().take(MAX_NOTES).collect();
    }

    /// The visible rows, with the index of the first.
    pub fn visible(&self) -> (usize, impl Iterator<Item = &Incident>) {
        (self.top, self.shown.iter().skip(self.top).take(self.height))
    }

    /// Every row.
    pub fn all(&self) -> &[Incident] {
        &self.shown
    }

    /// The highest bucket of all: the scale of their sparklines.
    pub fn peak(&self) -> u32 {
        self.shown.iter().flat_map(|incident| incident.timeline).max().unwrap_or_default()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Rows that were visible last.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The index of the selected incident.
    pub fn position(&self) -> usize {
        self.shown.iter().position(|incident| Some(incident.id) == self.selected).unwrap_or_default()
    }

    /// The selected incident.
    pub fn selected(&self) -> Option<&Incident> {
        self.shown.get(self.position())
    }

    /// Selects the row at `index`, or the last.
    pub fn select(&mut self, index: usize) {
        let incident = self.shown.get(index.min(self.shown.len().saturating_sub(1)));
        self.selected = incident.map(|incident| incident.id);
    }
}
