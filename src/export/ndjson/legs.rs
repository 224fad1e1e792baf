//! The legs of a request through proxies, which of them refused, and the process that answered.

use super::{Line, json, milliseconds};
use crate::explain::legs::Path;
use crate::model::{Difference, Leg, ServerProcess};

impl Line<'_> {
    /// `legs` and `refused_at`, where there is something to say.
    pub(super) fn path(&mut self, path: &Path) {
        if !path.legs.is_empty() {
            self.raw(",\"legs\":");
            self.list(&path.legs, Self::leg);
        }
        if let Some(refused) = &path.refused_at {
            self.raw(",\"refused_at\":{\"server\":");
            self.shown(refused.server);
            self.raw(",\"says\":");
            self.sentence(&refused.text);
            self.out.push(b'}');
        }
    }

    /// The process that answered.
    pub(super) fn server_process(&mut self, process: &ServerProcess) {
        self.raw(",\"server_process\":{\"pid\":");
        self.number(process.pid);
        let known = [("program", Some(&process.program)), ("user", Some(&process.user))];
        let rest = [
            ("unit", process.unit.as_ref()),
            ("container", process.container.as_ref()),
            ("image", process.image.as_ref()),
        ];
        for (name, value) in known.into_iter().chain(rest) {
            if let Some(value) = value {
                self.raw(",");
                self.plain(name);
                self.raw(":");
                json::string(self.out, value.as_bytes());
            }
        }
        self.out.push(b'}');
    }

    fn leg(&mut self, leg: &Leg) {
        self.raw("{\"role\":");
        self.plain(leg.role.as_str());
        self.raw(",\"client\":");
        self.shown(leg.client);
        self.raw(",\"server\":");
        self.shown(leg.server);
        self.raw(",\"status\":");
        match leg.status {
            Some(status) => self.number(status),
            None => self.raw("null"),
        }
        self.raw(",\"latency_ms\":");
        match leg.latency {
            Some(latency) => self.number(milliseconds(latency)),
            None => self.raw("null"),
        }
        self.raw(",\"changed\":");
        self.list(&leg.changed, Self::change);
        self.out.push(b'}');
    }

    fn change(&mut self, one: &Difference) {
        self.compared(one, ["before", "after"]);
        self.out.push(b'}');
    }
}
