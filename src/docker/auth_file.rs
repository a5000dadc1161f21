//! Reads `--registry-auth-file`: only a file that nobody else may read.

use super::credentials::Credentials;
use std::fs::File;
use std::io::{Error, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Most bytes of the file. Docker's own has some hundred for each registry.
const MAX_FILE: u64 = 256 * 1024;

/// The credentials in `path`.
///
/// # Errors
/// In one line that names the file and what mends it; never any of its content.
pub fn load(path: &Path) -> Result<Credentials, String> {
    let named = |what: String| format!("{}: {what}", path.display());
    let io = |error: Error| named(error.to_string());
    let file = File::open(path).map_err(io)?;
    let about = file.metadata().map_err(io)?;
    let mode = about.mode() & 0o777;
    if is_exposed(mode, about.gid()) {
        let path = path.display();
        return Err(format!(
            "{path}: others may read or change the passwords in it (mode {mode:04o}): chmod 600 {path}"
        ));
    }
    let mut text = String::new();
    let len = file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(io)?;
    if len as u64 > MAX_FILE {
        return Err(named("larger than 256 KiB: not Docker's config.json".to_owned()));
    }
    Credentials::parse(&text).map_err(named)
}

/// May anyone read or change it but its owner and root? A file of root's group may be readable to the group: so look
/// systemd's credentials where their file system has access lists, which show the service's own right as the group's.
const fn is_exposed(mode: u32, gid: u32) -> bool {
    let others = if gid == 0 { 0o037 } else { 0o077 };
    mode & others != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, remove_file, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_group_is_a_stranger_unless_it_is_roots() {
        for (mode, gid, exposed) in [
            (0o400, 1000, false),
            (0o600, 1000, false),
            (0o640, 1000, true),
            (0o440, 0, false),
            (0o640, 0, false),
            (0o660, 0, true),
            (0o404, 0, true),
            (0o604, 1000, true),
        ] {
            assert_eq!(is_exposed(mode, gid), exposed, "{mode:o}, group {gid}");
        }
    }

    #[test]
    fn only_a_file_of_ones_own_is_read() {
        let path = std::env::temp_dir().join(format!("unsinkable-auth-{}", std::process::id()));
        write(&path, r#"{"auths":{"r":{"auth":"YTpi"}}}"#).unwrap();
        for mode in [0o604, 0o620, 0o644] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = load(&path).unwrap_err();
            assert!(error.contains(&format!("(mode {mode:04o}): chmod 600 {}", path.display())), "{error}");
        }
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(load(&path).unwrap().header("r").is_some());
        write(&path, " ".repeat(300_000)).unwrap();
        assert!(load(&path).unwrap_err().contains("larger than 256 KiB"));
        remove_file(&path).unwrap();
        assert!(load(&path).unwrap_err().contains(&format!("{}: No such file", path.display())));
    }
}
