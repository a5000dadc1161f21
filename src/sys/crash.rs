//! The last word of a program that found itself wrong.
//!
//! The binaries for the Pis hold no panic messages (`cross/toolchain`): a panic is a trapping instruction there. This says
//! which one; `cross/README.md` tells how its function is found.

use core::ffi::{c_int, c_void};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::write;
use std::os::fd::BorrowedFd;

/// What is written, around the address.
const BEFORE: &[u8] = concat!("unsinkable ", env!("CARGO_PKG_VERSION"), ": a bug, at 0x").as_bytes();
const BEHIND: &[u8] = b"; please tell the developers this line\n";
/// Hexadecimal digits of an address.
const DIGITS: usize = usize::BITS as usize / 4;

/// From now on a trap says where it was before it ends the process as it would have done: x86 and ARM report it as SIGILL,
/// 64-bit ARM as SIGTRAP.
pub fn tell() {
    // Once: the instruction is met again behind the handler, and ends the process then.
    let action = SigAction::new(SigHandler::SigAction(last_word), SaFlags::SA_RESETHAND, SigSet::empty());
    for signal in [Signal::SIGILL, Signal::SIGTRAP] {
        // SAFETY: `last_word` only calls what signal-safety(7) permits, and allocates nothing. A refusal leaves the
        // default, which ends the process without a word.
        let _ = unsafe { sigaction(signal, &action) };
    }
}

extern "C" fn last_word(_signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel hands a handler that takes it a valid `siginfo_t`, for as long as the handler runs.
    let info = unsafe { info.as_ref() };
    // SAFETY: for both signals the kernel fills in the address (sigaction(2)); it is only printed.
    let at = info.map_or(0, |info| unsafe { info.si_addr() }.addr());
    // SAFETY: standard error; where it is closed, writing fails, and that is all.
    let stderr = unsafe { BorrowedFd::borrow_raw(2) };
    let _ = write(stderr, &line(at));
}

/// The line, without a heap.
fn line(at: usize) -> [u8; BEFORE.len() + DIGITS + BEHIND.len()] {
    let mut line = [b'0'; BEFORE.len() + DIGITS + BEHIND.len()];
    line[..BEFORE.len()].copy_from_slice(BEFORE);
    line[BEFORE.len() + DIGITS..].copy_from_slice(BEHIND);
    let mut rest = at;
    for digit in line[BEFORE.len()..BEFORE.len() + DIGITS].iter_mut().rev() {
        *digit = b"0123456789abcdef"[rest % 16];
        rest /= 16;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::raise;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    #[test]
    fn the_line_holds_the_address() {
        let line = line(0x10a_3f18);
        let text = str::from_utf8(&line).unwrap();
        assert!(text.starts_with("unsinkable 0."), "{text}");
        assert!(
            text.ends_with(": a bug, at 0x00000000010a3f18; please tell the developers this line\n"),
            "{text}"
        );
    }

    #[test]
    fn a_trap_is_told_and_ends_the_process_all_the_same() {
        let child = ["--exact", "sys::crash::tests::traps", "--ignored", "--nocapture"];
        let output = Command::new(std::env::current_exe().unwrap()).args(child).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.matches(": a bug, at 0x").count(), 1, "{text}");
        assert_eq!(output.status.signal(), Some(libc::SIGILL), "{text}");
    }

    #[test]
    #[ignore = "ends the process: the test above runs it in one of its own"]
    fn traps() {
        tell();
        raise(Signal::SIGILL).unwrap();
        raise(Signal::SIGILL).unwrap();
    }
}
