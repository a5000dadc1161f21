//! All files together: what each of them is, what it includes, and what comes of it with which exit code. Pure: where
//! files come from is handed in.

use std::path::Path;

use super::sheet::{Bad, Command, Lines, Place, Sheet, Text, Verdict, is_name, text};
use super::tools::Use;
use super::{command, compose, env, keepalived, nodes, render, tools, verify, words};
use crate::sysexits::{EX_DATAERR, EX_NOINPUT};

/// Text and exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// For stdout.
    pub text: String,
    /// For stderr, a line each.
    pub errors: Vec<String>,
    /// Exit code (`crate::sysexits`).
    pub exit: u8,
}

/// Files that are read, includes among them.
const MAX_FILES: usize = 256;
/// Statements, each with its verdict: a person is to read them.
const MAX_LINES: usize = 5000;
/// All of them together.
const MAX_TOTAL: usize = 4 * 1024 * 1024;

/// Where files come from.
pub struct World<'a> {
    /// The bytes of a file.
    pub read: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
    /// The files that a pattern names, in order.
    pub list: &'a dyn Fn(&str) -> Result<Vec<String>, String>,
}

/// Translates files.
pub fn translate(files: &[String], json: bool, world: &World) -> Output {
    let mut reader = Reader { world, files: 0, bytes: 0, lines: 0, unreadable: false };
    let mut errors: Vec<String> = Vec::new();
    let mut found = Found::default();
    for file in files {
        if let Err(bad) = reader.one(text(&[file]), &mut found) {
            errors.push([bad.at.said(), ": ", bad.why].concat());
        }
    }
    let mut sheet = Sheet { lines: found.lines, ..Sheet::default() };
    nodes::put(&found.nodes, &found.names, &mut sheet);
    if sheet.commands.is_empty() {
        sheet.commands.push(Command::default());
    }
    let mut jobs = Command::default();
    for used in &found.uses {
        tools::put(used, &mut jobs, &mut sheet);
    }
    jobs.order(&tools::place);
    for command in &mut sheet.commands {
        command.flags.extend_from_slice(&jobs.flags);
    }
    sheet.commands.retain(|command| !command.flags.is_empty());
    let mut checked = Vec::new();
    for command in &sheet.commands {
        checked.push(verify::verify(command));
    }
    let has_unknown = sheet.lines.0.iter().any(|line| line.verdict == Verdict::Unknown);
    let exit = if reader.unreadable {
        EX_NOINPUT
    } else if !errors.is_empty() || has_unknown {
        EX_DATAERR
    } else {
        0
    };
    let text = if json { render::json(&sheet, &checked) } else { render::people(&sheet, &checked) };
    Output { text, errors, exit }
}

#[derive(Default)]
struct Found {
    /// Of nodes.
    names: Vec<Text>,
    nodes: Vec<keepalived::Node>,
    uses: Vec<Use>,
    lines: Lines,
}

struct Reader<'a> {
    world: &'a World<'a>,
    files: usize,
    bytes: usize,
    lines: usize,
    unreadable: bool,
}

