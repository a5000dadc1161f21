//! What a check script of keepalived's does, as a `--track`: the commands everybody uses, and nothing that would have to
//! be guessed. Pure.

use super::sheet::{Text, text};

/// What a script is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// This kind of `--track`, and what is different.
    Track {
        /// `process:dockerd`.
        what: Text,
        /// Empty where nothing is.
        differs: &'static str,
    },
    /// None, because.
    None(&'static str),
}

const WHOLE: &str =
    "pgrep takes any name that contains this one, process: the whole name, as `ps -e` shows it";
const UNIT: &str = "looks for a process of this name, not for a unit: see in `ps -e` that it has it";
const ANY_ANSWER: &str = "curl without -f takes any answer for well, http: only 200 to 399";
const TLS: &str = "https is not checked: this only sees whether the port opens";
const SHELL: &str = "exec: takes a path without arguments and no shell: put this line into a script of its own and --track exec:PATH";
const COMMAND_LINE: &str = "process: compares the name of a process, not its command line: give that name, or use exec: with a script";
const SEVERAL: &str = "process: looks for one name: give one --track for each that must run";

/// Options by which pgrep looks at whole command lines.
const FULL: [&str; 6] = ["-f", "--full", "-af", "-fa", "-xf", "-fx"];

/// Reads a script's command line.
pub fn check(command: Text) -> Check {
    let command = unwrapped(command);
    let words: Vec<Text> = command.split_ascii_whitespace().collect();
    let Some((program, args)) = words.split_first() else { return Check::None("it is empty") };
    if let Some(rest) = command.strip_prefix("</dev/tcp/").or_else(|| command.strip_prefix("< /dev/tcp/")) {
        return rest.split_once('/').map_or(Check::None(SHELL), |(host, port)| tcp(host, port));
    }
    if program.ends_with("pgrep") && args.iter().any(|arg| FULL.contains(arg)) {
        return Check::None(COMMAND_LINE);
    }
    if command.contains(['|', '&', ';', '<', '>', '$', '`', '*', '(', '"', '\'']) {
        return Check::None(SHELL);
    }
    match program.rsplit('/').next().unwrap_or_default() {
        "pgrep" => pgrep(args),
        "pidof" => named(args, &["-s", "-q"], ""),
        "killall" => match args.split_first() {
            Some((&"-0", names)) => named(names, &["-q", "-e"], ""),
            Some(_) | None => Check::None(SHELL),
        },
        "systemctl" => systemctl(args),
        "curl" => curl(args),
        "wget" => wget(args),
        "nc" | "ncat" | "netcat" => netcat(args),
        "test" | "[" => match args {
            ["-e" | "-f", path] | ["-e" | "-f", path, "]"] if path.starts_with('/') => {
                track("file", path, "")
            }
            _ => Check::None(SHELL),
        },
        _ if args.is_empty() && program.starts_with('/') => track("exec", program, ""),
        _ => Check::None(SHELL),
    }
}

/// Without what is around it: `sh -c '…'`, output thrown away, `|| exit 1`, sudo.
fn unwrapped(command: Text) -> Text {
    let mut command = command.trim();
    let (shell, rest) = command.split_once(" -c ").unwrap_or_default();
    if ["sh", "bash", "dash"].contains(&shell.rsplit('/').next().unwrap_or_default()) {
        let rest = rest.trim();
        let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c));
        let inner = quote.and_then(|quote| rest.strip_prefix(quote)?.strip_suffix(quote));
        command = inner.unwrap_or(rest).trim();
    }
    command = command.strip_prefix("sudo ").unwrap_or(command);
    let mut before = 0;
    while before != command.len() {
        before = command.len();
        for end in [
            "|| exit 1",
            "|| exit 2",
            "2>&1",
            "2>/dev/null",
            "2> /dev/null",
            "&>/dev/null",
            "&> /dev/null",
            ">/dev/null",
            "> /dev/null",
            "1>/dev/null",
        ] {
            command = command.strip_suffix(end).unwrap_or(command).trim_end();
        }
    }
    command
}

#[inline(never)]
fn track(kind: &str, what: &str, differs: &'static str) -> Check {
    // A comma would begin an option of --track.
    if what.contains(',') {
        return Check::None(SHELL);
    }
    Check::Track { what: text(&[kind, ":", what]), differs }
}

#[inline(never)]
fn tcp(host: &str, port: &str) -> Check {
    let (before, after) = if host.contains(':') && !host.starts_with('[') { ("[", "]") } else { ("", "") };
    if !port.parse().is_ok_and(|port: u16| port > 0) {
        return Check::None(SHELL);
    }
    track("tcp", text(&[before, host, after, ":", port]), "")
}

