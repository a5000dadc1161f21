//! The password of VRRP version 2: 8 bytes, from a flag or a file, never shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::finding::Findings;

/// Bytes a version 2 advert has for it (RFC 2338 section 5.3.6).
const LENGTH: usize = 8;
/// A password file larger than this is some other file.
const LARGEST_FILE: u64 = 4096;

/// The password given by `--auth-pass`. Longer ones are cut as keepalived cuts them.
pub fn from_text(text: &str, findings: &mut Findings) -> Option<[u8; LENGTH]> {
    if text.is_empty() {
        findings.usage("--auth-pass: is empty: expected 1 to 8 bytes");
        return None;
    }
    Some(padded(text.as_bytes(), "--auth-pass", findings))
}

/// The password in `--auth-pass-file`, without the line's end.
pub fn from_file(path: &str, findings: &mut Findings) -> Option<[u8; LENGTH]> {
    let flag = format!("--auth-pass-file {path}");
    let bytes = match read(path, &flag, findings) {
        Ok(bytes) => bytes,
        Err(why) => {
            findings.config(format!("{flag}: {why}"));
            return None;
        }
    };
    let password = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let password = password.strip_suffix(b"\r").unwrap_or(password);
    if password.is_empty() {
        findings.config(format!("{flag}: is empty: expected 1 to 8 bytes"));
        return None;
    }
    Some(padded(password, &flag, findings))
}

fn read(path: &str, flag: &str, findings: &mut Findings) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() || about.len() > LARGEST_FILE {
        return Err("expected a small regular file".into());
    }
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o004 != 0 {
        findings.warn(format!("{flag}: everyone may read it (mode {mode:03o}): chmod 600 {path}"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn padded(text: &[u8], flag: &str, findings: &mut Findings) -> [u8; LENGTH] {
    if text.len() > LENGTH {
        findings.warn(format!(
            "{flag}: has {} bytes, VRRP carries 8: the rest is cut off, as keepalived does",
            text.len()
        ));
    }
    let mut padded = [0; LENGTH];
    for (to, from) in padded.iter_mut().zip(text) {
        *to = *from;
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_is_padded_and_long_is_cut_with_a_warning() {
        let mut findings = Findings::default();
        assert_eq!(from_text("abc", &mut findings), Some(*b"abc\0\0\0\0\0"));
        assert_eq!(findings.clone().into_vec().len(), 0);
        assert_eq!(from_text("pass1234567", &mut findings), Some(*b"pass1234"));
        let texts: Vec<_> = findings.into_vec().into_iter().map(|finding| finding.text).collect();
        assert_eq!(
            texts,
            ["--auth-pass: has 11 bytes, VRRP carries 8: the rest is cut off, as keepalived does"]
        );
    }
}
