//! What a tool's container does, as flags: its settings, and what it does without any. Pure.

use super::instance::show;
use super::sheet::{Command, Flag, Line, Place, Sheet, Verdict};
use super::tooltable::{Rule, rule};

/// The tools that are replaced here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// mazzolino/shepherd, containrrr/shepherd.
    Shepherd,
    /// shizunge/gantry.
    Gantry,
    /// containrrr/watchtower and its forks.
    Watchtower,
    /// meltwater/docker-cleanup.
    Cleanup,
    /// spotify/docker-gc.
    Gc,
}

/// One `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where.
    pub at: Place,
    /// As written, or as an option is called in the environment.
    pub name: String,
    /// Never shown where it may be a secret.
    pub value: String,
}

impl Setting {
    /// Puts one together.
    pub fn new(at: &Place, name: &str, value: &str) -> Self {
        Self { at: at.clone(), name: name.to_owned(), value: value.to_owned() }
    }
}

/// A tool and its settings.
pub struct Use {
    /// Which.
    pub tool: Tool,
    /// Where it is named.
    pub at: Place,
    /// `image mazzolino/shepherd`.
    pub said: String,
    /// A later one of a name wins.
    pub settings: Vec<Setting>,
}

/// Where the printed flags expect the passwords of registries.
const REGISTRY_FILE: &str = "/etc/unsinkable.registries.json";
/// Shorter is load on Docker, and refused by our flags.
const SHORTEST: u64 = 1000;
/// What our flags take at most.
const LONGEST: u64 = 366 * 24 * 3600 * 1000;
/// Names whose value may be a secret.
const SECRETS: [&str; 6] = ["PASS", "TOKEN", "SECRET", "URL", "USER", "KEY"];
const EVERYWHERE: &str = "with no updates that change nothing: `docker service rollback` goes on working";
const VOLUMES: &str = "unused VOLUMES are no longer removed, where docker-cleanup took named ones, too, at once: \
                       --prune-volumes names those that may go; and containers have a grace";

impl Tool {
    /// All of them; a name that holds another's comes first.
    pub const ALL: [Self; 5] = [Self::Shepherd, Self::Gantry, Self::Watchtower, Self::Cleanup, Self::Gc];

    /// As its image is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shepherd => "shepherd",
            Self::Gantry => "gantry",
            Self::Watchtower => "watchtower",
            Self::Cleanup => "docker-cleanup",
            Self::Gc => "docker-gc",
        }
    }

    /// By the image's name, whatever its registry, tag and digest.
    pub fn of_image(image: &str) -> Option<Self> {
        let name = image.split('@').next()?.rsplit('/').next()?.split(':').next()?;
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// A setting's name without what all of the tool's settings begin with.
    pub fn bare(self, name: &str) -> &str {
        if self == Self::Watchtower { name.strip_prefix("WATCHTOWER_").unwrap_or(name) } else { name }
    }

    /// What it does without any setting.
    fn flags(self) -> (Vec<Flag>, &'static str) {
        let update = |what: &str| Flag { name: "--update", value: Some(what.to_owned()) };
        match self {
            Self::Shepherd => (vec![update("swarm")], EVERYWHERE),
            Self::Gantry => {
                (vec![update("swarm"), Flag::bare("--prune")], "what a rollback needs is not removed")
            }
            Self::Watchtower => {
                (vec![update("containers")], "the old container comes back when the new one fails")
            }
            Self::Cleanup => (vec![Flag::bare("--prune")], VOLUMES),
            Self::Gc => (
                vec![Flag::bare("--prune")],
                "goes on for itself, without cron; the newest two images of each repository stay",
            ),
        }
    }

    /// A time that is set where nobody sets it, and our default is another.
    fn default_time(self) -> Option<(&'static str, Flag)> {
        match self {
            Self::Watchtower => Some(("watchtower's default", Flag::new("--update-every", "1d"))),
            Self::Gc => Some(("docker-gc's default", Flag::new("--grace", "1h"))),
            Self::Shepherd | Self::Gantry | Self::Cleanup => None,
        }
    }

    /// Arguments behind the image: watchtower's, as its environment would say them.
    pub fn arguments(self, words: &[(Place, String)]) -> (Vec<Setting>, Vec<Line>) {
        let mut settings = Vec::new();
        let mut lines = Vec::new();
        let mut words = words.iter();
        while let Some((at, word)) = words.next() {
            if self != Self::Watchtower {
                lines.push(Line::unknown(at, "command", "the image's own command is expected"));
                break;
            }
            if !word.starts_with('-') {
                settings.push(Setting::new(at, ONLY, word));
                continue;
            }
            let (name, value) =
                word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let long = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| long);
            let name = long.trim_start_matches('-').replace('-', "_").to_ascii_uppercase();
            let is_switch = matches!(
                rule(self, &name),
                Some(Rule::On(_) | Rule::Switch(..) | Rule::TellsOnly(_) | Rule::Same(_))
            ) || name == "HTTP_API_UPDATE"
                || name == "HTTP_API_METRICS"
                || name == "HEALTH_CHECK";
            let value = match value {
                Some(value) => value,
                None if is_switch => "true",
                None => words.next().map_or("", |(_, value)| value),
            };
            settings.push(Setting::new(at, &name, value));
        }
        (settings, lines)
    }
}

