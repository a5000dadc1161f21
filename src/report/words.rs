//! The face's means: a page of a given width that wraps, paints and keeps strangers' control characters out; times in
//! words. Pure.

use core::time::Duration;

/// Narrowest page that is drawn for: below it, lines get longer than the terminal.
pub const MIN_WIDTH: usize = 60;
/// Widest page that is drawn for: longer lines are hard to read.
pub const MAX_WIDTH: usize = 110;

/// What the terminal can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// It shows colours.
    pub colour: bool,
    /// It shows more than ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Look {
    /// For a pipe or a file.
    pub const PLAIN: Self = Self { colour: false, unicode: true, width: MAX_WIDTH };
}

/// What a piece of text is, and so its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Nothing special.
    Plain,
    /// Of less weight.
    Dim,
    /// A heading or a number that matters.
    Strong,
    /// All is well.
    Good,
    /// Look here some time.
    Warn,
    /// Look here now.
    Bad,
    /// As `Good`, `Plain` and `Bad`, for the role in large.
    Badge(&'static str),
}

impl Paint {
    /// The terminal's code (ECMA-48 SGR).
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Strong => "1",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "1;31",
            Self::Badge(code) => code,
        }
    }
}

/// Ends a colour.
const RESET: &str = "\x1b[0m";
/// What lies between two coloured words.
const GAP: &str = "\x1b[0m ";

/// A cell of a row.
pub type Cell = (String, Paint);

/// A page in the making.
pub struct Page<'a> {
    look: &'a Look,
    out: String,
    column: usize,
    /// Colour of the last word.
    code: &'static str,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(look: &'a Look) -> Self {
        Self { look, out: String::new(), column: 0, code: "" }
    }

    /// What was written.
    pub fn into_text(self) -> String {
        self.out
    }

    /// Ends the line.
    pub fn end(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
        self.column = 0;
    }

    /// An empty line and a heading.
    pub fn heading(&mut self, text: &str) {
        self.end();
        self.text(1, text, Paint::Strong);
        self.end();
    }

    /// Spaces up to column `to`.
    fn pad(&mut self, to: usize) {
        while self.column < to {
            self.out.push(' ');
            self.column += 1;
        }
    }

    /// Words from here on, wrapped to column `indent`; a word wider than the page is broken.
    pub fn text(&mut self, indent: usize, text: &str, paint: Paint) {
        let text = clean(text, self.look.unicode);
        self.pad(indent);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let fresh = self.column <= indent || self.out.ends_with([' ', '\n']);
            let gap = usize::from(!fresh);
            if self.column > indent && self.column + gap + width(word) > self.look.width {
                self.end();
                self.pad(indent);
            } else {
                self.pad(self.column + gap);
            }
            self.word(indent, word, paint);
        }
    }

    /// One word, broken where it is wider than the rest of the line.
    fn word(&mut self, indent: usize, mut word: &str, paint: Paint) {
        let room = self.look.width.saturating_sub(indent).max(1);
        while width(word) > room {
            let at = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
            self.raw(&word[..at], paint);
            self.end();
            self.pad(indent);
            word = &word[at..];
        }
        self.raw(word, paint);
    }

    /// Text as it is, in its colour.
    fn raw(&mut self, text: &str, paint: Paint) {
        self.column += width(text);
        let code = paint.code();
        if !self.look.colour || code.is_empty() {
            self.out.push_str(text);
        } else if self.code == code && self.out.ends_with(GAP) {
            // Goes on in the colour of the word before.
            self.out.truncate(self.out.len() - GAP.len());
            self.out.extend([" ", text, RESET]);
        } else {
            self.out.extend(["\x1b[", code, "m", text, RESET]);
        }
        self.code = code;
    }

    /// Rows with their cells under each other, the first at `indent`. Where the page is too narrow, the rest of a row
    /// goes on below, two columns further in.
    pub fn rows(&mut self, indent: usize, rows: &[Vec<Cell>]) {
        let unicode = self.look.unicode;
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        // A row's last cell may be as long as it likes: it pushes nothing aside.
        let widest = |i: usize| {
            let cells = rows.iter().filter(|row| i + 1 < row.len()).map(|row| &row[i].0);
            cells.map(|text| width(&clean(text, unicode))).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        for row in rows {
            self.row(indent, row, &widths);
        }
    }

    fn row(&mut self, indent: usize, row: &[Cell], widths: &[usize]) {
        self.pad(indent);
        for (i, (text, paint)) in row.iter().enumerate() {
            let own = width(&clean(text, self.look.unicode));
            if i > 0 && self.column + own > self.look.width && own > 0 {
                self.end();
                self.pad(indent + 2);
            }
            let start = self.column;
            self.text(start.min(self.look.width / 2).max(indent), text, *paint);
            if i + 1 < row.len() {
                self.pad(start + widths[i] + 2);
            }
        }
        self.end();
    }
}

