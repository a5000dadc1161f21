//! Compose files: which services are tools that are replaced here, and their settings. Pure: env files come from a function.

use super::command;
use super::container::{Container, Files, STAYS, take};
use super::env;
use super::sheet::{Bad, Lines, Place, Text, Verdict, text};
use super::tools::{Setting, Use};
use super::yaml::{self, Value, Yaml};

const BESIDE: &str = "is about the file, or about services that stay";

/// Reads a compose file.
pub fn read(
    file: Text,
    content: Text,
    files: Files,
    uses: &mut Vec<Use>,
    lines: &mut Lines,
) -> Result<(), Bad> {
    let root = yaml::read(file, content)?;
    let before = uses.len();
    // Version 1 had the services at the top.
    let services = root.get("services");
    for (key, value) in root.entries() {
        if key.text() == "services" {
            for (name, service) in value.entries() {
                one_service(&name, &service, files, uses, lines)?;
            }
        } else if services.is_none() && value.get("image").is_some() {
            one_service(&key, &value, files, uses, lines)?;
        } else {
            let verdict = if services.is_some() { Verdict::Nothing } else { Verdict::Unknown };
            lines.add(&key.at, key.text(), verdict, BESIDE);
        }
    }
    if services.is_none() && uses.len() == before {
        lines.unknown(&root.at, file, "no `services:` in it");
    }
    Ok(())
}

fn one_service(
    name: &Yaml,
    service: &Yaml,
    files: Files,
    uses: &mut Vec<Use>,
    lines: &mut Lines,
) -> Result<(), Bad> {
    let mut container = Container::default();
    if service.get("image").is_none() {
        lines.add(&name.at, text(&["service ", name.text()]), Verdict::Nothing, STAYS);
        return Ok(());
    }
    for (key, value) in service.entries() {
        match key.text() {
            "image" => container.image = Some((key.at, value.text())),
            "environment" => environment(&value, &mut container),
            "env_file" => env_files(&value, files, &mut container)?,
            "command" => words(&value, &mut container),
            "volumes" => {
                for item in value.items_or_self() {
                    match item.get("source") {
                        Some(source) => container.mount(&item.at, source.text(), source.text()),
                        None => container.volume(&item.at, item.text(), ':'),
                    }
                }
            }
            "deploy" => deploy(&value, &mut container),
            other => container.gone(&key.at, other),
        }
    }
    take(container, uses, lines);
    Ok(())
}

fn env_files(value: &Yaml, files: Files, container: &mut Container) -> Result<(), Bad> {
    for item in value.items_or_self() {
        let path = item.get("path").unwrap_or(item);
        let (name, content) = files(path.text(), &path.at)?;
        let mut settings = env::read(name, content, &mut container.lines);
        // What `environment` says wins: it comes after.
        settings.append(&mut container.settings);
        container.settings = settings;
        container.lines.same(&path.at, text(&["env_file ", path.text()]));
    }
    Ok(())
}

fn environment(value: &Yaml, container: &mut Container) {
    for (name, value) in value.entries() {
        variable(&name.at, name.text(), Some(value.text()), container);
    }
    let Value::List(list) = value.value else { return };
    for item in list {
        let said = item.text();
        let (name, value) = said.split_once('=').map_or((said, None), |(name, value)| (name, Some(value)));
        variable(&item.at, name, value, container);
    }
}

#[inline(never)]
fn variable(at: &Place, name: Text, value: Option<Text>, container: &mut Container) {
    if let Some(value) = value.and_then(interpolated) {
        container.settings.push(Setting { at: *at, name, value });
    } else {
        let why = "its value comes from the environment of `docker compose`: put the value in its place";
        container.lines.unknown(at, name, why);
    }
}

/// `$$` is a dollar, `${NAME:-default}` its default; what else has a dollar is known to compose only.
fn interpolated(said: Text) -> Option<Text> {
    if let Some(inner) = said.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        let (_, default) = inner.split_once(":-").or_else(|| inner.split_once('-'))?;
        return (!default.contains('$')).then_some(default);
    }
    let plain = said.replace("$$", "\0");
    (!plain.contains('$')).then(|| text(&[&plain.replace('\0', "$")]))
}

fn words(value: &Yaml, container: &mut Container) {
    if let Value::List(list) = value.value {
        for item in list {
            container.command.push((item.at, item.text()));
        }
        return;
    }
    let Ok(commands) = command::split(value.text()) else {
        container.lines.unknown(&value.at, "command", "a quote in it is not closed");
        return;
    };
    for words in commands {
        for (_, word) in words {
            container.command.push((value.at, word));
        }
    }
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
