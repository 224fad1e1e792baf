//! Snapshots of every view.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use regex::Regex;
use why403::feed::{Message, Progress};
use why403::model::{Counters, SourceCounters};
use why403::tui::action::Action;
use why403::tui::prepare_frame::prepare_frame;
use why403::tui::render::render;
use why403::tui::state::State;
use why403::tui::theme::Theme;
use why403::tui::update::update;
use why403::tui::{Colours, Settings, ThemeName};

use super::staging::{empty, environment, exchanges, press, staged};

const REFUSED: &str = "method:POST status:403";

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn drawn(state: &mut State) -> Buffer {
    while prepare_frame(state) {}
    let mut buffer = Buffer::empty(Rect::new(0, 0, state.size.0, state.size.1));
    render(state, &mut buffer);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let mut out = String::new();
    for row in buffer.content.chunks(width) {
        let mut skip = 0;
        let mut line = String::new();
        for cell in row {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Without the hashes of credentials, whose key is another one in every run, and without how much memory a history takes.
fn steady(shown: &str) -> String {
    let shown = Regex::new("#[0-9a-f]{8}").unwrap().replace_all(shown, "#00000000");
    Regex::new(r"\d+ KiB of").unwrap().replace_all(&shown, "n KiB of").into_owned()
}

fn snapshot(name: &str, size: (u16, u16), state: &mut State) {
    let shown = steady(&text(&drawn(state)));
    assert_eq!(shown.lines().count(), usize::from(size.1));
    insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), shown);
}

/// Every view at every size: `keys` lead there.
fn at_every_size(name: &str, filter: &str, keys: &str) {
    for size in SIZES {
        let mut state = staged(filter, size);
        press(&mut state, keys);
        state.notice = None;
        snapshot(name, size, &mut state);
    }
}

#[test]
fn stream_that_follows() {
    at_every_size("stream", "", "");
}

#[test]
fn stream_of_refused_posts() {
    at_every_size("refused", "method:POST status:403", "");
}

#[test]
fn stream_with_a_selection_and_marks() {
    at_every_size("selected", "", "k k Space k k Space");
}

#[test]
fn why() {
    at_every_size("why", "method:POST status:403", "g Enter");
}

#[test]
fn diff() {
    at_every_size("diff", "method:POST status:403", "g d");
}

#[test]
fn diff_with_noise() {
    at_every_size("noise", "method:POST status:403", "g d Space");
}

#[test]
fn request() {
    at_every_size("request", "method:POST status:403", "g Enter Tab Tab");
}

#[test]
fn request_that_is_a_form() {
    at_every_size("form", "method:POST status:403", "k Enter Tab Tab");
}

#[test]
fn response() {
    at_every_size("response", "method:POST status:403", "g Enter Tab Tab Tab");
}

#[test]
fn curl() {
    at_every_size("curl", "method:POST status:403", "g Enter Shift-Tab");
}

#[test]
fn endpoints() {
    at_every_size("endpoints", "", "E");
}

#[test]
fn incidents() {
    at_every_size("incidents", "", "I");
}

#[test]
fn a_sorted_stream_with_chosen_columns() {
    for size in SIZES {
        let mut state = staged("", size);
        state.columns = why403::tui::columns::Column::ALL.to_vec();
        press(&mut state, "> >");
        state.notice = None;
        snapshot("columns", size, &mut state);
    }
}

#[test]
fn a_range_of_the_time_line() {
    at_every_size("timeline", "", "L g Space L L");
}

#[test]
fn who_an_incident_affects() {
    at_every_size("who", "", "I w");
}

#[test]
fn groups() {
    at_every_size("groups", "", "b c");
    at_every_size("groups-incident", "", "I b u");
}

#[test]
fn an_acknowledged_incident() {
    at_every_size("known", "", "I a 'known Enter");
}

#[test]
fn comparison() {
    at_every_size("compare", "", "g Space j j Space C");
}

#[test]
fn help() {
    at_every_size("help", "", "?");
}

#[test]
fn health() {
    for size in SIZES {
        let mut state = staged("", size);
        let counters = Counters {
            frames: 184,
            frame_bytes: 40_211,
            gaps: 2,
            gap_bytes: 1448,
            flows: 21,
            requests: 18,
            responses: 17,
            flows_unparsed: vec![("tls", 3), ("http/2", 1)],
            frames_skipped: vec![("arp", 4)],
            ..Counters::default()
        };
        update(&mut state, Action::Feed(Message::Counters(Box::new(counters))));
        let source = SourceCounters { received: 190, kernel_dropped: 6, ..SourceCounters::default() };
        update(&mut state, Action::Feed(Message::Source(source)));
        update(&mut state, Action::Feed(Message::Warning("lo: dropped\x1b[31m 6 frames".into())));
        press(&mut state, "H");
        state.notice = None;
        let shown = steady(&text(&drawn(&mut state)));
        insta::assert_snapshot!(format!("health-{}x{}", size.0, size.1), shown);
    }
}

#[test]
fn menus_and_lines() {
    for (name, keys) in [
        ("copy", "k k y"),
        ("fields", "k k y h"),
        ("only", "k k o"),
        ("group-by", "k k b"),
        ("columns-menu", "k k |"),
        ("command", ": 'exp"),
        ("command-completed", ": e Tab Tab"),
        ("acknowledge", "I a 'seen"),
        ("filter", "/ 'client:10.0.0.20"),
        ("filter-wrong", "/ 'stauts:403"),
        ("filter-completed", "/ 'cli Tab"),
        ("search", "k Enter Tab Tab t 'name"),
    ] {
        let mut state = staged("method:POST status:403", (80, 24));
        press(&mut state, keys);
        snapshot(name, (80, 24), &mut state);
    }
}

#[test]
fn first_minute() {
    let mut state = empty("method:POST status:403", &Settings::default());
    snapshot("first-nothing", (80, 24), &mut state);
    let tls = Counters { frames: 90, flows: 4, flows_unparsed: vec![("tls", 4)], ..Counters::default() };
    update(&mut state, Action::Feed(Message::Counters(Box::new(tls))));
    snapshot("first-tls", (80, 24), &mut state);
    let fine = exchanges().into_iter().filter(|exchange| exchange.status() != Some(403)).collect();
    update(&mut state, Action::Feed(Message::Exchanges(fine)));
    snapshot("first-none-refused", (80, 24), &mut state);
}

#[test]
fn a_file_that_is_being_read_and_a_view_that_is_frozen() {
    let mut state = staged("", (80, 24));
    state.source.kind = why403::feed::SourceKind::File;
    state.source.label = "dump.pcapng".into();
    update(&mut state, Action::Feed(Message::Progress(Progress { read: 45, total: Some(100) })));
    press(&mut state, "k k p");
    update(&mut state, Action::Feed(Message::Exchanges(exchanges())));
    state.notice = None;
    snapshot("reading-frozen", (80, 24), &mut state);
}

/// Every view: its name, the filter and the keys that lead there.
const VIEWS: [(&str, &str, &str); 16] = [
    ("stream", "", ""),
    ("selected", "", "k k Space k k Space"),
    ("refused", REFUSED, ""),
    ("why", REFUSED, "g Enter"),
    ("diff", REFUSED, "g d"),
    ("request", REFUSED, "g Enter Tab Tab"),
    ("response", REFUSED, "g Enter Tab Tab Tab"),
    ("curl", REFUSED, "g Enter Shift-Tab"),
    ("endpoints", "", "E"),
    ("incidents", "", "I"),
    ("who", "", "I w"),
    ("groups", "", "b c"),
    ("compare", "", "g Space j j Space C"),
    ("health", "", "H"),
    ("help", "", "?"),
    ("menu", REFUSED, "k k y"),
];

const DEPTHS: [Colours; 4] = [Colours::True, Colours::Indexed, Colours::Sixteen, Colours::None];

/// One file a theme and depth: what every view at every size is drawn in. Letters stand for the looks that the legend at the
/// end names, numbers for the cells that have them; the last column changes when a cell's looks move.
#[test]
fn every_view_at_every_size_in_every_theme() {
    let mut sheets: Vec<(String, Theme, Looks, String)> = ThemeName::ALL
        .iter()
        .flat_map(|theme| DEPTHS.map(|colours| (*theme, colours)))
        .map(|(theme, colours)| {
            let settings = Settings { theme, colours, ..Settings::default() };
            let name = format!("{}-{}", theme.as_str(), format!("{colours:?}").to_lowercase());
            (name, Theme::new(&settings, &environment()), Looks::default(), String::new())
        })
        .collect();
    for (view, filter, keys) in VIEWS {
        for size in SIZES {
            let mut state = staged(filter, size);
            press(&mut state, keys);
            state.notice = None;
            let plain = text(&drawn(&mut state));
            for (name, theme, looks, sheet) in &mut sheets {
                state.theme = theme.clone();
                let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
                render(&state, &mut buffer);
                assert_eq!(text(&buffer), plain, "{view} says something else in {name}");
                let _ =
                    writeln!(sheet, "{view:<10}{:<8}{}", format!("{}x{}", size.0, size.1), looks.of(&buffer));
            }
        }
    }
    for (name, _, looks, sheet) in sheets {
        insta::assert_snapshot!(format!("theme-{name}"), format!("{sheet}\n{}", looks.legend()));
    }
}

/// One view of each theme in full, cell by cell.
#[test]
fn every_theme_with_its_colours() {
    for theme in ThemeName::ALL {
        let settings = Settings { theme, colours: Colours::True, ..Settings::default() };
        let mut state = empty(REFUSED, &settings);
        update(&mut state, Action::Feed(Message::Exchanges(exchanges())));
        press(&mut state, "g d");
        let name = format!("colours-{}", theme.as_str());
        insta::assert_snapshot!(name, steady(&styled(&drawn(&mut state))));
    }
}

#[test]
fn ascii_borders() {
    let settings = Settings { ascii: true, colours: Colours::None, ..Settings::default() };
    let mut state = empty("", &settings);
    update(&mut state, Action::Feed(Message::Exchanges(exchanges())));
    press(&mut state, "k k k k d");
    let shown = text(&drawn(&mut state));
    let signs: String = shown.chars().filter(|letter| !letter.is_ascii()).collect();
    assert!(signs.chars().all(|sign| "ü山田さん🦀µ".contains(sign)), "{signs}");
    insta::assert_snapshot!("ascii-80x24", steady(&shown));
}

/// Lines with the runs of looks below those that have any.
fn styled(buffer: &Buffer) -> String {
    let mut out = String::new();
    let lines = text(buffer);
    for (line, row) in lines.lines().zip(buffer.content.chunks(usize::from(buffer.area.width))) {
        let _ = writeln!(out, "{line}");
        let mut start = 0;
        for at in 1..=row.len() {
            if at == row.len() || row[at].style() != row[start].style() {
                let style = row[start].style();
                if style != ratatui::buffer::Cell::default().style() {
                    let _ = writeln!(out, "    {start}..{at} {}", looks(style));
                }
                start = at;
            }
        }
    }
    out
}

fn looks(style: Style) -> String {
    let colour = |colour: Option<ratatui::style::Color>| colour.map(|c| c.to_string()).unwrap_or_default();
    format!("{} on {} {:?}", colour(style.fg), colour(style.bg), style.add_modifier)
}

/// The looks seen so far, in the order in which they came.
#[derive(Default)]
struct Looks(Vec<Style>);

impl Looks {
    /// How many cells of `buffer` have which looks, and a checksum over where.
    fn of(&mut self, buffer: &Buffer) -> String {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut checksum = 0xcbf2_9ce4_8422_2325_u64;
        for cell in &buffer.content {
            let style = cell.style();
            let at = self.0.iter().position(|known| *known == style).unwrap_or_else(|| {
                self.0.push(style);
                self.0.len() - 1
            });
            *counts.entry(at).or_default() += 1;
            checksum = (checksum ^ at as u64).wrapping_mul(0x100_0000_01b3);
        }
        let counts: Vec<String> =
            counts.iter().map(|(at, count)| format!("{}{count}", letter(*at))).collect();
        format!("{}  {:08x}", counts.join(" "), checksum >> 32)
    }

    fn legend(&self) -> String {
        let lines = self.0.iter().enumerate();
        let lines: Vec<String> =
            lines.map(|(at, style)| format!("{}  {}", letter(at), looks(*style))).collect();
        lines.join("\n")
    }
}

fn letter(at: usize) -> char {
    ('a'..='z').chain('A'..='Z').nth(at).expect("fewer looks than letters")
}
