//! Reads files from the disk; what they mean is `gather`'s.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::gather::{self, Output, World};

/// A configuration file is a few kilobytes; one with a thousand virtual servers less than this.
const MAX_FILE: u64 = 1024 * 1024;
/// Files of one pattern: one more than are read at all, so that it is noticed.
const MAX_LISTED: usize = 257;

/// Translates files.
pub fn translate(files: &[String], json: bool) -> Output {
    gather::translate(files, json, &World { read: &read, list: &list })
}

/// The files of a pattern, by name: each part of the path for itself.
fn list(pattern: &str) -> Result<Vec<String>, String> {
    let mut found = vec![String::new()];
    for (at, part) in pattern.split('/').enumerate() {
        let mut next = Vec::new();
        let wanted = glob::Pattern::new(part).map_err(|error| error.msg.to_owned())?;
        let is_plain = !part.contains(['*', '?', '[']);
        for folder in found {
            let begin = if at == 0 { String::new() } else { [&folder, "/"].concat() };
            let mut names = Vec::new();
            if is_plain {
                names.push(part.to_owned());
            } else {
                let entries = fs::read_dir(if at == 0 { "." } else { &begin });
                for entry in entries.into_iter().flatten().flatten() {
                    names.push(entry.file_name().to_string_lossy().into_owned());
                }
                names.retain(|name| wanted.matches(name));
                names.sort_unstable();
            }
            for name in names {
                next.push([begin.as_str(), &name].concat());
            }
        }
        found = next;
    }
    found.retain(|path| Path::new(path).is_file());
    found.truncate(MAX_LISTED);
    Ok(found)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("is no regular file".into());
    }
    if about.len() > MAX_FILE {
        return Err("has more than 1 MB: no configuration file has".into());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}
