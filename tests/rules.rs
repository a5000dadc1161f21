//! The house rules of `src/lib.rs` and CONTRIBUTING, kept by reading the source.

use std::fs;
use std::path::{Path, PathBuf};

/// Longer than this, a file holds two things.
const MAX_LINES: usize = 500;

struct Source {
    /// Under `src/`, as `vrrp/router.rs`.
    name: String,
    text: String,
}

impl Source {
    /// Code alone: no comment lines, nothing from the tests beside it on.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        lines
            .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
            .chain(self.after_test_module())
            .filter(|(_, line)| !line.starts_with("//"))
    }

    /// `#[cfg(test)] mod tests;` at the top ends nothing: the code goes on behind it.
    fn after_test_module(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        let mut behind = lines.skip_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
        behind.next();
        let goes_on = behind.next().is_some_and(|(_, line)| line.ends_with(';'));
        behind.take_while(move |_| goes_on)
    }

    fn is_tests(&self) -> bool {
        self.name.ends_with("/tests.rs") || self.name.contains("/tests/")
    }

    fn is_in(&self, folder: &str) -> bool {
        self.name.starts_with(&format!("{folder}/"))
    }

    /// Decides, and does nothing: all of the jobs' folders but their loops.
    fn is_pure(&self) -> bool {
        let folders = [
            "vrrp",
            "vip",
            "checks",
            "docker",
            "update",
            "prune",
            "state",
            "listen",
            "syslog",
            "ceph",
            "notice",
            "dns",
            "translate",
        ];
        let pure_folder = folders.iter().any(|folder| self.is_in(folder));
        let docker = ["client", "calls", "connection", "fetch", "auth_file"]
            .iter()
            .any(|file| self.name == format!("docker/{file}.rs"));
        let build_script = self.name == "listen/pack.rs";
        let driver = build_script || self.name.ends_with("/run.rs") || self.name.contains("/run/") || docker;
        pure_folder && !driver && !self.is_tests()
    }

    /// Lines of code that name one of `words`, as `file:line: word`.
    fn naming(&self, words: &[&str]) -> Vec<String> {
        let found = |(number, line): (usize, &str)| {
            let word = words.iter().find(|word| line.contains(**word))?;
            Some(format!("src/{}:{number}: {word}", self.name))
        };
        self.code().filter_map(found).collect()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    assert!(paths.len() > 20, "the source was found");
    let read = |path: PathBuf| Source {
        name: path.strip_prefix(&root).expect("under src").to_str().expect("a plain name").to_owned(),
        text: fs::read_to_string(&path).expect("readable"),
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

/// All that breaks a rule, at once.
fn none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn pure_files_decide_and_do_nothing() {
    let clocks = ["Instant::now", "SystemTime", "clock::now"];
    let world = ["std::net::UdpSocket", "std::net::TcpStream", "std::fs", "std::os::fd", "std::thread"];
    let words = [&clocks[..], &world, &["log::", "smol", "nix::", "libc::"]].concat();
    let broken = sources().into_iter().filter(Source::is_pure).flat_map(|source| {
        // It reads /proc under a root that it is given.
        let reads = source.name == "checks/process.rs";
        let proc = ["std::fs", "std::os::fd", "nix::"];
        let words: Vec<&str> = words.iter().copied().filter(|word| !(reads && proc.contains(word))).collect();
        source.naming(&words)
    });
    none(&broken.collect::<Vec<_>>());
}

#[test]
fn pure_files_import_their_own_folder_and_the_time() {
    let mut broken = Vec::new();
    for source in sources().into_iter().filter(Source::is_pure) {
        let folder = source.name.split('/').next().expect("a folder");
        let own = format!("crate::{folder}");
        for (number, line) in source.code() {
            for (start, _) in line.match_indices("crate::") {
                let path = &line[start..];
                // A wish is what the vrrp thread tells the vip thread, bpf builds programs: plain values, as the time is. A sorted list is
                // what a BTreeMap would be, and a duration is written in a label as in a flag.
                let plain = [
                    "crate::time",
                    "crate::duration",
                    "crate::wish",
                    "crate::bpf",
                    "crate::voice",
                    "crate::http_url",
                    "crate::sorted",
                    "crate::sysexits",
                    &own,
                ];
                // What Docker said and what is remembered are values, too.
                let values = [
                    "crate::docker::api",
                    "crate::docker::json",
                    "crate::docker::reference",
                    "crate::docker::Reference",
                    "crate::state",
                ];
                let housework = ["update", "prune", "syslog"].contains(&folder)
                    && values.iter().any(|good| path.starts_with(good));
                // What it writes are flags, and it asks what they would do.
                let flags = ["crate::flags", "crate::plan"];
                let housework =
                    housework || folder == "translate" && flags.iter().any(|good| path.starts_with(good));
                if !plain.iter().any(|good| path.starts_with(good)) && !housework {
                    broken.push(format!("src/{}:{number}: {line}", source.name));
                }
            }
        }
    }
    none(&broken);
}

#[test]
fn the_jobs_meet_only_in_the_daemon_and_the_housekeeper() {
    let jobs = ["vrrp", "vip", "checks", "report", "update", "prune", "listen", "syslog", "ceph"];
    let mut broken = Vec::new();
    for source in sources() {
        for job in jobs.iter().filter(|job| source.is_in(job)) {
            let others = jobs.iter().filter(|other| *other != job).map(|other| format!("crate::{other}::"));
            let others: Vec<String> = others.collect();
            // A report is made of what the jobs say of themselves; what is listened to or logged is made of reports.
            let tells = ["listen", "syslog"].contains(job);
            let others =
                others.iter().map(String::as_str).filter(|other| !(tells && *other == "crate::report::"));
            if *job != "report" {
                broken.extend(source.naming(&others.collect::<Vec<_>>()));
            }
        }
    }
    none(&broken);
}

#[test]
fn the_threads_of_the_vip_name_neither_smol_nor_log() {
    let ours = |source: &Source| source.is_in("vrrp") || source.is_in("vip");
    none(
        &sources()
            .into_iter()
            .filter(ours)
            .flat_map(|source| source.naming(&["smol", "log::"]))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn only_sys_says_unsafe_and_says_why() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        // A trait to be implemented with care says so in its own documentation; its implementations say why.
        let says = |line: &str| line.contains("unsafe ") && !line.contains("unsafe trait");
        for (number, line) in source.code().filter(|(_, line)| says(line)) {
            let inside = source.is_in("sys");
            // The note stands above the statement, which may begin a line or two before its block.
            let above = &lines[number.saturating_sub(8)..number];
            if !inside || !above.iter().any(|line| line.contains("SAFETY:")) {
                broken.push(format!("src/{}:{number}: {line}", source.name));
            }
        }
    }
    none(&broken);
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let code = |source: &Source| !source.is_tests();
    none(
        &sources()
            .into_iter()
            .filter(code)
            .flat_map(|source| source.naming(&[".unwrap()"]))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_are_short_and_named_after_what_they_hold() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            broken.push(format!("src/{}: {lines} lines", source.name));
        }
        let vague = ["util", "common", "manager", "helper"];
        broken.extend(
            vague.iter().filter(|word| source.name.contains(**word)).map(|_| format!("src/{}", source.name)),
        );
        if !source.text.starts_with("//!") {
            broken.push(format!("src/{}: does not say what it is for", source.name));
        }
    }
    none(&broken);
}
