//! The table of keys: dispatch, footer hints, help and the configuration's names all come from here.

use crate::tui::views::View;

/// Where a key means something. A narrower place wins over [`Place::Everywhere`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In every place but the lines one types into.
    Everywhere,
    /// In the lists: stream and endpoints.
    List,
    /// In the stream only.
    Stream,
    /// In the endpoints and in groups.
    Endpoints,
    /// In the incidents only.
    Incidents,
    /// In an exchange, a comparison, help and health.
    Detail,
}

impl Place {
    /// The heading in help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::List => "Lists",
            Self::Stream => "Stream",
            Self::Endpoints => "Endpoints, groups",
            Self::Incidents => "Incidents",
            Self::Detail => "Exchange",
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What it does.
    pub command: Command,
    /// The name in the configuration's `[tui.keys]`.
    pub name: &'static str,
    /// Where.
    pub place: Place,
    /// The keys it has unless the configuration says otherwise.
    pub keys: &'static [&'static str],
    /// One or two words for the footer; empty to leave it out there.
    pub hint: &'static str,
    /// One line for help.
    pub help: &'static str,
}

macro_rules! table {
    ($($command:ident $name:literal $place:ident [$($key:literal)*] $hint:literal $help:literal)*) => {
        /// Something a key can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Command {
            $(#[doc = $help] $command,)*
            /// Opens a view.
            Show(View),
        }

        /// Every binding but those of the views, in the order of help and footer.
        const TABLE: &[Binding] = &[$(Binding {
            command: Command::$command, name: $name, place: Place::$place, keys: &[$($key),*], hint: $hint, help: $help,
        },)*];
    };
}

