//! Does a new container run well? Judged by what `GET /containers/{id}/json` says of its state, again and again.

use core::time::Duration;
use serde_json::Value;

/// How long a container is watched that has nothing else to say about it. Docker's own default of 5 s for services is
/// blind to what fails at its first request.
pub const BAKE: Duration = Duration::from_secs(60);
/// Beyond the time a health check may take at the slowest by its own settings: start of the container, a busy machine.
const HEALTH_SLACK: Duration = Duration::from_secs(30);
/// Docker's defaults for a health check: interval and timeout, and retries.
const INTERVAL: Duration = Duration::from_secs(30);
const RETRIES: u32 = 3;
/// As much of a health check's output as fits in a report's line.
const OUTPUT: usize = 160;

/// State of the health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// There is none.
    None,
    /// No answer counts yet.
    Starting,
    /// The last one was good.
    Healthy,
    /// Failed as often as it may; the last output.
    Unhealthy(String),
}

/// One look at a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Runs now (restarting does not count).
    pub running: bool,
    /// Docker has restarted it since it was created, or is about to.
    pub restarted: bool,
    /// Of the last exit.
    pub exit_code: i64,
    /// The kernel killed it for want of memory.
    pub out_of_memory: bool,
    /// Health check.
    pub health: Health,
}

/// How long to wait for a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// It has to run this long without a fault.
    pub bake: Duration,
    /// It has to be healthy by then.
    pub healthy: Duration,
}

/// What is to be said so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Look again.
    NotYet,
    /// It runs well.
    Good,
    /// It does not, and why.
    Bad(String),
}

/// Reads `State` and `RestartCount`.
pub fn look(container: &Value) -> Look {
    let state = &container["State"];
    let restarting = state["Restarting"] == true;
    let health = match state["Health"]["Status"].as_str() {
        Some("starting") => Health::Starting,
        Some("healthy") => Health::Healthy,
        Some("unhealthy") => Health::Unhealthy(last_output(&state["Health"]["Log"])),
        Some(_) | None => Health::None,
    };
    Look {
        running: state["Running"] == true && !restarting,
        restarted: restarting || container["RestartCount"].as_u64().unwrap_or(0) > 0,
        exit_code: state["ExitCode"].as_i64().unwrap_or(0),
        out_of_memory: state["OOMKilled"] == true,
        health,
    }
}

fn last_output(log: &Value) -> String {
    let last = log.as_array().and_then(|entries| entries.last());
    let text = last.and_then(|entry| entry["Output"].as_str()).unwrap_or_default();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(OUTPUT).collect()
}

/// How long to watch a container (inspected): `bake` and `deadline` where they were asked for, else by its health check.
pub fn patience(container: &Value, bake: Option<Duration>, deadline: Option<Duration>) -> Patience {
    let check = &container["Config"]["Healthcheck"];
    let nanos = |field: &str| check[field].as_u64().filter(|nanos| *nanos > 0).map(Duration::from_nanos);
    let interval = nanos("Interval").unwrap_or(INTERVAL);
    let timeout = nanos("Timeout").unwrap_or(INTERVAL);
    let retries = check["Retries"].as_u64().and_then(|retries| u32::try_from(retries).ok());
    let retries = retries.filter(|retries| *retries > 0).unwrap_or(RETRIES);
    let start = nanos("StartPeriod").unwrap_or_default();
    let bake = bake.unwrap_or(BAKE);
    let slowest = start.saturating_add(interval.saturating_add(timeout).saturating_mul(retries + 1));
    let healthy = slowest.saturating_add(HEALTH_SLACK).max(bake);
    Patience { bake, healthy: deadline.unwrap_or(healthy) }
}

