//! What a tool's container does, as flags: its settings, and what it does without any. Pure.

use super::sheet::{Command, Flag, Lines, Place, Sheet, Text, Verdict, digits, is_among, joined, text};
use super::times::{millis, show};
use super::tooltable::{Kind, Rule, Tool, rule};

/// One `NAME=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where.
    pub at: Place,
    /// As written, or as an option is called in the environment.
    pub name: Text,
    /// Never shown where it may be a secret.
    pub value: Text,
}

/// A tool and its settings.
pub struct Use {
    /// Which.
    pub tool: Tool,
    /// Where it is named.
    pub at: Place,
    /// `image mazzolino/shepherd`.
    pub said: Text,
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
    /// What it does without any setting.
    fn flags(self) -> (&'static [Flag], Text) {
        const PRUNE: Flag = Flag::bare("--prune");
        const SWARM: Flag = Flag::new("--update", "swarm");
        match self {
            Self::Shepherd => (&[SWARM], EVERYWHERE),
            Self::Gantry => (&[SWARM, PRUNE], "what a rollback needs is not removed"),
            Self::Watchtower => (
                const { &[Flag::new("--update", "containers")] },
                "the old container comes back when the new one fails",
            ),
            Self::Cleanup => (&[PRUNE], VOLUMES),
            Self::Gc => {
                (&[PRUNE], "goes on for itself, without cron; the newest two images of each repository stay")
            }
        }
    }

    /// A time that is set where nobody sets it, and our default is another.
    fn default_time(self) -> Option<(Text, Flag)> {
        match self {
            Self::Watchtower => Some((" (watchtower's default)", Flag::new("--update-every", "1d"))),
            Self::Gc => Some((" (docker-gc's default)", Flag::new("--grace", "1h"))),
            Self::Shepherd | Self::Gantry | Self::Cleanup => None,
        }
    }

    /// Arguments behind the image: watchtower's, as its environment would say them.
    pub fn arguments(self, words: &[(Place, Text)], settings: &mut Vec<Setting>, lines: &mut Lines) {
        let mut words = words.iter();
        while let Some(&(at, word)) = words.next() {
            if self != Self::Watchtower {
                lines.unknown(&at, "command", "the image's own command is expected");
                break;
            }
            if !word.starts_with('-') {
                settings.push(Setting { at, name: ONLY, value: word });
                continue;
            }
            let (name, value) =
                word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let mut short = SHORT.split(' ').filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            let name = short.next().unwrap_or(name);
            let name = text(&[&name.trim_start_matches('-').replace('-', "_").to_ascii_uppercase()]);
            let is_switch = rule(self, name).is_some_and(|rule| {
                matches!(rule.kind, Kind::On | Kind::Switch | Kind::TellsOnly | Kind::Same)
            }) || is_among("HTTP_API_UPDATE HTTP_API_METRICS HEALTH_CHECK", name);
            let value = match value {
                Some(value) => value,
                None if is_switch => "true",
                None => words.next().map_or("", |(_, value)| value),
            };
            settings.push(Setting { at, name, value });
        }
    }
}

/// Containers that watchtower is told to look after, by name.
const ONLY: &str = "CONTAINER";
/// watchtower's short options.
const SHORT: &str = "-i=interval -s=schedule -c=cleanup -d=debug -e=label-enable -R=run-once -m=monitor-only \
                     -S=include-stopped -H=host -t=stop-timeout";

/// In which order flags are given: updates, pruning, the rest.
pub fn place(name: &str) -> usize {
    const BEGINS: &str = "--update --min --rollout --registry --prune --grace --keep --docker -q -v";
    let mut begins = BEGINS.split(' ');
    begins.position(|begin| name.starts_with(begin)).unwrap_or(BEGINS.len())
}

/// Settings that may be given several times.
const LISTS: &str = "--keep-image --keep-container --update-skip --update-only";

