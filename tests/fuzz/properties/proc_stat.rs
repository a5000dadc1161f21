//! Whatever a process calls itself, its `stat` line is read to the letter, and a name never counts beyond its 15 bytes.

use unsinkable::checks::process::{COMM_LEN, Comm, Stat, parse_comm, parse_stat};

/// Reads `data` as a `stat` line, as a `comm` file, and as the name in a line that is otherwise right.
pub fn run(data: &[u8]) {
    if let Some(stat) = parse_stat(data) {
        let mut end = 1;
        while !data[..end].ends_with(stat.comm) || data[end..].first() != Some(&b')') {
            end += 1; // panics where the name is not in the line
        }
        assert_eq!(parse_stat(&line(stat.comm, stat.state, stat.start)), Some(stat));
    }
    let comm = parse_comm(data);
    assert!(data.starts_with(comm) && data.len() - comm.len() <= 1);
    let name = Stat { comm: data, state: data.first().copied().unwrap_or(b'S'), start: u64::MAX };
    // The byte of the state may be a space, which ends it, or a bracket, which ends the name.
    if !matches!(name.state, b' ' | b')') {
        assert_eq!(parse_stat(&line(name.comm, name.state, name.start)), Some(name));
    }
    assert_eq!(name.is_alive(), !b"ZXx".contains(&name.state));
    if let Ok(text) = str::from_utf8(data) {
        let comm = Comm::new(text);
        assert_eq!(comm.as_bytes(), &data[..data.len().min(COMM_LEN)]);
    }
}

/// A line as `proc_pid_stat(5)` has it, cut behind its 22nd field.
fn line(comm: &[u8], state: u8, start: u64) -> Vec<u8> {
    let between = "0 ".repeat(18);
    let mut line = b"1 (".to_vec();
    line.extend(comm);
    line.extend([b')', b' ', state, b' ']);
    line.extend(format!("{between}{start}").into_bytes());
    line
}
