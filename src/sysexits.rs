//! Exit codes as `sysexits.h` names them, each with what it means here. 0 is done, 1 is a command's own no.

/// The command line cannot be read.
pub const EX_USAGE: u8 = 64;
/// A file to be translated says what cannot be read.
pub const EX_DATAERR: u8 = 65;
/// A file to be translated is missing or not readable.
pub const EX_NOINPUT: u8 = 66;
/// What is needed is not to be had: the daemon, Docker, the state, something that another program holds, or a kernel
/// without it.
pub const EX_UNAVAILABLE: u8 = 69;
/// The system refused what should not fail.
pub const EX_OSERR: u8 = 71;
/// Reading or writing failed.
pub const EX_IOERR: u8 = 74;
/// The other side speaks another protocol.
pub const EX_PROTOCOL: u8 = 76;
/// A right that this process, or this user, lacks.
pub const EX_NOPERM: u8 = 77;
/// The flags do not fit each other or this machine.
pub const EX_CONFIG: u8 = 78;
