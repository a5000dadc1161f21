//! Notices: `--on-change PROGRAM` is run at each change of role, rollout, rollback, hold and pruning, one at a time, with
//! variables in its environment and JSON on its standard input.
//!
//! This file says what a notice is and what becomes of it for the program (pure); `run` runs the program. The VIP process
//! tells of roles, the housekeeper of its rounds.
//!
//! One table makes both: the JSON member `name` is the variable `UNSINKABLE_NAME`, lists with blanks between.
//!
//! | member | in | what it is |
//! | --- | --- | --- |
//! | `version` | all | 1; rises when a member changes its meaning or goes, not when one comes |
//! | `kind` | all | `role`, `rollout`, `updated`, `rolled-back`, `held`, `failed`, `pruned` |
//! | `node` | all | this machine's name |
//! | `time` | all | seconds since 1970 |
//! | `text` | all | the notice in one line, to be sent as it is |
//! | `reason` | all | why |
//! | `vrid`, `state`, `vips` | role | 1 to 255; `INIT`, `BACKUP`, `MASTER`, `FAULT` …; addresses |
//! | `what`, `name` | rollout, updated, rolled-back, held, failed | `service` or `container`, and which |
//! | `image`, `from`, `to` | the same | `name:tag`; digests, empty where unknown |
//! | `removed`, `freed` | pruned | how many things, how many bytes |

pub mod run;

use core::fmt::Write;

/// Most bytes of one text in a notice: a reason may quote what a registry answered. Cut beyond. With it, the JSON stays
/// below 8 KiB, and the environment far below the kernel's limit of 128 KiB a variable.
const MAX_TEXT: usize = 1024;
/// Of the JSON; see the table above.
const VERSION: u64 = 1;
/// Digits of a digest that tell two apart, as Docker shows them.
const SHORT: usize = 12;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A virtual router changed its state.
    Role {
        /// Virtual router identifier.
        vrid: u8,
        /// The new state, as RFC 9568 writes it.
        state: String,
        /// Why.
        reason: String,
        /// The virtual addresses.
        vips: Vec<String>,
    },
    /// An image is or was being changed.
    Image {
        /// What became of it.
        outcome: Outcome,
        /// Whose image, and which.
        subject: Subject,
        /// Why.
        reason: String,
    },
    /// A round of pruning removed something.
    Pruned {
        /// Containers, images, volumes, build caches.
        removed: usize,
        /// Bytes.
        freed: u64,
        /// In words: how many of each.
        reason: String,
    },
}

/// [`Notice::Image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The update begins.
    Rollout,
    /// It runs well.
    Updated,
    /// It failed, and the image of before runs again.
    RolledBack,
    /// This digest has failed: nothing happens until the tag moves.
    Held,
    /// It failed and could not be put right: needs a person.
    Failed,
}

/// A service or a container, and its images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `service` or `container`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// `name:tag`.
    pub image: String,
    /// Digest it ran; empty where unknown.
    pub from: String,
    /// Digest the tag points at; empty where unknown.
    pub to: String,
}

/// Where and when a notice was made.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// This machine's name.
    pub node: &'a str,
    /// Seconds since 1970.
    pub time: u64,
}

/// One member of the JSON object, one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(u64),
    List(Vec<String>),
}

