//! Compose files (and what `docker run` has in their place): which services are tools that are replaced here, and their
//! settings. Pure: env files come from a function.

use super::command;
use super::env;
use super::sheet::{Bad, Flag, Line, Place, Verdict};
use super::tools::{Setting, Tool, Use};
use super::yaml::{self, Value, Yaml};

/// Name and text of a file, named beside another.
pub type Files<'a> = &'a mut dyn FnMut(&str, &Place) -> Result<(String, String), Bad>;

const GONE: &str = "the container goes away: the unit unsinkable.service runs the daemon on every node";
const STAYS: &str = "not one of the tools that are replaced here: stays as it is";
const BESIDE: &str = "is about the file, or about services that stay";
const SOCKET: &str = "/var/run/docker.sock";

/// A container of a tool's, before it is known of which.
#[derive(Default)]
pub struct Container {
    /// Where its image is named, and the image.
    pub image: Option<(Place, String)>,
    /// Environment and env files.
    pub settings: Vec<Setting>,
    /// Arguments behind the image.
    pub command: Vec<(Place, String)>,
    /// What else was said.
    pub lines: Vec<Line>,
}

impl Container {
    /// A mount: `SOURCE:TARGET`, or `type=bind,source=…`.
    pub fn volume(&mut self, at: &Place, text: &str, separator: char) {
        let named = |name: &str| text.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let source = match separator {
            ',' => named("source").or_else(|| named("src")).unwrap_or_default(),
            _ => text.split(separator).next().unwrap_or_default(),
        };
        self.mount(at, text, source);
    }

    fn mount(&mut self, at: &Place, text: &str, source: &str) {
        let said = ["volume ", text].concat();
        let same = |why: &str| Line::new(at, said.as_str(), Verdict::Same, why);
        self.lines.push(if source == SOCKET || source == "/run/docker.sock" {
            same("Docker's socket is found where it is (--docker)")
        } else if source.ends_with("docker.sock") && source.starts_with('/') {
            same("").with(Flag::new("--docker", source))
        } else if source.ends_with("/.docker/config.json") && source.starts_with('/') {
            let why = "must be readable by the daemon's own user and by nobody else";
            Line::new(at, said, Verdict::Differs, why).with(Flag::new("--registry-auth-file", source))
        } else if source.starts_with("/var/lib/docker") || source == "/etc/localtime" {
            same("not needed: Docker is asked through its socket")
        } else {
            Line::new(at, said, Verdict::Nothing, GONE)
        });
    }

    /// `deploy.mode`.
    pub fn mode(&mut self, at: &Place, mode: &str) {
        let said = ["mode ", mode].concat();
        self.lines.push(match mode {
            "global" => Line::new(at, said, Verdict::Same, "a daemon on every node does that"),
            _ => Line::new(at, said, Verdict::Nothing, GONE),
        });
    }

    /// `deploy.placement`.
    pub fn constraint(&mut self, at: &Place, text: &str) {
        let said = ["constraint ", text].concat();
        let why = "a daemon on every node; only the Swarm's leader updates services";
        let is_manager = text.split_whitespace().collect::<String>() == "node.role==manager";
        self.lines.push(if is_manager {
            Line::new(at, said, Verdict::Same, why)
        } else {
            Line::new(at, said, Verdict::Differs, why)
        });
    }

    /// What is about the container itself.
    pub fn gone(&mut self, at: &Place, what: &str) {
        self.lines.push(Line::new(at, what, Verdict::Nothing, GONE));
    }
}

/// A tool's container becomes its use; any other stays.
pub fn take(mut container: Container, uses: &mut Vec<Use>) -> Vec<Line> {
    let Some((at, image)) = container.image.take() else {
        return Vec::new();
    };
    let said = ["image ", &image].concat();
    let Some(tool) = Tool::of_image(&image) else {
        let line = if image.contains("keepalived") {
            let why = "keepalived in a container: give the keepalived.conf it makes of this";
            Line::unknown(&at, said, why)
        } else {
            Line::new(&at, said, Verdict::Nothing, STAYS)
        };
        return vec![line];
    };
    let (settings, unknown) = tool.arguments(&container.command);
    container.lines.extend(unknown);
    container.settings.extend(settings);
    uses.push(Use { tool, at, said, settings: container.settings });
    container.lines
}

