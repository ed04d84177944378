//! Prints the settings file, shell completions and the manual page.

use super::discounts;
use super::flags::{Cli, SECTIONS};
use super::layers::OPTIONS;
use super::roff::{escaped, from_markdown};
use super::settings::Settings;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::{self, Write};

/// The sample settings file, which documents every key with its default.
pub const SAMPLE_CONFIG: &str = include_str!("../../assets/config.toml");

/// The reference that the README links to, in the order of the manual page.
const MANUAL: [&str; 8] = [
    include_str!("../../assets/manual/keys.md"),
    include_str!("../../assets/manual/filters.md"),
    include_str!("../../assets/manual/snapshot.md"),
    include_str!("../../assets/manual/figures.md"),
    include_str!("../../assets/manual/prices.md"),
    include_str!("../../assets/manual/files.md"),
    include_str!("../../assets/manual/scenarios.md"),
    include_str!("../../assets/manual/examples.md"),
];

/// A settings file that means `settings`: the sample with its values replaced.
///
/// Settings without a key (the demo, a scenario) are left out.
pub fn config_file(settings: &Settings) -> String {
    let mut out = String::with_capacity(SAMPLE_CONFIG.len() + 256);
    for line in SAMPLE_CONFIG.lines() {
        let key = line.split_once(" = ").map(|(key, _)| key);
        match OPTIONS.iter().find(|option| Some(option.key) == key) {
            Some(option) => {
                out.push_str(option.key);
                out.push_str(" = ");
                out.push_str(&(option.get)(settings));
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    // In TOML, keys after a table belong to it: tables come last.
    out + &discounts::written(&settings.discounts)
}

/// The completion script of a shell.
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "nodeglass", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The manual page, in roff.
pub fn man_page() -> String {
    let mut roff = Vec::new();
    write_man_page(&mut roff).expect("writing into memory cannot fail");
    String::from_utf8_lossy(&roff).into_owned()
}

fn write_man_page(roff: &mut Vec<u8>) -> io::Result<()> {
    let program = Cli::command();
    let page = clap_mangen::Man::new(program.clone());
    page.render_title(roff)?;
    writeln!(roff, ".SH NAME\nnodeglass \\- terminal dashboard of Kubernetes nodes and their cost")?;
    // The generated synopsis would name every flag in one line.
    writeln!(roff, ".SH SYNOPSIS\n\\fBnodeglass\\fR [\\fIOPTIONS\\fR] [\\fICOMMAND\\fR]")?;
    page.render_description_section(roff)?;
    page.render_options_section(roff)?;
    writeln!(roff, ".SH COMMANDS")?;
    for command in program.get_subcommands() {
        // The flags of each command, in the same page.
        let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
        writeln!(roff, ".SS \"nodeglass {}\"\n{}", command.get_name(), escaped(&about))?;
        let mut section = Vec::new();
        clap_mangen::Man::new(command.clone().disable_help_flag(true)).render_options_section(&mut section)?;
        let section = String::from_utf8_lossy(&section);
        let flags = section.split_once(".SH OPTIONS\n").map_or("", |(_, flags)| flags);
        roff.write_all(flags.as_bytes())?;
    }
    for text in MANUAL {
        roff.write_all(from_markdown(text).as_bytes())?;
    }
    for (title, text) in SECTIONS {
        writeln!(roff, ".SH \"{}\"\n{}", title.to_uppercase(), escaped(text))?;
    }
    writeln!(roff, ".SH \"SEE ALSO\"\n\\fBkubectl\\fR(1)")?;
    Ok(())
}

/// Writes what was asked for. A reader that has gone is a success: it had what it wanted.
///
/// # Errors
///
/// Any other I/O error, such as a full disk.
pub fn write_out(out: &mut dyn Write, text: &str) -> io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
