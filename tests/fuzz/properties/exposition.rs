//! No bytes may panic the reader of Prometheus' text format; lines are the same wherever they are cut, and what is made of
//! them is bounded.

use unsinkable::ceph::exposition::{Lines, Sample};
use unsinkable::ceph::health::Gathering;

/// Reads `data` behind its first two bytes, which tell where it is cut.
pub fn run(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first_chunk() else { return };
    let cut = usize::from(u16::from_be_bytes(*cut)).min(bytes.len());
    let whole = lines(&[bytes]);
    assert!(lines(&[&bytes[..cut], &bytes[cut..]]) == whole, "cut at {cut}");
    let mut gathering = Gathering::default();
    for sample in whole.iter().filter_map(|line| Sample::parse(line)) {
        assert!(!sample.name.is_empty() && !sample.name.starts_with('#'));
        for name in ["ceph_daemon", "name", ""] {
            let value = sample.label(name).unwrap_or_default();
            assert!(value.len() <= 8192);
        }
        gathering.take(&sample);
    }
    if let Some(ceph) = gathering.done("http://pi") {
        assert!(ceph.checks.len() <= 32 && ceph.versions.len() <= 8 && ceph.osds.up <= ceph.osds.total);
        assert!(ceph.monitors.0 <= ceph.monitors.1);
    }
}

fn lines(pieces: &[&[u8]]) -> Vec<String> {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    for piece in pieces {
        lines.push(piece, |line| found.push(line.to_owned()));
    }
    lines.end(|line| found.push(line.to_owned()));
    found
}
