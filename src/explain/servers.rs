//! The processes behind the servers of this machine, as far as somebody can say.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::{Exchange, ServerProcess};

/// Says who listens at an address.
pub type FindProcess = Box<dyn FnMut(SocketAddr) -> Option<ServerProcess> + Send + Sync>;

/// Addresses that are remembered, at most.
const MAX: usize = 1024;
/// Nanoseconds of the capture's clock after which somebody else may listen.
const LASTS: i64 = 60_000_000_000;

/// Asks once for each address that refuses, and again after a while.
#[derive(Default)]
pub(super) struct Servers {
    find: Option<FindProcess>,
    /// With when it was asked for. Bound: [`MAX`].
    known: HashMap<SocketAddr, (i64, Option<Arc<ServerProcess>>)>,
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Servers {
    /// From now on `find` is asked.
    pub(super) fn ask(&mut self, find: FindProcess) {
        self.find = Some(find);
    }

    /// The process that answered. Asked for where the exchange is a refusal; others get what is known.
    pub(super) fn of(&mut self, exchange: &Exchange) -> Option<Arc<ServerProcess>> {
        let find = self.find.as_mut()?;
        let (server, now) = (exchange.server, exchange.started().0);
        match self.known.get(&server) {
            Some((then, process)) if now.saturating_sub(*then) < LASTS || !exchange.is_refusal() => {
                process.clone()
            }
            None if !exchange.is_refusal() || self.known.len() >= MAX => None,
            _ => {
                let process = find(server).map(Arc::new);
                self.known.insert(server, (now, process.clone()));
                process
            }
        }
    }
}
