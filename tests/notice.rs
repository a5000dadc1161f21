//! `--on-change` with real programs: what they are told, and what becomes of those that hang, flood, do not listen or are
//! not there. One at a time: a program written by one test must not be held open by another's fork (ETXTBSY).
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "other tests need the rest")]
mod dockerd;

use core::time::Duration;
use dockerd::{Dockerd, Reply};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use smol::future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Instant;
use std::{fs, thread};
use unsinkable::notice::Notice;
use unsinkable::notice::run::{Bell, queue, run};

/// What the log was told.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ALONE: Mutex<()> = Mutex::new(());

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("unsinkable")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LOG.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// A directory of its own, a log without lines, and nobody else.
struct Scene {
    dir: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Scene {
    fn new(name: &str) -> Self {
        static LOGGER: Once = Once::new();
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        LOGGER.call_once(|| {
            log::set_logger(&Logger).expect("the only one");
            log::set_max_level(log::LevelFilter::Debug);
        });
        LOG.lock().unwrap().clear();
        let dir = std::env::temp_dir().join(format!("unsinkable-notice-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a temporary directory");
        Self { dir, _alone: alone }
    }

    /// A program of these lines of shell, run in its directory.
    fn program(&self, name: &str, lines: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, format!("#!/bin/sh\ncd {}\n{lines}\n", self.dir.display())).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap_or_default()
    }

    /// Runs what `ring` asks for until `file` has this many lines.
    fn until_lines(&self, limit: Duration, ring: impl FnOnce(&Bell), file: &str, count: usize) {
        let (bell, calls) = queue();
        ring(&bell);
        let came = async {
            let start = Instant::now();
            while self.read(file).lines().count() < count {
                assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "{file}: {:?}; {:?}",
                    self.read(file),
                    logged()
                );
                smol::Timer::after(Duration::from_millis(20)).await;
            }
        };
        smol::block_on(future::or(came, run(calls, &["CARGO_MANIFEST_DIR"], limit)));
    }