/// Puts a tool into a sheet and its flags into a command.
pub fn put(used: &Use, command: &mut Command, sheet: &mut Sheet) {
    let mut lines = Lines::default();
    let (flags, why) = used.tool.flags();
    let mut own = flags.to_vec();
    lines.add(&used.at, used.said, Verdict::Differs, why);
    for setting in &used.settings {
        let drops = read(used.tool, setting, &mut lines);
        // IMAGE_AUTOCLEAN_LIMIT is pruning that nothing else there asks for.
        let prunes = lines.0.last().is_some_and(|line| line.has("--keep-per-repo"));
        if prunes && used.tool == Tool::Shepherd {
            lines.with("--prune", None);
        }
        own.retain(|flag| drops.is_empty() || !flag.name.starts_with(drops));
    }
    if own.is_empty() {
        for line in &mut lines.0 {
            line.flags = &[];
        }
    } else if let Some((said, flag)) = used.tool.default_time()
        && !lines.0.iter().any(|line| line.has(flag.name) || line.has("--update-window"))
    {
        own.push(flag);
        lines.0[0].said = text(&[used.said, said]);
    }
    lines.0[0].flags = own.leak();
    for (at, line) in lines.0.iter().enumerate() {
        for flag in line.flags {
            // Of two settings of one name the later counts.
            let again = lines.0.iter().skip(at + 1).any(|later| later.has(flag.name));
            if !again || is_among(LISTS, flag.name) {
                command.give(flag, &line.at, line.said);
            }
        }
    }
    sheet.lines.0.extend_from_slice(&lines.0);
}

/// Any word but those that people write for no.
#[inline(never)]
fn is_on(value: &str) -> bool {
    !value.is_empty() && !is_among("0 false no off **none**", &value.to_ascii_lowercase())
}

const ANYWAY: Text = "as it is here anyway";

/// A setting as it is judged.
#[derive(Clone, Copy)]
struct Given<'a> {
    at: &'a Place,
    /// For the person: a secret is not in it.
    said: Text,
    /// Without what all of the tool's settings begin with.
    name: Text,
    value: Text,
}

/// What becomes of one setting. Gives back what the flags begin with that the tool has without it, and has not with it.
fn read(tool: Tool, setting: &Setting, lines: &mut Lines) -> &'static str {
    let (at, name, value) = (&setting.at, tool.bare(setting.name), setting.value.trim());
    let upper = setting.name.to_ascii_uppercase();
    let hidden = SECRETS.iter().any(|part| upper.contains(part));
    let said = text(&[setting.name, "=", if hidden { "…" } else { value }]);
    let given = Given { at, said, name, value };
    let Some(rule) = rule(tool, name) else {
        if name == ONLY {
            list(lines, given, "--update-only", "");
        } else {
            let why = text(&["no setting of ", tool.name(), " that is known here"]);
            lines.unknown(at, setting.name, why);
        }
        return "";
    };
    let on = is_on(value);
    if rule.kind.says_nothing(value, on) {
        lines.add(at, said, Verdict::Same, ANYWAY);
    } else {
        apply(rule, given, on, lines);
    }
    rule.kind.drops(on)
}

/// Tells what one value is here, by its rule.
fn apply(rule: Rule, given: Given, on: bool, lines: &mut Lines) {
    let (Rule { kind, flag, why }, Given { at, said, name: _, value }) = (rule, given);
    match kind {
        Kind::Same => lines.add(at, said, Verdict::Same, why),
        Kind::Nothing => lines.add(at, said, Verdict::Nothing, why),
        Kind::Cleanup if !on => lines.add(at, said, Verdict::Same, why),
        Kind::Any if !on => {
            let why = text(&["was on with any value, this one too; ", why]);
            lines.add(at, said, Verdict::Differs, why);
        }
        Kind::On | Kind::Off | Kind::Any | Kind::TellsOnly | Kind::Cleanup => {
            lines.add(at, said, Verdict::Differs, why);
        }
        Kind::Switch => lines.near(at, said, why, Flag::bare(flag)),
        Kind::Value if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            lines.near(at, said, why, Flag::new(flag, value));
        }
        Kind::Value => lines.unknown(at, said, "expected a number"),
        Kind::Time => time(lines, given, flag, why),
        Kind::List => list(lines, given, flag, why),
        Kind::Level => level(lines, given),
        Kind::Secret => {
            let why = "no password in flags: `docker login` writes a config.json; put it at \
                       /etc/unsinkable.registries.json (chmod 600)";
            lines.near(at, said, why, Flag::new("--registry-auth-file", REGISTRY_FILE));
        }
        Kind::Host => host(lines, given),
        Kind::Cron => cron(lines, given),
    }
}

fn host(lines: &mut Lines, Given { at, said, name: _, value }: Given) {
    let path = value.strip_prefix("unix://").filter(|path| path.starts_with('/'));
    if let Some(path) = path {
        lines.flag(at, said, "--docker", path);
    } else {
        let why = "only a socket of this machine is spoken to (--docker)";
        lines.add(at, said, Verdict::Nothing, why);
    }
}

