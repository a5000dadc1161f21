//! The files of `boards/`, and the board check on recorded trees of /sys and /proc (`tests/data/boards`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use unsinkable::boards::{self, Board};
use unsinkable::checks::board::{Signs, judge};
use unsinkable::checks::health::Reason;
use unsinkable::checks::run::board::signs;
use unsinkable::checks::{Kind, run};
use unsinkable::flags::{self, Config, LocalAddresses, LocalInterface, Resolved};

fn tree(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/boards").join(name)
}

fn model(name: &str) -> String {
    let text = fs::read_to_string(tree(name).join("proc/device-tree/model")).unwrap_or_default();
    text.trim_end_matches('\0').to_owned()
}

fn config(model: &str, flags: &str) -> Config {
    let eth0 = LocalInterface {
        name: "eth0".into(),
        hardware: true,
        addrs: vec!["10.0.0.1".parse().expect("an address")],
    };
    let local = LocalAddresses { interfaces: vec![eth0], model: model.into() };
    let line =
        format!("unsinkable run --vip 10.0.0.50/24 --node 10.0.0.1 --node 10.0.0.2 --track board {flags}");
    let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    match flags::parse_from(&args, &local) {
        Ok(flags::Command::Run(Resolved::Ready(config))) => *config,
        other => panic!("{other:?}"),
    }
}

fn too_hot(config: &Config) -> Vec<Kind> {
    config.tracks().into_iter().map(|track| track.kind).collect()
}

#[test]
fn each_board_is_known_by_its_model() {
    let table = [
        ("Raspberry Pi Zero 2 W Rev 1.0", "zero2w"),
        ("Raspberry Pi Zero 2 Rev 1.0", "zero2w"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "pi3"),
        ("Raspberry Pi Compute Module 3 Plus Rev 1.0", "pi3"),
        ("Raspberry Pi 4 Model B Rev 1.4", "pi4"),
        ("Raspberry Pi 400 Rev 1.0", "pi4"),
        ("Raspberry Pi Compute Module 4 Rev 1.1", "pi4"),
        ("Raspberry Pi 5 Model B Rev 1.0", "pi5"),
        ("Raspberry Pi 500 Rev 1.0", "pi5"),
        ("Raspberry Pi Zero W Rev 1.1", "generic"),
        ("Raspberry Pi Model B Rev 2", "generic"),
        ("ODROID-N2Plus", "generic"),
        ("", "generic"),
    ];
    for (model, name) in table {
        assert_eq!(boards::of_model(model).name, name, "{model}");
    }
}

/// As a person would read the file, apart from the program's own reading of it.
fn documented(board: Board) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("boards/{}.flags", board.name));
    let text = fs::read_to_string(path).expect("readable");
    let mut above = "";
    let mut flags = BTreeMap::new();
    for line in text.lines() {
        if let Some(flag) = line.strip_prefix("--") {
            assert!(above.starts_with('#'), "{}: --{flag} has no comment", board.name);
            let (flag, value) = flag.split_once(' ').unwrap_or_else(|| panic!("--{flag}: no value"));
            assert!(flags.insert(flag.to_owned(), value.to_owned()).is_none(), "--{flag} is there twice");
        } else {
            assert!(line.is_empty() || line.starts_with('#') || line.starts_with("model "), "{line}");
        }
        above = line;
    }
    flags
}

#[test]
fn every_file_is_read_whole_and_every_flag_has_its_comment() {
    for board in boards::ALL {
        let read: BTreeMap<_, _> = board.flags().map(|(flag, value)| (flag.into(), value.into())).collect();
        assert_eq!(read, documented(board), "{}", board.name);
        assert!(read.contains_key("too-hot"), "{}", board.name);
        // The flags are accepted, and without a word of warning.
        let config = config("", &format!("--board {}", board.name));
        assert_eq!(config.board.name, board.name);
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    }
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("boards")).unwrap();
    let count = files.filter(|file| file.as_ref().unwrap().file_name() != "README.md").count();
    assert_eq!(count, boards::ALL.len(), "a file that is not compiled in");
}

