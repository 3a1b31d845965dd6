//! `bench-template FOLDER`: writes `template.json`, `indented.json` and
//! `outrigger.lock`, which answers the images of both, into a folder.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or("usage: bench-template FOLDER")?
        .into();
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("template.json"), bench::template()?)?;
    std::fs::write(folder.join("indented.json"), bench::indented_template()?)?;
    std::fs::write(folder.join("outrigger.lock"), bench::lock_file()?.to_text())?;
    Ok(())
}
