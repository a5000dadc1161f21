//! What the settings of shepherd, gantry, watchtower, docker-cleanup and docker-gc are here. Data.

use super::sheet::Text;
use super::table;

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

impl Tool {
    /// All of them; a name that holds another's comes first.
    pub const ALL: [Self; 5] = [Self::Shepherd, Self::Gantry, Self::Watchtower, Self::Cleanup, Self::Gc];

    /// As its image is called.
    pub fn name(self) -> Text {
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
}

/// What becomes of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A time, in seconds or with units, as this flag; what is different, if anything.
    Time,
    /// Names, apart by blanks or commas, each as this flag.
    List,
    /// A number as this flag.
    Value,
    /// Where it is on, this flag.
    Switch,
    /// Where it is on, it is otherwise here; off is how it is here.
    On,
    /// Where it is off, it is otherwise here.
    Off,
    /// On with any value at all, `false` too; otherwise here.
    Any,
    /// Where it is on, the tool only told: its flags that act are left out.
    TellsOnly,
    /// Where it is off, no pruning.
    Cleanup,
    /// A cron expression.
    Cron,
    /// A socket, as `unix://…`.
    Host,
    /// debug, info, warn, error.
    Level,
    /// A credential.
    Secret,
    /// It is so anyway.
    Same,
    /// Nothing here does it.
    Nothing,
}

impl Kind {
    /// Each by its name in the table.
    const NAMES: [(&str, Self); 15] = [
        ("Time", Self::Time),
        ("List", Self::List),
        ("Value", Self::Value),
        ("Switch", Self::Switch),
        ("On", Self::On),
        ("Off", Self::Off),
        ("Any", Self::Any),
        ("TellsOnly", Self::TellsOnly),
        ("Cleanup", Self::Cleanup),
        ("Cron", Self::Cron),
        ("Host", Self::Host),
        ("Level", Self::Level),
        ("Secret", Self::Secret),
        ("Same", Self::Same),
        ("Nothing", Self::Nothing),
    ];

    /// Would it be the same here without this setting? `on`: how its value reads as yes or no.
    pub fn says_nothing(self, value: &str, on: bool) -> bool {
        match self {
            Self::Time | Self::Value | Self::Cron | Self::Host | Self::Secret | Self::Nothing => {
                value.is_empty()
            }
            Self::Switch | Self::On | Self::TellsOnly => !on,
            Self::Off => on,
            Self::List | Self::Any | Self::Cleanup | Self::Level | Self::Same => false,
        }
    }

    /// What the flags begin with that the tool has without this setting, and has not with it.
    pub fn drops(self, on: bool) -> &'static str {
        match self {
            Self::TellsOnly if on => "--",
            Self::Cleanup if !on => "--prune",
            Self::TellsOnly
            | Self::Cleanup
            | Self::Time
            | Self::List
            | Self::Value
            | Self::Switch
            | Self::On
            | Self::Off
            | Self::Any
            | Self::Cron
            | Self::Host
            | Self::Level
            | Self::Secret
            | Self::Same
            | Self::Nothing => "",
        }
    }
}

/// What becomes of one tool's setting.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What of.
    pub kind: Kind,
    /// The flag, or `-`.
    pub flag: &'static str,
    /// For the person; may be empty.
    pub why: &'static str,
}

