//! What a capture says of its frames beside their bytes.

use super::InterfaceId;

/// A note that comes with the frames of a pcapng file. Options are coded as in pcapng, little-endian, without the one that ends
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotation<'a> {
    /// A section begins; its comments, hardware and operating system.
    Section(&'a [u8]),
    /// An interface: its name, description, filter and addresses.
    Interface {
        /// Which one.
        interface: InterfaceId,
        /// The resolution of its clock, as `if_tsresol` has it.
        resolution: u8,
        /// What is said of it.
        options: &'a [u8],
    },
    /// Names of addresses: the records of a name resolution block, little-endian, without the one that ends them.
    Names(&'a [u8]),
    /// Comments, direction and verdict of the frame that comes next.
    Frame(&'a [u8]),
}
