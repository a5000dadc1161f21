//! All files together: what each of them is, what it includes, and what comes of it with which exit code. Pure: where
//! files come from is handed in.

use std::path::Path;

use super::sheet::{Bad, Command, Line, Place, Sheet, ordered};
use super::tools::Use;
use super::{command, compose, env, keepalived, nodes, render, tools, verify, words};

/// Text and exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// For stdout.
    pub text: String,
    /// For stderr, a line each.
    pub errors: Vec<String>,
    /// sysexits.h.
    pub exit: u8,
}

/// sysexits.h: the input was incorrect in some way.
const EX_DATAERR: u8 = 65;
/// sysexits.h: an input file did not exist or was not readable.
const EX_NOINPUT: u8 = 66;
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
    let mut sheet = Sheet::default();
    let mut errors = Vec::new();
    let mut found = Found::default();
    for file in files {
        if let Err(bad) = reader.one(file, &mut found) {
            errors.push(bad.to_string());
        }
    }
    sheet.lines = found.lines;
    nodes::put(found.nodes, &found.names, &mut sheet);
    if sheet.commands.is_empty() {
        sheet.commands.push(Command::default());
    }
    let mut jobs = Command::default();
    for used in &found.uses {
        tools::put(used, &mut jobs, &mut sheet);
    }
    ordered(&mut jobs.flags, &|given| tools::place(given.flag.name));
    for command in &mut sheet.commands {
        command.flags.extend(jobs.flags.iter().cloned());
    }
    sheet.commands.retain(|command| !command.flags.is_empty());
    let checked: Vec<Vec<String>> = sheet.commands.iter().map(verify::verify).collect();
    let exit = if reader.unreadable {
        EX_NOINPUT
    } else if !errors.is_empty() || sheet.has_unknown() {
        EX_DATAERR
    } else {
        0
    };
    let text = if json { render::json(&sheet, &checked) } else { render::text(&sheet, &checked) };
    Output { text, errors, exit }
}

#[derive(Default)]
struct Found {
    /// Of nodes.
    names: Vec<String>,
    nodes: Vec<keepalived::Node>,
    uses: Vec<Use>,
    lines: Vec<Line>,
}

struct Reader<'a> {
    world: &'a World<'a>,
    files: usize,
    bytes: usize,
    lines: usize,
    unreadable: bool,
}

impl Reader<'_> {
    fn one(&mut self, file: &str, found: &mut Found) -> Result<(), Bad> {
        let start = Place { file: file.into(), line: 1 };
        let text = self.text(file, &start)?;
        let lower = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
        let (uses, lines) = if ends(&[".yml", ".yaml"]) {
            compose::read(file, &text, &mut |path, at| self.beside(path, at))?
        } else if ends(&[".conf"]) || is_keepalived(&text) {
            let statements = words::read(file, &text, &mut |pattern, at| self.included(pattern, at))?;
            let node = keepalived::read(found.names.len(), &statements);
            let inside: usize = node.instances.iter().map(|instance| instance.lines.len()).sum();
            self.counted(inside + node.lines.len(), &start)?;
            found.nodes.push(node);
            found.names.push(file.to_owned());
            return Ok(());
        } else if is_docker_command(&text) {
            command::read(file, &text, &mut |path, at| self.beside(path, at))?
        } else if ends(&[".env"]) || is_env(&text) {
            match env::alone(file, &text) {
                Ok((used, lines)) => (vec![used], lines),
                Err(lines) => (Vec::new(), lines),
            }
        } else {
            compose::read(file, &text, &mut |path, at| self.beside(path, at))?
        };
        let settings: usize = uses.iter().map(|used: &Use| used.settings.len()).sum();
        self.counted(settings + lines.len(), &start)?;
        found.uses.extend(uses);
        found.lines.extend(lines);
        Ok(())
    }

    fn counted(&mut self, lines: usize, at: &Place) -> Result<(), Bad> {
        self.lines += lines;
        if self.lines > MAX_LINES {
            return Err(Bad::new(at, format!("more than {MAX_LINES} statements: is it what it should be?")));
        }
        Ok(())
    }

    fn text(&mut self, path: &str, at: &Place) -> Result<String, Bad> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(Bad::new(at, format!("more than {MAX_FILES} files: is it an endless include?")));
        }
        let bytes = (self.world.read)(path).map_err(|why| {
            self.unreadable = true;
            Bad::new(at, if *at.file == *path { why } else { format!("{path}: {why}") })
        })?;
        self.bytes += bytes.len();
        if self.bytes > MAX_TOTAL {
            return Err(Bad::new(at, format!("all files together have more than {} MB", MAX_TOTAL >> 20)));
        }
        let begin = Place { file: path.into(), line: 1 };
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            Bad::new(&Place { line, ..begin.clone() }, "is no text (UTF-8)")
        })?;
        match text.find('\0') {
            Some(zero) => {
                let line = 1 + text.get(..zero).map_or(0, |before| before.matches('\n').count());
                Err(Bad::new(&Place { line, ..begin }, "is no text: it holds a zero byte"))
            }
            None => Ok(text),
        }
    }

    /// A file that another names, relative to it.
    fn beside(&mut self, path: &str, at: &Place) -> Result<(String, String), Bad> {
        let path = relative(path, at);
        let text = self.text(&path, at)?;
        Ok((path, text))
    }

    /// keepalived's `include`: a glob, relative to the file that says it.
    fn included(&mut self, pattern: &str, at: &Place) -> Result<Vec<(String, String)>, Bad> {
        let full = relative(pattern, at);
        let found =
            (self.world.list)(&full).map_err(|why| Bad::new(at, format!("include {pattern}: {why}")))?;
        if found.is_empty() {
            self.unreadable = true;
            return Err(Bad::new(at, format!("include {pattern}: there is no such file")));
        }
        found.into_iter().map(|path| Ok((path.clone(), self.text(&path, at)?))).collect()
    }
}

fn relative(path: &str, at: &Place) -> String {
    let folder = Path::new(&*at.file).parent().unwrap_or(Path::new(""));
    folder.join(path).to_string_lossy().into_owned()
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
        line.split_once('=').is_some_and(|(name, _)| env::is_name(name.trim_start_matches("export ").trim()))
    })
}
