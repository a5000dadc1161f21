//! The files in `systemd/monitoring/`: Prometheus itself checks the rules and runs their tests, and nothing there reads a
//! metric that `/metrics` does not have.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const DASHBOARD: &str = "systemd/monitoring/grafana-dashboard.json";
const RULES: &str = "systemd/monitoring/unsinkable.rules.yml";
/// Grafana's grid.
const COLUMNS: u64 = 24;
/// Those of Grafana's units (the ids in `valueFormats/categories` of its package `@grafana/data` 12.3) that may be used.
const UNITS: [&str; 5] = ["s", "bytes", "percentunit", "pps", "celsius"];
/// What each kind of panel may be told, as its type in `@grafana/schema` 10 to 13 has it.
const OPTIONS: [(&str, &[&str]); 4] = [
    ("timeseries", &["legend", "tooltip"]),
    ("stat", &["colorMode", "graphMode", "justifyMode", "orientation", "reduceOptions", "textMode"]),
    ("bargauge", &["displayMode", "orientation", "reduceOptions", "showUnfilled"]),
    ("state-timeline", &["alignValue", "mergeValues", "rowHeight", "showValue", "legend", "tooltip"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs promtool; nothing where it is missing, which fails under CI.
fn promtool(arguments: &[&str]) -> Option<()> {
    if !Path::new("/usr/bin/promtool").exists() {
        eprintln!("\n*** SKIPPED: promtool is not installed (run tests/setup) ***");
        assert!(std::env::var_os("CI").is_none(), "promtool is not installed");
        return None;
    }
    let out = Command::new("promtool").args(arguments).current_dir(root()).output().expect("it starts");
    let text = [out.stdout, out.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(out.status.success(), "promtool {arguments:?}\n{text}");
    Some(())
}

/// The names in `text` that begin with `unsinkable_`.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c: char| !is_name(c));
    words.filter(|word| word.starts_with("unsinkable_")).map(str::to_owned).collect()
}

/// What stands behind `- alert:` or `alertname:`.
fn alerts(text: &str, key: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix(key));
    names.map(|name| name.trim().to_owned()).collect()
}

/// The names that `/metrics` is written with: the first word of a table's line, or of a call of `metric`.
fn offered() -> BTreeSet<String> {
    let source = read("src/report/metrics.rs");
    let code = source.split("#[cfg(test)]").next().expect("the code comes first");
    let name = |line: &str| {
        let calls = ["metric(&mut out, \"", "metric(out, \""];
        let call = calls.iter().find_map(|call| line.split_once(call)).map(|(_, rest)| rest);
        let entry = line.trim().strip_prefix("(\"").filter(|rest| rest.contains("\", \""));
        Some(format!("unsinkable_{}", call.or(entry)?.split('"').next()?))
    };
    code.lines().filter_map(name).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read(DASHBOARD)).expect("JSON")
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().expect("panels")
}

/// Each query of the dashboard, with the title of its panel.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let of = |panel: &Value| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets
            .into_iter()
            .map(move |target| (title.clone(), target["expr"].as_str().expect("a query").to_owned()))
    };
    panels(dashboard).iter().flat_map(of).collect()
}

#[test]
fn prometheus_takes_rules_and_configuration() {
    let _ = promtool(&["check", "rules", RULES]);
    let _ = promtool(&["check", "config", "systemd/monitoring/prometheus.yml"]);
}

#[test]
fn each_alert_fires_when_it_should_and_not_before() {
    let tests = read("tests/monitoring/rules.test.yml");
    assert_eq!(alerts(&read(RULES), "alert:"), alerts(&tests, "alertname:"), "every alert has a test");
    let _ = promtool(&["test", "rules", "tests/monitoring/rules.test.yml"]);
}

#[test]
fn only_metrics_that_exist_are_read() {
    let offered = offered();
    assert!(offered.contains("unsinkable_vrrp_state") && offered.len() > 50, "{offered:?}");
    for file in [DASHBOARD, RULES] {
        let used = metrics(&read(file));
        assert!(used.len() > 15, "{file}: {used:?}");
        let unknown: Vec<&String> = used.difference(&offered).collect();
        assert!(unknown.is_empty(), "{file} reads what /metrics does not have: {unknown:?}");
    }
}

#[test]
fn the_documented_metrics_are_those_that_exist() {
    assert_eq!(metrics(&read("systemd/monitoring/README.md")), offered(), "left: README.md, right: /metrics");
}

#[test]
fn the_dashboard_is_one_that_grafana_imports() {
    let dashboard = dashboard();
    assert_eq!(dashboard["uid"], "unsinkable");
    assert_eq!(dashboard["title"], "unsinkable");
    assert!(dashboard["schemaVersion"].as_u64() >= Some(36), "Grafana 9 and later");
    assert!(dashboard["id"].is_null(), "a number would be of the Grafana it came from");
    let source = &dashboard["templating"]["list"][0];
    assert_eq!(
        (&source["name"], &source["type"], &source["query"]),
        (&"datasource".into(), &"datasource".into(), &"prometheus".into())
    );
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{panel}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a place"));
        assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{panel}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{} lies on another", panel["title"]);
        }
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().expect("queries");
        let references: BTreeSet<&str> =
            targets.iter().filter_map(|target| target["refId"].as_str()).collect();
        assert!(!targets.is_empty() && references.len() == targets.len(), "{panel}");
        for part in targets.iter().chain([panel]) {
            assert_eq!(part["datasource"]["uid"], "${datasource}", "{part}");
        }
    }
}

