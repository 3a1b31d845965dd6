//! A reading of `outrigger.lock` with a few lines of its own.

use serde_json::Value;

/// What an image runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
}

/// The lock file's entry for an image and an architecture (`amd64`, `arm64`).
pub fn config(lock: &Value, reference: &str, architecture: &str) -> Option<Config> {
    let entry = lock
        .get("images")?
        .get(canonical(reference))?
        .get(format!("linux/{architecture}"))?;
    let texts = |key| {
        let items = entry
            .get(key)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    Some(Config {
        entrypoint: texts("entrypoint"),
        cmd: texts("cmd"),
    })
}

/// The reference as a lock file has it: `nginx` is `docker.io/library/nginx:latest`.
pub fn canonical(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or_default();
    let tag = if last.contains([':', '@']) {
        ""
    } else {
        ":latest"
    };
    let registry = match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => "",
        Some(_) => "docker.io/",
        None => "docker.io/library/",
    };
    format!("{registry}{reference}{tag}")
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn names_are_completed() {
        for (short, long) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("team/app:1", "docker.io/team/app:1"),
            ("registry.example.com/app:1", "registry.example.com/app:1"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
        ] {
            assert_eq!(canonical(short), long);
        }
    }
}