    /// The same, and then until the log has a line with `text`.
    fn until_logged(limit: Duration, ring: impl FnOnce(&Bell), text: &str) {
        let (bell, calls) = queue();
        ring(&bell);
        let came = async {
            let start = Instant::now();
            while !logged().iter().any(|line| line.contains(text)) {
                assert!(start.elapsed() < Duration::from_secs(60), "no {text:?} in {:?}", logged());
                smol::Timer::after(Duration::from_millis(20)).await;
            }
        };
        smol::block_on(future::or(came, run(calls, &[], limit)));
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn logged() -> Vec<String> {
    LOG.lock().unwrap().clone()
}

fn pruned(removed: usize) -> Notice {
    Notice::Pruned { removed, freed: 1_000_000, reason: format!("{removed} images") }
}

/// Gone, or dead and not reaped by whoever adopts orphans here.
fn is_gone(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

const SOON: Duration = Duration::from_millis(700);
const LONG: Duration = Duration::from_secs(50);

#[test]
fn a_program_reads_variables_and_one_json_object_to_its_end() {
    let scene = Scene::new("told");
    let program = scene.program(
        "hook",
        "env | grep -e ^UNSINKABLE_ -e ^CARGO_MANIFEST_DIR | grep -v _TIME= | sort >vars\ncat >json\necho end >>done",
    );
    let notice = Notice::Role {
        vrid: 12,
        state: "MASTER".into(),
        reason: "no advert\nfor 3 s".into(),
        vips: vec!["10.0.10.39".into(), "fd00::39".into()],
    };
    scene.until_lines(LONG, |bell| assert!(bell.tell(&program, notice)), "done", 1);
    let node = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let text = format!("{node}: MASTER of VRID 12 (10.0.10.39, fd00::39): no advert for 3 s");
    let expected = format!(
        "UNSINKABLE_KIND=role\nUNSINKABLE_NODE={node}\nUNSINKABLE_REASON=no advert for 3 s\nUNSINKABLE_STATE=MASTER\n\
         UNSINKABLE_TEXT={text}\nUNSINKABLE_VERSION=1\nUNSINKABLE_VIPS=10.0.10.39 fd00::39\nUNSINKABLE_VRID=12\n"
    );
    assert_eq!(scene.read("vars"), expected);
    let json: serde_json::Value = serde_json::from_str(&scene.read("json")).expect("JSON");
    assert_eq!(json["text"], text);
    assert_eq!((&json["version"], &json["vrid"]), (&1.into(), &12.into()));
    assert_eq!(json["vips"][1], "fd00::39");
    assert!(json["time"].as_u64().is_some_and(|time| time > 1_700_000_000), "{json}");
    assert_eq!(logged(), Vec::<String>::new());
}

#[test]
fn one_that_hangs_is_killed_with_all_its_children_and_the_next_is_told() {
    let scene = Scene::new("hangs");
    let hangs = scene.program("hangs", "sleep 1000 & echo $! >child\necho $$ >parent\nwait");
    let next = scene.program("next", "echo $UNSINKABLE_REMOVED >>done");
    let ring = |bell: &Bell| assert!(bell.tell(&hangs, pruned(1)) && bell.tell(&next, pruned(2)));
    scene.until_lines(SOON, ring, "done", 1);
    assert_eq!(scene.read("done"), "2\n");
    for pid in ["child", "parent"].map(|name| scene.read(name).trim().to_owned()) {
        assert!(!pid.is_empty());
        let start = Instant::now();
        while !is_gone(&pid) {
            assert!(start.elapsed() < LONG, "{pid} lives");
            thread::sleep(Duration::from_millis(10));
        }
    }
    let killed = format!("WARN --on-change {}: killed after 0 s", hangs.display());
    assert!(logged().contains(&killed), "{:?}", logged());
}

#[test]
fn one_that_floods_is_heard_up_to_a_bound_and_killed() {
    let scene = Scene::new("floods");
    let floods = scene.program("floods", "exec yes all work and no play");
    Scene::until_logged(SOON, |bell| assert!(bell.tell(&floods, pruned(1))), "killed after");
    let lines = logged();
    let bytes: usize = lines.iter().filter(|line| line.ends_with("no play")).count() * 21;
    assert!((4000..=4096).contains(&bytes), "{bytes} bytes in {} lines", lines.len());
    assert!(lines.iter().any(|line| line.starts_with("DEBUG") && line.contains("is not logged")));
}

/// 300 KB, more than a pipe holds: it must get rid of them to come to its end.
#[test]
fn one_that_talks_much_comes_to_its_end() {
    let scene = Scene::new("talks");
    let talks = scene.program("talks", "head -c 300000 /dev/zero | tr '\\0' x\necho $? >>done");
    scene.until_lines(LONG, |bell| assert!(bell.tell(&talks, pruned(1))), "done", 1);
    assert_eq!(scene.read("done"), "0\n");
}

#[test]
fn what_it_prints_is_logged_without_control_characters() {
    let scene = Scene::new("prints");
    let prints = scene.program("prints", "echo out; printf 'err\\033[31m\\n' >&2; exit 3");
    Scene::until_logged(LONG, |bell| assert!(bell.tell(&prints, pruned(1))), "exit status");
    let name = prints.display();
    let expected = [
        format!("DEBUG --on-change {name}: out"),
        format!("DEBUG --on-change {name}: err [31m"),
        format!("WARN --on-change {name}: exit status: 3"),
    ];
    assert_eq!(logged(), expected);
}

#[test]
fn one_that_reads_nothing_or_closes_its_ears_is_no_error() {
    let scene = Scene::new("deaf");
    let deaf = scene.program("deaf", "exec 0<&-\nsleep 0.3\necho deaf >>done");
    let idle = scene.program("idle", "echo idle >>done");
    let ring = |bell: &Bell| assert!(bell.tell(&deaf, pruned(1)) && bell.tell(&idle, pruned(1)));
    scene.until_lines(LONG, ring, "done", 2);
    assert_eq!((scene.read("done").as_str(), logged().len()), ("deaf\nidle\n", 0));
}

#[test]
fn one_that_is_not_there_is_named_and_the_next_is_told() {
    let scene = Scene::new("missing");
    let next = scene.program("next", "echo told >>done");
    let plain = scene.dir.join("plain");
    fs::write(&plain, "no program").unwrap();
    let ring = |bell: &Bell| {
        assert!(bell.tell(Path::new("/nonexistent/hook"), pruned(1)));
        assert!(bell.tell(&plain, pruned(1)) && bell.tell(&next, pruned(2)));
    };
    scene.until_lines(LONG, ring, "done", 1);
    let lines = logged();
    assert_eq!(lines[0], "WARN --on-change /nonexistent/hook: No such file or directory (os error 2)");
    assert!(lines[1].ends_with("Permission denied (os error 13)"), "{lines:?}");
}

/// A daemon that it starts keeps its output open and is left alone.
#[test]
fn one_that_leaves_somebody_behind_is_over_when_it_is_over() {
    let scene = Scene::new("leaves");
    let leaves = scene.program("leaves", "sleep 1000 & echo $! >child");
    let next = scene.program("next", "echo told >>done");
    let begun = Instant::now();
    let ring = |bell: &Bell| assert!(bell.tell(&leaves, pruned(1)) && bell.tell(&next, pruned(2)));
    scene.until_lines(LONG, ring, "done", 1);
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let child = scene.read("child").trim().parse().expect("a number");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), nix::sys::signal::Signal::SIGKILL)
        .expect("alive");
}

#[test]
fn too_many_at_once_lose_the_oldest_and_keep_their_order() {
    let scene = Scene::new("burst");
    let writes = scene.program("writes", "echo $UNSINKABLE_REMOVED >>done");
    let ring = |bell: &Bell| {
        let kept = (1..=20).filter(|count| bell.tell(&writes, pruned(*count))).count();
        assert_eq!(kept, 16);
    };
    scene.until_lines(LONG, ring, "done", 16);
    let expected = (5..=20).map(|count| count.to_string()).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(scene.read("done"), expected);
}

/// A dockerd with one image that nobody uses, until it is removed.
fn with_one_image(name: &str) -> Dockerd {
    let mut removed = false;
    Dockerd::start(name, move |asked| {
        let (method, path) = asked.line.split_once(' ').unwrap();
        removed |= method == "DELETE";
        let images = if removed {
            "[]".to_owned()
        } else {
            let id = format!("sha256:{:064x}", 7);
            format!(
                "[{{\"Id\":\"{id}\",\"ParentId\":\"\",\"RepoTags\":null,\"RepoDigests\":null,\"Created\":1,\"Size\":2500000}}]"
            )
        };
        match path {
            _ if path.contains("/events") => Reply::json(500, "{}"),
            _ if path.contains("/info") => {
                Reply::json(200, "{\"Swarm\":{\"LocalNodeState\":\"inactive\"},\"DockerRootDir\":\"/tmp\"}")
            }
            _ if path.contains("/images/json") => Reply::json(200, &images),
            _ if path.contains("/volumes") => Reply::json(200, "{\"Volumes\":[],\"Warnings\":null}"),
            _ if path.contains("/build/prune") => Reply::json(200, "{\"SpaceReclaimed\":0}"),
            _ => Reply::json(200, "[]"),
        }
    })
}

/// The housekeeper as the VIP process starts it: what it removed is told once, and rounds that remove nothing are not.
#[test]
fn the_housekeeper_tells_what_it_removed() {
    let scene = Scene::new("pruned");
    let program = scene.program("hook", "cat >>told");
    let docker = with_one_image("notice-pruned");
    let pair = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = pair.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_unsinkable"));
    command.args("housekeeper --vip 10.0.10.39 --node 10.0.10.31 --node 10.0.10.32".split(' '));
    command.args("--prune --prune-every 1s --grace 1s --keep-per-repo 0".split(' '));
    for (flag, path) in
        [("--docker", docker.path()), ("--state-dir", &scene.dir), ("--on-change", program.as_path())]
    {
        command.arg(flag).arg(path);
    }
    let log = fs::File::create(scene.dir.join("log")).unwrap();
    let mut child = command.stdin(Stdio::from(theirs)).stderr(log).spawn().unwrap();
    let begun = Instant::now();
    while scene.read("told").is_empty() {
        assert!(begun.elapsed() < LONG, "{}\n{:?}", scene.read("log"), docker.asked());
        thread::sleep(Duration::from_millis(50));
    }
    let rounds = |asked: &[String]| asked.iter().filter(|line| line.contains("/info")).count();
    docker.asked();
    let mut asked = Vec::new();
    while rounds(&asked) < 2 {
        assert!(begun.elapsed() < LONG, "{}", scene.read("log"));
        asked.extend(docker.asked());
        thread::sleep(Duration::from_millis(50));
    }
    drop(ours);
    child.wait().unwrap();
    let told = scene.read("told");
    let json: serde_json::Value =
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert_eq!((&json["kind"], &json["removed"]), (&"pruned".into(), &1.into()));
    assert_eq!((&json["freed"], &json["reason"]), (&2_500_000.into(), &"1 image".into()));
}
