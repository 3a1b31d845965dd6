//! Lists `templates/*.yaml`, so that adding a vendor adds a file and no Rust.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the rules are the library's: a build script reads files and talks to cargo"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let templates = manifest.join("..").join("templates");
    println!("cargo::rerun-if-changed={}", templates.display());

    let mut files = Vec::new();
    for entry in fs::read_dir(&templates)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            files.push(path.canonicalize()?);
        }
    }
    files.sort();

    let mut code = String::from("&[\n");
    for file in &files {
        let name = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .ok_or("a template's name is not UTF-8")?;
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(code, "    ({name:?}, include_str!({file:?})),")?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("templates.rs"), code)?;
    Ok(())
}
