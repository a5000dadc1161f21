//! What the settings of shepherd, gantry, watchtower, docker-cleanup and docker-gc are here. Data.
//!
//! ```text
//! Time       a time, in seconds or with units, as this flag; what is different, if anything
//! List       names, apart by blanks or commas, each as this flag
//! Value      a number as this flag
//! Switch     where it is on, this flag
//! On         where it is on, it is otherwise here; off is how it is here
//! Off        where it is off, it is otherwise here
//! Any        on with any value at all, `false` too; otherwise here
//! TellsOnly  where it is on, the tool only told: its flags that act are left out
//! Cleanup    where it is off, no pruning
//! Cron       a cron expression
//! Host       a socket, as `unix://…`
//! Level      debug, info, warn, error
//! Secret     a credential
//! Same       it is so anyway
//! Nothing    nothing here does it
//! ```

use super::table::{self, Row};
use super::tools::Tool;

/// Tool, what becomes of it, the flag, the settings.
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

/// What becomes of a tool's setting; `None` where it has none of this name. `first` is one of the kinds above, `second`
/// its flag.
pub fn rule(tool: Tool, name: &str) -> Option<Row> {
    table::row(ROWS, tool.name(), name)
}

/// Is it one of this tool's settings?
pub fn knows(tool: Tool, name: &str) -> bool {
    rule(tool, tool.bare(name)).is_some()
}
