//! One registry in this process, which has all images of whatever registry, and a proxy that is
//! asked for everything else.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_tests::images::process;
use outrigger_tests::run::{Ran, cfn_filter_online};
use outrigger_tests::servers::image::{Family, config, digest, image, index};
use outrigger_tests::servers::scripted::{Reply, Server};
use serde_json::json;

/// Media type and bytes, by path.
type Documents = BTreeMap<String, (&'static str, Vec<u8>)>;

/// What the program can reach.
pub(crate) struct Network {
    registry: Server,
    elsewhere: Server,
    paths: BTreeSet<String>,
    mirrored: BTreeSet<String>,
}

impl Network {
    /// Starts both, for as long as this process runs.
    pub(crate) fn start(images: &BTreeSet<String>) -> Self {
        let mut documents = Documents::new();
        images.iter().for_each(|image| add(&mut documents, image));
        let registries = images.iter().filter_map(|image| image.split_once('/'));
        let mirrored = registries.map(|(registry, _)| registry.to_owned());
        let paths = documents.keys().cloned().collect();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let (registry, elsewhere) = runtime.block_on(async {
            let registry = Server::plain(move |seen| match documents.get(&seen.path) {
                Some((media_type, bytes)) => Reply::ok(media_type, bytes.clone()),
                None => Reply::new(404),
            });
            (registry.await, Server::plain(|_| Reply::new(403)).await)
        });
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        Self {
            registry,
            elsewhere,
            paths,
            mirrored: mirrored.collect(),
        }
    }

    /// Options by which every registry that has an image is asked for here. The name becomes part
    /// of the path: an image of another registry is not taken for it.
    pub(crate) fn options(&self) -> Vec<String> {
        let host = self.registry.host();
        let mirror = |name: &String| ["--mirror".to_owned(), format!("{name}={host}/{name}")];
        let mut options: Vec<String> = self.mirrored.iter().flat_map(mirror).collect();
        options.extend(["--insecure-registry".to_owned(), host.clone()]);
        options
    }

    /// Runs the program with the arguments and these options; gives the number of requests, too.
    /// Each document is asked for once, by nobody in particular, and nobody else is asked.
    pub(crate) fn run(&self, args: &[String]) -> (Ran, usize) {
        let before = self.registry.seen().len();
        let ran = self.run_anyhow(&[args, &self.options()].concat());
        let seen = self.registry.seen().split_off(before);
        let mut paths = BTreeSet::new();
        for request in &seen {
            assert!(self.paths.contains(&request.path), "{request:?}");
            assert!(paths.insert(&request.path), "twice: {request:?}");
            assert_eq!(request.method, "GET");
            assert_eq!(request.authorization, None);
            assert_eq!(request.host, self.registry.host());
        }
        assert_eq!(self.elsewhere.connections(), 0, "{args:?}");
        (ran, seen.len())
    }

    /// All other hosts are asked through a proxy, which leads nowhere and notes it.
    fn run_anyhow(&self, args: &[String]) -> Ran {
        let proxy = format!("http://{}", self.elsewhere.host());
        let direct = self.registry.address.ip().to_string();
        let variables = [
            ("HTTP_PROXY", proxy.clone()),
            ("HTTPS_PROXY", proxy),
            ("NO_PROXY", direct),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        cfn_filter_online(args, b"", variables.into_iter().collect())
    }

    /// Registries that have an image.
    pub(crate) fn mirrored(&self) -> &BTreeSet<String> {
        &self.mirrored
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.registry.seen().len()
    }
}

/// An image for two platforms, under the name of its registry.
fn add(documents: &mut Documents, name: &str) {
    let (registry, rest) = name.split_once('/').unwrap();
    let (repository, tag) = rest.rsplit_once(':').unwrap();
    let place = format!("/v2/{registry}/{repository}");
    let (entrypoint, cmd) = process(name);
    let process = json!({"Entrypoint": entrypoint, "Cmd": cmd});
    let images = ["amd64", "arm64"].map(|architecture| {
        let platform = json!({"os": "linux", "architecture": architecture});
        let config = config("linux", architecture, &process);
        (platform, image(Family::Oci, &config))
    });
    let index = index(Family::Oci, images.into());
    for child in index.children {
        let manifest = format!("{place}/manifests/{}", child.digest());
        documents.insert(manifest, (child.media_type, child.body));
        for blob in child.blobs {
            let path = format!("{place}/blobs/{}", digest(&blob));
            documents.insert(path, ("application/octet-stream", blob));
        }
    }
    let manifest = format!("{place}/manifests/{tag}");
    documents.insert(manifest, (index.media_type, index.body));
}

#[test]
fn a_registry_that_is_not_mirrored_is_seen() {
    let network = Network::start(&BTreeSet::from(["registry.test/team/app:1".to_owned()]));
    let inspect = |image: &str| {
        let args = ["image", "inspect", image, "--timeout", "1"].map(str::to_owned);
        [args.as_slice(), &network.options()].concat()
    };
    let mirrored = network.run_anyhow(&inspect("registry.test/team/app:1"));
    assert_eq!(mirrored.exit, 0, "{}", mirrored.stderr);
    assert_eq!(
        (network.requests(), network.elsewhere.connections()),
        (3, 0)
    );
    let other = network.run_anyhow(&inspect("other.test/team/app:1"));
    assert_eq!((other.exit, network.requests()), (1, 3));
    let asked = network.elsewhere.seen();
    assert!(asked.iter().all(|seen| seen.host == "other.test:443"));
    assert!(!asked.is_empty());
}
