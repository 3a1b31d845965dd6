//! Where inputs begin: files of the cases, the samples, and the built-in recipes.

use std::fs;
use std::path::{Path, PathBuf};

use outrigger_tests::case::Case;
use serde_json::{Map, Value, json};

/// Longer files make slow runs, and show nothing that shorter ones do not.
const LENGTH_MAX: u64 = 24 << 10;

/// Every file under these folders whose name is chosen, in order of name, and no content twice.
pub(crate) fn files(folders: &[&str], chosen: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(Path::new(folder), &mut paths);
    }
    paths.sort();
    let mut seeds = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_short = path.metadata().is_ok_and(|file| file.len() <= LENGTH_MAX);
        if is_short && chosen(&name) {
            let content = fs::read(&path).unwrap();
            if !seeds.contains(&content) {
                seeds.push(content);
            }
        }
    }
    seeds
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => collect(&path, paths),
            false => paths.push(path),
        }
    }
}

/// Inputs of `cfn-filter`.
pub(crate) fn templates() -> Vec<Vec<u8>> {
    files(&["cases", "../samples"], |name| {
        let name = name.to_lowercase();
        name.contains("template") || name == "described.json" || name == "task.json"
    })
}

/// All lock files of the cases and samples in one.
pub(crate) fn lock() -> Value {
    let mut images = Map::new();
    for file in files(&["cases", "../samples"], |name| name == "outrigger.lock") {
        let Ok(Value::Object(mut lock)) = serde_json::from_slice::<Value>(&file) else {
            continue;
        };
        if let Some(Value::Object(entries)) = lock.remove("images")
            && registry::LockFile::parse("", &String::from_utf8_lossy(&file)).is_ok()
        {
            for (image, platforms) in entries {
                images.entry(image).or_insert(platforms);
            }
        }
    }
    json!({"version": 1, "images": images})
}

/// The cases' plans.
pub(crate) fn plans() -> Vec<Vec<u8>> {
    let cases = Case::all(Path::new("cases"));
    let plans = cases.iter().filter(|case| case.is_plan());
    plans
        .filter_map(|case| fs::read(&case.template).ok())
        .filter(|plan| plan.len() <= 2 * LENGTH_MAX as usize)
        .collect()
}
