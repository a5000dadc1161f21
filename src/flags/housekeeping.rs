//! The flags of updates, pruning, log shipping and the status page.
#![expect(clippy::doc_markdown, reason = "these comments are the help text, read in a terminal")]

use clap::Args;

/// The flags as given; `jobs` reads their values.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Updates")]
pub struct HousekeepingArgs {
    /// Update Swarm services, plain containers or both to the newest image of their tag [default: swarm]
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "swarm")]
    #[arg(value_parser = ["swarm", "containers", "all"])]
    pub update: Option<String>,
    /// Between two rounds of updates. Docker Hub is asked as often as its limits allow, whatever this says
    #[arg(long, value_name = "D", default_value = "5m")]
    pub update_every: String,
    /// Update only services and containers of these names (the label unsinkable.update=true adds one)
    #[arg(long, value_name = "GLOB")]
    pub update_only: Vec<String>,
    /// Never update services and containers of these names (as the label unsinkable.update=false)
    #[arg(long, value_name = "GLOB")]
    pub update_skip: Vec<String>,
    /// Update only at this time of day (local time), as 02:00-05:00
    #[arg(long, value_name = "FROM-TO")]
    pub update_window: Option<String>,
    /// Leave a new image alone until it has been seen for this long
    #[arg(long, value_name = "D")]
    pub min_age: Option<String>,
    /// Watch an updated service this long; if a task of it fails, it is rolled back [default: 60s, or twice the
    /// interval of its health check]
    #[arg(long, value_name = "D")]
    pub bake: Option<String>,
    /// Roll back what does not run after this long [default: 15m, and 5m for each task]
    #[arg(long, value_name = "D")]
    pub rollout_deadline: Option<String>,
    /// Docker's config.json with registry passwords (readable by its owner only)
    #[arg(long, value_name = "PATH")]
    pub registry_auth_file: Option<String>,

    /// Remove unused containers, images and build cache
    #[arg(long, help_heading = PRUNING)]
    pub prune: bool,
    /// Between two rounds of pruning
    #[arg(long, value_name = "D", default_value = "30m", help_heading = PRUNING)]
    pub prune_every: String,
    /// How long something must be seen unused before it goes
    #[arg(long, value_name = "D", default_value = "30m", help_heading = PRUNING)]
    pub grace: String,
    /// Never remove these images: a name keeps all its tags; or name:tag, ID, patterns. As KEEP_IMAGES of docker-cleanup
    #[arg(long, value_name = "GLOB", value_delimiter = ',', help_heading = PRUNING)]
    pub keep_image: Vec<String>,
    /// Never remove containers of these names
    #[arg(long, value_name = "GLOB", value_delimiter = ',', help_heading = PRUNING)]
    pub keep_container: Vec<String>,
    /// Never remove volumes of these names
    #[arg(long, value_name = "GLOB", value_delimiter = ',', help_heading = PRUNING)]
    pub keep_volume: Vec<String>,
    /// Newest images kept of each repository: what a rollback goes back to
    #[arg(long, value_name = "N", default_value = "2", help_heading = PRUNING)]
    pub keep_per_repo: String,
    /// Volumes that may go: none, anonymous, or names. A named volume goes only if this names it
    #[arg(long, value_name = "none|anonymous|GLOB", default_value = "none", value_delimiter = ',')]
    #[arg(help_heading = PRUNING)]
    pub prune_volumes: Vec<String>,
    /// Percent of Docker's disk in use above which unused things go before their grace is over, oldest first
    #[arg(long, value_name = "PERCENT", default_value = "85", help_heading = PRUNING)]
    pub disk_high: String,
    /// Percent of disk in use at which that stops
    #[arg(long, value_name = "PERCENT", default_value = "75", help_heading = PRUNING)]
    pub disk_low: String,

    /// Ship container logs, with names, to udp://HOST:514 or tcp://HOST:601[?format=rfc5424|rfc3164&framing=lf|octet].
    /// All that is printed from the first start on; the label unsinkable.logs=false leaves a container out
    #[arg(long, value_name = "URL", help_heading = LOGS)]
    pub syslog: Option<String>,
    /// Take here what Docker's own syslog driver sends, put names for IDs, and send it on to --syslog
    #[arg(long, value_name = "ADDR:PORT", help_heading = LOGS)]
    pub syslog_relay: Option<String>,
    /// Serve a page, /status.json, /metrics, /healthz and /keep.json here, for reading only; to browsers that ask for an
    /// address, a local name or one of these names
    #[arg(long, value_name = "ADDR:PORT[,NAME...]", help_heading = LOGS)]
    pub listen: Option<String>,
    /// ceph-mgr's Prometheus module, as http://10.0.10.31:9283/metrics; name every manager's, one of them is active
    #[arg(long, value_name = "URL", help_heading = LOGS)]
    pub ceph: Vec<String>,
}

const PRUNING: &str = "Pruning";
const LOGS: &str = "Logs and page";
