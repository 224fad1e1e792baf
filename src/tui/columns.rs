//! The columns that the stream can have: which, in what order, and by which it can be sorted.

use serde::{Deserialize, Serialize};

use crate::history::store::columns::Row;

macro_rules! columns {
    ($($column:ident $name:literal $heading:literal $help:literal)*) => {
        /// A column of the stream.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Column { $(#[doc = $help] $column,)* }

        impl Column {
            /// Every column.
            pub const ALL: &'static [Self] = &[$(Self::$column),*];

            /// As in the configuration.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$column => $name,)* }
            }

            /// Its heading.
            pub const fn heading(self) -> &'static str {
                match self { $(Self::$column => $heading,)* }
            }

            /// What it shows.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$column => $help,)* }
            }
        }
    };
}

columns! {
    Id       "id"       "ID"         "Number of the exchange"
    Time     "time"     "TIME UTC"   "When the request began"
    Status   "status"   "ST"         "Status code"
    Method   "method"   "METH"       "Request method"
    Host     "host"     "HOST"       "Host that the request names"
    Target   "target"   "TARGET"     "Request target"
    Client   "client"   "CLIENT"     "Client's address"
    Server   "server"   "SERVER"     "Server's address and port"
    User     "user"     "USER"       "Who the request claims to be"
    Agent    "agent"    "USER-AGENT" "User agent"
    Size     "size"     "SIZE"       "Bytes of the request's content"
    Received "received" "RECEIVED"   "Bytes of the response's content"
    Latency  "latency"  "LATENCY"    "Time to the response's first byte"
    Cause    "cause"    "WHY"        "Most likely cause, and who refused"
}

/// From this width on host, client and milliseconds are shown.
const FULL: u16 = 98;
/// Least width of the target; columns after it give way.
const TARGET: u16 = 12;

impl Column {
    /// The columns of a list that nobody chose columns for.
    pub const USUAL: &'static [Self] = &[
        Self::Time,
        Self::Status,
        Self::Method,
        Self::Host,
        Self::Target,
        Self::Client,
        Self::Latency,
        Self::Cause,
    ];

    /// The column of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.as_str() == name)
    }

    /// Its width in a list of `width` columns; 0 leaves it out, where it was not `chosen`. The target takes what the others leave.
    const fn width(self, width: u16, chosen: bool) -> u16 {
        match self {
            Self::Time if width >= FULL => 12,
            Self::Time | Self::Size | Self::Received => 8,
            Self::Id => 6,
            Self::Method if width >= 60 || chosen => 5,
            Self::Host if width >= FULL => {
                let share = width * 3 / 20;
                if share > 32 { 32 } else { share }
            }
            Self::Host if chosen => 14,
            Self::Client if width >= FULL || chosen => 15,
            Self::Latency if width >= 66 || chosen => 7,
            Self::Server | Self::User => 18,
            Self::Agent => 20,
            Self::Cause if width >= 130 => 28,
            Self::Cause if width >= 50 => 22,
            Self::Status | Self::Cause => 3,
            Self::Target | Self::Method | Self::Host | Self::Client | Self::Latency => 0,
        }
    }

    /// What the list is sorted by; `None` where it cannot be.
    pub fn sort_key(self, row: &Row) -> Option<u128> {
        Some(match self {
            Self::Id | Self::Time => u128::from(row.id),
            Self::Status => u128::from(row.status),
            Self::Method => u128::from(row.method),
            Self::Host | Self::Target => u128::from(row.endpoint.0),
            Self::Client => row.client,
            Self::User => u128::from(row.principal),
            Self::Latency => (i128::from(row.latency) - i128::from(i64::MIN)) as u128,
            Self::Server | Self::Agent | Self::Size | Self::Received | Self::Cause => return None,
        })
    }

    /// Columns that the list can be sorted by.
    pub fn sortable() -> impl Iterator<Item = Self> {
        let can =
            [Self::Time, Self::Status, Self::Method, Self::Target, Self::Client, Self::User, Self::Latency];
        can.into_iter()
    }
}

/// The columns of a list of `width`, each with its width. `chosen` are the user's; empty for the usual ones.
pub fn lay_out(chosen: &[Column], width: u16) -> Vec<(Column, u16)> {
    let wanted = if chosen.is_empty() { Column::USUAL } else { chosen };
    let mut columns: Vec<(Column, u16)> = wanted
        .iter()
        .map(|column| (*column, column.width(width, !chosen.is_empty())))
        .filter(|(column, width)| *column == Column::Target || *width > 0)
        .collect();
    loop {
        let used: u16 =
            columns.iter().filter(|(column, _)| *column != Column::Target).map(|(_, width)| width + 1).sum();
        let room = width.saturating_sub(used + 2);
        let has_target = columns.iter().any(|(column, _)| *column == Column::Target);
        let fits = if has_target { room >= TARGET || chosen.is_empty() } else { used + 1 < width };
        let optional = |column: Column| !matches!(column, Column::Target | Column::Status | Column::Cause);
        let last = columns.iter().rposition(|(column, _)| optional(*column));
        let last = last.or_else(|| columns.iter().rposition(|(column, _)| *column == Column::Cause));
        match last.filter(|_| !fits) {
            Some(last) => {
                columns.remove(last);
            }
            None => {
                for (column, width) in &mut columns {
                    if *column == Column::Target {
                        *width = room;
                    }
                }
                return columns;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, lay_out};

    #[test]
    fn host_client_and_milliseconds_are_there_from_100_columns_on() {
        for width in 100..=300 {
            let columns = lay_out(&[], width);
            for (column, least) in
                [(Column::Host, 14), (Column::Client, 15), (Column::Time, 12), (Column::Target, 12)]
            {
                let found = columns.iter().find(|(one, _)| *one == column);
                assert!(
                    found.is_some_and(|(_, width)| *width >= least),
                    "{column:?} at {width}: {columns:?}"
                );
            }
        }
    }

    #[test]
    fn chosen_columns_keep_their_order_and_give_way_to_the_target_from_the_right() {
        let chosen = [Column::Latency, Column::Client, Column::Target, Column::Agent, Column::User];
        let names = |width| lay_out(&chosen, width).into_iter().map(|(column, _)| column).collect::<Vec<_>>();
        assert_eq!(names(120), chosen);
        assert_eq!(names(70), [Column::Latency, Column::Client, Column::Target, Column::Agent]);
        assert_eq!(names(50), [Column::Latency, Column::Client, Column::Target]);
        for width in 10..200 {
            let total: u16 = lay_out(&chosen, width).iter().map(|(_, width)| width + 1).sum();
            assert!(total <= width + 3, "{total} of {width}");
        }
        for column in Column::ALL {
            assert_eq!(Column::named(column.as_str()), Some(*column));
        }
    }
}
