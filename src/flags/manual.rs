//! The manual page and the shell completions, from the flag table.

use std::io::{self, Write};

use clap_complete::generate;
use clap_complete::shells::{Bash, Fish, Zsh};

use super::args::{Shell, command_table};

/// The manual page in roff: the commands, then `run` with all flags, then what the other commands add.
pub fn man_page() -> Vec<u8> {
    let mut page = Vec::new();
    // Writing into memory does not fail.
    let _ = write_man(&mut page);
    page
}

fn write_man(page: &mut Vec<u8>) -> io::Result<()> {
    let table = command_table();
    let run = table.get_subcommands().find(|verb| verb.get_name() == "run").cloned().unwrap_or_default();
    let whole = clap_mangen::Man::new(table).section("8");
    whole.render_title(page)?;
    whole.render_name_section(page)?;
    whole.render_synopsis_section(page)?;
    whole.render_description_section(page)?;
    let mut verbs = Vec::new();
    whole.render_subcommands_section(&mut verbs)?;
    // There is this one page, not one for each command.
    let verbs = String::from_utf8_lossy(&verbs).replace("unsinkable\\-", "unsinkable ").replace("(8)", "");
    page.write_all(verbs.as_bytes())?;
    let flags = clap_mangen::Man::new(run);
    flags.render_options_section(page)?;
    flags.render_extra_section(page)?;
    write_other_flags(page)?;
    whole.render_version_section(page)
}

/// What the other commands have beyond the flags of `run`.
fn write_other_flags(page: &mut Vec<u8>) -> io::Result<()> {
    let table = command_table();
    let known: Vec<&str> = table
        .get_subcommands()
        .find(|verb| verb.get_name() == "run")
        .into_iter()
        .flat_map(flags_of)
        .collect();
    writeln!(page, ".SH \"FLAGS OF OTHER COMMANDS\"")?;
    for verb in table.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        for arg in verb.get_arguments() {
            let (Some(flag), Some(help)) = (arg.get_long(), arg.get_help()) else { continue };
            if !known.contains(&flag) {
                let flag = flag.replace('-', "\\-");
                writeln!(page, ".TP\n\\fB{} \\-\\-{flag}\\fR\n{help}", verb.get_name())?;
            }
        }
    }
    Ok(())
}

fn flags_of(verb: &clap::Command) -> impl Iterator<Item = &str> {
    verb.get_arguments().filter_map(clap::Arg::get_long)
}

/// The completions of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let (mut script, mut table) = (Vec::new(), command_table());
    match shell {
        Shell::Bash => generate(Bash, &mut table, NAME, &mut script),
        Shell::Fish => generate(Fish, &mut table, NAME, &mut script),
        Shell::Zsh => generate(Zsh, &mut table, NAME, &mut script),
    }
    script
}

/// The program's.
const NAME: &str = "unsinkable";
