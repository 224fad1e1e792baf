//! The why403 command.
fn main() {}
