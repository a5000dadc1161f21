//! A container as compose files, `docker run` and `docker service create` describe it, and which tool's it is. Pure.

use super::sheet::{Bad, Flag, Lines, Place, Text, Verdict, text};
use super::tools::{Setting, Use};
use super::tooltable::Tool;

/// Name and text of a file, named beside another.
pub type Files<'a> = &'a mut dyn FnMut(&str, &Place) -> Result<(Text, Text), Bad>;

const GONE: &str = "the container goes away: the unit unsinkable.service runs the daemon on every node";
/// Why a service has no flags.
pub const STAYS: &str = "not one of the tools that are replaced here: stays as it is";
const SOCKET: &str = "/var/run/docker.sock";

/// A container of a tool's, before it is known of which.
#[derive(Default)]
pub struct Container {
    /// Where its image is named, and the image.
    pub image: Option<(Place, Text)>,
    /// Environment and env files.
    pub settings: Vec<Setting>,
    /// Arguments behind the image.
    pub command: Vec<(Place, Text)>,
    /// What else was said.
    pub lines: Lines,
}

impl Container {
    /// A mount: `SOURCE:TARGET`, or `type=bind,source=…`.
    pub fn volume(&mut self, at: &Place, said: Text, separator: char) {
        let mut source = said.split(separator).next().unwrap_or_default();
        if separator == ',' {
            source = "";
            for part in said.split(',') {
                if let Some(("source" | "src", value)) = part.split_once('=') {
                    source = value;
                }
            }
        }
        self.mount(at, said, source);
    }

    /// A mount of a path or a volume; `what`: as it was written.
    pub fn mount(&mut self, at: &Place, what: Text, source: Text) {
        let said = text(&["volume ", what]);
        let is_path = source.starts_with('/');
        if source == SOCKET || source == "/run/docker.sock" {
            self.lines.add(at, said, Verdict::Same, "Docker's socket is found where it is (--docker)");
        } else if source.ends_with("docker.sock") && is_path {
            self.lines.flag(at, said, "--docker", source);
        } else if source.ends_with("/.docker/config.json") && is_path {
            let why = "must be readable by the daemon's own user and by nobody else";
            self.lines.near(at, said, why, Flag::new("--registry-auth-file", source));
        } else if source.starts_with("/var/lib/docker") || source == "/etc/localtime" {
            self.lines.add(at, said, Verdict::Same, "not needed: Docker is asked through its socket");
        } else {
            self.gone(at, said);
        }
    }

    /// `deploy.mode`.
    pub fn mode(&mut self, at: &Place, mode: &str) {
        let said = text(&["mode ", mode]);
        if mode == "global" {
            self.lines.add(at, said, Verdict::Same, "a daemon on every node does that");
        } else {
            self.gone(at, said);
        }
    }

    /// `deploy.placement`.
    pub fn constraint(&mut self, at: &Place, what: &str) {
        let is_manager = what.replace(' ', "") == "node.role==manager";
        let verdict = if is_manager { Verdict::Same } else { Verdict::Differs };
        let why = "a daemon on every node; only the Swarm's leader updates services";
        self.lines.add(at, text(&["constraint ", what]), verdict, why);
    }

    /// What is about the container itself.
    #[inline(never)]
    pub fn gone(&mut self, at: &Place, what: Text) {
        self.lines.add(at, what, Verdict::Nothing, GONE);
    }
}

/// A tool's container becomes its use; any other stays.
#[inline(never)]
pub fn take(mut container: Container, uses: &mut Vec<Use>, lines: &mut Lines) {
    let Some((at, image)) = container.image else { return };
    let said = text(&["image ", image]);
    if let Some(tool) = Tool::of_image(image) {
        tool.arguments(&container.command, &mut container.settings, &mut container.lines);
        uses.push(Use { tool, at, said, settings: container.settings });
        lines.0.extend_from_slice(&container.lines.0);
    } else if image.contains("keepalived") {
        let why = "keepalived in a container: give the keepalived.conf it makes of this";
        lines.unknown(&at, said, why);
    } else {
        lines.add(&at, said, Verdict::Nothing, STAYS);
    }
}
