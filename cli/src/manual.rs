//! `man`: manual pages, made from the command line's own description.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::console::reason;
use crate::help::{self, Section, Sections};
use crate::replace::replace_file;
use crate::{Console, Exit, Failure, text};

/// What `man` takes.
#[derive(Args, Clone, Debug)]
pub struct ManOptions {
    /// Write a page for the program and one for each command into this folder, instead of printing the program's
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
}

/// A manual page.
struct Page {
    file: String,
    text: Vec<u8>,
}

/// Prints the program's page, or writes all pages.
pub fn run(
    options: &ManOptions,
    command: Command,
    sections: &Sections,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let pages = pages(command, sections)
        .map_err(|error| Failure::failed(format!("cannot make the pages: {}", reason(&error))))?;
    let Some(directory) = &options.directory else {
        if let Some(page) = pages.first() {
            console.print(&page.text)?;
        }
        return Ok(Exit::Done);
    };
    let shown = text::line(&directory.to_string_lossy());
    let failed = |error: io::Error| {
        let reason = reason(&error);
        Failure::failed(format!("cannot write into `{shown}`: {reason}"))
            .hint("name a folder that you may write into, or one that can be made")
    };
    fs::create_dir_all(directory).map_err(failed)?;
    for page in &pages {
        replace_file(&directory.join(&page.file), &page.text).map_err(failed)?;
    }
    let count = text::count(pages.len(), "page", "pages");
    console.tell(&format!("{count} written to `{shown}`\n"));
    Ok(Exit::Done)
}

/// The page of the program, and those of its commands.
fn pages(command: Command, sections: &Sections) -> io::Result<Vec<Page>> {
    let mut command = command;
    command.build();
    let source = command.get_version().unwrap_or_default();
    let source = format!("{} {source}", command.get_name());
    let mut pages = Vec::new();
    push_pages(&mut pages, &command, "", sections, &source)?;
    Ok(pages)
}

fn push_pages(
    pages: &mut Vec<Page>,
    command: &Command,
    path: &str,
    sections: &Sections,
    source: &str,
) -> io::Result<()> {
    // `image` only leads to `image inspect`; the program's page names that, too.
    if !command.is_subcommand_required_set() {
        pages.push(page(command, help::of(sections, path), source)?);
    }
    for sub in command.get_subcommands() {
        let path = format!("{path} {}", sub.get_name());
        push_pages(pages, sub, path.trim_start(), sections, source)?;
    }
    Ok(())
}

fn page(command: &Command, sections: &[Section], source: &str) -> io::Result<Page> {
    let man = Man::new(command.clone());
    // `clap_mangen` writes no empty argument, so that the source would stand for the date. There is
    // none: the same source gives the same bytes.
    let name = command.get_display_name().unwrap_or(command.get_name());
    let name = name.to_uppercase();
    let mut text = format!(".TH \"{name}\" 1 \"\" \"{source}\" Outrigger\n").into_bytes();
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    for section in sections {
        roff.control("SH", [section.heading.to_uppercase().as_str()]);
        roff.control("nf", []);
        for line in section.text.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.to_writer(&mut text)?;
    Ok(Page {
        file: man.get_filename(),
        text,
    })
}