fn cron(lines: &mut Lines, Given { at, said, name: _, value }: Given) {
    if let Some(window) = window(value) {
        let why = "rounds come every --update-every, and only within an hour from that time on";
        lines.near(at, said, why, Flag::new("--update-window", window));
    } else {
        let why = "no schedules: --update-window 02:00-05:00 says when, --update-every how often";
        lines.add(at, said, Verdict::Nothing, why);
    }
}

fn time(lines: &mut Lines, given: Given, flag: Text, why: Text) {
    let Given { at, said, name: _, value } = given;
    let Some(millis) = duration(value) else {
        return lines.unknown(at, said, "expected seconds, or a time as 5m");
    };
    if millis > LONGEST {
        return lines.unknown(at, said, "longer than a year");
    }
    if millis == 0 && flag == "--update-every" {
        let why = "`unsinkable update` does one round; run goes on";
        return lines.add(at, said, Verdict::Differs, why);
    }
    if millis == 0 && flag == "--rollout-deadline" {
        let why = "a rollout always has a deadline (--rollout-deadline)";
        return lines.add(at, said, Verdict::Differs, why);
    }
    let is_short = millis < SHORTEST && (millis > 0 || flag == "--prune-every");
    let (why, value) = if is_short { ("less than a second is refused", "1s") } else { (why, show(millis)) };
    lines.near(at, said, why, Flag::new(flag, value));
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
        let millis = millis(number)?;
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

/// Names; filters of Docker's that name no service have no counterpart. `why`: what is different.
fn list(lines: &mut Lines, given: Given, flag: Text, why: Text) {
    let Given { at, said, name, value } = given;
    let mut labels = Vec::new();
    let mut flags = Vec::new();
    for word in value.split([',', ' ', '\t', '\n']) {
        let word = match word {
            "" | "**None**" => continue,
            "**All**" => "*",
            word => word,
        };
        match word.split_once('=') {
            // Docker's filter takes what a name begins with.
            Some(("name", begin)) if name.contains("FILTER") => {
                flags.push(Flag::new(flag, text(&[begin, "*"])));
            }
            Some((filter, _)) => labels.push(filter),
            None => flags.push(Flag::new(flag, word.trim_start_matches('/'))),
        }
    }
    lines.add(at, said, Verdict::Same, why);
    let Some(line) = lines.0.last_mut() else { return };
    if flags.is_empty() {
        line.why = ANYWAY;
    } else if !why.is_empty() {
        line.verdict = Verdict::Differs;
    }
    line.with(&flags);
    if !labels.is_empty() && line.verdict != Verdict::Unknown {
        line.verdict = Verdict::Nothing;
        let all = if flag == "--update-only" { ": ALL services are updated: " } else { ": " };
        let or = ", or the label unsinkable.update=false onto those to leave alone";
        line.why = text(&["no filter by ", joined(&labels, ", "), all, "names go into ", flag, or]);
    }
}

fn level(lines: &mut Lines, Given { at, said, name: _, value }: Given) {
    let flag = match value.to_ascii_lowercase().as_str() {
        "debug" => "-v",
        "trace" => "-vv",
        "warn" | "warning" => "-q",
        "error" | "fatal" | "panic" | "none" => "-qq",
        "info" | "" => return lines.add(at, said, Verdict::Same, ANYWAY),
        _ => return lines.unknown(at, said, "expected debug, info, warn or error"),
    };
    lines.near(at, said, "", Flag::bare(flag));
}

/// A schedule of once a day, as an hour's window: `0 30 4 * * *`.
fn window(cron: &str) -> Option<Text> {
    let fields: Vec<&str> = cron.split_ascii_whitespace().collect();
    let ["0" | "00", minute, hour, "*", "*", "*" | "?"] = fields.as_slice() else { return None };
    let minute = minute.parse().ok().filter(|minute: &u8| *minute < 60)?;
    let hour = hour.parse().ok().filter(|hour: &u8| *hour < 24)?;
    let two = |number: u8| text(&[if number < 10 { "0" } else { "" }, digits(usize::from(number))]);
    Some(text(&[two(hour), ":", two(minute), "-", two((hour + 1) % 24), ":", two(minute)]))
}
