//! Images for the lab, made without Docker: one layer with a static busybox, one small layer of their own, a configuration.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a container of the image does. The text is its version: a label, `$VERSION`, and what it serves on port 8080.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image<'a> {
    /// Runs until it is told to stop.
    Good(&'a str),
    /// Has a healthcheck, and passes it.
    Healthy(&'a str),
    /// Ends at once with exit code 1.
    Exits,
    /// Ends with exit code 1 after so many seconds: Swarm takes it for a success before, with a short monitor.
    ExitsAfter(u32),
    /// Never passes its healthcheck: its task never counts as running.
    Unhealthy,
    /// Passes its healthcheck for so many seconds, then no more.
    Sickens(u32),
    /// Runs, and declares `VOLUME /config`: Docker makes an anonymous volume for each container.
    WithVolume(&'a str),
}

impl Image<'_> {
    fn version(self) -> String {
        match self {
            Self::Good(v) | Self::Healthy(v) | Self::WithVolume(v) => v.to_owned(),
            Self::Exits => "exits".to_owned(),
            Self::ExitsAfter(after) => format!("exits-after-{after}"),
            Self::Unhealthy => "unhealthy".to_owned(),
            Self::Sickens(after) => format!("sickens-{after}"),
        }
    }

    fn script(self) -> String {
        let work = "busybox httpd -p 8080 -h /www; while :; do busybox sleep 1000 & wait $!; done";
        let begin = "trap 'exit 0' TERM; echo start $VERSION";
        match self {
            Self::Good(_) | Self::Healthy(_) | Self::Unhealthy | Self::WithVolume(_) => {
                format!("{begin}; {work}")
            }
            Self::Exits => "echo broken; exit 1".to_owned(),
            Self::ExitsAfter(after) => {
                format!("{begin}; busybox sleep {after} & wait $!; echo broken; exit 1")
            }
            Self::Sickens(after) => format!("{begin}; (busybox sleep {after}; echo >/sick) & {work}"),
        }
    }

    fn healthcheck(self) -> Option<&'static str> {
        match self {
            Self::Good(_) | Self::Exits | Self::ExitsAfter(_) | Self::WithVolume(_) => None,
            Self::Healthy(_) => Some("busybox true"),
            Self::Unhealthy => Some("busybox false"),
            Self::Sickens(_) => Some("[ ! -e /sick ]"),
        }
    }

    /// The image configuration, with the uncompressed digests of its layers.
    fn config(self, layers: &[Layer]) -> Value {
        let version = self.version();
        let mut config = json!({
            "Cmd": ["/bin/busybox", "sh", "-c", self.script()],
            "Env": ["PATH=/bin", format!("VERSION={version}")],
            "Labels": { "version": version },
        });
        if let Some(test) = self.healthcheck() {
            config["Healthcheck"] = json!({ "Test": ["CMD-SHELL", test], "Interval": 500_000_000, "Timeout": 5_000_000_000_u64, "Retries": 1 });
        }
        if matches!(self, Self::WithVolume(_)) {
            config["Volumes"] = json!({ "/config": {} });
        }
        json!({
            "architecture": architecture(), "os": "linux", "created": "2026-01-01T00:00:00Z", "config": config,
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|l| &l.plain).collect::<Vec<_>>() },
            "history": layers.iter().map(|_| json!({ "created": "2026-01-01T00:00:00Z" })).collect::<Vec<_>>(),
        })
    }

    /// The image's blobs (digest and bytes) and its manifest.
    pub fn pack(self, dir: &Path) -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
        let layers = [base(dir), own(dir, &self.version())];
        let config = self.config(&layers).to_string().into_bytes();
        let kind = "application/vnd.docker";
        let descriptor = |what: &str, bytes: &[u8]| json!({ "mediaType": format!("{kind}.{what}"), "size": bytes.len(), "digest": digest(bytes) });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor("container.image.v1+json", &config),
            "layers": layers.iter().map(|l| descriptor("image.rootfs.diff.tar.gzip", &l.packed)).collect::<Vec<_>>(),
        });
        let mut blobs: Vec<_> = layers.into_iter().map(|l| (digest(&l.packed), l.packed)).collect();
        blobs.push((digest(&config), config));
        (blobs, manifest.to_string().into_bytes())
    }
}

/// Media type of a single image's manifest.
pub const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// This machine's architecture in the words of images.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

struct Layer {
    /// Digest of the tar.
    plain: String,
    /// The compressed tar.
    packed: Vec<u8>,
}

/// busybox and the shell it is.
fn base(dir: &Path) -> Layer {
    let root = dir.join("image-base");
    if !root.exists() {
        fs::create_dir_all(root.join("bin")).expect("the lab's directory is ours");
        let found = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|p| Path::new(p).exists());
        fs::copy(found.expect("the lab asked for busybox"), root.join("bin/busybox"))
            .expect("there is space");
        symlink("busybox", root.join("bin/sh")).expect("the lab's directory is ours");
    }
    layer(&root)
}

/// The page it serves.
fn own(dir: &Path, version: &str) -> Layer {
    let root: PathBuf = dir.join(format!("image-{version}"));
    fs::create_dir_all(root.join("www")).expect("the lab's directory is ours");
    fs::write(root.join("www/version"), format!("{version}\n")).expect("the lab's directory is ours");
    layer(&root)
}

fn layer(root: &Path) -> Layer {
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-C"]).arg(root);
    let plain = filter(tar.args(["-c", "."]), &[]);
    Layer { plain: digest(&plain), packed: filter(Command::new("gzip").arg("-1n"), &plain) }
}

/// `sha256:…`.
pub fn digest(bytes: &[u8]) -> String {
    let sum = filter(&mut Command::new("sha256sum"), bytes);
    format!("sha256:{}", String::from_utf8_lossy(&sum[..64]))
}

/// Standard output of a filter.
fn filter(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("coreutils are everywhere");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(input));
        let out = child.wait_with_output().expect("it is our child");
        assert!(out.status.success(), "{command:?} failed");
        out.stdout
    })
}