#[test]
fn a_cluster_of_several_kinds_speaks_at_one_pace() {
    for board in boards::ALL {
        let advert = board.flags().find(|(flag, _)| *flag == "advert").map(|(_, value)| value);
        assert_eq!(advert, Some("1s"), "{}", board.name);
    }
}

#[test]
fn the_boards_flags_apply_and_given_ones_win() {
    let pi5 = "Raspberry Pi 5 Model B Rev 1.0";
    let at = |degrees| vec![Kind::Board { too_hot: degrees }];
    assert_eq!(too_hot(&config(pi5, "")), at(85));
    assert_eq!(too_hot(&config("", "")), at(95));
    assert_eq!(too_hot(&config(pi5, "--board pi4")), at(80));
    assert_eq!(too_hot(&config(pi5, "--too-hot 70")), at(70));
    assert_eq!(config(pi5, "").board.to_string(), format!("pi5 ({pi5}) --advert 1s --too-hot 85"));
    assert_eq!(config(pi5, "--too-hot=70 --advert 2s").board.to_string(), format!("pi5 ({pi5})"));
    let adverts = |flags| {
        let routers = config(pi5, flags).routers;
        routers.iter().map(|router| router.settings.interval.as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(adverts("--advert 100ms"), [100]);
    assert_eq!(adverts("--vrid 7 --vrid 8 --vip 10.0.0.51"), [1000, 1000]);
    assert_eq!(adverts("--vrid 7 --vrid 8 --vip 10.0.0.51 --advert 50ms"), [1000, 50]);
}

#[test]
fn the_recorded_boards_are_seen_for_what_they_are() {
    let table = [
        // get_throttled says throttled there; a kernel with rpi_volt is not asked for it.
        ("pi4-well", "pi4", Reason::Degrees(54)),
        ("zero2w-well", "zero2w", Reason::Degrees(47)),
        ("pi4-under-voltage", "pi4", Reason::UnderVoltage),
        ("pi5-hot", "pi5", Reason::TooHot(86)),
        ("pi3-throttled", "pi3", Reason::Throttled),
        ("pi4-sd-read-only", "pi4", Reason::RootReadOnly),
        ("pi4-sd-emergency", "pi4", Reason::RootReadOnly),
        ("pi4-ssd-read-only", "pi4", Reason::DockerReadOnly),
        ("virtual", "generic", Reason::NoThermometer),
    ];
    for (name, board, reason) in table {
        let config = config(&model(name), "");
        assert_eq!(config.board.name, board, "{name}");
        let [Kind::Board { too_hot }] = too_hot(&config)[..] else { panic!("{name}") };
        assert_eq!(judge(&signs(&tree(name)), too_hot), reason, "{name}");
    }
    assert_eq!(signs(Path::new("/nonexistent")), Signs::default());
}

/// Whatever this machine is, the check looks at it and says something in time.
#[test]
fn this_machine_is_looked_at() {
    let tracks = config("", "").tracks();
    let (told, heard) = smol::channel::bounded(1);
    let looked = smol::block_on(smol::future::or(
        async {
            run::run(&tracks, |_, verdict| {
                let _ = told.try_send(verdict);
            })
            .await;
            None
        },
        async { heard.recv().await.ok() },
    ));
    let reason = looked.expect("a verdict").reason;
    assert!(!matches!(reason, Reason::Timeout | Reason::Stale | Reason::Os(_)), "{reason}");
}

#[test]
fn check_says_which_board_was_taken() {
    let check = |flags: &str| {
        let line = format!("check --vip 10.9.9.9 --node 10.9.9.1 --docker /nonexistent {flags}");
        let out = Command::new(env!("CARGO_BIN_EXE_unsinkable")).args(line.split(' ')).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let said = check("--board pi3 --advert 1s");
    assert!(said.lines().any(|line| line.starts_with("ok    board ") && line.contains("pi3")), "{said}");
    assert!(said.contains("--too-hot 80") && !said.contains("--advert"), "{said}");
    let out =
        Command::new(env!("CARGO_BIN_EXE_unsinkable")).args(["run", "--board", "pi6"]).output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(
        said.starts_with("unsinkable: --board pi6: expected auto, zero2w, pi3, pi4, pi5 or generic"),
        "{said}"
    );
    assert_eq!(out.status.code(), Some(64));
}