fn pgrep(args: &[Text]) -> Check {
    let mut names = Vec::new();
    let mut exact = false;
    for arg in args {
        match *arg {
            "-x" | "--exact" => exact = true,
            "-c" | "-l" | "-a" | "-q" | "-n" | "-o" => {}
            _ => names.push(*arg),
        }
    }
    named(&names, &[], if exact { "" } else { WHOLE })
}

/// One plain name, besides options that change nothing.
fn named(args: &[&str], options: &[&str], differs: &'static str) -> Check {
    let mut names = args.iter().filter(|arg| !options.contains(arg));
    match (names.next(), names.next()) {
        (Some(_), Some(_)) => Check::None(SEVERAL),
        (Some(name), None) => {
            let name = name.rsplit('/').next().unwrap_or_default();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte);
            let is_name = !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain);
            if is_name { track("process", name, differs) } else { Check::None(COMMAND_LINE) }
        }
        (None, _) => Check::None(SHELL),
    }
}

fn systemctl(args: &[Text]) -> Check {
    let mut rest = args.iter().filter(|arg| !["-q", "--quiet"].contains(arg));
    match (rest.next(), rest.next(), rest.next()) {
        (Some(&("is-active" | "status")), Some(unit), None) => {
            let unit = unit.strip_suffix(".service").unwrap_or(unit);
            // Docker's process is called otherwise than its unit, and it is what this is for.
            named(&[if unit == "docker" { "dockerd" } else { unit }], &[], UNIT)
        }
        _ => Check::None(SHELL),
    }
}

fn curl(args: &[Text]) -> Check {
    let mut fails = false;
    let mut url = None;
    let mut args = args.iter();
    while let Some(&arg) = args.next() {
        match arg {
            "-o" | "--output" | "-m" | "--max-time" | "--connect-timeout" | "-w" | "--write-out" => {
                args.next();
            }
            "--fail" => fails = true,
            "--silent" | "--show-error" | "--head" | "--insecure" | "--location" => {}
            _ if is_short(arg, "fsSkILv4") => fails |= arg.contains('f'),
            _ if arg.starts_with('-') || url.is_some() => return Check::None(SHELL),
            _ => url = Some(arg),
        }
    }
    url.map_or(Check::None(SHELL), |url| web(url, if fails { "" } else { ANY_ANSWER }))
}

fn wget(args: &[Text]) -> Check {
    let mut url = None;
    let mut args = args.iter();
    while let Some(&arg) = args.next() {
        match arg {
            "-O" | "-qO" | "-T" | "-t" | "--timeout" | "--tries" => {
                args.next();
            }
            "--spider"
            | "--quiet"
            | "-q"
            | "-nv"
            | "-O-"
            | "-qO-"
            | "-O/dev/null"
            | "--no-check-certificate" => {}
            _ if ["--timeout=", "--tries=", "-T", "-t"].iter().any(|begin| arg.starts_with(begin)) => {}
            _ if arg.starts_with('-') || url.is_some() => return Check::None(SHELL),
            _ => url = Some(arg),
        }
    }
    url.map_or(Check::None(SHELL), |url| web(url, ""))
}

#[inline(never)]
fn web(url: Text, differs: &'static str) -> Check {
    // With a password in it, or a port that is none, it is no URL of ours.
    let host_of = |rest: Text| rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(rest) = url.strip_prefix("https://") {
        let host = host_of(rest);
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port),
            Some(_) | None => (host, "443"),
        };
        return match tcp(name, port) {
            Check::Track { what, .. } if !host.contains('@') => Check::Track { what, differs: TLS },
            Check::Track { .. } | Check::None(_) => Check::None(SHELL),
        };
    }
    let rest = url.strip_prefix("http://").unwrap_or(url);
    if host_of(rest).contains('@') || rest.contains("://") || rest.contains(',') {
        return Check::None(SHELL);
    }
    track("http:http", text(&["//", rest]), differs)
}

fn netcat(args: &[Text]) -> Check {
    let mut place = Vec::new();
    let mut args = args.iter();
    while let Some(&arg) = args.next() {
        match arg {
            "-w" => {
                args.next();
            }
            _ if is_short(arg, "znv4") || arg.starts_with("-w") => {}
            _ if arg.starts_with('-') => return Check::None(SHELL),
            _ => place.push(arg),
        }
    }
    match place.as_slice() {
        [host, port] => tcp(host, port),
        _ => Check::None(SHELL),
    }
}

/// One-letter options in one word, all of them among these.
fn is_short(arg: &str, letters: &str) -> bool {
    let given = arg.strip_prefix('-').unwrap_or_default();
    !given.is_empty() && given.chars().all(|letter| letters.contains(letter))
}