/// Judges a container that was started `since` ago.
pub fn judge(look: &Look, since: Duration, patience: Patience) -> Judgement {
    if look.out_of_memory {
        return Judgement::Bad("was killed: out of memory".into());
    }
    if look.restarted {
        return Judgement::Bad(format!("exited with code {} and was restarted", look.exit_code));
    }
    if !look.running {
        return Judgement::Bad(format!("exited with code {}", look.exit_code));
    }
    match &look.health {
        Health::Unhealthy(output) if output.is_empty() => Judgement::Bad("is unhealthy".into()),
        Health::Unhealthy(output) => Judgement::Bad(format!("is unhealthy: {output}")),
        Health::Starting if since >= patience.healthy => {
            Judgement::Bad(format!("is not healthy after {} s", since.as_secs()))
        }
        Health::None | Health::Healthy if since >= patience.bake => Judgement::Good,
        Health::Starting | Health::None | Health::Healthy => Judgement::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECOND: u64 = 1_000_000_000;
    const PATIENCE: Patience = Patience { bake: Duration::from_secs(60), healthy: Duration::from_secs(90) };

    fn after(secs: u64, state: &Value) -> Judgement {
        judge(&look(state), Duration::from_secs(secs), PATIENCE)
    }

    fn bad(why: &str) -> Judgement {
        Judgement::Bad(why.into())
    }

    #[test]
    fn without_a_health_check_it_has_to_stay_up() {
        let up = || json!({"State": {"Status": "running", "Running": true, "Restarting": false}, "RestartCount": 0});
        assert_eq!(after(59, &up()), Judgement::NotYet);
        assert_eq!(after(60, &up()), Judgement::Good);
    }

    #[test]
    fn an_exit_is_bad_whatever_its_code() {
        let down = json!({"State": {"Running": false, "ExitCode": 1}, "RestartCount": 0});
        assert_eq!(after(1, &down), bad("exited with code 1"));
        let done = json!({"State": {"Running": false, "ExitCode": 0}});
        assert_eq!(after(1, &done), bad("exited with code 0"));
        let again =
            json!({"State": {"Running": true, "Restarting": false, "ExitCode": 0}, "RestartCount": 2});
        assert_eq!(after(100, &again), bad("exited with code 0 and was restarted"));
        let looping =
            json!({"State": {"Running": true, "Restarting": true, "ExitCode": 3}, "RestartCount": 0});
        assert_eq!(after(1, &looping), bad("exited with code 3 and was restarted"));
        let killed = json!({"State": {"Running": false, "ExitCode": 137, "OOMKilled": true}});
        assert_eq!(after(1, &killed), bad("was killed: out of memory"));
    }

    #[test]
    fn a_health_check_has_to_be_good_in_time() {
        let health = |status: &str| {
            json!({"State": {"Running": true, "Health": {"Status": status, "Log": [
                {"Output": "first"}, {"Output": "\n wget: refused \nmore"}]}}})
        };
        assert_eq!(after(70, &health("starting")), Judgement::NotYet);
        assert_eq!(after(90, &health("starting")), bad("is not healthy after 90 s"));
        assert_eq!(after(30, &health("healthy")), Judgement::NotYet);
        assert_eq!(after(61, &health("healthy")), Judgement::Good);
        assert_eq!(after(5, &health("unhealthy")), bad("is unhealthy: wget: refused"));
    }

    #[test]
    fn the_health_check_says_how_slow_it_may_be() {
        let check = json!({"Config": {"Healthcheck": {"Interval": 10 * SECOND, "Timeout": 5 * SECOND, "Retries": 2,
            "StartPeriod": 120 * SECOND}}});
        // 120 + 3 * 15 + 30.
        let slow = Patience { bake: Duration::from_secs(60), healthy: Duration::from_secs(195) };
        assert_eq!(patience(&check, None, None), slow);
        // Docker's defaults: 4 * (30 + 30) + 30.
        let plain = json!({"Config": {"Healthcheck": {"Test": ["CMD", "ok"]}}});
        assert_eq!(patience(&plain, None, None).healthy, Duration::from_secs(270));
        let asked = patience(&check, Some(Duration::from_secs(5)), Some(Duration::from_secs(40)));
        assert_eq!(asked, Patience { bake: Duration::from_secs(5), healthy: Duration::from_secs(40) });
    }
}
