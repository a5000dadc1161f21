//! A process held by a file descriptor (Linux 5.3): it becomes readable when the process ends, and never means another.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Takes hold of process `pid` (`pidfd_open(2)`), close-on-exec. It can be waited for with `poll` or `epoll`, by any
/// process, not only the parent.
///
/// # Errors
/// `ESRCH` when there is none; `Unsupported` on kernels before 5.3.
pub fn open(pid: u32) -> io::Result<OwnedFd> {
    let no_flags: libc::c_uint = 0;
    // SAFETY: pidfd_open takes two integers by value and touches no memory of ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, no_flags) };
    if fd < 0 {
        let error = io::Error::last_os_error();
        return Err(match error.raw_os_error() {
            Some(libc::ENOSYS) => io::Error::new(
                io::ErrorKind::Unsupported,
                "this kernel has no pidfd_open (Linux 5.3 and later have)",
            ),
            Some(_) | None => error,
        });
    }
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just handed us this descriptor, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// True once the process behind `pidfd` has ended (all its threads), reaped or not.
pub fn has_exited(pidfd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::process::Command;

    #[test]
    fn a_child_is_held_until_it_ends() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pidfd = open(child.id()).unwrap();
        assert!(!has_exited(pidfd.as_fd()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_exited(pidfd.as_fd()));
    }

    #[test]
    fn nobody_is_no_process() {
        assert_eq!(open(u32::MAX >> 1).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }
}
