//! The state file on real file systems: torn, foreign, locked, full, read-only.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::geteuid;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use unsinkable::state::run::Session;
use unsinkable::state::{State, Thing, Unused};

/// A directory that goes with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("unsinkable-state-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Not made yet, nor is the directory above it.
    fn state(&self) -> PathBuf {
        self.0.join("lib/unsinkable")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Some bytes of state that a look at its file tells from others.
fn some(seconds: u64) -> State {
    let unused = Unused { seen_for: Duration::from_secs(seconds) };
    State { unused: [(Thing::Image("sha256:1".to_owned()), unused)].into(), ..State::default() }
}

fn save(dir: &Path, state: State) {
    let mut session = Session::open(dir).unwrap();
    session.state = state;
    session.save().unwrap();
}

fn torn(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with("state.torn-")).count()
}

#[test]
fn what_was_saved_is_there_the_next_time() {
    let dir = Dir::new("again");
    let dir = dir.state();
    assert_eq!(Session::open(&dir).unwrap().state, State::default(), "a first start");
    save(&dir, some(5));
    assert_eq!(Session::open(&dir).unwrap().state, some(5));
    assert_eq!(Session::look(&dir).state, some(5));
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("state"), mode("lock")), (0o700, 0o600, 0o600));
    assert!(!dir.join("state.new").exists());
    assert_eq!(torn(&dir), 0);
}

#[test]
fn the_same_again_does_not_wear_the_card() {
    let dir = Dir::new("same");
    save(&dir.0, some(5));
    let inode = || fs::metadata(dir.0.join("state")).unwrap().ino();
    let first = fs::File::open(dir.0.join("state")).unwrap();
    let before = inode();
    save(&dir.0, some(5));
    assert_eq!(inode(), before);
    save(&dir.0, some(6));
    assert_ne!(inode(), before, "renamed over it: who has the old one open still reads it whole");
    drop(first);
}

#[test]
fn one_round_at_a_time() {
    let dir = Dir::new("two");
    let first = Session::open(&dir.0).unwrap();
    let second = Session::open(&dir.0).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::WouldBlock);
    let text = format!(
        "another round of updates or pruning runs (PID {}): try again when it is over",
        std::process::id()
    );
    assert_eq!(second.to_string(), text);
    assert_eq!(Session::look(&dir.0).state, State::default(), "a look waits for nobody");
    drop(first);
    Session::open(&dir.0).unwrap();
}

#[test]
fn a_look_changes_nothing() {
    let dir = Dir::new("look");
    fs::write(dir.0.join("state"), "torn").unwrap();
    let mut session = Session::look(&dir.0);
    assert_eq!(session.state, State::default());
    session.state = some(1);
    session.save().unwrap();
    assert_eq!(fs::read_to_string(dir.0.join("state")).unwrap(), "torn");
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1);
    assert_eq!(Session::look(&dir.0.join("none")).state, State::default());
    assert!(!dir.0.join("none").exists());
}

#[test]
fn a_file_torn_at_any_byte_is_set_aside() {
    let dir = Dir::new("torn");
    save(&dir.0, some(5));
    let whole = fs::read(dir.0.join("state")).unwrap();
    for end in 0..whole.len() {
        fs::write(dir.0.join("state"), &whole[..end]).unwrap();
        assert_eq!(Session::open(&dir.0).unwrap().state, State::default(), "{end}");
        assert!(!dir.0.join("state").exists(), "{end}");
        assert!((1..=3).contains(&torn(&dir.0)), "{end}");
    }
    assert_eq!(torn(&dir.0), 3);
    let mut newest: Vec<_> =
        (1..=3).map(|n| fs::read(dir.0.join(format!("state.torn-{n}"))).unwrap()).collect();
    newest.sort();
    let len = whole.len();
    assert_eq!(newest.last().unwrap(), &whole[..len - 1], "the oldest made room");
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(dir.0.join("state"), flipped).unwrap();
        assert_eq!(Session::open(&dir.0).unwrap().state, State::default(), "bit {bit}");
    }
    save(&dir.0, some(6));
    assert_eq!(Session::open(&dir.0).unwrap().state, some(6));
}

