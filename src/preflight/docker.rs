//! Does Docker's socket answer? One `GET /_ping`, read with a deadline.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Line, Mark};
use crate::docker::api::Swarm;
use crate::docker::{Client, Error};

/// A daemon that needs longer for a ping is not well.
const PATIENCE: Duration = Duration::from_secs(2);
/// A ping's answer has some 300 bytes.
const LARGEST: usize = 4096;
/// Oldest API this project is written for (Docker 20.10).
const OLDEST: (u32, u32) = (1, 41);
const WHAT: &str = "Docker";
/// Characters of a strange answer that are shown: they fit on the line.
const MAX_SHOWN: usize = 60;

/// The lines for the table: Docker, and this node's place in the Swarm if it answers.
pub fn lines(path: &Path) -> Vec<Line> {
    let docker = line(path);
    if docker.mark != Mark::Ok {
        return vec![docker];
    }
    let info = smol::block_on(Client::new(path).info());
    vec![docker, info.map_or_else(|error| unheard(&error), |info| swarm(&info.swarm))]
}

fn unheard(error: &Error) -> Line {
    Line::bad(Mark::Warn, "Swarm", error.to_string(), "docker info")
}

fn swarm(swarm: &Swarm) -> Line {
    match (swarm.local_node_state.as_str(), swarm.control_available) {
        ("active", true) => Line::ok("Swarm", "a manager"),
        ("active", false) => Line::ok("Swarm", "a worker: services are updated by the managers"),
        ("inactive" | "", _) => Line::ok("Swarm", "none: --update=containers is what there is to update"),
        ("locked", _) => Line::bad(Mark::Warn, "Swarm", "locked", "docker swarm unlock"),
        (state, _) => {
            Line::bad(Mark::Warn, "Swarm", format!("{state} {}", swarm.error).trim(), "docker info")
        }
    }
}

fn line(path: &Path) -> Line {
    let shown = path.display();
    match ping(path) {
        Ok(answer) => judge(&answer),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let seen = format!("no socket {shown}: no updates, no pruning (the VIP does not need it)");
            Line::bad(Mark::Warn, WHAT, seen, "systemctl start docker   (or --docker SOCKET)")
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Line::bad(Mark::Warn, WHAT, format!("{shown}: no permission"), "usermod -aG docker $USER")
        }
        Err(error) => Line::bad(Mark::Warn, WHAT, format!("{shown}: {error}"), "systemctl restart docker"),
    }
}

fn ping(path: &Path) -> io::Result<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut stream = UnixStream::connect(path)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    while answer.len() < LARGEST {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 2s"));
        }
        stream.set_read_timeout(Some(left))?;
        let mut some = [0; 512];
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(some.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 2s"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn judge(answer: &str) -> Line {
    if !answer.starts_with("HTTP/1.1 200") && !answer.starts_with("HTTP/1.0 200") {
        let first: String = answer.lines().next().unwrap_or("nothing").chars().take(MAX_SHOWN).collect();
        return Line::bad(Mark::Warn, WHAT, format!("answers {first}"), "systemctl restart docker");
    }
    match version(answer) {
        Some(version @ (major, minor)) if version < OLDEST => {
            let seen = format!("API {major}.{minor} is older than {}.{}", OLDEST.0, OLDEST.1);
            Line::bad(Mark::Warn, WHAT, seen, "apt-get install --only-upgrade docker-ce")
        }
        Some((major, minor)) => Line::ok(WHAT, format!("answers, API {major}.{minor}")),
        None => Line::ok(WHAT, "answers, without saying its API version"),
    }
}

fn version(answer: &str) -> Option<(u32, u32)> {
    let (_, value) = answer
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))?;
    let (major, minor) = value.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_judged_by_status_and_version() {
        let answer = "HTTP/1.1 200 OK\r\nApi-Version: 1.47\r\nContent-Length: 2\r\n\r\nOK";
        assert_eq!(judge(answer), Line::ok("Docker", "answers, API 1.47"));
        assert_eq!(judge(&answer.replace("1.47", "1.40")).mark, Mark::Warn);
        assert_eq!(judge("HTTP/1.1 500 no\r\n\r\n").seen, "answers HTTP/1.1 500 no");
        assert_eq!(judge("").seen, "answers nothing");
    }

    #[test]
    fn the_place_in_the_swarm_is_told() {
        let told = |state: &str, manager| {
            let node =
                Swarm { local_node_state: state.into(), control_available: manager, ..Swarm::default() };
            (swarm(&node).mark, swarm(&node).seen)
        };
        assert_eq!(told("active", true), (Mark::Ok, "a manager".into()));
        assert_eq!(told("active", false).0, Mark::Ok);
        assert_eq!(told("pending", false), (Mark::Warn, "pending".into()));
        assert_eq!(told("locked", false), (Mark::Warn, "locked".into()));
    }

    #[test]
    fn a_missing_socket_is_a_warning() {
        let line = line(Path::new("/nonexistent/docker.sock"));
        assert_eq!(line.mark, Mark::Warn);
        assert!(line.seen.starts_with("no socket /nonexistent/docker.sock"), "{}", line.seen);
    }
}
