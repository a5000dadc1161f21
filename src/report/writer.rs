//! Writes JSON, member by member, into one text: no tree is built, and what is JSON already is taken as it is. Pure.

use core::fmt::{Display, Write};

/// The text so far. A `key` of `""` stands for none: an element of a list, or the document itself.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
    /// Members on lines of their own.
    indented: bool,
    depth: usize,
    /// Something stands before the next member.
    follows: bool,
}

impl Writer {
    /// All on one line.
    pub fn compact() -> Self {
        Self::default()
    }

    /// For people to read.
    pub fn indented() -> Self {
        Self { indented: true, ..Self::default() }
    }

    /// The document, without a newline at its end.
    pub fn finish(self) -> String {
        self.out
    }

    /// Begins an object (`{`) or a list (`[`).
    pub fn open(&mut self, key: &str, bracket: char) {
        self.key(key);
        self.out.push(bracket);
        self.depth += 1;
        self.follows = false;
    }

    /// Ends it.
    pub fn close(&mut self, bracket: char) {
        self.depth -= 1;
        if self.follows {
            self.line();
        }
        self.out.push(bracket);
        self.follows = true;
    }

    /// An object with these members, or null.
    pub fn maybe_object<T>(&mut self, key: &str, one: Option<T>, members: impl FnOnce(T, &mut Self)) {
        let Some(one) = one else { return self.raw(key, "null") };
        self.open(key, '{');
        members(one, self);
        self.close('}');
    }

    /// A list, of an object with these members for each.
    pub fn objects<T>(
        &mut self,
        key: &str,
        all: impl IntoIterator<Item = T>,
        members: impl Fn(T, &mut Self),
    ) {
        self.open(key, '[');
        for one in all {
            self.open("", '{');
            members(one, self);
            self.close('}');
        }
        self.close(']');
    }

    /// Text.
    pub fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        push_text(&mut self.out, text);
    }

    /// A number, in the figures that it shows itself with.
    pub fn number(&mut self, key: &str, number: u64) {
        self.shown(key, &number);
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, flag: bool) {
        self.raw(key, if flag { "true" } else { "false" });
    }

    /// Text, or null.
    pub fn maybe_text(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.raw(key, "null"),
        }
    }

    /// A number, or null.
    pub fn maybe_number(&mut self, key: &str, number: Option<u64>) {
        match number {
            Some(number) => self.number(key, number),
            None => self.raw(key, "null"),
        }
    }

    /// What is JSON as it shows itself: a number of another kind.
    pub fn shown(&mut self, key: &str, value: &dyn Display) {
        self.key(key);
        // A String takes all that is written.
        let _ = write!(self.out, "{value}");
    }

    /// What is JSON already.
    pub fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.push_str(json);
    }

    fn key(&mut self, key: &str) {
        if self.follows {
            self.out.push(',');
        }
        self.follows = true;
        if self.depth > 0 {
            self.line();
        }
        if !key.is_empty() {
            push_text(&mut self.out, key);
            self.out.push_str(if self.indented { ": " } else { ":" });
        }
    }

    fn line(&mut self) {
        if self.indented {
            self.out.push('\n');
            self.out.extend(core::iter::repeat_n("  ", self.depth));
        }
    }
}

/// RFC 8259 section 7.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(mut w: Writer) -> String {
        w.open("", '{');
        w.text("a", "q\"\\\n\u{1}\u{7f}é");
        w.open("list", '[');
        w.number("", 7);
        w.open("", '{');
        w.close('}');
        w.flag("", true);
        w.close(']');
        w.maybe_text("none", None);
        w.maybe_number("some", Some(u64::MAX));
        w.shown("signed", &-5);
        w.raw("raw", "{\"x\":[]}");
        w.open("empty", '[');
        w.close(']');
        w.maybe_object("nobody", None::<u64>, |_, _| unreachable!("there is none"));
        w.maybe_object("object", Some(1), |n, w| w.number("n", n));
        w.objects("each", [2, 3], |n, w| w.number("n", n));
        w.close('}');
        w.finish()
    }

    #[test]
    fn members_are_written_one_behind_the_other() {
        assert_eq!(
            sample(Writer::compact()),
            r#"{"a":"q\"\\\n\u0001\u007fé","list":[7,{},true],"none":null,"some":18446744073709551615,"signed":-5,"raw":{"x":[]},"empty":[],"nobody":null,"object":{"n":1},"each":[{"n":2},{"n":3}]}"#
        );
    }

    #[test]
    fn or_on_lines_of_their_own_and_mean_the_same() {
        let indented = sample(Writer::indented());
        assert!(indented.starts_with("{\n  \"a\": \"q"), "{indented}");
        assert!(
            indented.contains("\n  \"list\": [\n    7,\n    {},\n    true\n  ],\n  \"none\": null"),
            "{indented}"
        );
        assert!(indented.contains("\n  \"empty\": [],\n"), "{indented}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&indented), read(&sample(Writer::compact())));
    }
}
