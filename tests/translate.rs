//! `translate` on the files people have: the user's own, and configurations as they stand in the world, with what is to
//! come of each written out here by hand. What is printed must be accepted by our own flags.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{fs, process};

use serde_json::Value;
use unsinkable::flags::{Command, LocalAddresses, LocalInterface, Resolved, parse_from};
use unsinkable::translate::Output;
use unsinkable::translate::run::translate;

#[path = "translate/keepalived.rs"]
mod keepalived;
#[path = "translate/mutated.rs"]
mod mutated;
#[path = "fuzz/properties/translate.rs"]
mod property;
#[path = "translate/rejected.rs"]
mod rejected;
#[path = "translate/tools.rs"]
mod tools;
#[path = "translate/users.rs"]
mod users;

/// Files under `tests/data`.
fn files(names: &[&str]) -> Vec<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    names.iter().map(|name| data.join(name).to_str().expect("a plain path").to_owned()).collect()
}

/// What came of files, as programs see it.
struct Seen {
    exit: u8,
    json: Value,
}

impl Seen {
    fn of(names: &[&str]) -> Self {
        Self::from(&translate(&files(names), true))
    }

    fn from(output: &Output) -> Self {
        assert!(output.errors.is_empty(), "{:?}", output.errors);
        Self { exit: output.exit, json: serde_json::from_str(&output.text).expect("JSON") }
    }

    /// The words of each command.
    fn commands(&self) -> Vec<Vec<String>> {
        let commands = self.json["commands"].as_array().expect("commands");
        commands.iter().map(|command| texts(&command["arguments"])).collect()
    }

    /// The only command, its words joined.
    fn command(&self) -> String {
        let commands = self.commands();
        assert_eq!(commands.len(), 1, "{commands:?}");
        commands[0].join(" ")
    }

    /// `LINE FIRST-WORD-SAID` of the statements with a verdict, in their order.
    fn lines(&self, verdict: &str) -> Vec<String> {
        let lines = self.json["lines"].as_array().expect("lines").iter();
        let lines = lines.filter(|line| line["verdict"] == verdict);
        let shown = |line: &Value| format!("{} {}", line["line"], line["said"].as_str().expect("text"));
        lines.map(shown).collect()
    }

    fn why(&self, said: &str) -> String {
        let mut lines = self.json["lines"].as_array().expect("lines").iter();
        let line =
            lines.find(|line| line["said"] == said).unwrap_or_else(|| panic!("{said}: {:#}", self.json));
        line["why"].as_str().expect("text").to_owned()
    }

    fn findings(&self) -> Vec<String> {
        let commands = self.json["commands"].as_array().expect("commands").iter();
        commands.flat_map(|command| texts(&command["findings"])).collect()
    }

    fn notes(&self) -> Vec<String> {
        texts(&self.json["notes"])
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("text").to_owned()).collect()
}

/// Our own flags take these words on a machine whose interface has these addresses.
fn accepted(words: &[String], interface: &str, addrs: &[&str]) {
    // Tests run side by side.
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("unsinkable-translate-{}-{}.pass", process::id(), CALLS.fetch_add(1, Relaxed));
    let pass = std::env::temp_dir().join(name);
    fs::write(&pass, "pass1234\n").expect("a file in /tmp");
    let mut args = vec![OsString::from("unsinkable")];
    let there =
        |word: &String| if word == "/etc/unsinkable.pass" { pass.clone().into() } else { word.into() };
    args.extend(words.iter().map(there));
    let addrs = addrs.iter().map(|addr| addr.parse().expect("an address")).collect();
    let mut local = LocalAddresses::default();
    local.interfaces.push(LocalInterface { name: interface.into(), hardware: true, addrs });
    let read = parse_from(&args, &local).unwrap_or_else(|refusal| panic!("{words:?}: {}", refusal.text));
    let acts =
        matches!(read, Command::Run(Resolved::Ready(_)) | Command::Update { .. } | Command::Prune { .. });
    assert!(acts, "{words:?}: {read:?}");
    fs::remove_file(pass).expect("ours");
}

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("unsinkable-translate-{}-{name}", process::id()));
        fs::create_dir_all(&path).expect("a folder in /tmp");
        Self(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a file");
        path.to_str().expect("a plain path").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