impl Notice {
    /// `kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Role { .. } => "role",
            Self::Image { outcome, .. } => match outcome {
                Outcome::Rollout => "rollout",
                Outcome::Updated => "updated",
                Outcome::RolledBack => "rolled-back",
                Outcome::Held => "held",
                Outcome::Failed => "failed",
            },
            Self::Pruned { .. } => "pruned",
        }
    }

    /// The variables, in the order of the table.
    pub fn variables(&self, stamp: Stamp<'_>) -> Vec<(String, String)> {
        let variable = |(name, value): (&str, Value)| {
            let text = match value {
                Value::Text(text) => text,
                Value::Number(number) => number.to_string(),
                Value::List(texts) => texts.join(" "),
            };
            (format!("UNSINKABLE_{}", name.to_ascii_uppercase()), text)
        };
        self.members(stamp).into_iter().map(variable).collect()
    }

    /// One object, and a line feed.
    pub fn json(&self, stamp: Stamp<'_>) -> String {
        let mut json = String::from("{");
        for (name, value) in self.members(stamp) {
            let comma = if json.len() == 1 { "" } else { "," };
            // Writing into a String does not fail.
            let _ = match value {
                Value::Text(text) => write!(json, "{comma}\"{name}\":{}", quoted(&text)),
                Value::Number(number) => write!(json, "{comma}\"{name}\":{number}"),
                Value::List(texts) => {
                    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                    write!(json, "{comma}\"{name}\":[{}]", texts.join(","))
                }
            };
        }
        json.push_str("}\n");
        json
    }

    fn members(&self, stamp: Stamp<'_>) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::Text(plain(text));
        let mut members = vec![
            ("version", Value::Number(VERSION)),
            ("kind", text(self.kind())),
            ("node", text(stamp.node)),
            ("time", Value::Number(stamp.time)),
            ("text", text(&format!("{}: {}", stamp.node, self.text()))),
        ];
        match self {
            Self::Role { vrid, state, reason, vips } => members.extend([
                ("reason", text(reason)),
                ("vrid", Value::Number((*vrid).into())),
                ("state", text(state)),
                ("vips", Value::List(vips.clone())),
            ]),
            Self::Image { outcome: _, subject, reason } => members.extend([
                ("reason", text(reason)),
                ("what", text(subject.what)),
                ("name", text(&subject.name)),
                ("image", text(&subject.image)),
                ("from", text(&subject.from)),
                ("to", text(&subject.to)),
            ]),
            Self::Pruned { removed, freed, reason } => members.extend([
                ("reason", text(reason)),
                ("removed", Value::Number(*removed as u64)),
                ("freed", Value::Number(*freed)),
            ]),
        }
        members
    }

    /// One line for a person.
    fn text(&self) -> String {
        match self {
            Self::Role { vrid, state, reason, vips } => {
                format!("{state} of VRID {vrid} ({}): {reason}", vips.join(", "))
            }
            Self::Image { outcome, subject, reason } => {
                let Subject { what, name, image, from, to } = subject;
                match outcome {
                    Outcome::Rollout => {
                        format!("{what} {name}: updating {image} from {} to {}", short(from), short(to))
                    }
                    Outcome::Updated => format!("{what} {name}: updated to {image} {}", short(to)),
                    Outcome::RolledBack => format!("{what} {name}: {image} was put back: {reason}"),
                    Outcome::Held => format!("{what} {name}: {image} is held: {reason}"),
                    Outcome::Failed => format!("{what} {name}: {image} failed: {reason}"),
                }
            }
            Self::Pruned { removed: _, freed, reason } => {
                format!("removed {reason}, {} MB freed", freed / 1_000_000)
            }
        }
    }
}

/// As Docker shows a digest.
fn short(digest: &str) -> &str {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.get(..SHORT).unwrap_or(if digits.is_empty() { "an unknown one" } else { digits })
}

