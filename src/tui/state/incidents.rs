//! What the Incidents view shows: one row an incident.

use crate::explain::inspector::Inspector;
use crate::incidents::{Incident, Incidents};
use crate::model::{Cause, Timestamp};

/// Incidents with the row that is selected.
#[derive(Debug, Default)]
pub struct IncidentList {
    /// Finds them.
    pub found: Incidents,
    shown: Vec<Incident>,
    /// The response and the cause of the selected one; the first until one was chosen.
    selected: Option<(u64, Cause)>,
    top: usize,
    height: usize,
    /// What the rows were made of: exchanges seen, and the second.
    made: Option<(u64, i64)>,
}

impl IncidentList {
    /// Decides what `height` rows show at `now`.
    pub fn prepare(&mut self, inspector: &Inspector, now: Timestamp, height: usize) {
        self.height = height.max(1);
        let of = (inspector.history().last_id().0, now.seconds());
        if self.made != Some(of) {
            self.shown = self.found.list(inspector, now);
            self.made = Some(of);
        }
        let at = self.position();
        let last = self.shown.len().saturating_sub(self.height);
        self.top = self.top.clamp((at + 1).saturating_sub(self.height), at).min(last);
    }

    /// The visible rows, with the index of the first.
    pub fn visible(&self) -> (usize, impl Iterator<Item = &Incident>) {
        (self.top, self.shown.iter().skip(self.top).take(self.height))
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
        let key = |incident: &Incident| Some((incident.response, incident.cause));
        self.shown.iter().position(|incident| key(incident) == self.selected).unwrap_or_default()
    }

    /// The selected incident.
    pub fn selected(&self) -> Option<&Incident> {
        self.shown.get(self.position())
    }

    /// Selects the row at `index`, or the last.
    pub fn select(&mut self, index: usize) {
        let incident = self.shown.get(index.min(self.shown.len().saturating_sub(1)));
        self.selected = incident.map(|incident| (incident.response, incident.cause));
    }
}
