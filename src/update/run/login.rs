//! The logins to registries, read anew each round: a file may be changed while the daemon runs.

use crate::docker::credentials::Credentials;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Reads the file of `--registry-auth-file`.
///
/// # Errors
/// In words, with the path, and without anything of its content: also when everyone on this machine may read it.
pub fn read(path: &Path) -> Result<Credentials, String> {
    let named = |why: String| format!("{}: {why}", path.display());
    let mode = fs::metadata(path).map_err(|error| named(error.to_string()))?.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(named(format!(
            "everyone may get at the passwords in it (mode {mode:03o}): chmod 600 it"
        )));
    }
    let text = fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    Credentials::parse(&text).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_of_ones_own_is_taken() {
        let path = std::env::temp_dir().join(format!("unsinkable-login-{}", std::process::id()));
        // lab:lab-secret
        fs::write(&path, r#"{"auths":{"10.0.10.40:5001":{"auth":"bGFiOmxhYi1zZWNyZXQ="}}}"#).unwrap();
        let with_mode = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            read(&path)
        };
        assert!(with_mode(0o600).unwrap().header("10.0.10.40:5001").is_some());
        assert!(with_mode(0o640).is_ok(), "a group may be meant");
        let why = with_mode(0o644).unwrap_err();
        assert!(why.contains("mode 644") && !why.contains("bGFi"), "{why}");
        fs::remove_file(&path).unwrap();
        assert!(read(&path).unwrap_err().contains("No such file"));
    }
}