/// Containers that watchtower is told to look after, by name.
const ONLY: &str = "CONTAINER";
/// watchtower's short options.
const SHORT: [(&str, &str); 10] = [
    ("-i", "interval"),
    ("-s", "schedule"),
    ("-c", "cleanup"),
    ("-d", "debug"),
    ("-e", "label-enable"),
    ("-R", "run-once"),
    ("-m", "monitor-only"),
    ("-S", "include-stopped"),
    ("-H", "host"),
    ("-t", "stop-timeout"),
];

/// In which order flags are given: updates, pruning, the rest.
pub fn place(name: &str) -> usize {
    const BEGINS: [&str; 10] = [
        "--update",
        "--min",
        "--rollout",
        "--registry",
        "--prune",
        "--grace",
        "--keep",
        "--docker",
        "-q",
        "-v",
    ];
    BEGINS.iter().position(|begin| name.starts_with(begin)).unwrap_or(BEGINS.len())
}

/// Puts a tool into a sheet and its flags into a command.
pub fn put(used: &Use, command: &mut Command, sheet: &mut Sheet) {
    let mut lines = Vec::new();
    let (flags, why) = used.tool.flags();
    let mut own = Line::new(&used.at, used.said.as_str(), Verdict::Differs, why);
    own.flags = flags;
    for setting in &used.settings {
        let line = read(used.tool, setting);
        // IMAGE_AUTOCLEAN_LIMIT is pruning that nothing else there asks for.
        let prunes =
            line.flags.iter().any(|flag| flag.name == "--keep-per-repo") && used.tool == Tool::Shepherd;
        lines.push(if prunes { line.with(Flag::bare("--prune")) } else { line });
        let rule = rule(used.tool, used.tool.bare(&setting.name));
        let drops = match rule {
            Some(Rule::TellsOnly(_)) if is_on(&setting.value) => "--",
            Some(Rule::Cleanup(_)) if !is_on(&setting.value) => "--prune",
            _ => continue,
        };
        own.flags.retain(|flag| !flag.name.starts_with(drops));
    }
    if own.flags.is_empty() {
        lines.iter_mut().for_each(|line| line.flags.clear());
    } else if let Some((said, flag)) = used.tool.default_time()
        && !lines
            .iter()
            .flat_map(|line| &line.flags)
            .any(|given| given.name == flag.name || given.name == "--update-window")
    {
        own.flags.push(flag);
        own.said = [&own.said, " (", said, ")"].concat();
    }
    lines.insert(0, own);
    // Of two settings of one name the later counts.
    for (at, line) in lines.iter().enumerate() {
        let again = |flag: &Flag| {
            let single =
                !["--keep-image", "--keep-container", "--update-skip", "--update-only"].contains(&flag.name);
            let later = lines.iter().skip(at + 1).flat_map(|later| &later.flags);
            single && later.clone().any(|later| later.name == flag.name)
        };
        line.flags
            .iter()
            .filter(|flag| !again(flag))
            .for_each(|flag| command.give(flag.clone(), &line.at, &line.said));
    }
    sheet.lines.extend(lines);
}

