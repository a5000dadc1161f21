//! Prometheus' text format (version 0.0.4), as far as a manager writes it: read as it comes, line by line, and only what
//! is asked for. A busy manager tells some megabytes, of which a few hundred lines matter here.
//!
//! ```text
//! # HELP ceph_osd_up OSD status up
//! ceph_osd_up{ceph_daemon="osd.0"} 1.0
//! ```

/// Longest line that is read; a longer one is passed over. Metadata lines have some 500 bytes.
const MAX_LINE: usize = 8 * 1024;

/// One line: a name, labels and a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// `ceph_osd_up`.
    pub name: &'a str,
    /// Between the braces, as it was written.
    labels: &'a str,
    /// The number.
    pub value: f64,
}

impl<'a> Sample<'a> {
    /// Reads a line without its end; nothing for comments, empty lines and what is no sample.
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let end = line.find(|char: char| char == '{' || char.is_ascii_whitespace())?;
        let (name, rest) = line.split_at(end);
        if name.is_empty() || name.starts_with('#') {
            return None;
        }
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => {
                let end = closing_brace(rest)?;
                (&rest[..end], &rest[end + 1..])
            }
            None => ("", rest),
        };
        // Behind the value there may be a time.
        let value = rest.split_ascii_whitespace().next()?;
        Some(Self { name, labels, value: number(value)? })
    }

    /// The value of a label, without its escapes.
    pub fn label(&self, name: &str) -> Option<String> {
        let mut rest = self.labels;
        loop {
            let (found, behind) = rest.split_once("=\"")?;
            let end = closing_quote(behind)?;
            if found.trim_matches([',', ' ']) == name {
                return Some(unescaped(&behind[..end]));
            }
            rest = &behind[end + 1..];
        }
    }
}

/// `1.0`, `+Inf`, `NaN`.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Where the braces close: not inside of quotes.
fn closing_brace(text: &str) -> Option<usize> {
    let mut start = 0;
    loop {
        let at = start + text[start..].find(['}', '"'])?;
        if text[at..].starts_with('}') {
            return Some(at);
        }
        start = at + 1 + closing_quote(&text[at + 1..])? + 1;
    }
}

/// Where the quotes close that were opened before `text`.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain
}

/// Cuts what comes into lines. Only the line that a piece ends in is copied.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    /// The line goes on, and is too long.
    too_long: bool,
}

impl Lines {
    /// Takes the next bytes and gives each complete line to `take`; lines that are not UTF-8 are passed over.
    pub fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let line = &bytes[..end];
            if self.begun.is_empty() && !self.too_long && line.len() <= MAX_LINE {
                give(line, &mut take);
            } else {
                self.begin(line);
                self.end(&mut take);
            }
            bytes = &bytes[end + 1..];
        }
        self.begin(bytes);
    }

    /// There is no more: the last line may lack its end.
    pub fn end(&mut self, mut take: impl FnMut(&str)) {
        if !self.too_long {
            give(&self.begun, &mut take);
        }
        self.begun.clear();
        self.too_long = false;
    }

    fn begin(&mut self, bytes: &[u8]) {
        self.too_long |= self.begun.len() + bytes.len() > MAX_LINE;
        if !self.too_long {
            self.begun.extend(bytes);
        }
    }
}

fn give(line: &[u8], mut take: impl FnMut(&str)) {
    if let Ok(line) = str::from_utf8(line) {
        take(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_labels_and_a_value() {
        let table = [
            ("ceph_health_status 0.0", "ceph_health_status", 0.0),
            ("ceph_health_status 2", "ceph_health_status", 2.0),
            ("  ceph_a{}\t1e3 1700000000000\r", "ceph_a", 1000.0),
            ("ceph_osd_up{ceph_daemon=\"osd.0\"} 1.0", "ceph_osd_up", 1.0),
            ("a{b=\"}\",c=\"\\\"} 7\"} -5", "a", -5.0),
            ("a +Inf", "a", f64::INFINITY),
        ];
        for (line, name, value) in table {
            let sample = Sample::parse(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((sample.name, sample.value.to_bits()), (name, f64::to_bits(value)), "{line}");
        }
        assert!(Sample::parse("a NaN").unwrap().value.is_nan());
        for line in [
            "",
            " ",
            "# HELP a b 1",
            "# TYPE a gauge",
            "a",
            "a ",
            "a x",
            "a{b=\"c\" 1",
            "a{b=\"c} 1",
            "{} 1",
            "a{b=\"\\\"} 1",
        ] {
            assert_eq!(Sample::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn labels_are_found_and_freed_of_escapes() {
        let line = r#"ceph_x{name="a=\"b\",name=",other="back\\slash",two="1\n2", tail="}"} 1"#;
        let sample = Sample::parse(line).unwrap();
        let label = |name| sample.label(name);
        assert_eq!(label("name").as_deref(), Some("a=\"b\",name="));
        assert_eq!(label("other").as_deref(), Some("back\\slash"));
        assert_eq!(label("two").as_deref(), Some("1\n2"));
        assert_eq!(label("tail").as_deref(), Some("}"));
        assert_eq!((label("nam"), label("")), (None, None));
    }

    #[test]
    fn lines_come_whole_wherever_they_are_cut() {
        let text = "one\n\ntwo ü\r\nthree";
        for cut in 0..=text.len() {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            lines.push(&text.as_bytes()[..cut], |line| found.push(line.to_owned()));
            lines.push(&text.as_bytes()[cut..], |line| found.push(line.to_owned()));
            lines.end(|line| found.push(line.to_owned()));
            assert_eq!(found, ["one", "", "two ü\r", "three"], "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_an_end_does_not_grow_for_ever() {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for _ in 0..1000 {
            lines.push(&[b'x'; 100], |line| found.push(line.to_owned()));
        }
        assert!(lines.begun.capacity() <= 2 * MAX_LINE);
        lines.push(b"\nafter\n", |line| found.push(line.to_owned()));
        lines.push(&[&[b'x'; MAX_LINE + 1][..], b"\n"].concat(), |line| found.push(line.to_owned()));
        lines.push(b"bad \xff\ngood\n", |line| found.push(line.to_owned()));
        assert_eq!(found, ["after", "good"]);
    }
}