table! {
    Quit          "quit"           Everywhere ["q"]                     "quit"      "Close what is open; in a list: leave why403"
    Leave         "leave"          Everywhere ["Ctrl-c"]                ""          "Leave why403 from anywhere"
    Help          "help"           Everywhere ["?" "F1"]                "help"      "These keys"
    Back          "back"           Everywhere ["Esc"]                   "back"      "Back; closes, cancels, returns to following or to the filter before"
    Filter        "filter"         Everywhere ["/" "F"]                 "filter"    "Edit the filter; Tab completes, Up and Down recall"
    Search        "search"         Everywhere ["t"]                     "search"    "Search text: in what is open, else in all heads and bodies"
    NextHit       "next-hit"       Everywhere ["n"]                     ""          "Next hit"
    PreviousHit   "previous-hit"   Everywhere ["N"]                     ""          "Previous hit"
    CommandLine   "command"        Everywhere [":"]                     ""          "Command line: any action by name, a time, an export"
    UndoFilter    "undo-filter"    Everywhere ["u"]                     ""          "The filter before this one"
    Only          "only"           Everywhere ["o"]                     ""          "Show only this endpoint, client, status, cause, …"
    Exclude       "exclude"        Everywhere ["x"]                     ""          "Hide this endpoint, client, status, cause, …"
    Pause         "pause"          Everywhere ["p"]                     "pause"     "Freeze the view; the capture goes on"
    Secrets       "secrets"        Everywhere ["s"]                     ""          "Show secrets (asks once), or mask them"
    Copy          "copy"           Everywhere ["y"]                     "copy"      "Copy: curl, URL, request, response, header, report"
    Save          "save"           Everywhere ["e" "w"]                 ""          "Save to a file: curl, request, response, report"
    Zoom          "zoom"           Everywhere ["z"]                     ""          "One pane or two"
    Theme         "theme"          Everywhere ["T"]                     ""          "Next theme"
    Redraw        "redraw"         Everywhere ["Ctrl-l"]                ""          "Redraw the screen"
    Suspend       "suspend"        Everywhere ["Ctrl-z"]                ""          "Suspend; fg resumes"

    Down          "down"           Everywhere ["j" "Down"]              ""          "Down; 5j is five down"
    Up            "up"             Everywhere ["k" "Up"]                ""          "Up"
    HalfDown      "half-down"      Everywhere ["Ctrl-d"]                ""          "Half a page down"
    HalfUp        "half-up"        Everywhere ["Ctrl-u"]                ""          "Half a page up"
    PageDown      "page-down"      Everywhere ["PgDn" "Ctrl-f"]         ""          "A page down"
    PageUp        "page-up"        Everywhere ["PgUp" "Ctrl-b"]         ""          "A page up"
    First         "first"          Everywhere ["g" "Home"]              ""          "First; 7g is the seventh"
    Last          "last"           Everywhere ["G" "End"]               ""          "Last; in the stream: follow the newest"

    Open          "open"           List       ["Enter" "l" "Right"]     "open"      "Open; on an endpoint: its exchanges"
    FocusNext     "focus"          List       ["Tab" "Shift-Tab"]       ""          "To the other pane"
    Timeline      "timeline"       List       ["L"]                     ""          "Select a range of the time line"
    GroupBy       "group-by"       List       ["b"]                     "group by"  "Group by endpoint, client, user, agent, field, claim, …"
    Mark          "mark"           List       ["Space"]                 ""          "Mark for comparison (two at most)"

    Follow        "follow"         Stream     ["f"]                     "follow"    "Follow the newest, or stop following"
    Diff          "diff"           Stream     ["d"]                     "diff"      "Open at the difference"
    NextSame      "next-same"      Stream     ["}"]                     ""          "Next exchange of this endpoint"
    PreviousSame  "previous-same"  Stream     ["{"]                     ""          "Previous exchange of this endpoint"
    SortNext      "sort-next"      Stream     [">"]                     ""          "Sort by the next column"
    SortPrevious  "sort-previous"  Stream     ["<"]                     ""          "Sort by the column before"
    Columns       "columns"        Stream     ["|"]                     ""          "Choose columns"
    SetMark       "set-mark"       Stream     ["m"]                     ""          "Set a mark: m and a letter"
    GoToMark      "go-to-mark"     Stream     ["'" "`"]                 ""          "Go to a mark: ' and its letter"

    Sort          "sort"           Endpoints  ["r"]                     "sort"      "Sort: refusals, share, newest, name"

    Clients       "clients"        Incidents  ["c"]                     "clients"   "Its clients"
    Acknowledge   "acknowledge"    Incidents  ["a"]                     "acknowledge" "Acknowledge with a note; again: take that back"

    NextTab       "next-tab"       Detail     ["Tab" "]"]               "tab"       "Next tab: Why, Diff, Request, Response, Curl"
    PreviousTab   "previous-tab"   Detail     ["Shift-Tab" "["]         ""          "Previous tab"
    Jump          "jump"           Detail     ["Enter"]                 "jump"      "On evidence or a difference: to the bytes; on a fold: unfold"
    Wrap          "wrap"           Detail     ["W"]                     ""          "Wrap or cut long lines"
    Baseline      "baseline"       Detail     ["b"]                     "baseline"  "Next baseline: last success, same client, same user, most similar"
    Pin           "pin"            Detail     ["B"]                     ""          "Compare with the exchange marked with Space"
    Fold          "fold"           Detail     ["Space"]                 ""          "Fold or unfold noise"
    NextExchange  "next-exchange"  Detail     ["J" "Ctrl-n"]            ""          "Next exchange"
    PrevExchange  "prev-exchange"  Detail     ["K" "Ctrl-p"]            ""          "Previous exchange"
    Left          "left"           Detail     ["h" "Left"]              ""          "Scroll left; at the left: back to the list"
    Right         "right"          Detail     ["l" "Right"]             ""          "Scroll right"
}

/// Every binding, in the order of help and footer: those of the views follow [`Command::Back`].
pub(in crate::tui) fn bindings() -> impl Iterator<Item = &'static Binding> {
    TABLE.iter().flat_map(|binding| {
        let views = if binding.command == Command::Back { View::ALL } else { &[] };
        std::iter::once(binding).chain(views.iter().filter_map(|view| view.screen().binding()))
    })
}