/// Any word but those that people write for no.
fn is_on(value: &str) -> bool {
    !["", "0", "false", "no", "off", "**None**"].contains(&value.to_ascii_lowercase().as_str())
}

fn read(tool: Tool, setting: &Setting) -> Line {
    let value = setting.value.trim();
    let bare = tool.bare(&setting.name);
    let hidden = SECRETS.iter().any(|part| setting.name.to_ascii_uppercase().contains(part));
    let said = if hidden { [&setting.name, "=…"].concat() } else { [&setting.name, "=", value].concat() };
    let line = |verdict, why: &str| Line::new(&setting.at, said.as_str(), verdict, why);
    let given = |flag: Flag, why: &str| {
        line(if why.is_empty() { Verdict::Same } else { Verdict::Differs }, why).with(flag)
    };
    let off = || line(Verdict::Same, "as it is here anyway");
    let rule = rule(tool, bare).or((bare == ONLY).then_some(Rule::List("--update-only", "")));
    let Some(rule) = rule else {
        return Line::unknown(
            &setting.at,
            setting.name.as_str(),
            format!("no setting of {} that is known here", tool.name()),
        );
    };
    match rule {
        Rule::Same(why) => line(Verdict::Same, why),
        Rule::Nothing(_) | Rule::Cron | Rule::Host | Rule::Secret if value.is_empty() => off(),
        Rule::Nothing(why) => line(Verdict::Nothing, why),
        Rule::On(_) | Rule::TellsOnly(_) | Rule::Switch(..) if !is_on(value) => off(),
        Rule::On(why) | Rule::TellsOnly(why) => line(Verdict::Differs, why),
        Rule::Switch(flag, why) => given(Flag::bare(flag), why),
        Rule::Off(_) if is_on(value) => off(),
        Rule::Off(why) => line(Verdict::Differs, why),
        Rule::Cleanup(why) => line(if is_on(value) { Verdict::Differs } else { Verdict::Same }, why),
        Rule::Any(why) if is_on(value) => line(Verdict::Differs, why),
        Rule::Any(why) => line(Verdict::Differs, &["was on with any value, this one too; ", why].concat()),
        Rule::Secret => {
            let why = format!(
                "no password in flags: `docker login` writes a config.json; put it at {REGISTRY_FILE} (chmod 600)"
            );
            given(Flag::new("--registry-auth-file", REGISTRY_FILE), &why)
        }
        Rule::Value(flag, why) if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() => {
            given(Flag::new(flag, value), why)
        }
        Rule::Value(..) if value.is_empty() => off(),
        Rule::Value(..) => line(Verdict::Unknown, "expected a number"),
        Rule::Time(flag, why) => time(&line, flag, value, why),
        Rule::List(flag, why) => list(line(Verdict::Same, why), flag, value, bare),
        Rule::Level => level(&line, value),
        Rule::Host => match value.strip_prefix("unix://").filter(|path| path.starts_with('/')) {
            Some(path) => given(Flag::new("--docker", path), ""),
            None => line(Verdict::Nothing, "only a socket of this machine is spoken to (--docker)"),
        },
        Rule::Cron => match window(value) {
            Some(window) => given(
                Flag::new("--update-window", window),
                "rounds come every --update-every, and only within an hour from that time on",
            ),
            None => line(
                Verdict::Nothing,
                "no schedules: --update-window 02:00-05:00 says when, --update-every how often",
            ),
        },
    }
}

