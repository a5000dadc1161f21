//! No file may panic its reader; all that is printed is comment or one command, and its flags can be read by our own
//! reader of flags without a panic, too.
//!
//! Files are apart by lines of `%%`, the first is called by the first byte, the others `part1`, `part2`, … for includes.

use std::collections::BTreeMap;
use std::ffi::OsString;

use unsinkable::flags::{LocalAddresses, parse_from};
use unsinkable::translate::gather::{World, translate};

const NAMES: [&str; 5] = ["keepalived.conf", "compose.yml", "settings.env", "run.txt", "unnamed"];

/// Translates `data`.
pub fn run(data: &[u8]) {
    let Some((&kind, bytes)) = data.split_first() else { return };
    let first = NAMES[usize::from(kind) % NAMES.len()];
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split("\n%%\n").enumerate();
    let name = |at: usize| if at == 0 { first.to_owned() } else { format!("part{at}") };
    let files: BTreeMap<String, &str> = parts.map(|(at, text)| (name(at), text)).collect();
    let read = |path: &str| match files.get(path) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err("no such file".to_owned()),
    };
    let list = |pattern: &str| Ok(files.keys().filter(|name| *name == pattern).cloned().collect());
    let world = World { read: &read, list: &list };

    let names = [first.to_owned()];
    let output = translate(&names, false, &world);
    assert!([0, 65, 66].contains(&output.exit), "{output:?}");
    assert!(output.errors.len() <= 1 && (output.errors.is_empty() || output.exit != 0), "{output:?}");
    for line in output.text.lines() {
        let known = line.is_empty() || line.starts_with("# ") || line.starts_with("unsinkable ");
        assert!(known || line.starts_with("  -"), "{line}");
    }
    let json = translate(&names, true, &world);
    let json: serde_json::Value = serde_json::from_str(&json.text).expect("JSON");
    for command in json["commands"].as_array().expect("commands") {
        let words = command["arguments"].as_array().expect("words").iter();
        let words = words.map(|word| word.as_str().expect("a word"));
        let words = words.filter(|word| !word.contains("unsinkable.pass") && *word != "--auth-pass-file");
        let args: Vec<OsString> = ["unsinkable"].into_iter().chain(words).map(OsString::from).collect();
        let _ = parse_from(&args, &LocalAddresses::default());
    }
}
