//! YAML as a tree that knows its lines. Pure. The one place that names the YAML crate.

use std::rc::Rc;

use libyaml_safer::{EventData, Parser};

use super::sheet::{Bad, Place};

/// Lists and maps in one another: compose files have six.
const MAX_DEPTH: usize = 32;

/// The crate looks ahead by four characters, and panics where a block scalar ends with the text.
const END: &str = "\n\n\n\n";
/// Anchors of one file.
const MAX_ANCHORS: usize = 1000;

/// A node of the tree. Aliases share theirs, so that they cannot multiply.
#[derive(Clone, Debug)]
pub struct Yaml {
    /// Where it begins.
    pub at: Place,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text, number, truth value: as written.
    Scalar(Rc<str>),
    /// A list.
    List(Rc<[Yaml]>),
    /// A map, in its order.
    Map(Rc<[(Yaml, Yaml)]>),
}

impl Yaml {
    /// The text of a scalar; nothing for lists and maps.
    pub fn text(&self) -> &str {
        match &self.value {
            Value::Scalar(text) => text,
            Value::List(_) | Value::Map(_) => "",
        }
    }

    /// Keys and values, and those of maps merged into it (`<<`), which its own keys win over.
    pub fn entries(&self) -> Vec<(&Yaml, &Yaml)> {
        let Value::Map(map) = &self.value else { return Vec::new() };
        let (merged, mut entries): (Vec<_>, Vec<_>) =
            map.iter().map(|(k, v)| (k, v)).partition(|(k, _)| k.text() == "<<");
        for (_, from) in merged {
            for map in from.items_or_self() {
                let Value::Map(map) = &map.value else { continue };
                for (key, value) in map.iter() {
                    if !entries.iter().any(|(known, _)| known.text() == key.text()) {
                        entries.push((key, value));
                    }
                }
            }
        }
        entries
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.entries().into_iter().find(|(known, _)| known.text() == key).map(|(_, value)| value)
    }

    /// The items of a list; itself where it is none.
    pub fn items_or_self(&self) -> &[Yaml] {
        match &self.value {
            Value::List(list) => list,
            Value::Scalar(_) | Value::Map(_) => core::slice::from_ref(self),
        }
    }
}

/// Reads the first document of a text.
pub fn read(file: &str, text: &str) -> Result<Yaml, Bad> {
    let padded = [text, END].concat();
    let mut bytes = padded.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let lines = text.lines().count().max(1);
    let mut reader = Reader { parser, file: file.into(), lines, anchors: Vec::new() };
    loop {
        let (at, event) = reader.next()?;
        match event {
            EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
            EventData::StreamEnd
            | EventData::DocumentEnd { .. }
            | EventData::SequenceEnd
            | EventData::MappingEnd => return Ok(Yaml { at, value: Value::Map(Rc::new([])) }),
            EventData::Alias { .. }
            | EventData::Scalar { .. }
            | EventData::SequenceStart { .. }
            | EventData::MappingStart { .. } => {
                return Ok(reader
                    .node(at.clone(), event, 0)?
                    .unwrap_or_else(|| Yaml { at, value: Value::Map(Rc::new([])) }));
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<&'a mut &'a [u8]>,
    file: Rc<str>,
    /// Of the text without its padding.
    lines: usize,
    /// A later one of a name wins.
    anchors: Vec<(String, Yaml)>,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<(Place, EventData), Bad> {
        let (file, lines) = (&self.file, self.lines);
        let place = |line: u64| Place {
            file: Rc::clone(file),
            line: usize::try_from(line).unwrap_or(0).saturating_add(1).min(lines),
        };
        match self.parser.parse() {
            Ok(event) => Ok((place(event.start_mark.line), event.data)),
            Err(error) => {
                let line = error.problem_mark().map_or(0, |mark| mark.line);
                Err(Bad { at: place(line), why: format!("is no YAML: {}", error.problem()) })
            }
        }
    }

    /// The node that begins with an event; nothing where the event ends what is around it.
    fn node(&mut self, at: Place, event: EventData, depth: usize) -> Result<Option<Yaml>, Bad> {
        let (value, anchor) = match event {
            EventData::Alias { anchor } => {
                let known = self.anchors.iter().rfind(|(name, _)| *name == anchor).map(|(_, node)| node);
                return known
                    .cloned()
                    .map(Some)
                    .ok_or_else(|| Bad::new(&at, format!("no &{anchor} comes before this")));
            }
            EventData::Scalar { value, anchor, .. } => (Value::Scalar(value.into()), anchor),
            EventData::SequenceStart { anchor, .. } => (Value::List(self.nodes(&at, depth)?.into()), anchor),
            EventData::MappingStart { anchor, .. } => {
                let mut nodes = self.nodes(&at, depth)?.into_iter();
                let mut map = Vec::new();
                while let Some(pair) = nodes.next().zip(nodes.next()) {
                    map.push(pair);
                }
                (Value::Map(map.into()), anchor)
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
            self.anchors.push((anchor, node.clone()));
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
