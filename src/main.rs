//! Arguments, command, exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use unsinkable::flags::{self, Command, Finding, LocalAddresses, Refusal, Resolved};
use unsinkable::{plan, preflight};

/// sysexits.h: a service is unavailable.
const EX_UNAVAILABLE: u8 = 69;
/// sysexits.h: the system refused something.
const EX_OSERR: u8 = 71;
/// Between two looks for this node's address at boot: soon enough, and nothing on an idle Pi.
const ADDRESS_RETRY: Duration = Duration::from_secs(1);

/// The commands that live in other parts of the house.
mod elsewhere {
    use std::path::Path;
    use std::time::Duration;

    use unsinkable::flags::Config;
    use unsinkable::vrrp::Vip;

    pub fn run(_: &Config) -> u8 {
        not_yet("run")
    }
    pub fn status(_run_dir: &Path, _json: bool, _watch: bool) -> u8 {
        not_yet("status")
    }
    pub fn resign(_run_dir: &Path, _pause: Duration) -> u8 {
        not_yet("resign")
    }
    pub fn release(_run_dir: &Path, _vips: &[(Option<String>, Vip)]) -> u8 {
        not_yet("release")
    }
    fn not_yet(command: &str) -> u8 {
        super::say(&format!("{command}: not wired yet"));
        super::EX_UNAVAILABLE
    }
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let code = local()
        .and_then(|local| flags::parse_from(&args, &local))
        .map_or_else(|refusal| refuse(&refusal), |command| perform(command, &args));
    ExitCode::from(code)
}

fn local() -> Result<LocalAddresses, Refusal> {
    LocalAddresses::of_this_machine().map_err(|error| Refusal {
        exit: EX_OSERR,
        text: format!("unsinkable: this machine's addresses: {error}\n"),
    })
}

fn perform(command: Command, args: &[OsString]) -> u8 {
    match command {
        Command::Run(resolved) => run(resolved, args),
        Command::Plan { clusters, json, warnings } => show_plan(&clusters, json, &warnings),
        Command::Check { resolved, docker } => {
            let lines = preflight::check(&resolved, &docker);
            print(&preflight::render(&lines));
            preflight::exit_code(&lines)
        }
        Command::Status { run_dir, json, watch } => elsewhere::status(&run_dir, json, watch),
        Command::Resign { run_dir, pause } => elsewhere::resign(&run_dir, pause),
        Command::Release { run_dir, vips } => elsewhere::release(&run_dir, &vips),
        Command::Man => print_bytes(&flags::man_page()),
        Command::Completions(shell) => print_bytes(&flags::completions(shell)),
        Command::Later(what) => {
            say(&format!("{what}: not in this version yet"));
            EX_UNAVAILABLE
        }
        Command::Housekeeper(_) => {
            say("housekeeper: not in this version yet");
            EX_UNAVAILABLE
        }
    }
}

/// The daemon, once this machine has the address that says which node it is.
fn run(mut resolved: Resolved, args: &[OsString]) -> u8 {
    let mut told = None;
    loop {
        match resolved {
            Resolved::Ready(config) => return elsewhere::run(&config),
            Resolved::NotYet(waiting) if told.as_ref() != Some(&waiting) => {
                say(&waiting.text);
                told = Some(waiting);
            }
            Resolved::NotYet(_) => {}
        }
        std::thread::sleep(ADDRESS_RETRY);
        resolved = match local().and_then(|local| flags::parse_from(args, &local)) {
            Ok(Command::Run(again)) => again,
            Ok(_) => return EX_OSERR,
            Err(refusal) => return refuse(&refusal),
        };
    }
}

fn show_plan(clusters: &[plan::Cluster], json: bool, warnings: &[Finding]) -> u8 {
    let tables: Vec<plan::Table> = clusters.iter().map(plan::plan).collect();
    for warning in warnings {
        say(&format!("warning: {warning}"));
    }
    let text = if json { plan::json(&tables) } else { plan::render(&tables) };
    print(&text);
    u8::from(tables.iter().any(plan::Table::has_gap))
}

fn refuse(refusal: &Refusal) -> u8 {
    if refusal.exit == 0 {
        return print(&refusal.text);
    }
    // Nobody is left to tell when stderr is gone.
    let _ = io::stderr().write_all(refusal.text.as_bytes());
    refusal.exit
}

fn say(line: &str) {
    let _ = writeln!(io::stderr(), "unsinkable: {line}");
}

fn print(text: &str) -> u8 {
    print_bytes(text.as_bytes())
}

/// A reader that closes the pipe early (`| head`) has what it wanted.
fn print_bytes(bytes: &[u8]) -> u8 {
    match io::stdout().write_all(bytes) {
        Ok(()) => 0,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(_) => EX_OSERR,
    }
}
