//! Finding processes by name under a proc root (`/proc`, or a made-up one): what `comm` and `stat` say, and one pass
//! over all of them for several names at once.
//!
//! A name matches when it equals the process's `comm`, both cut to 15 bytes: what keepalived's `track_process` does.
//! `pgrep NAME` takes a regular expression and would also find `NAMEd`; `pgrep -x NAME` is the same as this. Zombies
//! do not count: they have ended and only wait for their parent. Processes in containers of this host count, since
//! the host's /proc shows them; threads do not, since they end with their process or do not matter.

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use nix::unistd::read;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Bytes of a process's name the kernel keeps (`TASK_COMM_LEN` without the final zero).
pub const COMM_LEN: usize = 15;

/// Enough of a `stat` line for its 22nd field: a name of at most 64 bytes and 21 numbers of at most 20 digits.
const STAT_LEN: usize = 640;

/// A process name as the kernel keeps it: at most 15 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comm {
    bytes: [u8; COMM_LEN],
    len: usize,
}

impl Comm {
    /// `name` cut to 15 bytes.
    pub fn new(name: &str) -> Self {
        let len = name.len().min(COMM_LEN);
        let mut bytes = [0; COMM_LEN];
        bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
        Self { bytes, len }
    }

    /// The name's bytes, 0 to 15 of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// One process, not to be confused with a later one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number in this PID namespace.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

/// What this daemon reads of `/proc/PID/stat` (see `proc_pid_stat(5)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat<'a> {
    /// Field 2: the name, which may itself hold spaces and brackets.
    pub comm: &'a [u8],
    /// Field 3: one letter.
    pub state: u8,
    /// Field 22: ticks since boot.
    pub start: u64,
}

impl Stat<'_> {
    /// False for a zombie and for a process just being taken down.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// Reads a `stat` line, whole or cut anywhere after field 22. The name ends at the last `)`.
pub fn parse_stat(line: &[u8]) -> Option<Stat<'_>> {
    let open = line.iter().position(|&byte| byte == b'(')?;
    let close = line.iter().rposition(|&byte| byte == b')')?;
    let comm = line.get(open + 1..close)?;
    let mut fields = line.get(close + 1..)?.strip_prefix(b" ")?.split(|&byte| byte == b' ');
    let &[state] = fields.next()? else { return None };
    let start = number(fields.nth(18)?)?; // fields 4 to 21 lie between
    Some(Stat { comm, state, start })
}

