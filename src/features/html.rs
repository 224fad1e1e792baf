//! An HTML page as the text that a reader sees: headings apart, scripts, styles and comments left out, entities undone.

/// A run of text that no tag but those inside a sentence interrupts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Whether it stands in a title or heading.
    pub heading: bool,
    /// The text, entities undone.
    pub text: String,
}

/// Tags that do not end a sentence.
const INLINE: [&str; 7] = ["b", "i", "em", "strong", "a", "span", "code"];
/// Titles and headings.
const HEADINGS: [&str; 4] = ["title", "h1", "h2", "h3"];

/// The first `most` blocks of a page that hold anything but white space. Linear in the length of `page`.
pub fn blocks(page: &str, most: usize) -> Vec<Block> {
    let lower = page.to_ascii_lowercase();
    let mut out = Vec::new();
    let (mut heading, mut at, mut run) = (false, 0, String::new());
    let mut end = |run: &mut String, heading| {
        if !run.trim().is_empty() {
            out.push(Block { heading, text: unescape(run) });
        }
        run.clear();
        out.len() < most
    };
    while let Some(open) = lower.get(at..).and_then(|rest| rest.find('<')).map(|found| found + at) {
        run.push_str(page.get(at..open).unwrap_or_default());
        let tag = lower.get(open + 1..).unwrap_or_default();
        if let Some(comment) = tag.strip_prefix("!--") {
            at = open + 4 + comment.find("-->").map_or(comment.len(), |end| end + 3);
            continue;
        }
        let closing = tag.starts_with('/');
        let bare = tag.get(usize::from(closing)..).unwrap_or_default();
        let length = bare.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = bare.get(..length).unwrap_or_default();
        if !INLINE.contains(&name) && !end(&mut run, heading) {
            return out;
        }
        let close = tag.find('>').map_or(lower.len(), |end| open + 2 + end);
        at = if !closing && matches!(name, "script" | "style") { skip(&lower, close, name) } else { close };
        if HEADINGS.contains(&name) {
            heading = !closing;
        }
    }
    run.push_str(page.get(at..).unwrap_or_default());
    end(&mut run, heading);
    out
}

/// Where the element called `name` that is open at `from` ends.
fn skip(lower: &str, from: usize, name: &str) -> usize {
    let end = format!("</{name}");
    lower.get(from..).and_then(|rest| rest.find(&end)).map_or(lower.len(), |found| from + found)
}

/// Undoes the entities of HTML and XML that error pages use; unknown ones stay.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let end = tail.bytes().take(12).position(|byte| byte == b';');
        if let Some((character, taken)) = end.and_then(|end| Some((entity(tail.get(1..end)?)?, end + 1))) {
            out.push(character);
            rest = tail.get(taken..).unwrap_or_default();
        } else {
            out.push('&');
            rest = tail.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" | "rsquo" | "lsquo" => Some('\''),
        "nbsp" => Some(' '),
        "ndash" | "mdash" => Some('-'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks, unescape};

    #[test]
    fn a_page_is_its_text() {
        let page = "<html><head><title>Sorry</title><script>var a='<b>'</script><!-- no --></head>\
            <body><h1>Access&#32;restricted</h1>a <b>bold</b> word<br>end";
        let shown: Vec<(bool, String)> =
            blocks(page, 9).into_iter().map(|one| (one.heading, one.text)).collect();
        let expected = [(true, "Sorry"), (true, "Access restricted"), (false, "a bold word"), (false, "end")];
        assert_eq!(shown, expected.map(|(heading, text)| (heading, text.to_owned())));
        assert_eq!(blocks(page, 1), [Block { heading: true, text: "Sorry".into() }]);
    }

    #[test]
    fn broken_pages_do_no_harm() {
        for page in ["", "<", "<a", "<!--", "<script>", "</", "&#", "<\u{e9}>", "<title>\u{130}</title>"] {
            blocks(page, 4);
        }
    }

    #[test]
    fn entities_are_undone_and_broken_ones_stay() {
        assert_eq!(unescape("Reference&#32;&#35;18 &amp; &bogus; &"), "Reference #18 & &bogus; &");
        assert_eq!(unescape("&#x110000;"), "&#x110000;");
    }
}
