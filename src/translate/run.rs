//! Reads the files, follows their includes and env files, and says what is to be printed and the exit code.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::sheet::{Bad, Command, Line, Place, Sheet};
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
/// A configuration file is a few kilobytes; one with a thousand virtual servers less than this.
const MAX_FILE: u64 = 1024 * 1024;
/// Files that are read, includes among them.
const MAX_FILES: usize = 256;
/// All of them together.
const MAX_TOTAL: usize = 4 * 1024 * 1024;

/// Translates files.
pub fn translate(files: &[String], json: bool) -> Output {
    let mut reader = Reader { files: 0, bytes: 0, unreadable: false };
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
    jobs.flags.sort_by_key(|given| tools::place(given.flag.name));
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

struct Reader {
    files: usize,
    bytes: usize,
    unreadable: bool,
}

impl Reader {
    fn one(&mut self, file: &str, found: &mut Found) -> Result<(), Bad> {
        let start = Place { file: file.into(), line: 1 };
        let text = self.text(file, &start)?;
        let lower = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
        let (uses, lines) = if ends(&[".yml", ".yaml"]) {
            compose::read(file, &text, &mut |path, at| self.beside(path, at))?
        } else if ends(&[".conf"]) || is_keepalived(&text) {
            let statements = words::read(file, &text, &mut |pattern, at| self.included(pattern, at))?;
            found.nodes.push(keepalived::read(found.names.len(), &statements));
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
        found.uses.extend(uses);
        found.lines.extend(lines);
        Ok(())
    }

    fn text(&mut self, path: &str, at: &Place) -> Result<String, Bad> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(Bad::new(at, format!("more than {MAX_FILES} files: is it an endless include?")));
        }
        let bytes = read(Path::new(path)).map_err(|why| {
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
            glob::glob(&full).map_err(|error| Bad::new(at, format!("include {pattern}: {}", error.msg)))?;
        // One more than are read, so that the limit is noticed.
        let found: Vec<PathBuf> = found.filter_map(Result::ok).take(MAX_FILES + 1).collect();
        if found.is_empty() {
            self.unreadable = true;
            return Err(Bad::new(at, format!("include {pattern}: there is no such file")));
        }
        let texts = found.iter().filter(|path| path.is_file()).map(|path| {
            let path = path.to_string_lossy().into_owned();
            Ok((path.clone(), self.text(&path, at)?))
        });
        texts.collect()
    }
}

fn relative(path: &str, at: &Place) -> String {
    let folder = Path::new(&*at.file).parent().unwrap_or(Path::new(""));
    folder.join(path).to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("is no regular file".into());
    }
    if about.len() > MAX_FILE {
        return Err(format!(
            "has {} MB: a configuration file has less than {}",
            about.len() >> 20,
            MAX_FILE >> 20
        ));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
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
