//! What can happen, and what is to be done about it outside.

use std::time::Duration;

use super::keys::Chord;
use crate::feed::Message;
use crate::model::ExchangeId;

/// Something that happened.
#[derive(Debug)]
pub enum Action {
    /// A key was pressed.
    Key(Chord),
    /// Text was pasted.
    Paste(String),
    /// The wheel was turned at a place: rows, negative is up.
    Wheel(u16, u16, i64),
    /// The button was pressed at a place.
    Click(u16, u16),
    /// The source has something.
    Feed(Message),
    /// The terminal has another size.
    Resize(u16, u16),
    /// Time went by; the time since the start.
    Tick(Duration),
    /// There is time to look at some older exchanges for a new filter.
    Scan,
}

/// Something to do outside of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Stop until the shell lets the program go on.
    Suspend,
    /// Draw everything afresh.
    Redraw,
    /// Ring.
    Bell,
    /// Hand text to the user's clipboard.
    Copy {
        /// What it is, for the message.
        what: &'static str,
        /// The text.
        text: String,
    },
    /// Write a file that only its owner can read.
    Save {
        /// The name without number and extension.
        stem: String,
        /// The extension.
        extension: &'static str,
        /// The content.
        text: Vec<u8>,
    },
    /// These match the filter that the program was started with.
    Matched(Vec<ExchangeId>),
}
