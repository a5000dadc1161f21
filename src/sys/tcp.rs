//! What a TCP connection tells of the other end.

use super::Failure;
use core::ffi::c_int;
use nix::errno::Errno;
use std::os::fd::{AsFd, AsRawFd};

/// Bytes that were written to this connection and that its other end's kernel has not acknowledged (`SIOCOUTQ`).
///
/// # Errors
/// When it is no socket.
pub fn unacknowledged(socket: impl AsFd) -> Result<usize, Failure> {
    const CALL: &str = "ioctl SIOCOUTQ";
    let mut bytes: c_int = 0;
    // linux/sockios.h: SIOCOUTQ is TIOCOUTQ.
    // SAFETY: the kernel writes one number, which lives here.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    Errno::result(result).map_err(Failure::of(CALL))?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::unacknowledged;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn what_the_other_end_has_no_room_for_is_not_acknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(unacknowledged(&stream), Ok(0));
        stream.set_nonblocking(true).unwrap();
        // Nobody reads: both kernels fill up.
        while stream.write(&[0; 8192]).is_ok() {}
        assert!(unacknowledged(&stream).unwrap() > 0);
    }
}