/// Tool, [`Kind`], the flag, the settings.
const ROWS: &str = "\
    shepherd Time --update-every SLEEP_TIME\n\
    shepherd List --update-skip IGNORELIST_SERVICES BLACKLIST_SERVICES\n\
    shepherd List --update-only FILTER_SERVICES\n\
    shepherd Any - RUN_ONCE_AND_EXIT | @ONCE\n\
    shepherd Any - WITH_REGISTRY_AUTH | services keep the credentials they were created with; to ask private \
     registries, give --registry-auth-file\n\
    shepherd Any - WITH_INSECURE_REGISTRY | Docker's own insecure-registries counts\n\
    shepherd Any - WITH_NO_RESOLVE_IMAGE | images are always resolved to their digest\n\
    shepherd Secret - REGISTRY_USER REGISTRY_PASSWORD REGISTRY_HOST REGISTRIES_FILE\n\
    shepherd Any - ROLLBACK_ON_FAILURE | @BACK\n\
    shepherd Nothing - UPDATE_OPTIONS ROLLBACK_OPTIONS | @OPTIONS\n\
    shepherd Time --rollout-deadline TIMEOUT | @DEADLINE\n\
    shepherd Value --keep-per-repo IMAGE_AUTOCLEAN_LIMIT | on every node, after --grace; and stopped \
     containers only after it\n\
    shepherd Nothing - APPRISE_SIDECAR_URL | @NOTICES\n\
    shepherd Same - TZ | @LOCAL_TIME\n\
    shepherd Same - HOSTNAME VERBOSE | @LOGS\n\
    gantry Time --update-every SLEEP_SECONDS\n\
    gantry List --update-skip SERVICES_EXCLUDED\n\
    gantry List --update-skip SERVICES_EXCLUDED_FILTERS\n\
    gantry List --update-only SERVICES_FILTERS\n\
    gantry Time --rollout-deadline UPDATE_TIMEOUT_SECONDS | @DEADLINE\n\
    gantry Off - ROLLBACK_ON_FAILURE | @BACK\n\
    gantry On - UPDATE_JOBS | jobs are never updated: an update would run them again\n\
    gantry Same - UPDATE_NUM_WORKERS | one service at a time\n\
    gantry Nothing - UPDATE_OPTIONS ROLLBACK_OPTIONS CLEANUP_IMAGES_OPTIONS PRE_RUN_CMD POST_RUN_CMD | \
     @OPTIONS\n\
    gantry Cleanup - CLEANUP_IMAGES | @LIKE_CLEANUP\n\
    gantry Nothing - MANIFEST_* | @REGISTRY\n\
    gantry Nothing - NOTIFICATION_* APPRISE_* | @NOTICES\n\
    gantry Level - LOG_LEVEL\n\
    gantry Same - LOG_FORMAT NODE_NAME | @LOGS\n\
    gantry Nothing - TRIGGER_PATH | `unsinkable update` starts a round\n\
    gantry Secret - REGISTRY_* REGISTRY_CONFIGS_FILE DOCKER_CONFIG\n\
    gantry Same - TZ | @LOCAL_TIME\n\
    watchtower Time --update-every POLL_INTERVAL INTERVAL\n\
    watchtower Cron - SCHEDULE\n\
    watchtower Switch --prune CLEANUP | @LIKE_CLEANUP\n\
    watchtower On - REMOVE_VOLUMES | an update takes the volumes along, anonymous ones too\n\
    watchtower On - INCLUDE_STOPPED REVIVE_STOPPED INCLUDE_RESTARTING | only running containers are updated\n\
    watchtower On - LABEL_ENABLE | ALL containers are updated but those labelled …watchtower.enable=false or \
     unsinkable.update=false: name those to update with --update-only\n\
    watchtower List --update-skip DISABLE_CONTAINERS\n\
    watchtower TellsOnly - MONITOR_ONLY | `unsinkable update --dry-run` tells and does nothing\n\
    watchtower On - NO_PULL | the label unsinkable.no-pull does that for a container\n\
    watchtower On - NO_RESTART | there is no update without a new container\n\
    watchtower On - RUN_ONCE | @ONCE\n\
    watchtower Same - ROLLING_RESTART | one container at a time\n\
    watchtower Nothing - STOP_TIMEOUT TIMEOUT | a container's own stop timeout counts\n\
    watchtower Nothing - SCOPE | no scopes: --update-only and --update-skip go by name\n\
    watchtower Same - LABEL_TAKE_PRECEDENCE | labels win over flags\n\
    watchtower Nothing - HTTP_API_* | nothing can be started over HTTP; --listen only tells\n\
    watchtower Nothing - NOTIFICATION* NOTIFICATIONS* | @NOTICES\n\
    watchtower Switch -v DEBUG\n\
    watchtower Switch -vv TRACE\n\
    watchtower Level - LOG_LEVEL\n\
    watchtower Same - LOG_FORMAT NO_COLOR PORCELAIN NO_STARTUP_MESSAGE WARN_ON_HEAD_FAILURE | @LOGS\n\
    watchtower Nothing - HEALTH_CHECK | `unsinkable status` asks the daemon\n\
    watchtower Host - HOST DOCKER_HOST\n\
    watchtower Same - API_VERSION DOCKER_API_VERSION | @NEGOTIATED\n\
    watchtower Nothing - TLSVERIFY DOCKER_TLS_VERIFY DOCKER_CERT_PATH | only Docker's socket is spoken to\n\
    watchtower Time --min-age COOLDOWN_DELAY | counts from when the image was first seen here\n\
    watchtower Secret - REPO_USER REPO_PASS\n\
    watchtower Same - TZ | @LOCAL_TIME\n\
    docker-cleanup Time --prune-every CLEAN_PERIOD\n\
    docker-cleanup Time --grace DELAY_TIME | stopped containers have this grace, too, and it counts only \
     while the daemon looks\n\
    docker-cleanup List --keep-image KEEP_IMAGES\n\
    docker-cleanup List --keep-image KEEP_CONTAINERS | @KEPT\n\
    docker-cleanup List --keep-container KEEP_CONTAINERS_NAMED\n\
    docker-cleanup Off - LOOP | `unsinkable prune` does one round; run goes on\n\
    docker-cleanup Switch -v DEBUG\n\
    docker-cleanup Same - DOCKER_API_VERSION | @NEGOTIATED\n\
    docker-gc Time --grace GRACE_PERIOD_SECONDS | an image has its grace from when it is seen unused here, \
     not from when it was built\n\
    docker-gc Value --keep-per-repo MINIMUM_IMAGES_TO_SAVE\n\
    docker-gc On - FORCE_IMAGE_REMOVAL FORCE_CONTAINER_REMOVAL | @FORCE\n\
    docker-gc On - REMOVE_VOLUMES | volumes stay: --prune-volumes anonymous, or names, lets them go\n\
    docker-gc On - REMOVE_ASSOCIATED_VOLUME | a container's volumes stay: --prune-volumes anonymous\n\
    docker-gc Nothing - EXCLUDE_VOLUMES_IDS_FILE | give each of its lines as --keep-volume\n\
    docker-gc Same - VOLUME_DELETE_ONLY_DRIVER | only local volumes ever go, and only those that are named\n\
    docker-gc Nothing - EXCLUDE_FROM_GC | give each of its lines as --keep-image\n\
    docker-gc Nothing - EXCLUDE_CONTAINERS_FROM_GC | give each of its lines as --keep-container\n\
    docker-gc Nothing - EXCLUDE_DEAD | dead containers go as stopped ones do\n\
    docker-gc TellsOnly - DRY_RUN | `unsinkable prune --dry-run` tells and removes nothing\n\
    docker-gc Same - LOG_TO_SYSLOG SYSLOG_* | @LOGS\n\
    docker-gc Nothing - STATE_DIR PID_DIR | belongs to how docker-gc is run\n\
    docker-gc Nothing - CRON | rounds come every --prune-every\n\
    @ONCE | `unsinkable update` does one round; run goes on\n\
    @BACK | what fails is always rolled back, and held until its tag moves\n\
    @OPTIONS | no options of the docker command: Docker is asked directly\n\
    @DEADLINE | what does not run by then is rolled back\n\
    @NOTICES | no notices are sent: --on-change PROGRAM can\n\
    @LOCAL_TIME | times of day are the machine's local time\n\
    @LOGS | the log goes to stderr, and so to the journal\n\
    @LIKE_CLEANUP | not the moment after an update: what is unused for --grace goes, and what a rollback \
     needs stays\n\
    @REGISTRY | images are compared by digest, as Docker itself asks the registry for it\n\
    @NEGOTIATED | the version of Docker's API is negotiated\n\
    @KEPT | kept are containers and images whose image has this name\n\
    @FORCE | nothing is removed by force\n\
    ";

/// What becomes of a tool's setting; `None` where it has none of this name.
pub fn rule(tool: Tool, name: &str) -> Option<Rule> {
    let row = table::row(ROWS, tool.name(), name)?;
    let (_, kind) = Kind::NAMES.into_iter().find(|(name, _)| *name == row.first)?;
    Some(Rule { kind, flag: row.second, why: row.why })
}

/// Is it one of this tool's settings?
pub fn knows(tool: Tool, name: &str) -> bool {
    rule(tool, tool.bare(name)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_tool_and_a_kind() {
        let rows: Vec<&str> = ROWS.lines().filter(|row| !row.starts_with('@')).collect();
        assert!(rows.len() > 70, "{}", rows.len());
        for row in rows {
            let words: Vec<&str> = row.split(' ').collect();
            let tool = Tool::ALL.into_iter().find(|tool| tool.name() == words[0]);
            assert!(rule(tool.expect(row), words[3].trim_end_matches('*')).is_some(), "{row}");
        }
    }
}
