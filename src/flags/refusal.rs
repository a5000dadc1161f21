//! Lines and an exit code for a command line that cannot be carried out.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Refusal;
use super::args::command_table;
use super::finding::{Finding, Severity};
use super::nearest::nearest;
use crate::sysexits::{EX_CONFIG, EX_USAGE};

/// A refusal for one flag.
pub fn usage(text: &str) -> Refusal {
    Refusal { exit: EX_USAGE, text: format!("unsinkable: {text}\n") }
}

/// A refusal for all that was found.
pub fn refuse_all(findings: &[Finding]) -> Refusal {
    let is_usage = findings.iter().any(|finding| finding.severity == Severity::Usage);
    let line = |finding: &Finding| match finding.severity {
        Severity::Warning => format!("unsinkable: warning: {finding}\n"),
        Severity::Config | Severity::Usage => format!("unsinkable: {finding}\n"),
    };
    Refusal { exit: if is_usage { EX_USAGE } else { EX_CONFIG }, text: findings.iter().map(line).collect() }
}

/// clap's error as one line: flag, value, what was expected, nearest right spelling.
pub fn refuse(error: &clap::Error) -> Refusal {
    let word = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        Some(_) | None => None,
    };
    // clap names a flag with its value: `--vrrp <2|3>`.
    let flag = word(ContextKind::InvalidArg).unwrap_or_default();
    let bare =
        flag.split([' ', '[', '=', '.']).next().unwrap_or_default().trim_matches(['<', '>']).to_string();
    let value = word(ContextKind::InvalidValue).unwrap_or_default();
    let meant = |kind| word(kind).map_or(String::new(), |near| format!(": did you mean {near}?"));
    #[expect(clippy::wildcard_enum_match_arm, reason = "clap's enum is open; its own text is the fallback")]
    let text = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            return Refusal { exit: 0, text: error.render().to_string() };
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            format!("no command: expected {} (see unsinkable --help)", verbs())
        }
        ErrorKind::UnknownArgument if bare.starts_with('-') => {
            format!("{bare}: no such flag{} (see --help)", meant(ContextKind::SuggestedArg))
        }
        ErrorKind::UnknownArgument => format!("{flag}: not expected here: flags begin with --"),
        ErrorKind::InvalidSubcommand => format!(
            "{}: no such command{} (known: {})",
            word(ContextKind::InvalidSubcommand).unwrap_or_default(),
            near_verb(&word(ContextKind::InvalidSubcommand).unwrap_or_default()),
            verbs()
        ),
        ErrorKind::InvalidValue if value.is_empty() => format!("{bare}: expected a value, as {flag}"),
        ErrorKind::InvalidValue => format!(
            "{bare} {value}: expected {}{}",
            choice(&word(ContextKind::ValidValue).unwrap_or_default()),
            meant(ContextKind::SuggestedValue)
        ),
        ErrorKind::ArgumentConflict => match word(ContextKind::PriorArg) {
            Some(prior) if prior != flag => {
                format!("{bare}: does not go with {}", prior.trim_end_matches('.'))
            }
            Some(_) | None => format!("{bare}: is given twice"),
        },
        ErrorKind::NoEquals => format!("{bare}: expected {flag}, with the equals sign"),
        ErrorKind::TooManyValues => format!("{bare} {value}: takes no value"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_string(),
        ErrorKind::MissingRequiredArgument => format!("expected {flag}"),
        _ => error.render().to_string().lines().next().unwrap_or("bad flags").replace("error: ", ""),
    };
    usage(&text)
}

/// `a, b, c` as `a, b or c`.
fn choice(list: &str) -> String {
    list.rsplit_once(", ").map_or(list.to_string(), |(most, last)| format!("{most} or {last}"))
}

fn near_verb(word: &str) -> String {
    let table = command_table();
    let verbs: Vec<&str> = table.get_subcommands().map(clap::Command::get_name).collect();
    nearest(word, &verbs).map_or(String::new(), |near| format!(": did you mean {near}?"))
}

fn verbs() -> String {
    let table = command_table();
    let verbs: Vec<&str> =
        table.get_subcommands().filter(|verb| !verb.is_hide_set()).map(clap::Command::get_name).collect();
    verbs.join(", ")
}
