//! The manual page and the shell completions, from the flag table.

use std::io;

use clap_complete::Shell;

use super::parse::command_table;

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
    whole.render_subcommands_section(page)?;
    let flags = clap_mangen::Man::new(run);
    flags.render_options_section(page)?;
    flags.render_extra_section(page)?;
    whole.render_version_section(page)
}

/// The completions of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_table(), "unsinkable", &mut script);
    script
}