/// Columns that `text` takes, one a character.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// `text` without control characters (a container names its processes as it likes), and in ASCII if the terminal
/// knows no more.
fn clean(text: &str, unicode: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() || is_bidi(c) => out.push('?'),
            c if unicode || c.is_ascii() => out.push(c),
            '…' => out.push_str("..."),
            '·' | '−' => out.push('-'),
            '–' => out.push_str(".."),
            '×' => out.push('x'),
            '✔' => out.push_str("ok"),
            '✘' => out.push_str("FAIL"),
            '○' => out.push_str("wait"),
            _ => out.push('?'),
        }
    }
    out
}

/// Characters that turn the direction of what follows.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A passed time, to two places: "0.4 s", "42 s", "3 min 20 s", "2 h 3 min", "5 d 1 h".
pub fn span(time: Duration) -> String {
    let (secs, tenths) = (time.as_secs(), time.subsec_millis() / 100);
    let (mins, hours, days) = (secs / 60, secs / 3600, secs / 86400);
    match secs {
        0..10 => format!("{secs}.{tenths} s"),
        10..60 => format!("{secs} s"),
        60..3600 => format!("{mins} min {} s", secs % 60),
        3600..86400 => format!("{hours} h {} min", mins % 60),
        86400.. => format!("{days} d {} h", hours % 24),
    }
}

/// A configured time, exact to the millisecond: "250 ms", "1 s", "30 min".
pub fn interval(time: Duration) -> String {
    match time.as_millis() {
        ms if ms == 0 || ms % 1000 != 0 => format!("{ms} ms"),
        ms if ms % 60_000 != 0 => format!("{} s", ms / 1000),
        ms => format!("{} min", ms / 60_000),
    }
}

/// Bytes in the decimal units that Docker's own tables use: "812 B", "1.4 GB".
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10)),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Look = Look { colour: false, unicode: true, width: 20 };

    #[test]
    fn times_read_well() {
        for (ms, text) in [
            (0, "0.0 s"),
            (412, "0.4 s"),
            (9_999, "9.9 s"),
            (42_000, "42 s"),
            (200_000, "3 min 20 s"),
            (7_380_000, "2 h 3 min"),
            (435_600_000, "5 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_millis(ms)), text);
        }
        for (ms, text) in
            [(10, "10 ms"), (1_000, "1 s"), (1_500, "1500 ms"), (90_000, "90 s"), (1_800_000, "30 min")]
        {
            assert_eq!(interval(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn bytes_read_well() {
        for (count, text) in [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (9_999_999, "9.9 MB")] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(bytes(u64::MAX), "18446744073.7 GB");
    }

    #[test]
    fn words_wrap_and_long_ones_break() {
        let mut page = Page::new(&NARROW);
        page.text(2, "one two three four fivesixseveneightnineten end", Paint::Plain);
        page.end();
        assert_eq!(page.into_text(), "  one two three four\n  fivesixseveneightn\n  ineten end\n");
    }

    #[test]
    fn cells_stand_under_each_other_or_go_below() {
        let cell = |text: &str| (text.to_owned(), Paint::Plain);
        let mut page = Page::new(&NARROW);
        page.rows(
            1,
            &[vec![cell("a"), cell("10"), cell("x")], vec![cell("bcd"), cell("7"), cell("a longer one")]],
        );
        assert_eq!(page.into_text(), " a    10  x\n bcd  7\n   a longer one\n");
    }

    #[test]
    fn strangers_cannot_speak_to_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\u{9b}31m\u{202e}", true), "a?[2Jb?31m?");
        assert_eq!(clean("wait… 10–20 · é", false), "wait... 10..20 - ?");
    }

    #[test]
    fn colours_take_no_room() {
        let look = Look { colour: true, ..NARROW };
        let mut page = Page::new(&look);
        page.text(0, "aaaa bbbb cccc dddd eeee", Paint::Bad);
        page.end();
        let plain = page.into_text().replace("\x1b[1;31m", "").replace("\x1b[0m", "");
        assert_eq!(plain, "aaaa bbbb cccc dddd\neeee\n");
    }
}