#[test]
fn whatever_else_lies_there_makes_way() {
    let dir = Dir::new("foreign");
    let state = dir.0.join("state");
    let other = |what: &str| {
        assert_eq!(Session::open(&dir.0).unwrap().state, State::default(), "{what}");
        assert!(fs::symlink_metadata(&state).is_err(), "{what}: set aside");
        assert!((1..=3).contains(&torn(&dir.0)), "{what}");
    };
    fs::write(&state, "{\"held\": []}").unwrap();
    other("a JSON file");
    fs::write(&state, vec![0; 3 << 20]).unwrap();
    other("a huge file");
    fs::create_dir(&state).unwrap();
    other("a directory");
    nix::unistd::mkfifo(&state, nix::sys::stat::Mode::S_IRWXU).unwrap();
    other("a pipe");
    save(&dir.0, some(1));
    assert_eq!(Session::open(&dir.0).unwrap().state, some(1));
}

#[test]
fn what_a_crash_left_beside_is_overwritten() {
    let dir = Dir::new("beside");
    save(&dir.0, some(1));
    fs::write(dir.0.join("state.new"), vec![7; 5000]).unwrap();
    assert_eq!(Session::open(&dir.0).unwrap().state, some(1));
    save(&dir.0, some(2));
    assert_eq!(Session::open(&dir.0).unwrap().state, some(2));
    assert!(!dir.0.join("state.new").exists());
}

#[test]
fn a_directory_that_goes_is_an_error_and_not_made_again_behind_the_lock() {
    let dir = Dir::new("gone");
    let dir = dir.state();
    let mut session = Session::open(&dir).unwrap();
    session.state = some(1);
    fs::remove_dir_all(&dir).unwrap();
    let error = session.save().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("lib/unsinkable/state"), "{error}");
}

/// Runs `inside` on a file system of its own over `dir`; says loudly where one may not, and fails in CI.
fn on_a_tmpfs(dir: &Path, size: &str, inside: impl FnOnce() + Send + 'static) {
    if !geteuid().is_root() {
        eprintln!("\n*** SKIPPED: needs root ***");
        assert!(std::env::var_os("CI").is_none(), "this test needs root");
        return;
    }
    let (dir, size) = (dir.to_owned(), format!("size={size}"));
    let thread = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        mount(Some("tmpfs"), &dir, Some("tmpfs"), MsFlags::empty(), Some(size.as_str())).unwrap();
        inside();
    });
    thread.join().unwrap();
}

#[test]
fn on_a_full_disk_the_old_state_stays() {
    let dir = Dir::new("full");
    let path = dir.0.clone();
    on_a_tmpfs(&dir.0, "256k", move || {
        save(&path, some(1));
        let _full = fs::write(path.join("rest"), vec![1; 1 << 20]);
        let mut session = Session::open(&path).unwrap();
        assert_eq!(session.state, some(1));
        // More than the one page that the file system may still find.
        session.state.unused.extend((0..2000).map(|n| (Thing::Image(format!("{n:064}")), Unused::default())));
        let error = session.save().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        assert!(!path.join("state.new").exists(), "it would only fill the disk");
        drop(session);
        let mut session = Session::open(&path).unwrap();
        assert_eq!(session.state, some(1));
        fs::remove_file(path.join("rest")).unwrap();
        session.state = some(2);
        session.save().unwrap();
        assert_eq!(Session::look(&path).state, some(2));
    });
}

#[test]
fn a_read_only_directory_is_an_error_that_names_it() {
    let dir = Dir::new("read-only");
    let path = dir.0.clone();
    on_a_tmpfs(&dir.0, "256k", move || {
        save(&path, some(1));
        let session = Session::open(&path).unwrap();
        drop(session);
        let none = None::<&str>;
        mount(none, &path, none, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none).unwrap();
        let error = Session::open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnlyFilesystem);
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(Session::look(&path).state, some(1));
    });
}
