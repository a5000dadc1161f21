//! What a Raspberry Pi lacks as it comes: cgroup memory, a watchdog that is fed. Read under a root that may be recorded.

use std::fs;
use std::path::Path;

use super::{Line, Mark};

/// On Raspberry Pi OS since 2023; before, `/boot` itself.
const BOOT: [&str; 2] = ["boot/firmware", "boot"];

/// All of it.
pub fn lines(root: &Path) -> Vec<Line> {
    vec![cgroup_memory(root), watchdog(root)]
}

fn text(root: &Path, path: &str) -> Option<String> {
    fs::read_to_string(root.join(path)).ok()
}

/// Where the boot partition's `file` is, as an absolute path.
fn boot_file(root: &Path, file: &str) -> String {
    let folder = BOOT.iter().find(|folder| root.join(folder).join(file).exists());
    format!("/{}/{file}", folder.unwrap_or(&BOOT[0]))
}

/// Raspberry Pi's kernels leave it off unless told otherwise; Docker then neither limits nor counts memory. With cgroups 2 the
/// kernel need not name it in /proc/cgroups (from 6.12 on it does not).
fn cgroup_memory(root: &Path) -> Line {
    let what = "cgroup memory";
    let unified = text(root, "sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let old = text(root, "proc/cgroups").unwrap_or_default();
    let is_on = |line: &str| line.starts_with("memory\t") && line.ends_with("\t1");
    if unified.split_whitespace().any(|controller| controller == "memory") || old.lines().any(is_on) {
        return Line::ok(what, "on");
    }
    let file = boot_file(root, "cmdline.txt");
    let seen = "off: Docker neither limits nor counts what containers use";
    if text(root, &file[1..]).is_some_and(|words| words.contains("cgroup_enable=memory")) {
        return Line::bad(Mark::Warn, what, format!("{seen}; {file} has it, since the last boot"), "reboot");
    }
    let mend = format!("sed -i '1s/$/ cgroup_enable=memory/' {file} && reboot");
    Line::bad(Mark::Warn, what, seen, mend)
}

/// Without one that is fed, a kernel that hangs keeps hanging until somebody pulls the plug.
fn watchdog(root: &Path) -> Line {
    let what = "watchdog";
    let device = "sys/class/watchdog/watchdog0";
    if !root.join(device).exists() {
        let mend = format!("echo dtparam=watchdog=on >>{} && reboot", boot_file(root, "config.txt"));
        return Line::bad(Mark::Warn, what, "none: a Pi whose kernel hangs stays that way", mend);
    }
    match text(root, &format!("{device}/state")).as_deref().map(str::trim) {
        Some("inactive") => Line::bad(
            Mark::Warn,
            what,
            "nobody feeds it: a Pi whose kernel hangs stays that way",
            "install -D /dev/stdin /etc/systemd/system.conf.d/watchdog.conf <<<$'[Manager]\\nRuntimeWatchdogSec=15s' && systemctl daemon-reexec",
        ),
        Some(_) => Line::ok(what, "watchdog0 is fed"),
        None => Line::ok(what, "watchdog0 is there; this kernel does not say whether it is fed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &str) -> Vec<(Mark, Option<String>)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/boards").join(name);
        lines(&root).into_iter().map(|line| (line.mark, line.mend)).collect()
    }

    #[test]
    fn a_pi_that_has_both_is_well() {
        assert_eq!(look("pi4-well"), [(Mark::Ok, None), (Mark::Ok, None)]);
    }

    #[test]
    fn what_lacks_is_mended_by_one_command() {
        let warn = |mend: &str| (Mark::Warn, Some(mend.to_owned()));
        assert_eq!(
            look("pi3-throttled"),
            [
                warn("sed -i '1s/$/ cgroup_enable=memory/' /boot/cmdline.txt && reboot"),
                warn("echo dtparam=watchdog=on >>/boot/config.txt && reboot"),
            ]
        );
        let [memory, watchdog] = &look("zero2w-well")[..] else { panic!("two lines") };
        assert_eq!(*memory, warn("reboot"));
        assert_eq!(watchdog.0, Mark::Warn);
        assert!(watchdog.1.as_ref().is_some_and(|mend| mend.contains("RuntimeWatchdogSec=15s")));
    }

    #[test]
    fn the_old_cgroups_count_too() {
        assert_eq!(look("pi4-under-voltage")[0], (Mark::Ok, None));
    }

    #[test]
    fn the_new_cgroups_count_alone() {
        assert_eq!(look("pi5-hot")[0], (Mark::Ok, None));
    }
}
