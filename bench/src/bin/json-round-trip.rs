//! `json-round-trip FILE`: the baseline. Reads a JSON file as a value, writes it to the output,
//! and does nothing else: what a program that must hold the document cannot do without.

use std::error::Error;
use std::io::Write;

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os()
        .nth(1)
        .ok_or("usage: json-round-trip FILE")?;
    let document: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    std::io::stdout().write_all(&serde_json::to_vec(&document)?)?;
    Ok(())
}
