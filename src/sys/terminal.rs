//! The size of a terminal.

use core::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};

/// Columns and rows of the terminal behind `fd`; nothing where it is none or does not know (a serial line).
pub fn size(fd: impl AsFd) -> Option<(usize, usize)> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: TIOCGWINSZ writes one `winsize`, which `size` has room for; the borrowed descriptor is open.
    let result = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: all of its fields are integers, for which the zeros it started with are valid.
    let size = unsafe { size.assume_init() };
    (size.ws_col > 0).then_some((size.ws_col.into(), size.ws_row.into()))
}
