//! Arguments, command, exit code.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use unsinkable::flags::{self, Command, Config, Finding, Housekeeping, LocalAddresses, Refusal, Resolved};
use unsinkable::sys::crash;
use unsinkable::sysexits::EX_OSERR;
use unsinkable::vrrp::Vip;
use unsinkable::{daemon, housekeeper, log, plan, preflight, report, translate};

/// Between two looks for this node's address at boot: soon enough, and nothing on an idle Pi.
const ADDRESS_RETRY: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    crash::tell();
    let args: Vec<OsString> = env::args_os().collect();
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
        Command::Check { resolved, docker, board, dns } => {
            let lines = preflight::check(&resolved, &docker, &board, &dns);
            print(&preflight::render(&lines));
            preflight::exit_code(&lines)
        }
        Command::Status { run_dir, json, watch } => {
            report::status_command(&report::socket_path(&run_dir), json, watch)
        }
        Command::Resign { run_dir, pause } => report::resign_command(&report::socket_path(&run_dir), pause),
        Command::Release { run_dir: _, vips } => release(&vips),
        Command::Realtime { wanted: false } => 0,
        Command::Realtime { wanted: true } => {
            daemon::lend_realtime().map_or_else(|fatal| fail(&fatal), |()| 0)
        }
        Command::Man => print_bytes(&flags::man_page()),
        Command::Completions(shell) => print_bytes(&flags::completions(shell)),
        Command::Update { dry_run, json, jobs } => housekeeper::by_hand::update(&jobs, dry_run, json),
        Command::Prune { dry_run, json, jobs } => housekeeper::by_hand::prune(&jobs, dry_run, json),
        Command::Translate { files, json } => {
            let output = translate::run::translate(&files, json);
            output.errors.iter().for_each(|error| say(error));
            match print(&output.text) {
                0 => output.exit,
                failed => failed,
            }
        }
        Command::Housekeeper(jobs) => housekeeper(&jobs),
    }
}

/// The daemon, once this machine has the address that says which node it is.
fn run(mut resolved: Resolved, args: &[OsString]) -> u8 {
    let mut told = None;
    loop {
        match resolved {
            Resolved::Ready(config) => return serve(&config, args),
            Resolved::NotYet(waiting) if told.as_ref() != Some(&waiting) => {
                say(&waiting.text);
                daemon::waiting(&waiting.text);
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

fn serve(config: &Config, args: &[OsString]) -> u8 {
    if let Err(error) = log::init(config.level) {
        say(&format!("no log: {error}"));
        return EX_OSERR;
    }
    // The arguments behind the program's name and `run` are the housekeeper's too.
    match daemon::run(config, args.get(2..).unwrap_or_default()) {
        Ok(()) => 0,
        Err(fatal) => fail(&fatal),
    }
}

fn release(vips: &[(Option<String>, Vip)]) -> u8 {
    // Set by systemd for ExecStopPost=.
    let crash = env::var("SERVICE_RESULT").is_ok_and(|result| daemon::is_crash(&result));
    match daemon::release(vips, crash) {
        Ok(released) => {
            for each in released {
                say(&each.to_string());
            }
            0
        }
        Err(fatal) => fail(&fatal),
    }
}

fn housekeeper(jobs: &Housekeeping) -> u8 {
    if let Err(error) = log::init(jobs.level) {
        say(&format!("no log: {error}"));
        return EX_OSERR;
    }
    match housekeeper::run(jobs) {
        Ok(()) => 0,
        Err(error) => {
            say(&format!("housekeeper: {error}"));
            EX_OSERR
        }
    }
}

fn fail(fatal: &daemon::Fatal) -> u8 {
    say(&fatal.to_string());
    fatal.exit
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
