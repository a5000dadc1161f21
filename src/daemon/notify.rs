//! Tells systemd how it goes (`sd_notify(3)`): ready, what this node is, alive, stopping. Without systemd, nothing.
//!
//! A message is one datagram to `$NOTIFY_SOCKET`, never waited for: where there is no room it is lost, as the next one
//! says the same or better.

use core::time::Duration;
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// What systemd tells this process alone. Children are started without it: they neither speak for it nor feed its
/// watchdog.
pub const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// The way to systemd, if it started this process.
#[derive(Debug, Default)]
pub struct Notify {
    way: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// As the environment says.
    pub fn from_env() -> Self {
        let [socket, usec, pid] = VARIABLES.map(std::env::var_os);
        let number = |text: Option<&OsStr>| text?.to_str()?.parse::<u64>().ok();
        let ours = pid.is_none() || number(pid.as_deref()) == Some(u64::from(std::process::id()));
        let usec = number(usec.as_deref()).filter(|usec| ours && *usec > 0);
        Self { way: socket.as_deref().and_then(way), watchdog: usec.map(Duration::from_micros) }
    }

    /// How long systemd waits for a `WATCHDOG=1` before it kills; `None`: it does not.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.filter(|_| self.way.is_some())
    }

    /// Sends lines as `sd_notify(3)` lists them: `READY=1`.
    pub fn tell(&self, lines: &str) {
        if let Some((socket, to)) = &self.way {
            // systemd does without; what is wrong there cannot be mended from here.
            let _ = socket.send_to_addr(lines.as_bytes(), to);
        }
    }
}

/// An absolute path, or an abstract name with `@` for its zero.
fn way(name: &OsStr) -> Option<(UnixDatagram, SocketAddr)> {
    let to = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => return None,
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    Some((socket, to.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(by: &UnixDatagram) -> String {
        by.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut buffer = [0; 100];
        let len = by.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    }

    #[test]
    fn a_path_and_an_abstract_name_are_reached() {
        let path = std::env::temp_dir().join(format!("unsinkable-notify-{}", std::process::id()));
        let name = format!("unsinkable-notify-{}", std::process::id());
        let at_path = UnixDatagram::bind(&path).unwrap();
        let at_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        for (socket, name) in [(at_path, path.clone().into_os_string()), (at_name, format!("@{name}").into())]
        {
            let notify = Notify { way: way(&name), watchdog: None };
            notify.tell("READY=1\nSTATUS=MASTER");
            assert_eq!(heard(&socket), "READY=1\nSTATUS=MASTER");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn nobody_there_and_nonsense_are_no_reason_to_stop() {
        for name in ["", "relative", "/nonexistent/notify", "vsock:2:1"] {
            Notify { way: way(OsStr::new(name)), watchdog: None }.tell("READY=1");
        }
        let alone = Notify { way: None, watchdog: Some(Duration::from_secs(1)) };
        assert_eq!(alone.watchdog(), None);
    }

    #[test]
    fn a_systemd_that_does_not_read_is_not_waited_for() {
        let name = format!("unsinkable-deaf-{}", std::process::id());
        let _deaf = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let notify = Notify { way: way(OsStr::new(&format!("@{name}"))), watchdog: None };
        for _ in 0..10_000 {
            notify.tell("WATCHDOG=1");
        }
    }
}