impl Reader<'_> {
    fn one(&mut self, file: Text, found: &mut Found) -> Result<(), Bad> {
        let start = Place { file, line: 1 };
        let content = self.text(file, &start)?;
        let lower = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let (_, end) = lower.rsplit_once('.').unwrap_or_default();
        let is_yaml = end == "yml" || end == "yaml";
        let mut uses = Vec::new();
        let mut lines = Lines::default();
        let mut statements = 0;
        if !is_yaml && (end == "conf" || is_keepalived(content)) {
            let parsed = words::read(file, content, &mut |pattern, at| self.included(pattern, at))?;
            let node = keepalived::read(found.names.len(), &parsed);
            statements = node.lines.0.len();
            for instance in &node.instances {
                statements += instance.lines.0.len();
            }
            self.counted(statements, &start)?;
            found.nodes.push(node);
            found.names.push(file);
            return Ok(());
        }
        let is_env = end == "env" || is_env(content);
        let mut beside = |path: &str, at: &Place| self.beside(path, at);
        if !is_yaml && is_docker_command(content) {
            command::read(file, content, &mut beside, &mut uses, &mut lines)?;
        } else if !is_yaml && is_env {
            env::alone(file, content, &mut uses, &mut lines);
        } else {
            compose::read(file, content, &mut beside, &mut uses, &mut lines)?;
        }
        for used in &uses {
            statements += used.settings.len();
        }
        self.counted(statements + lines.0.len(), &start)?;
        found.uses.append(&mut uses);
        found.lines.0.extend_from_slice(&lines.0);
        Ok(())
    }

    fn counted(&mut self, lines: usize, at: &Place) -> Result<(), Bad> {
        self.lines += lines;
        if self.lines > MAX_LINES {
            return Err(Bad::new(at, "more than 5000 statements: is it what it should be?"));
        }
        Ok(())
    }

    #[inline(never)]
    fn text(&mut self, path: Text, at: &Place) -> Result<Text, Bad> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(Bad::new(at, "more than 256 files: is it an endless include?"));
        }
        let bytes = match (self.world.read)(path) {
            Ok(bytes) => bytes,
            Err(why) => {
                self.unreadable = true;
                let named: &[&str] = if at.file == path { &[] } else { &[path, ": "] };
                return Err(Bad::new(at, text(&[text(named), &why])));
            }
        };
        self.bytes += bytes.len();
        if self.bytes > MAX_TOTAL {
            return Err(Bad::new(at, "all files together have more than 4 MB"));
        }
        let bytes: &'static [u8] = bytes.leak();
        let (end, why) = match core::str::from_utf8(bytes) {
            Ok(content) => match content.find('\0') {
                Some(zero) => (zero, "is no text: it holds a zero byte"),
                None => return Ok(content),
            },
            Err(error) => (error.valid_up_to(), "is no text (UTF-8)"),
        };
        let mut line = 1;
        for byte in bytes.iter().take(end) {
            line += usize::from(*byte == b'\n');
        }
        Err(Bad::new(&Place { file: path, line }, why))
    }

    /// A file that another names, relative to it.
    fn beside(&mut self, path: &str, at: &Place) -> Result<(Text, Text), Bad> {
        let path = relative(path, at);
        Ok((path, self.text(path, at)?))
    }

    /// keepalived's `include`: a glob, relative to the file that says it.
    fn included(&mut self, pattern: &str, at: &Place) -> Result<Vec<(Text, Text)>, Bad> {
        let full = relative(pattern, at);
        let found = match (self.world.list)(full) {
            Ok(found) => found,
            Err(why) => return Err(Bad::new(at, text(&["include ", pattern, ": ", &why]))),
        };
        if found.is_empty() {
            self.unreadable = true;
            return Err(Bad::new(at, text(&["include ", pattern, ": there is no such file"])));
        }
        let mut files = Vec::new();
        for path in &found {
            let path = text(&[path]);
            files.push((path, self.text(path, at)?));
        }
        Ok(files)
    }
}

fn relative(path: &str, at: &Place) -> Text {
    let folder = Path::new(at.file).parent().unwrap_or(Path::new(""));
    text(&[&folder.join(path).to_string_lossy()])
}

/// Does a line begin as keepalived's blocks do?
fn is_keepalived(text: &str) -> bool {
    let begins = ["global_defs", "vrrp_", "virtual_server", "include "];
    text.lines().map(str::trim).any(|line| begins.iter().any(|begin| line.starts_with(begin)))
}

fn is_docker_command(text: &str) -> bool {
    ["docker run", "docker service create", "docker container run", "docker create"]
        .iter()
        .any(|verb| text.contains(verb))
}

/// Nothing but `NAME=VALUE`.
fn is_env(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.all(|line| {
        line.split_once('=').is_some_and(|(name, _)| is_name(name.trim_start_matches("export ").trim()))
    })
}
