//! What the settings of shepherd, gantry, watchtower, docker-cleanup and docker-gc are here. Data.

use super::tools::Tool;

/// What becomes of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A time, in seconds or with units, as this flag; what is different, if anything.
    Time(&'static str, &'static str),
    /// Names, apart by blanks or commas, each as this flag.
    List(&'static str, &'static str),
    /// A value as this flag.
    Value(&'static str, &'static str),
    /// Where it is on, this flag.
    Switch(&'static str, &'static str),
    /// Where it is on, it is otherwise here; off is how it is here.
    On(&'static str),
    /// Where it is off, it is otherwise here.
    Off(&'static str),
    /// On with any value at all, `false` too; otherwise here.
    Any(&'static str),
    /// Where it is on, the tool only told: its flags that act are left out.
    TellsOnly(&'static str),
    /// Where it is off, no pruning.
    Cleanup(&'static str),
    /// A cron expression.
    Cron,
    /// A socket, as `unix://…`.
    Host,
    /// debug, info, warn, error.
    Level,
    /// A credential.
    Secret,
    /// It is so anyway.
    Same(&'static str),
    /// Nothing here does it.
    Nothing(&'static str),
}

const NOTICES: Rule = Rule::Nothing("no notices are sent: --on-change PROGRAM can");
const OPTIONS: Rule = Rule::Nothing("no options of the docker command: Docker is asked directly");
const LOGS: Rule = Rule::Same("the log goes to stderr, and so to the journal");
const BACK: &str = "what fails is always rolled back, and held until its tag moves";
const NEGOTIATED: Rule = Rule::Same("the version of Docker's API is negotiated");
const REGISTRY: Rule =
    Rule::Nothing("images are compared by digest, as Docker itself asks the registry for it");
const LOCAL_TIME: Rule = Rule::Same("times of day are the machine's local time");
const ONCE: &str = "`unsinkable update` does one round; run goes on";
const LABELS: &str = "";
const DEADLINE: &str = "what does not run by then is rolled back";
const FORCE: Rule = Rule::On("nothing is removed by force");
const KEPT: &str = "kept are containers and images whose image has this name";
const LIKE_CLEANUP: &str =
    "not the moment after an update: what is unused for --grace goes, and what a rollback needs stays";

type Row = (Tool, &'static str, Rule);

const ROWS: &[Row] = &[
    (Tool::Shepherd, "SLEEP_TIME", Rule::Time("--update-every", "")),
    (Tool::Shepherd, "IGNORELIST_SERVICES BLACKLIST_SERVICES", Rule::List("--update-skip", LABELS)),
    (Tool::Shepherd, "FILTER_SERVICES", Rule::List("--update-only", LABELS)),
    (Tool::Shepherd, "RUN_ONCE_AND_EXIT", Rule::Any(ONCE)),
    (
        Tool::Shepherd,
        "WITH_REGISTRY_AUTH",
        Rule::Any(
            "services keep the credentials they were created with; to ask private registries, give --registry-auth-file",
        ),
    ),
    (Tool::Shepherd, "WITH_INSECURE_REGISTRY", Rule::Any("Docker's own insecure-registries counts")),
    (Tool::Shepherd, "WITH_NO_RESOLVE_IMAGE", Rule::Any("images are always resolved to their digest")),
    (Tool::Shepherd, "REGISTRY_USER REGISTRY_PASSWORD REGISTRY_HOST REGISTRIES_FILE", Rule::Secret),
    (Tool::Shepherd, "ROLLBACK_ON_FAILURE", Rule::Any(BACK)),
    (Tool::Shepherd, "UPDATE_OPTIONS ROLLBACK_OPTIONS", OPTIONS),
    (Tool::Shepherd, "TIMEOUT", Rule::Time("--rollout-deadline", DEADLINE)),
    (
        Tool::Shepherd,
        "IMAGE_AUTOCLEAN_LIMIT",
        Rule::Value("--keep-per-repo", "on every node, after --grace; and stopped containers only after it"),
    ),
    (Tool::Shepherd, "APPRISE_SIDECAR_URL", NOTICES),
    (Tool::Shepherd, "TZ", LOCAL_TIME),
    (Tool::Shepherd, "HOSTNAME VERBOSE", LOGS),
    (Tool::Gantry, "SLEEP_SECONDS", Rule::Time("--update-every", "")),
    (Tool::Gantry, "SERVICES_EXCLUDED", Rule::List("--update-skip", LABELS)),
    (Tool::Gantry, "SERVICES_EXCLUDED_FILTERS", Rule::List("--update-skip", LABELS)),
    (Tool::Gantry, "SERVICES_FILTERS", Rule::List("--update-only", LABELS)),
    (Tool::Gantry, "UPDATE_TIMEOUT_SECONDS", Rule::Time("--rollout-deadline", DEADLINE)),
    (Tool::Gantry, "ROLLBACK_ON_FAILURE", Rule::Off(BACK)),
    (Tool::Gantry, "UPDATE_JOBS", Rule::On("jobs are never updated: an update would run them again")),
    (Tool::Gantry, "UPDATE_NUM_WORKERS", Rule::Same("one service at a time")),
    (
        Tool::Gantry,
        "UPDATE_OPTIONS ROLLBACK_OPTIONS CLEANUP_IMAGES_OPTIONS PRE_RUN_CMD POST_RUN_CMD",
        OPTIONS,
    ),
    (Tool::Gantry, "CLEANUP_IMAGES", Rule::Cleanup(LIKE_CLEANUP)),
    (Tool::Gantry, "MANIFEST_*", REGISTRY),
    (Tool::Gantry, "NOTIFICATION_* APPRISE_*", NOTICES),
    (Tool::Gantry, "LOG_LEVEL", Rule::Level),
    (Tool::Gantry, "LOG_FORMAT NODE_NAME", LOGS),
    (Tool::Gantry, "TRIGGER_PATH", Rule::Nothing("`unsinkable update` starts a round")),
    (Tool::Gantry, "REGISTRY_* REGISTRY_CONFIGS_FILE DOCKER_CONFIG", Rule::Secret),
    (Tool::Gantry, "TZ", LOCAL_TIME),
    (Tool::Watchtower, "POLL_INTERVAL INTERVAL", Rule::Time("--update-every", "")),
    (Tool::Watchtower, "SCHEDULE", Rule::Cron),
    (Tool::Watchtower, "CLEANUP", Rule::Switch("--prune", LIKE_CLEANUP)),
    (Tool::Watchtower, "REMOVE_VOLUMES", Rule::On("an update takes the volumes along, anonymous ones too")),
    (
        Tool::Watchtower,
        "INCLUDE_STOPPED REVIVE_STOPPED INCLUDE_RESTARTING",
        Rule::On("only running containers are updated"),
    ),
    (
        Tool::Watchtower,
        "LABEL_ENABLE",
        Rule::On(
            "ALL containers are updated but those labelled …watchtower.enable=false or unsinkable.update=false: name those \
         to update with --update-only",
        ),
    ),
    (Tool::Watchtower, "DISABLE_CONTAINERS", Rule::List("--update-skip", "")),
    (
        Tool::Watchtower,
        "MONITOR_ONLY",
        Rule::TellsOnly("`unsinkable update --dry-run` tells and does nothing"),
    ),
    (Tool::Watchtower, "NO_PULL", Rule::On("the label unsinkable.no-pull does that for a container")),
    (Tool::Watchtower, "NO_RESTART", Rule::On("there is no update without a new container")),
    (Tool::Watchtower, "RUN_ONCE", Rule::On(ONCE)),
    (Tool::Watchtower, "ROLLING_RESTART", Rule::Same("one container at a time")),
    (Tool::Watchtower, "STOP_TIMEOUT TIMEOUT", Rule::Nothing("a container's own stop timeout counts")),
    (Tool::Watchtower, "SCOPE", Rule::Nothing("no scopes: --update-only and --update-skip go by name")),
    (Tool::Watchtower, "LABEL_TAKE_PRECEDENCE", Rule::Same("labels win over flags")),
    (Tool::Watchtower, "HTTP_API_*", Rule::Nothing("nothing can be started over HTTP; --listen only tells")),
    (Tool::Watchtower, "NOTIFICATION* NOTIFICATIONS*", NOTICES),
    (Tool::Watchtower, "DEBUG", Rule::Switch("-v", "")),
    (Tool::Watchtower, "TRACE", Rule::Switch("-vv", "")),
    (Tool::Watchtower, "LOG_LEVEL", Rule::Level),
    (Tool::Watchtower, "LOG_FORMAT NO_COLOR PORCELAIN NO_STARTUP_MESSAGE WARN_ON_HEAD_FAILURE", LOGS),
    (Tool::Watchtower, "HEALTH_CHECK", Rule::Nothing("`unsinkable status` asks the daemon")),
    (Tool::Watchtower, "HOST DOCKER_HOST", Rule::Host),
    (Tool::Watchtower, "API_VERSION DOCKER_API_VERSION", NEGOTIATED),
    (
        Tool::Watchtower,
        "TLSVERIFY DOCKER_TLS_VERIFY DOCKER_CERT_PATH",
        Rule::Nothing("only Docker's socket is spoken to"),
    ),
    (
        Tool::Watchtower,
        "COOLDOWN_DELAY",
        Rule::Time("--min-age", "counts from when the image was first seen here"),
    ),
    (Tool::Watchtower, "REPO_USER REPO_PASS", Rule::Secret),
    (Tool::Watchtower, "TZ", LOCAL_TIME),
    (Tool::Cleanup, "CLEAN_PERIOD", Rule::Time("--prune-every", "")),
    (
        Tool::Cleanup,
        "DELAY_TIME",
        Rule::Time(
            "--grace",
            "stopped containers have this grace, too, and it counts only while the daemon looks",
        ),
    ),
    (Tool::Cleanup, "KEEP_IMAGES", Rule::List("--keep-image", "")),
    (Tool::Cleanup, "KEEP_CONTAINERS", Rule::List("--keep-image", KEPT)),
    (Tool::Cleanup, "KEEP_CONTAINERS_NAMED", Rule::List("--keep-container", "")),
    (Tool::Cleanup, "LOOP", Rule::Off("`unsinkable prune` does one round; run goes on")),
    (Tool::Cleanup, "DEBUG", Rule::Switch("-v", "")),
    (Tool::Cleanup, "DOCKER_API_VERSION", NEGOTIATED),
    (
        Tool::Gc,
        "GRACE_PERIOD_SECONDS",
        Rule::Time(
            "--grace",
            "an image has its grace from when it is seen unused here, not from when it was built",
        ),
    ),
    (Tool::Gc, "MINIMUM_IMAGES_TO_SAVE", Rule::Value("--keep-per-repo", "")),
    (Tool::Gc, "FORCE_IMAGE_REMOVAL FORCE_CONTAINER_REMOVAL", FORCE),
    (Tool::Gc, "REMOVE_VOLUMES", Rule::On("volumes stay: --prune-volumes anonymous, or names, lets them go")),
    (Tool::Gc, "REMOVE_ASSOCIATED_VOLUME", Rule::On("a container's volumes stay: --prune-volumes anonymous")),
    (Tool::Gc, "EXCLUDE_VOLUMES_IDS_FILE", Rule::Nothing("give each of its lines as --keep-volume")),
    (
        Tool::Gc,
        "VOLUME_DELETE_ONLY_DRIVER",
        Rule::Same("only local volumes ever go, and only those that are named"),
    ),
    (Tool::Gc, "EXCLUDE_FROM_GC", Rule::Nothing("give each of its lines as --keep-image")),
    (Tool::Gc, "EXCLUDE_CONTAINERS_FROM_GC", Rule::Nothing("give each of its lines as --keep-container")),
    (Tool::Gc, "EXCLUDE_DEAD", Rule::Nothing("dead containers go as stopped ones do")),
    (Tool::Gc, "DRY_RUN", Rule::TellsOnly("`unsinkable prune --dry-run` tells and removes nothing")),
    (Tool::Gc, "LOG_TO_SYSLOG SYSLOG_*", LOGS),
    (Tool::Gc, "STATE_DIR PID_DIR", Rule::Nothing("belongs to how docker-gc is run")),
    (Tool::Gc, "CRON", Rule::Nothing("rounds come every --prune-every")),
];

/// What becomes of a tool's setting; `None` where it has none of this name.
pub fn rule(tool: Tool, name: &str) -> Option<Rule> {
    let is_it = |known: &str| match known.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => known == name,
    };
    let mut rows = ROWS.iter().filter(|(whose, ..)| *whose == tool);
    rows.find(|(_, names, _)| names.split_ascii_whitespace().any(is_it)).map(|(.., rule)| *rule)
}

/// Is it one of this tool's settings?
pub fn knows(tool: Tool, name: &str) -> bool {
    rule(tool, tool.bare(name)).is_some()
}