/// Reads a compose file.
pub fn read(file: &str, text: &str, files: Files) -> Result<(Vec<Use>, Vec<Line>), Bad> {
    let root = yaml::read(file, text)?;
    let mut uses = Vec::new();
    let mut lines = Vec::new();
    // Version 1 had the services at the top.
    let services = root.get("services");
    for (key, value) in root.entries() {
        if key.text() == "services" {
            for (name, service) in value.entries() {
                lines.extend(one_service(name, service, files, &mut uses)?);
            }
        } else if services.is_none() && value.get("image").is_some() {
            lines.extend(one_service(key, value, files, &mut uses)?);
        } else {
            let verdict = if services.is_some() { Verdict::Nothing } else { Verdict::Unknown };
            lines.push(Line::new(&key.at, key.text(), verdict, BESIDE));
        }
    }
    if services.is_none() && uses.is_empty() {
        lines.push(Line::unknown(&root.at, file, "no `services:` in it"));
    }
    Ok((uses, lines))
}

fn one_service(name: &Yaml, service: &Yaml, files: Files, uses: &mut Vec<Use>) -> Result<Vec<Line>, Bad> {
    let mut container = Container::default();
    if service.get("image").is_none() {
        return Ok(vec![Line::new(&name.at, ["service ", name.text()].concat(), Verdict::Nothing, STAYS)]);
    }
    for (key, value) in service.entries() {
        match key.text() {
            "image" => {
                container.image = Some((key.at.clone(), value.text().to_owned()));
            }
            "environment" => environment(value, &mut container),
            "env_file" => {
                for item in value.items_or_self() {
                    let path = item.get("path").unwrap_or(item);
                    let (name, text) = files(path.text(), &path.at)?;
                    let (settings, unknown) = env::read(&name, &text);
                    // What `environment` says wins: it comes after.
                    container.settings.splice(0..0, settings);
                    container.lines.extend(unknown);
                    container.lines.push(Line::new(
                        &path.at,
                        ["env_file ", path.text()].concat(),
                        Verdict::Same,
                        "",
                    ));
                }
            }
            "command" => words(value, &mut container),
            "volumes" => {
                for item in value.items_or_self() {
                    match item.get("source") {
                        Some(source) => container.mount(&item.at, source.text(), source.text()),
                        None => container.volume(&item.at, item.text(), ':'),
                    }
                }
            }
            "deploy" => deploy(value, &mut container),
            other => container.gone(&key.at, other),
        }
    }
    Ok(take(container, uses))
}

fn environment(value: &Yaml, container: &mut Container) {
    let map = value.entries().into_iter().map(|(name, value)| (&name.at, name.text(), Some(value.text())));
    let list: &[Yaml] = if let Value::List(list) = &value.value { list } else { &[] };
    let list = list.iter().map(|item| match item.text().split_once('=') {
        Some((name, value)) => (&item.at, name, Some(value)),
        None => (&item.at, item.text(), None),
    });
    for (at, name, value) in map.chain(list) {
        if let Some(value) = value.and_then(interpolated) {
            container.settings.push(Setting::new(at, name, &value));
        } else {
            let why = "its value comes from the environment of `docker compose`: put the value in its place";
            container.lines.push(Line::unknown(at, name, why));
        }
    }
}

/// `$$` is a dollar, `${NAME:-default}` its default; what else has a dollar is known to compose only.
fn interpolated(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        let (_, default) = inner.split_once(":-").or_else(|| inner.split_once('-'))?;
        return (!default.contains('$')).then(|| default.to_owned());
    }
    let plain = text.replace("$$", "");
    (!plain.contains('$')).then(|| text.replace("$$", "$"))
}

fn words(value: &Yaml, container: &mut Container) {
    let Value::List(list) = &value.value else {
        match command::split(value.text()) {
            Ok(commands) => {
                let words = commands.into_iter().flatten().map(|(_, word)| (value.at.clone(), word));
                container.command.extend(words);
            }
            Err(_) => {
                container.lines.push(Line::unknown(&value.at, "command", "a quote in it is not closed"));
            }
        }
        return;
    };
    container.command.extend(list.iter().map(|item| (item.at.clone(), item.text().to_owned())));
}

fn deploy(value: &Yaml, container: &mut Container) {
    for (key, value) in value.entries() {
        match key.text() {
            "mode" => container.mode(&value.at, value.text()),
            "placement" => {
                for (key, value) in value.entries() {
                    for item in value.items_or_self() {
                        if key.text() == "constraints" {
                            container.constraint(&item.at, item.text());
                        } else {
                            container.gone(&key.at, key.text());
                        }
                    }
                }
            }
            other => container.gone(&key.at, other),
        }
    }
}
