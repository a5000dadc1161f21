//! YAML as a tree that knows its lines. Pure. The one place that names the YAML crate.

use libyaml_safer::{EventData, Parser};

use super::sheet::{Bad, Place, Text, text};

/// Lists and maps in one another: compose files have six.
const MAX_DEPTH: usize = 32;

/// The crate looks ahead by four characters, and panics where a block scalar ends with the text.
const END: &str = "\n\n\n\n";
/// Anchors of one file.
const MAX_ANCHORS: usize = 1000;

/// A node of the tree. Aliases share theirs, so that they cannot multiply.
#[derive(Clone, Copy, Debug)]
pub struct Yaml {
    /// Where it begins.
    pub at: Place,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Text, number, truth value: as written.
    Scalar(Text),
    /// A list.
    List(&'static [Yaml]),
    /// A map, in its order.
    Map(&'static [(Yaml, Yaml)]),
}

impl Yaml {
    /// The text of a scalar; nothing for lists and maps.
    #[inline(never)]
    pub fn text(&self) -> Text {
        match self.value {
            Value::Scalar(text) => text,
            Value::List(_) | Value::Map(_) => "",
        }
    }

    /// Keys and values, and those of maps merged into it (`<<`), which its own keys win over.
    #[inline(never)]
    pub fn entries(&self) -> Vec<(Self, Self)> {
        let Value::Map(map) = self.value else { return Vec::new() };
        let mut entries = map.to_vec();
        entries.retain(|(key, _)| key.text() != "<<");
        for (key, from) in map {
            if key.text() != "<<" {
                continue;
            }
            for map in from.items_or_self() {
                let Value::Map(map) = map.value else { continue };
                for entry in map {
                    if !entries.iter().any(|(known, _)| known.text() == entry.0.text()) {
                        entries.push(*entry);
                    }
                }
            }
        }
        entries
    }

    /// The value of a key.
    #[inline(never)]
    pub fn get(&self, key: &str) -> Option<Self> {
        self.entries().iter().find(|(known, _)| known.text() == key).map(|(_, value)| *value)
    }

    /// The items of a list; itself where it is none.
    #[inline(never)]
    pub fn items_or_self(&self) -> Vec<Self> {
        match self.value {
            Value::List(list) => list.to_vec(),
            Value::Scalar(_) | Value::Map(_) => vec![*self],
        }
    }
}

/// Reads the first document of a text.
pub fn read(file: Text, content: &str) -> Result<Yaml, Bad> {
    if let Some(line) = tag_before_comma(content) {
        return Err(Bad {
            at: Place { file, line },
            why: "has a tag (!…) that runs into a comma: put a blank between",
        });
    }
    let padded = [content, END].concat();
    let mut bytes = padded.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let lines = content.lines().count().max(1);
    let mut reader = Reader { parser, file, lines, anchors: Vec::new() };
    loop {
        let (at, event) = reader.next()?;
        match event {
            EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
            EventData::StreamEnd
            | EventData::DocumentEnd { .. }
            | EventData::SequenceEnd
            | EventData::MappingEnd => return Ok(Yaml { at, value: Value::Map(&[]) }),
            EventData::Alias { .. }
            | EventData::Scalar { .. }
            | EventData::SequenceStart { .. }
            | EventData::MappingStart { .. } => {
                return Ok(reader.node(at, event, 0)?.unwrap_or(Yaml { at, value: Value::Map(&[]) }));
            }
        }
    }
}

/// The line of a tag (`!name`) that a comma follows, which the crate panics at in a flow list.
fn tag_before_comma(content: &str) -> Option<usize> {
    let is_tag = |word: &str| word.starts_with('!') && word.contains(',');
    let begins_word = |c: char| c.is_whitespace() || "[{,\0".contains(c);
    let in_line = |line: &str| {
        let mut before = '\0';
        line.char_indices().any(|(at, c)| {
            let word = line[at..].split(char::is_whitespace).next().unwrap_or_default();
            let found = c == '!' && begins_word(before) && is_tag(word);
            before = c;
            found
        })
    };
    content.lines().position(in_line).map(|line| line + 1)
}

struct Reader<'a> {
    parser: Parser<&'a mut &'a [u8]>,
    file: Text,
    /// Of the text without its padding.
    lines: usize,
    /// A later one of a name wins.
    anchors: Vec<(String, Yaml)>,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<(Place, EventData), Bad> {
        let (file, lines) = (self.file, self.lines);
        let place =
            |line: u64| Place { file, line: usize::try_from(line).unwrap_or(0).saturating_add(1).min(lines) };
        match self.parser.parse() {
            Ok(event) => Ok((place(event.start_mark.line), event.data)),
            Err(error) => {
                let line = error.problem_mark().map_or(0, |mark| mark.line);
                Err(Bad { at: place(line), why: text(&["is no YAML: ", error.problem()]) })
            }
        }
    }

    /// The node that begins with an event; nothing where the event ends what is around it.
    fn node(&mut self, at: Place, event: EventData, depth: usize) -> Result<Option<Yaml>, Bad> {
        let (value, anchor) = match event {
            EventData::Alias { anchor } => {
                let known = self.anchors.iter().rfind(|(name, _)| *name == anchor).map(|(_, node)| node);
                return match known {
                    Some(node) => Ok(Some(*node)),
                    None => Err(Bad::new(&at, text(&["no &", &anchor, " comes before this"]))),
                };
            }
            EventData::Scalar { value, anchor, .. } => (Value::Scalar(value.leak()), anchor),
            EventData::SequenceStart { anchor, .. } => (Value::List(self.nodes(&at, depth)?.leak()), anchor),
            EventData::MappingStart { anchor, .. } => {
                let mut map = Vec::new();
                for pair in self.nodes(&at, depth)?.chunks_exact(2) {
                    map.push((pair[0], pair[1]));
                }
                (Value::Map(map.leak()), anchor)
            }
            EventData::StreamStart { .. }
            | EventData::DocumentStart { .. }
            | EventData::DocumentEnd { .. }
            | EventData::StreamEnd
            | EventData::SequenceEnd
            | EventData::MappingEnd => return Ok(None),
        };
        let node = Yaml { at, value };
        if let Some(anchor) = anchor {
            if self.anchors.len() == MAX_ANCHORS {
                return Err(Bad::new(&node.at, "too many anchors"));
            }
            self.anchors.push((anchor, node));
        }
        Ok(Some(node))
    }

    /// All nodes up to the end of a list or map.
    fn nodes(&mut self, begin: &Place, depth: usize) -> Result<Vec<Yaml>, Bad> {
        if depth == MAX_DEPTH {
            return Err(Bad::new(begin, "is nested too deep"));
        }
        let mut nodes = Vec::new();
        loop {
            let (at, event) = self.next()?;
            match self.node(at, event, depth + 1)? {
                Some(node) => nodes.push(node),
                None => return Ok(nodes),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_crate_panics_at_is_refused_with_its_line() {
        for text in ["a: 1\nb: [!a,b]\n", "a: 1\nb: {x: 1,!t,y: 2}\n", "\n!a,b\n"] {
            let bad = read("f.yml", text).unwrap_err();
            assert_eq!((bad.at.line, bad.at.file), (2, "f.yml"), "{text:?}");
            assert!(bad.why.contains("tag"), "{}", bad.why);
        }
        assert!(read("f.yml", "a: [!a b, c!, 'd']\nb: hey!, you\n").is_ok());
        assert!(read("f.yml", "block: |\n  last").is_ok());
    }
}
