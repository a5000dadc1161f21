//! The two registries at the switch: one for everybody, one behind a login.

use super::http::{self, Reply};
use super::image::{self, Image, MANIFEST};
use crate::net::netns;
use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Its address on the lab's LAN.
pub const ADDRESS: &str = "10.0.10.200";
/// The registry without login, as image references have it.
pub const OPEN: &str = "10.0.10.200:5000";
/// The registry with login.
pub const PRIVATE: &str = "10.0.10.200:5001";
/// The one user of [`PRIVATE`].
pub const USER: &str = "lab";
/// What must show up in no log.
pub const PASSWORD: &str = "lab-secret";
/// `lab:lab-secret` in base64: `auth` in Docker's config.json.
pub const AUTH: &str = "bGFiOmxhYi1zZWNyZXQ=";
/// The same as an htpasswd line (bcrypt).
const HTPASSWD: &str = "lab:$2y$05$abcdefghijklmnopqrstuuPtNTphIlilWp9q1wz4rhnWoBpMvGZkq\n";

/// Both registries; they end with this value.
pub struct Registries {
    netns: String,
    dir: PathBuf,
    running: Vec<Child>,
}

impl Registries {
    /// Starts them in the namespace, which must have [`ADDRESS`].
    pub fn start(netns: &str, lab_dir: &Path) -> Self {
        let dir = lab_dir.join("registry");
        fs::create_dir_all(&dir).expect("the lab's directory is ours");
        fs::write(dir.join("htpasswd"), HTPASSWD).expect("the lab's directory is ours");
        let mut this = Self { netns: netns.into(), dir, running: Vec::new() };
        this.up();
        this
    }

    /// Starts them again, with all they had.
    pub fn up(&mut self) {
        for (name, place, login) in [("open", OPEN, false), ("private", PRIVATE, true)] {
            let child = self.serve(name, place, login);
            self.running.push(child);
        }
        for place in [OPEN, PRIVATE] {
            self.wait_for(place);
        }
    }

    fn wait_for(&self, place: &str) {
        let start = Instant::now();
        while let Err(error) = self.ask(place, "GET", "/v2/", &[], &[]) {
            let dir = self.dir.display();
            assert!(start.elapsed() < Duration::from_secs(20), "{place} did not start ({error}), see {dir}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends them: connections are refused.
    pub fn down(&mut self) {
        for mut child in self.running.drain(..) {
            child.kill().ok();
            child.wait().ok();
        }
    }

    fn serve(&self, name: &str, place: &str, login: bool) -> Child {
        let dir = self.dir.display();
        let login = if login {
            format!("auth: {{htpasswd: {{realm: lab, path: {dir}/htpasswd}}}}\n")
        } else {
            String::new()
        };
        let config = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {dir}/{name}}}, \
             delete: {{enabled: true}}, cache: {{blobdescriptor: inmemory}}}}\nhttp: {{addr: \"{place}\"}}\n{login}"
        );
        let file = self.dir.join(format!("{name}.yml"));
        fs::write(&file, config).expect("the lab's directory is ours");
        let log = self.dir.join(format!("{name}.log"));
        let log = File::options().append(true).create(true).open(log).expect("the lab's directory is ours");
        let err = log.try_clone().expect("a file descriptor can be doubled");
        netns::inside(&self.netns, || {
            let mut command = Command::new("docker-registry");
            command.arg("serve").arg(&file).env_clear().env("OTEL_TRACES_EXPORTER", "none");
            command.env("PATH", super::PATH).stdin(Stdio::null()).stdout(log).stderr(err);
            command.spawn().expect("docker-registry starts")
        })
    }

    fn ask(
        &self,
        place: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Reply> {
        let basic = format!("Basic {AUTH}");
        let headers = [headers, &[("Host", place), ("Authorization", &basic)]].concat();
        netns::inside(&self.netns, || {
            let address = place.parse().expect("an address and a port");
            let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            http::call(&mut stream, method, path, &headers, body)
        })
    }

    /// As `ask`, for what must succeed.
    fn tell(&self, place: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let reply = self.ask(place, method, path, headers, body).expect("the registry is up");
        assert!(
            (200..300).contains(&reply.status),
            "{method} {place}{path}: {} {}",
            reply.head,
            reply.text()
        );
        reply
    }

    /// Pushes an image to both registries as `repository:tag`; its digest.
    pub fn push(&self, tag: &str, image: Image) -> String {
        let (repository, tag) = tag.split_once(':').expect("repository:tag");
        let (blobs, manifest) = image.pack(&self.dir);
        for place in [OPEN, PRIVATE] {
            for (digest, bytes) in &blobs {
                self.push_blob(place, repository, digest, bytes);
            }
            self.put_manifest(place, repository, tag, &manifest);
        }
        image::digest(&manifest)
    }

    fn push_blob(&self, place: &str, repository: &str, digest: &str, bytes: &[u8]) {
        let there = self.ask(place, "HEAD", &format!("/v2/{repository}/blobs/{digest}"), &[], &[]);
        if there.is_ok_and(|reply| reply.status == 200) {
            return;
        }
        let started = self.tell(place, "POST", &format!("/v2/{repository}/blobs/uploads/"), &[], &[]);
        let location = started.header("Location").expect("an upload has a place");
        let path = location.split_once(place).map_or(location, |(_, path)| path);
        let kind = [("Content-Type", "application/octet-stream")];
        self.tell(place, "PUT", &format!("{path}&digest={digest}"), &kind, bytes);
    }

    fn put_manifest(&self, place: &str, repository: &str, tag: &str, manifest: &[u8]) {
        let kind = [("Content-Type", MANIFEST)];
        self.tell(place, "PUT", &format!("/v2/{repository}/manifests/{tag}"), &kind, manifest);
    }

    /// Points `repository:tag` at what `to` (another tag of the same repository) is, as a push from elsewhere would.
    pub fn move_tag(&self, tag: &str, to: &str) -> String {
        let (repository, tag) = tag.split_once(':').expect("repository:tag");
        let accept = [("Accept", MANIFEST)];
        let path = format!("/v2/{repository}/manifests/{to}");
        let manifest = self.tell(OPEN, "GET", &path, &accept, &[]).body;
        for place in [OPEN, PRIVATE] {
            self.put_manifest(place, repository, tag, &manifest);
        }
        image::digest(&manifest)
    }

    /// Removes what `repository` has by that digest, tags included: "this image no longer exists".
    pub fn forget(&self, repository: &str, digest: &str) {
        for place in [OPEN, PRIVATE] {
            self.tell(place, "DELETE", &format!("/v2/{repository}/manifests/{digest}"), &[], &[]);
        }
    }
}

impl Drop for Registries {
    fn drop(&mut self) {
        self.down();
    }
}
