//! The screen: every view at three sizes and in every theme, and what a person goes through.

mod flow;
mod injection;
mod leavings;
mod line;
mod outer;
mod pty;
mod staging;
mod views;

pub(crate) use pty::Terminal;
