//! Programs of Debian that tests/setup has unpacked, but not installed: where they are, and what they need to run there.

use std::fs;
use std::path::{Path, PathBuf};

/// Where this package lies.
pub fn root(package: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    target.join("debian").join(package)
}

/// Is `program` there? Says loudly if it is not, and fails in CI.
pub fn has(program: &Path) -> bool {
    let there = program.exists();
    if !there {
        eprintln!("\n*** SKIPPED: {} is not there (run tests/setup) ***", program.display());
        assert!(std::env::var_os("CI").is_none(), "cannot run here: run tests/setup");
    }
    there
}

/// Folders under `root` that hold a shared library, for `LD_LIBRARY_PATH`.
pub fn libraries(root: &Path) -> Vec<String> {
    let folders = |path: &str| fs::read_dir(root.join(path)).into_iter().flatten();
    let below = ["usr/lib", "lib"].into_iter().flat_map(folders).map(|entry| entry.expect("an entry").path());
    let all = [root.join("usr/lib"), root.join("lib")].into_iter().chain(below.filter(|path| path.is_dir()));
    all.map(|path| path.display().to_string()).collect()
}

/// Among `libraries`, the folder of a program's modules, `one` of them in it.
pub fn modules(libraries: &[String], folder: &str, one: &str) -> String {
    let mut paths = libraries.iter().map(|path| format!("{path}/{folder}"));
    paths.find(|path| Path::new(path).join(one).exists()).expect("its modules")
}
