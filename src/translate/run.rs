//! Reads files from the disk; what they mean is `gather`'s.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use super::gather::{self, Output, World};

/// A configuration file is a few kilobytes; one with a thousand virtual servers less than this.
const MAX_FILE: u64 = 1024 * 1024;
/// Files of one pattern: one more than are read at all, so that it is noticed.
const MAX_LISTED: usize = 257;

/// Translates files.
pub fn translate(files: &[String], json: bool) -> Output {
    gather::translate(files, json, &World { read: &read, list: &list })
}

fn list(pattern: &str) -> Result<Vec<String>, String> {
    let found = glob::glob(pattern).map_err(|error| error.msg.to_owned())?;
    let found: Vec<PathBuf> =
        found.filter_map(Result::ok).filter(|path| path.is_file()).take(MAX_LISTED).collect();
    Ok(found.iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("is no regular file".into());
    }
    if about.len() > MAX_FILE {
        return Err(format!("has more than {} MB: no configuration file has", MAX_FILE >> 20));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}
