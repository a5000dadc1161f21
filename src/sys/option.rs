//! `setsockopt`, `getsockopt` and socket filters.

use super::Failure;
use crate::bpf::Instruction;
use core::ffi::c_int;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Longest filter the kernel takes (`BPF_MAXINSNS`).
const MAX_FILTER: usize = 4096;

/// Sets an option whose value is `value`'s bytes; `call` names it in the error.
pub(super) fn set<T: Copy>(
    fd: BorrowedFd<'_>,
    (level, name): (c_int, c_int),
    value: &T,
    call: &'static str,
) -> Result<(), Failure> {
    set_bytes(fd, (level, name), core::ptr::from_ref(value).cast(), size_of::<T>(), call)
}

/// Sets an option whose value is text.
pub(super) fn set_text(
    fd: BorrowedFd<'_>,
    (level, name): (c_int, c_int),
    text: &str,
    call: &'static str,
) -> Result<(), Failure> {
    set_bytes(fd, (level, name), text.as_ptr().cast(), text.len(), call)
}

fn set_bytes(
    fd: BorrowedFd<'_>,
    (level, name): (c_int, c_int),
    value: *const libc::c_void,
    len: usize,
    call: &'static str,
) -> Result<(), Failure> {
    let len = libc::socklen_t::try_from(len).map_err(|_| Failure { call, errno: Errno::EINVAL })?;
    // SAFETY: both callers in this file pass the address and length of one living value; the kernel only reads it.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value, len) };
    Errno::result(result).map(drop).map_err(Failure::of(call))
}

/// Reads an option made of `N` 32-bit numbers; those the kernel does not know stay zero.
pub(super) fn get<const N: usize>(
    fd: BorrowedFd<'_>,
    (level, name): (c_int, c_int),
    call: &'static str,
) -> Result<[u32; N], Failure> {
    let mut value = [0_u32; N];
    let mut len = libc::socklen_t::try_from(size_of_val(&value)).expect("a few bytes");
    // SAFETY: `value` and `len` live on this stack, and `len` is the size of `value`; any bytes make valid numbers.
    let result =
        unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len) };
    Errno::result(result).map(|_| value).map_err(Failure::of(call))
}

/// Lets only those packets in that `program` passes; it is copied.
pub(super) fn attach_filter(fd: BorrowedFd<'_>, program: &[Instruction]) -> Result<(), Failure> {
    const CALL: &str = "setsockopt SO_ATTACH_FILTER";
    if program.is_empty() || program.len() > MAX_FILTER {
        return Err(Failure { call: CALL, errno: Errno::EINVAL });
    }
    let mut copy: Vec<libc::sock_filter> = program
        .iter()
        .map(|&Instruction { code, jt, jf, k }| libc::sock_filter { code, jt, jf, k })
        .collect();
    let len = u16::try_from(copy.len()).expect("at most MAX_FILTER");
    let program = libc::sock_fprog { len, filter: copy.as_mut_ptr() };
    set(fd, (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER), &program, CALL)
}