fn time(line: &dyn Fn(Verdict, &str) -> Line, flag: &'static str, value: &str, why: &str) -> Line {
    match duration(value) {
        _ if value.is_empty() => line(Verdict::Same, "as it is here anyway"),
        None => line(Verdict::Unknown, "expected seconds, or a time as 5m"),
        Some(0) if flag == "--update-every" => {
            line(Verdict::Differs, "`unsinkable update` does one round; run goes on")
        }
        Some(0) if flag == "--rollout-deadline" => {
            line(Verdict::Differs, "a rollout always has a deadline (--rollout-deadline)")
        }
        Some(0) if flag == "--prune-every" => {
            line(Verdict::Differs, "less than a second is refused").with(Flag::new(flag, "1s"))
        }
        Some(millis) if millis > LONGEST => line(Verdict::Unknown, "longer than a year"),
        Some(millis) if millis > 0 && millis < SHORTEST => {
            line(Verdict::Differs, "less than a second is refused").with(Flag::new(flag, "1s"))
        }
        Some(millis) => {
            let verdict = if why.is_empty() { Verdict::Same } else { Verdict::Differs };
            line(verdict, why).with(Flag::new(flag, show(millis)))
        }
    }
}

/// `300`, `5m`, `1h30m`, as `sleep` and Go read them, in milliseconds.
fn duration(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let unit_end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(unit_end);
        let millis = super::instance::millis(number)?;
        let times = match unit.trim() {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        total = total.checked_add(millis.checked_mul(times)?)?;
        rest = next;
    }
    Some(total)
}

/// Names; filters of Docker's that name no service have no counterpart.
fn list(mut line: Line, flag: &'static str, value: &str, name: &str) -> Line {
    let mut labels = Vec::new();
    for word in value.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty() && *word != "**None**") {
        let word = if word == "**All**" { "*" } else { word };
        match word.split_once('=') {
            // Docker's filter takes what a name begins with.
            Some(("name", begin)) if name.contains("FILTER") => {
                line = line.with(Flag::new(flag, [begin, "*"].concat()));
            }
            Some((filter, _)) => labels.push(filter.to_owned()),
            None => line = line.with(Flag::new(flag, word.trim_start_matches('/'))),
        }
    }
    if line.verdict == Verdict::Unknown {
        return line;
    }
    if line.flags.is_empty() {
        "as it is here anyway".clone_into(&mut line.why);
    } else if !line.why.is_empty() {
        line.verdict = Verdict::Differs;
    }
    if !labels.is_empty() {
        line.verdict = Verdict::Nothing;
        let all = if flag == "--update-only" { "ALL services are updated: " } else { "" };
        line.why = format!(
            "no filter by {}: {all}names go into {flag}, or the label unsinkable.update=false onto those to leave alone",
            labels.join(", ")
        );
    }
    line
}

fn level(line: &dyn Fn(Verdict, &str) -> Line, value: &str) -> Line {
    let flag = match value.to_ascii_lowercase().as_str() {
        "debug" => "-v",
        "trace" => "-vv",
        "warn" | "warning" => "-q",
        "error" | "fatal" | "panic" | "none" => "-qq",
        "info" | "" => return line(Verdict::Same, "as it is here anyway"),
        _ => return line(Verdict::Unknown, "expected debug, info, warn or error"),
    };
    line(Verdict::Same, "").with(Flag::bare(flag))
}

/// A schedule of once a day, as an hour's window: `0 30 4 * * *`.
fn window(cron: &str) -> Option<String> {
    let fields: Vec<&str> = cron.split_ascii_whitespace().collect();
    let ["0" | "00", minute, hour, "*", "*", "*" | "?"] = fields.as_slice() else { return None };
    let minute = minute.parse().ok().filter(|minute: &u8| *minute < 60)?;
    let hour = hour.parse().ok().filter(|hour: &u8| *hour < 24)?;
    Some(format!("{hour:02}:{minute:02}-{:02}:{minute:02}", (hour + 1) % 24))
}
