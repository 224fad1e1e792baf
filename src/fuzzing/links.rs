//! The link types that frames are tried as, in the order of their numbers in the input; `examples/seeds.rs` writes these numbers.

use crate::model::LinkType;

pub(crate) const LINKS: [LinkType; 8] = [
    LinkType::ETHERNET,
    LinkType::RAW,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType::NULL,
    LinkType::LOOP,
    LinkType::IPV4,
    LinkType::IPV6,
];