/// One line that fits: an environment takes no zero, a line of a chat no line feed.
fn plain(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp<'_> = Stamp { node: "pi-1", time: 1_795_400_000 };

    fn role() -> Notice {
        Notice::Role {
            vrid: 12,
            state: "MASTER".into(),
            reason: "no advert for 3.2 s".into(),
            vips: vec!["10.0.10.39".into(), "10.0.10.40".into()],
        }
    }

    fn image(outcome: Outcome, reason: &str) -> Notice {
        let subject = Subject {
            what: "service",
            name: "web".into(),
            image: "nginx:1".into(),
            from: "sha256:aaaaaaaaaaaaaaaaaaaa".into(),
            to: "sha256:bbbbbbbbbbbbbbbbbbbb".into(),
        };
        Notice::Image { outcome, subject, reason: reason.into() }
    }

    #[test]
    fn a_role_is_told_in_variables_and_in_json() {
        let text = "pi-1: MASTER of VRID 12 (10.0.10.39, 10.0.10.40): no advert for 3.2 s";
        let expected = [
            ("UNSINKABLE_VERSION", "1"),
            ("UNSINKABLE_KIND", "role"),
            ("UNSINKABLE_NODE", "pi-1"),
            ("UNSINKABLE_TIME", "1795400000"),
            ("UNSINKABLE_TEXT", text),
            ("UNSINKABLE_REASON", "no advert for 3.2 s"),
            ("UNSINKABLE_VRID", "12"),
            ("UNSINKABLE_STATE", "MASTER"),
            ("UNSINKABLE_VIPS", "10.0.10.39 10.0.10.40"),
        ];
        let variables = role().variables(STAMP);
        let told: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(told, expected);
        assert_eq!(
            role().json(STAMP),
            "{\"version\":1,\"kind\":\"role\",\"node\":\"pi-1\",\"time\":1795400000,\"text\":\"pi-1: MASTER of VRID 12 \
             (10.0.10.39, 10.0.10.40): no advert for 3.2 s\",\"reason\":\"no advert for 3.2 s\",\"vrid\":12,\
             \"state\":\"MASTER\",\"vips\":[\"10.0.10.39\",\"10.0.10.40\"]}\n"
        );
    }

    #[test]
    fn what_became_of_an_image_is_told_in_one_line() {
        for (outcome, kind, text) in [
            (
                Outcome::Rollout,
                "rollout",
                "pi-1: service web: updating nginx:1 from aaaaaaaaaaaa to bbbbbbbbbbbb",
            ),
            (Outcome::Updated, "updated", "pi-1: service web: updated to nginx:1 bbbbbbbbbbbb"),
            (Outcome::RolledBack, "rolled-back", "pi-1: service web: nginx:1 was put back: exits"),
            (Outcome::Held, "held", "pi-1: service web: nginx:1 is held: exits"),
            (Outcome::Failed, "failed", "pi-1: service web: nginx:1 failed: exits"),
        ] {
            let variables = image(outcome, "exits").variables(STAMP);
            let value = |name: &str| &variables.iter().find(|(known, _)| known == name).unwrap().1;
            assert_eq!((value("UNSINKABLE_KIND").as_str(), value("UNSINKABLE_TEXT").as_str()), (kind, text));
            assert_eq!(value("UNSINKABLE_NAME"), "web");
            assert_eq!(value("UNSINKABLE_TO"), "sha256:bbbbbbbbbbbbbbbbbbbb");
        }
        let pruned = Notice::Pruned { removed: 3, freed: 2_500_000, reason: "2 images, 1 container".into() };
        assert_eq!(
            pruned.json(STAMP),
            "{\"version\":1,\"kind\":\"pruned\",\"node\":\"pi-1\",\"time\":1795400000,\"text\":\"pi-1: removed 2 images, \
             1 container, 2 MB freed\",\"reason\":\"2 images, 1 container\",\"removed\":3,\"freed\":2500000}\n"
        );
    }

    #[test]
    fn whatever_a_registry_says_stays_one_line_of_bounded_length() {
        let odd = image(Outcome::Failed, &format!("a\"b\\c\0d\ne\u{7f}{}", "ü".repeat(2_000)));
        let json = odd.json(STAMP);
        assert!(json.contains("\"reason\":\"a\\\"b\\\\c d e ü"), "{json}");
        assert!(json.ends_with("}\n") && json.len() < 8192 && json.trim_end().lines().count() == 1);
        let variables = odd.variables(STAMP);
        assert!(variables.iter().all(|(_, value)| value.len() <= 1024 && !value.contains(['\0', '\n'])));
    }
}
