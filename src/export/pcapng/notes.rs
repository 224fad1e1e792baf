//! What the source of a capture says beside its frames, for every file that is written of it.

use std::collections::HashMap;

use crate::model::{Annotation, InterfaceId};

use super::blocks::NANOSECONDS;

/// Bytes of names that are kept for the files that come later.
const NAMES: usize = 1 << 20;
/// Bytes of what is said of interfaces.
const INTERFACES: usize = 4 << 20;

/// The notes of a source.
#[derive(Debug, Default)]
pub(super) struct SourceNotes {
    /// Options of its first section that said anything.
    pub(super) section: Vec<u8>,
    /// Records of names, a block each. Bound: [`NAMES`].
    pub(super) names: Vec<Box<[u8]>>,
    /// Resolution and options of interfaces. Bound: [`INTERFACES`].
    interfaces: HashMap<InterfaceId, (u8, Box<[u8]>), ahash::RandomState>,
    interface_bytes: usize,
}

impl SourceNotes {
    /// Takes a note over.
    pub(super) fn add(&mut self, annotation: &Annotation<'_>) {
        match *annotation {
            Annotation::Section(options) if self.section.is_empty() => self.section = options.to_vec(),
            Annotation::Interface { interface, resolution, options } => {
                self.interface_bytes += options.len() + size_of::<(InterfaceId, (u8, Box<[u8]>))>();
                if self.interface_bytes <= INTERFACES {
                    self.interfaces.insert(interface, (resolution, options.into()));
                }
            }
            Annotation::Names(records) => {
                let kept: usize = self.names.iter().map(|records| records.len()).sum();
                let is_new = !self.names.iter().any(|known| &**known == records);
                if is_new && kept + records.len() <= NAMES {
                    self.names.push(records.into());
                }
            }
            Annotation::Section(_) | Annotation::Frame(_) => {}
        }
    }

    /// The resolution with which times of `interface` are written, and its options. Resolutions that nanoseconds do not hold
    /// exactly become nanoseconds.
    pub(super) fn interface(&self, interface: InterfaceId) -> (u8, &[u8]) {
        match self.interfaces.get(&interface) {
            Some((resolution, options)) => ((*resolution).min(NANOSECONDS), options),
            None => (NANOSECONDS, &[]),
        }
    }
}
