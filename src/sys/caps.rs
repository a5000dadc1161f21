//! Capabilities: which this process has, and giving up the rest.
//!
//! They belong to a thread and are inherited by those it starts: drop them before the first one is started.

use super::Failure;
use core::ffi::{c_int, c_ulong};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::geteuid;

/// What the VIP process lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Adding and removing addresses.
    NetAdmin = 12,
    /// Raw and packet sockets.
    NetRaw = 13,
    /// Locking memory beyond `RLIMIT_MEMLOCK`.
    IpcLock = 14,
    /// Real-time scheduling.
    SysNice = 23,
}

impl Capability {
    /// What the VIP process cannot do without.
    pub const NEEDED: [Self; 3] = [Self::NetAdmin, Self::NetRaw, Self::SysNice];

    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Its name in systemd's and Docker's files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::IpcLock => "CAP_IPC_LOCK",
            Self::SysNice => "CAP_SYS_NICE",
        }
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(u64);

impl Capabilities {
    /// Is this one in it?
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() as u64 != 0
    }

    /// Is none in it, of those named here or any other?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// `_LINUX_CAPABILITY_VERSION_3`: 64 capabilities, in two halves.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// What this thread may do now.
pub fn effective() -> Result<Capabilities, Failure> {
    let [low, high] = get()?;
    Ok(Capabilities(u64::from(high.effective) << 32 | u64::from(low.effective)))
}

/// Gives up every capability but `kept`, for good: also for programs it executes. Of `kept`, those it has stay.
pub fn keep(kept: &[Capability]) -> Result<(), Failure> {
    let kept = kept.iter().fold(0, |bits, capability| bits | capability.bit());
    prctl::set_no_new_privs().map_err(Failure::of("prctl PR_SET_NO_NEW_PRIVS"))?;
    shrink_bounds(kept)?;
    clear_ambient();
    let halves = get()?;
    let shrunk = |half: Half, kept: u32| {
        let permitted = half.permitted & kept;
        Half { effective: permitted, permitted, inheritable: 0 }
    };
    // All we may keep have numbers below 32.
    let wanted = [shrunk(halves[0], kept), shrunk(halves[1], 0)];
    let active = |halves: [Half; 2]| halves.map(|half| (half.effective, half.permitted));
    // What is inheritable means nothing to a program that an ordinary user executes, once nothing is ambient. So a unit may
    // refuse capset, as ours does.
    if active(wanted) == active(halves) && !geteuid().is_root() {
        return Ok(());
    }
    set(wanted)
}

/// Gives up every capability, for good.
pub fn drop_all() -> Result<(), Failure> {
    keep(&[])
}

fn get() -> Result<[Half; 2], Failure> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut halves = [Half::default(); 2];
    // SAFETY: both live here; version 3 makes the kernel write exactly two halves.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr()) };
    Errno::result(result).map(|_| halves).map_err(Failure::of("capget"))
}

fn set(halves: [Half; 2]) -> Result<(), Failure> {
    let mut header = Header { version: VERSION, pid: 0 };
    // SAFETY: both live here; version 3 makes the kernel read exactly two halves.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, halves.as_ptr()) };
    Errno::result(result).map(drop).map_err(Failure::of("capset"))
}

fn shrink_bounds(kept: u32) -> Result<(), Failure> {
    for number in (0..64_u32).filter(|number| u64::from(kept) & (1 << number) == 0) {
        // SAFETY: no pointers.
        let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, c_ulong::from(number), 0, 0, 0) };
        match Errno::result(result) {
            Ok(_) => {}
            // Beyond the last one this kernel knows; or started without CAP_SETPCAP, so by someone who set the bounds.
            Err(Errno::EINVAL | Errno::EPERM) => break,
            Err(errno) => return Err(Failure { call: "prctl PR_CAPBSET_DROP", errno }),
        }
    }
    Ok(())
}

/// Programs that are executed would be handed these. Kernels before 4.3 have none.
fn clear_ambient() {
    // SAFETY: no pointers.
    unsafe {
        libc::prctl(libc::PR_CAP_AMBIENT, c_ulong::from(libc::PR_CAP_AMBIENT_CLEAR_ALL as u32), 0, 0, 0)
    };
}