#[test]
fn grafana_knows_what_its_panels_are_told() {
    for panel in panels(&dashboard()).iter().filter(|panel| panel["type"] != "row") {
        let kind = panel["type"].as_str().expect("a type");
        let known = OPTIONS.iter().find(|(name, _)| *name == kind).expect("a kind that is checked").1;
        for (option, value) in panel["options"].as_object().expect("options") {
            assert!(known.contains(&option.as_str()), "{}: {option}", panel["title"]);
            assert!(option != "legend" || value["calcs"].is_array(), "{}: calcs", panel["title"]);
        }
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        assert!(unit.is_none_or(|unit| UNITS.contains(&unit)), "{}: {unit:?}", panel["title"]);
    }
}

/// Its import form asks for each of `__inputs` and puts the answer where the name stands.
#[test]
fn grafana_asks_for_the_data_source() {
    let dashboard = dashboard();
    let inputs = dashboard["__inputs"].as_array().expect("inputs");
    let [input] = &inputs[..] else { panic!("one question, not {}", inputs.len()) };
    assert_eq!((&input["type"], &input["pluginId"]), (&"datasource".into(), &"prometheus".into()));
    let place = format!("${{{}}}", input["name"].as_str().expect("a name"));
    assert_eq!(dashboard["templating"]["list"][0]["current"]["value"], place.as_str());
    assert_eq!(read(DASHBOARD).matches(&place).count(), 1, "all others go through the variable");
}

#[test]
fn variables_are_defined_and_used() {
    let dashboard = dashboard();
    let list = dashboard["templating"]["list"].as_array().expect("variables");
    let defined: BTreeSet<String> =
        list.iter().map(|variable| variable["name"].as_str().expect("a name").to_owned()).collect();
    let text = read(DASHBOARD).replace("\"$__all\"", "").replace("${DS_PROMETHEUS}", "");
    let name = |rest: &str| {
        let rest = rest.trim_start_matches('{');
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    let mut used: BTreeSet<String> = text.split('$').skip(1).map(name).collect();
    assert!(used.remove("__rate_interval"), "Grafana's own");
    assert_eq!(used, defined);
}

/// The labels of each metric, as README.md has them.
fn labels() -> BTreeMap<String, BTreeSet<String>> {
    let readme = read("systemd/monitoring/README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `unsinkable_"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        // `kind` (`updates`, `pruning`): what is in brackets are values.
        let labels = cells[2].split('(').next().expect("a first piece");
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let labels: BTreeSet<String> = quoted(labels).into_iter().collect();
        quoted(cells[1]).into_iter().map(move |metric| (metric, labels.clone())).collect::<Vec<_>>()
    };
    rows.flat_map(row).collect()
}

#[test]
fn legends_name_labels_that_the_query_leaves() {
    let labels = labels();
    let mut checked = 0;
    for target in panels(&dashboard()).iter().filter_map(|panel| panel["targets"].as_array()).flatten() {
        let [query, legend] = ["expr", "legendFormat"].map(|key| target[key].as_str().expect("text"));
        let mut left: BTreeSet<String> = match query.split_once(" by (") {
            Some((_, rest)) => {
                let list = rest.split(')').next().expect("a first piece");
                list.split(',').map(|label| label.trim().to_owned()).collect()
            }
            None if query.starts_with("max(") => BTreeSet::new(),
            None => ["instance".to_owned()].into(),
        };
        if left.contains("instance") {
            left.extend(metrics(query).iter().filter_map(|metric| labels.get(metric)).flatten().cloned());
        }
        for label in legend.split("{{").skip(1).map(|rest| rest.split("}}").next().expect("a first piece")) {
            assert!(left.contains(label), "{legend}: {query} leaves {left:?}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

/// As recording rules, which promtool checks.
#[test]
fn the_queries_of_the_dashboard_are_well_formed() {
    let queries = queries(&dashboard());
    assert!(queries.len() > 30, "{}", queries.len());
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    for (index, (title, query)) in queries.iter().enumerate() {
        let query = query.replace("$__rate_interval", "5m").replace("$instance", ".*");
        assert!(!query.contains('$'), "{title}: {query}");
        let line = format!("      - record: q{index}\n        expr: {}\n", Value::String(query));
        rules.push_str(&line);
    }
    let file = std::env::temp_dir().join(format!("unsinkable-dashboard.{}.yml", std::process::id()));
    fs::write(&file, rules).expect("the temporary directory is writable");
    let path = file.to_str().expect("a plain path").to_owned();
    let checked = std::panic::catch_unwind(|| promtool(&["check", "rules", &path]));
    fs::remove_file(&file).expect("it is ours");
    checked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
