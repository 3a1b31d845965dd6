//! `bench-plan FOLDER`: writes `plan.json`, and `plan.lock`, which answers its images, into a folder.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or("usage: bench-plan FOLDER")?
        .into();
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("plan.json"), bench::plan::plan())?;
    std::fs::write(
        folder.join("plan.lock"),
        bench::plan::lock_file()?.to_text(),
    )?;
    Ok(())
}
