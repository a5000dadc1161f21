//! A headless Chromium, driven by chromedriver over WebDriver (plain HTTP and JSON). Both end with the value, by PID.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// For everything a browser shows on a machine busy with builds, a rollout in a Swarm among it.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// It runs as root and alone, and must ask nothing of the outside.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en-GB",
];

/// Light or dark.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    Light,
    Dark,
}

pub struct Browser {
    driver: Child,
    addr: SocketAddr,
    session: String,
    profile: PathBuf,
}

/// False where Chromium is not installed: says so loudly, and fails under CI.
pub fn can_run() -> bool {
    let is_there = |program: &str| Path::new("/usr/bin").join(program).exists();
    if ["chromium", "chromedriver"].into_iter().all(is_there) {
        return true;
    }
    let name = thread::current().name().unwrap_or("page").to_owned();
    eprintln!("\n*** SKIPPED {name}: chromium and chromium-driver are not installed (run tests/setup) ***");
    assert!(std::env::var_os("CI").is_none(), "{name} cannot run here");
    false
}

impl Browser {
    /// One with a fresh profile, in this thread's network namespace.
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short: Chromium puts unix sockets below it, and their paths have 107 bytes.
        let profile = PathBuf::from(format!("/tmp/un-page.{}.{count}", std::process::id()));
        fs::create_dir_all(&profile).expect("/tmp is writable");
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", &profile)
            .env("TMPDIR", &profile)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver starts");
        let port = port(&mut driver);
        let mut browser =
            Self { driver, addr: ([127, 0, 0, 1], port).into(), session: String::new(), profile };
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", browser.profile.join("profile").display()));
        let answer = browser.send(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": {
                "goog:chromeOptions": { "args": arguments },
                "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            } } }),
        );
        answer["sessionId"].as_str().expect("a session has a name").clone_into(&mut browser.session);
        browser
    }

    /// Loads a page.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// What this function body returns in the page.
    pub fn script(&self, body: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// What the promise returned by this function body resolves to.
    pub fn promise(&self, body: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {body} }})().then(done, error => done(String(error)))"
        );
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// The visible text of what a selector finds, all of it joined.
    pub fn text(&self, selector: &str) -> String {
        let found = format!(
            "return [...document.querySelectorAll({})].filter(e => e.checkVisibility()).map(e => e.innerText.replace(/\\s+/g, ' ')).join(' | ')",
            json!(selector)
        );
        self.script(&found).as_str().expect("text").to_owned()
    }

    /// Waits until the text of `selector` contains `wanted`; says what was there instead.
    #[track_caller]
    pub fn wait(&self, selector: &str, wanted: &str) {
        let begin = Instant::now();
        loop {
            let text = self.text(selector);
            if text.contains(wanted) {
                return;
            }
            let is_early = begin.elapsed() < PATIENCE;
            assert!(is_early, "{selector}: no {wanted:?} but {text:?}; {:?}", self.complaints());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A viewport of this width in pixels, in light or dark.
    pub fn look(&self, width: u32, scheme: Scheme) {
        let name = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": name }]);
        self.tool("Emulation.setEmulatedMedia", &json!({ "features": features }));
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.tool("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Writes the whole page as a picture to `target/page/`.
    pub fn picture(&self, name: &str) {
        let shot = self.tool("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        let bytes = base64(shot["data"].as_str().expect("a picture"));
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
        fs::create_dir_all(target.join("page")).expect("the target directory is ours");
        fs::write(target.join("page").join(format!("{name}.png")), bytes)
            .expect("the target directory is ours");
    }

    /// A command of the DevTools protocol.
    pub fn tool(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What the console said since it was last asked, warnings and errors.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().expect("a list").iter();
        entries
            .filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG")
            .map(Value::to_string)
            .collect()
    }

    /// The URLs that were asked for since it was last asked.
    pub fn requests(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "performance" }));
        let urls = log.as_array().expect("a list").iter().filter_map(|entry| {
            let entry: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &entry["message"];
            let is_request = message["method"] == "Network.requestWillBeSent";
            is_request.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned)).flatten()
        });
        urls.collect()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.send("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// One exchange; panics with what WebDriver says is wrong.
    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(self.addr).expect("chromedriver listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.addr,
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).expect("chromedriver reads");
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).expect("chromedriver answers") > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).expect("chromedriver answers");
        let mut answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let value = answer["value"].take();
        let shown: String = body.chars().take(200).collect();
        assert!(value["error"].is_null(), "{path} {shown}: {}: {}", value["error"], value["message"]);
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium is in chromedriver's process group, and in no other.
        let group = Pid::from_raw(i32::try_from(self.driver.id()).expect("a pid is an i32"));
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.driver.wait();
        for _ in 0..20 {
            if fs::remove_dir_all(&self.profile).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// "ChromeDriver was started successfully on port 41234."
fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
    let port = lines.by_ref().find_map(|line| {
        let line = line.expect("text");
        let rest = line.split_once("successfully on port ")?.1;
        rest.trim_end_matches('.').parse().ok()
    });
    // It goes on talking: somebody must read.
    thread::spawn(move || lines.for_each(drop));
    port.expect("chromedriver says its port")
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

/// `http://ADDR:PORT/`, with brackets where they belong.
pub fn url(addr: IpAddr, port: u16) -> String {
    format!("http://{}/", SocketAddr::new(addr, port))
}