/// The name in the bytes of a `comm` file: all but the final newline.
pub fn parse_comm(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

fn number(digits: &[u8]) -> Option<u64> {
    if !digits.first()?.is_ascii_digit() {
        return None; // no sign: `parse` would take a plus
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// How much of /proc a pass reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Every process.
    Whole,
    /// Those that were not there in the last two whole passes under other names. Misses one that takes its name long
    /// after its start, and costs a tenth: reading a name is three system calls.
    New,
}

/// A proc root held open, to be walked again and again for the same names.
#[derive(Debug)]
pub struct Scanner {
    root: OwnedFd,
    list: Dir,
    names: Vec<Comm>,
    /// Processes of other names in the last whole pass, and those among them that were in the one before too; sorted.
    others: Vec<u32>,
    settled: Vec<u32>,
}

impl Scanner {
    /// Opens a proc root, normally `/proc`.
    pub fn open(root: &Path, names: Vec<Comm>) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = open(root, flags, Mode::empty())?;
        let list = Dir::openat(&root, ".", flags, Mode::empty())?;
        Ok(Self { root, list, names, others: Vec::new(), settled: Vec::new() })
    }

    /// One pass over the processes. Calls `found` with the index of each name matched and the living process.
    ///
    /// One list, one small read a process, a second one for matches only; nothing is allocated for each.
    ///
    /// # Errors
    /// When the list cannot be read, or descriptors or memory have run out. A process that has gone is no error.
    pub fn scan(&mut self, pass: Pass, mut found: impl FnMut(usize, Process)) -> io::Result<()> {
        let Self { root, list, names, others, settled } = self;
        let mut strangers = Vec::with_capacity(others.len() + 16);
        for entry in list.iter() {
            let entry = entry?;
            let Some(pid) = pid(entry.file_name().to_bytes()) else { continue };
            if pass == Pass::New && settled.binary_search(&pid).is_ok() {
                continue;
            }
            let mut buffer = [0; COMM_LEN * 5];
            let Some(bytes) = contents(root, pid, "comm", &mut buffer)? else { continue };
            let comm = cut(parse_comm(bytes));
            if names.iter().all(|name| name.as_bytes() != comm) {
                strangers.push(pid);
                continue;
            }
            let Some(process) = living(root, pid, comm)? else { continue };
            let matches = names.iter().enumerate().filter(|(_, name)| name.as_bytes() == comm);
            matches.for_each(|(index, _)| found(index, process));
        }
        if pass == Pass::Whole {
            strangers.sort_unstable();
            *settled = strangers.iter().copied().filter(|pid| others.binary_search(pid).is_ok()).collect();
            *others = strangers;
        }
        Ok(())
    }

    /// The process `pid`, if it is alive and still has this name.
    ///
    /// # Errors
    /// When descriptors or memory have run out.
    pub fn look(&self, pid: u32, name: &Comm) -> io::Result<Option<Process>> {
        living(&self.root, pid, name.as_bytes())
    }
}

/// The number in the name of a process's directory; other entries of /proc begin with letters.
fn pid(name: &[u8]) -> Option<u32> {
    number(name).and_then(|number| u32::try_from(number).ok())
}

/// A kernel worker's `comm` can be longer than 15 bytes.
fn cut(comm: &[u8]) -> &[u8] {
    &comm[..comm.len().min(COMM_LEN)]
}

fn living(root: &OwnedFd, pid: u32, name: &[u8]) -> io::Result<Option<Process>> {
    let mut buffer = [0; STAT_LEN];
    let Some(line) = contents(root, pid, "stat", &mut buffer)? else { return Ok(None) };
    let stat = parse_stat(line).filter(|stat| stat.is_alive() && cut(stat.comm) == name);
    Ok(stat.map(|stat| Process { pid, start: stat.start }))
}

/// The beginning of `PID/file`, or nothing if the process has gone or may not be looked at.
fn contents<'a>(root: &OwnedFd, pid: u32, file: &str, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
    let mut path = heapless::String::<24>::new();
    core::fmt::write(&mut path, format_args!("{pid}/{file}")).map_err(io::Error::other)?;
    let fd = openat(root, path.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
    match fd.and_then(|fd| read(&fd, buffer)) {
        Ok(len) => Ok(Some(&buffer[..len])),
        Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)) => Err(errno.into()),
        Err(_gone) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const DOCKERD: &[u8] = include_bytes!("../../tests/data/proc-stat-dockerd");
    const BRACKETS: &[u8] = include_bytes!("../../tests/data/proc-stat-brackets");

    #[test]
    fn a_stat_line_tells_name_state_and_start() {
        assert_eq!(parse_stat(DOCKERD), Some(Stat { comm: b"dockerd", state: b'S', start: 1842 }));
    }

    #[test]
    fn a_name_may_hold_brackets_spaces_and_newlines() {
        assert_eq!(parse_stat(BRACKETS), Some(Stat { comm: b"a) Z (b\nc", state: b'R', start: 27_154 }));
    }

    #[test]
    fn a_line_cut_short_is_no_process() {
        let start = DOCKERD.windows(5).position(|bytes| bytes == b" 1842").unwrap();
        for len in 0..=start {
            assert_eq!(parse_stat(&DOCKERD[..len]), None, "{len} bytes");
        }
        assert!(parse_stat(b")(").is_none());
        assert!(parse_stat(b"1 (a) SS 1").is_none());
        assert!(parse_stat(b"1 (a)").is_none());
    }

    #[test]
    fn zombies_and_the_dead_are_not_alive() {
        let alive = |state| Stat { comm: b"x", state, start: 1 }.is_alive();
        assert!(alive(b'S') && alive(b'R') && alive(b'D') && alive(b'T') && alive(b'I'));
        assert!(!alive(b'Z') && !alive(b'X') && !alive(b'x'));
    }

    #[test]
    fn names_are_cut_to_fifteen_bytes() {
        assert_eq!(Comm::new("docker-containerd-shim").as_bytes(), b"docker-containe");
        assert_eq!(Comm::new("").as_bytes(), b"");
        assert_eq!(parse_comm(b"a\nb\n"), b"a\nb");
        assert_eq!(parse_comm(b""), b"");
    }

    #[test]
    fn only_directories_with_numbers_are_processes() {
        assert_eq!(pid(b"12"), Some(12));
        for name in ["+12", "self", "1x", "99999999999", ""] {
            assert_eq!(pid(name.as_bytes()), None, "{name}");
        }
    }

    /// A proc root with (pid, comm, state) under a directory of its own.
    fn root(name: &str, processes: &[(&str, &str, char)]) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("unsinkable-{name}-{}", std::process::id()));
        for (pid, comm, state) in processes {
            let dir = root.join(pid);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("comm"), format!("{comm}\n")).unwrap();
            let zeros = "0 ".repeat(18);
            fs::write(dir.join("stat"), format!("{pid} ({comm}) {state} {zeros}77 0 0\n")).unwrap();
        }
        root
    }

    #[test]
    fn one_pass_finds_several_names() {
        let processes = [
            ("1", "init", 'S'),
            ("7", "dockerd", 'S'),
            ("8", "dockerd", 'Z'),
            ("9", "dockerd2", 'S'),
            ("10", "traefik", 'R'),
            ("11", "traefik", 'S'),
            ("x12", "traefik", 'S'),
            ("13", "a-name-of-fifte", 'S'),
        ];
        let root = root("names", &processes);
        fs::create_dir_all(root.join("14")).unwrap(); // gone between list and read
        let names = ["dockerd", "traefik", "a-name-of-fifteen-and-more"].map(Comm::new);
        let mut scanner = Scanner::open(&root, names.to_vec()).unwrap();
        for pass in [Pass::New, Pass::Whole, Pass::Whole, Pass::New] {
            assert_eq!(pids(&mut scanner, pass), [(0, 7), (1, 10), (1, 11), (2, 13)]);
        }
        assert_eq!(scanner.look(7, &names[0]).unwrap(), Some(Process { pid: 7, start: 77 }));
        assert_eq!(scanner.look(8, &names[0]).unwrap(), None);
        assert_eq!(scanner.look(7, &names[1]).unwrap(), None);
        fs::remove_dir_all(root).unwrap();
    }

    fn pids(scanner: &mut Scanner, pass: Pass) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        scanner.scan(pass, |name, process| found.push((name, process.pid))).unwrap();
        found.sort_unstable();
        found
    }

    #[test]
    fn a_pass_over_the_new_skips_who_was_seen_twice_under_another_name() {
        let root = root("new", &[("1", "init", 'S'), ("2", "sh", 'S')]);
        let mut scanner = Scanner::open(&root, vec![Comm::new("traefik")]).unwrap();
        let take_name = |pid: &str| {
            fs::create_dir_all(root.join(pid)).unwrap();
            fs::write(root.join(pid).join("comm"), "traefik\n").unwrap();
            fs::write(root.join(pid).join("stat"), format!("1 (traefik) S {}5 0", "0 ".repeat(18))).unwrap();
        };
        assert_eq!(pids(&mut scanner, Pass::Whole), []);
        take_name("2"); // seen once as sh: an entrypoint that has just called exec
        assert_eq!(pids(&mut scanner, Pass::New), [(0, 2)]);
        assert_eq!(pids(&mut scanner, Pass::Whole), [(0, 2)]);
        take_name("1"); // seen twice as init
        take_name("3"); // new
        assert_eq!(pids(&mut scanner, Pass::New), [(0, 2), (0, 3)]);
        assert_eq!(pids(&mut scanner, Pass::Whole), [(0, 1), (0, 2), (0, 3)]);
        assert_eq!(pids(&mut scanner, Pass::New), [(0, 1), (0, 2), (0, 3)]);
        fs::remove_dir_all(root).unwrap();
    }
}
