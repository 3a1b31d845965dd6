//! Which image of an index is read, and what is read of it.

use registry::remote::{Registries, StaticCredentials};
use serde_json::{Value, json};
use taskdef::image::Platform;

use crate::images::{
    DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, Images, config_of, platform, sha512,
};
use crate::server::Server;
use crate::{LONG, query, resolve, settings, shown, stable};

/// What becomes of these tags for these platforms, a line each.
pub(crate) async fn table(images: Images, rows: &[(&str, Platform)]) -> String {
    let server = Server::plain(move |seen| images.reply(seen)).await;
    let registries = Registries::new(settings(&[&server]), StaticCredentials::none());
    let session = registries.session(LONG);
    let mut lines = Vec::new();
    for (tag, platform) in rows {
        let reference = format!("{}/app:{tag}", server.host());
        let found = resolve(&session, query(&reference, platform.clone())).await;
        lines.push(format!("{tag} {platform}: {}", shown(&found)));
    }
    stable(&lines.join("\n"), &[("HOST", &server)])
}

use Platform::{AnyLinux, LinuxAmd64, LinuxArm64};

fn indexes() -> Images {
    let mut images = Images::default();
    let amd64 = images.image(&config_of("amd64", "amd64"));
    let arm64 = images.image(&config_of("arm64", "arm64"));
    let windows = images.image(&json!({"os": "windows", "architecture": "amd64",
        "config": {"Cmd": ["cmd.exe"]}}));
    let docker = images.image_as(
        DOCKER_MANIFEST,
        DOCKER_CONFIG,
        &config_of("amd64", "docker"),
    );
    let list = images.index_as(
        DOCKER_LIST,
        vec![(docker.clone(), platform("linux", "amd64"))],
    );
    images.tag("docker-list", &list);
    images.tag("docker-single", &docker);
    let both = vec![
        (amd64.clone(), platform("linux", "amd64")),
        (
            arm64.clone(),
            json!({"os": "linux", "architecture": "arm64", "variant": "v8"}),
        ),
        (windows.clone(), platform("windows", "amd64")),
    ];
    let both = images.index(both);
    images.tag("both", &both);
    let nested = images.index(vec![(both.clone(), Value::Null)]);
    let nested = images.index(vec![(nested, Value::Null)]);
    images.tag("nested", &nested);
    let unnamed = vec![(windows.clone(), Value::Null), (arm64.clone(), Value::Null)];
    let unnamed = images.index(unnamed);
    images.tag("unnamed", &unnamed);
    let only_windows = images.index(vec![(windows.clone(), platform("windows", "amd64"))]);
    images.tag("windows-index", &only_windows);
    images.tag("windows", &windows);
    images.tag("single-arm64", &arm64);
    let silent = images.image(&json!({"config": {"Cmd": ["silent"]}}));
    images.tag("silent", &silent);
    // The index decides, as it does for a runtime.
    let mislabelled = images.index(vec![(arm64.clone(), platform("linux", "amd64"))]);
    images.tag("mislabelled", &mislabelled);
    let v3 = json!({"os": "linux", "architecture": "amd64", "variant": "v3"});
    let fast = images.index(vec![(amd64.clone(), v3.clone())]);
    images.tag("fast", &fast);
    let aliases = vec![(arm64, v3), (amd64, platform("Linux", "x86_64"))];
    let aliases = images.index(aliases);
    images.tag("aliases", &aliases);
    let empty = images.index(Vec::new());
    images.tag("empty", &empty);
    images
}

#[test]
fn platforms() {
    let rows = [
        ("docker-list", LinuxAmd64),
        ("docker-list", LinuxArm64),
        ("docker-single", LinuxAmd64),
        ("docker-single", AnyLinux),
        ("both", LinuxAmd64),
        ("both", LinuxArm64),
        ("both", AnyLinux),
        ("nested", LinuxArm64),
        ("nested", AnyLinux),
        ("unnamed", LinuxArm64),
        ("unnamed", LinuxAmd64),
        ("unnamed", AnyLinux),
        ("windows-index", LinuxAmd64),
        ("windows-index", AnyLinux),
        ("windows", AnyLinux),
        ("single-arm64", LinuxAmd64),
        ("single-arm64", AnyLinux),
        ("silent", LinuxAmd64),
        ("mislabelled", LinuxAmd64),
        ("fast", LinuxAmd64),
        ("aliases", LinuxAmd64),
        ("empty", LinuxAmd64),
        ("empty", AnyLinux),
    ];
    let table = crate::run(table(indexes(), &rows));
    insta::assert_snapshot!(table, @"
    docker-list linux/amd64: [] [docker] user `` in `/srv` for linux/amd64
    docker-list linux/arm64: platform-not-found: image `HOST/app:docker-list` cannot be read from `HOST`: the image is not for `linux/arm64`, only for `linux/amd64`
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    docker-single linux/amd64: [] [docker] user `` in `/srv` for linux/amd64
    docker-single linux/*: [] [docker] user `` in `/srv` for linux/amd64
    both linux/amd64: [] [amd64] user `` in `/srv` for linux/amd64
    both linux/arm64: [] [arm64] user `` in `/srv` for linux/arm64
    both linux/*: unknown-platform: image `HOST/app:both` cannot be read from `HOST`: the image has a different entry point, command or user on `linux/amd64`, `linux/arm64`, and the task definition does not say where it runs
      hint: state `RuntimePlatform` in the template
    nested linux/arm64: [] [arm64] user `` in `/srv` for linux/arm64
    nested linux/*: unknown-platform: image `HOST/app:nested` cannot be read from `HOST`: the image has a different entry point, command or user on `linux/amd64`, `linux/arm64`, and the task definition does not say where it runs
      hint: state `RuntimePlatform` in the template
    unnamed linux/arm64: [] [arm64] user `` in `/srv` for linux/arm64
    unnamed linux/amd64: platform-not-found: image `HOST/app:unnamed` cannot be read from `HOST`: the image is not for `linux/amd64`, only for `linux/arm64`, `windows/amd64`
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    unnamed linux/*: [] [arm64] user `` in `/srv` for linux/arm64
    windows-index linux/amd64: platform-not-found: image `HOST/app:windows-index` cannot be read from `HOST`: the image is not for `linux/amd64`, only for `windows/amd64`
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    windows-index linux/*: platform-not-found: image `HOST/app:windows-index` cannot be read from `HOST`: the image is not for `linux/*`, only for `windows/amd64`
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    windows linux/*: platform-not-found: image `HOST/app:windows` cannot be read from `HOST`: the image is not for `linux/*`, only for `windows/amd64`
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    single-arm64 linux/amd64: platform-not-found: image `HOST/app:single-arm64` cannot be read from `HOST`: the image is not for `linux/amd64`, only for `linux/arm64`
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    single-arm64 linux/*: [] [arm64] user `` in `/srv` for linux/arm64
    silent linux/amd64: [] [silent] user `` in `` for 
    mislabelled linux/amd64: [] [arm64] user `` in `/srv` for linux/amd64
    fast linux/amd64: platform-not-found: image `HOST/app:fast` cannot be read from `HOST`: the image is not for `linux/amd64`, only for `linux/amd64/v3`
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    aliases linux/amd64: [] [amd64] user `` in `/srv` for linux/amd64
    empty linux/amd64: platform-not-found: image `HOST/app:empty` cannot be read from `HOST`: the image is not for `linux/amd64`, and names none
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    empty linux/*: platform-not-found: image `HOST/app:empty` cannot be read from `HOST`: the image is not for `linux/*`, and names none
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    ");
}

/// An index of that many platforms, all of which run the same.
fn wide(images: &mut Images, count: usize) -> Value {
    let entries = (0..count).map(|number| {
        let mut config = config_of(&format!("cpu{number}"), "same");
        config["created"] = json!("");
        (
            images.image(&config),
            platform("linux", &format!("cpu{number}")),
        )
    });
    let entries: Vec<(Value, Value)> = entries.collect();
    images.index(entries)
}

#[test]
fn indexes_are_wide_and_deep_within_bounds() {
    let mut images = Images::default();
    let wide_index = wide(&mut images, 100);
    images.tag("100", &wide_index);
    let wider = wide(&mut images, 129);
    images.tag("129", &wider);
    let mut nested = images.image(&config_of("amd64", "deep"));
    for depth in 0..7 {
        nested = images.index(vec![(nested, Value::Null)]);
        images.tag(&format!("deep-{depth}"), &nested);
    }
    let rows = [
        ("100", AnyLinux),
        ("100", LinuxAmd64),
        ("129", AnyLinux),
        ("129", LinuxAmd64),
        ("deep-4", LinuxAmd64),
        ("deep-4", AnyLinux),
        ("deep-5", LinuxAmd64),
        ("deep-5", AnyLinux),
    ];
    let table = crate::run(table(images, &rows));
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.chars().take(200).collect())
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    100 linux/*: [] [same] user `` in `/srv` for linux/cpu0, linux/cpu1, linux/cpu2, linux/cpu3, linux/cpu4, linux/cpu5, linux/cpu6, linux/cpu7, linux/cpu8, linux/cpu9, linux/cpu10, linux/cpu11, linux/cpu
    100 linux/amd64: platform-not-found: image `HOST/app:100` cannot be read from `HOST`: the image is not for `linux/amd64`, only for `linux/cpu0`, `linux/cpu1`, `linux/cpu10`, `linux/cpu11`, `linux/cpu1
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    129 linux/*: too-many-platforms: image `HOST/app:129` cannot be read from `HOST`: the index holds more than 128 images to look at
    129 linux/amd64: platform-not-found: image `HOST/app:129` cannot be read from `HOST`: the image is not for `linux/amd64`, only for `linux/cpu0`, `linux/cpu1`, `linux/cpu10`, `linux/cpu100`, `linux/cpu
      hint: state the architecture of the image in `RuntimePlatform`, or build the image for the task's
    deep-4 linux/amd64: [] [deep] user `` in `/srv` for linux/amd64
    deep-4 linux/*: [] [deep] user `` in `/srv` for linux/amd64
    deep-5 linux/amd64: index-too-deep: image `HOST/app:deep-5` cannot be read from `HOST`: indexes inside indexes, more than 4 deep
    deep-5 linux/*: index-too-deep: image `HOST/app:deep-5` cannot be read from `HOST`: indexes inside indexes, more than 4 deep
    ");
}

#[test]
fn a_digest_is_what_is_read() {
    crate::run(async {
        let mut images = Images::default();
        let image = images.image(&config_of("amd64", "pinned"));
        let other = images.image(&config_of("amd64", "other"));
        images.tag("1", &other);
        let sha512 = sha512(images.bytes(&image));
        images.tag(&sha512, &image);
        let sha256 = image["digest"].as_str().unwrap().to_owned();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        for (digest, name) in [(&sha256, "app:1"), (&sha256, "app"), (&sha512, "app:1")] {
            let reference = format!("{}/{name}@{digest}", server.host());
            let found = crate::resolved(settings(&[&server]), &reference).await;
            let config = found.outcome.unwrap().config;
            assert_eq!(config.cmd, ["pinned"]);
            assert_eq!(config.digest.as_ref(), Some(digest));
        }
        let found =
            crate::resolved(settings(&[&server]), &format!("{}/app:1", server.host())).await;
        let config = found.outcome.unwrap().config;
        assert_eq!(config.cmd, ["other"]);
        assert_eq!(config.digest.as_deref(), other["digest"].as_str());
    });
}

#[test]
fn a_mirror_is_asked_in_place_of_the_registry() {
    crate::run(async {
        let images = crate::images::usual();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let mirror = format!("docker.io={}/hub", server.host());
        let settings = registry::remote::Settings {
            mirrors: vec![mirror.parse().unwrap()],
            ..settings(&[&server])
        };
        let found = crate::resolved(settings.clone(), "nginx:1").await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        assert_eq!(server.seen()[0].path, "/v2/hub/library/nginx/manifests/1");
        let found = crate::resolved(settings, "nginx:2").await;
        insta::assert_snapshot!(stable(&shown(&found), &[("HOST", &server)]), @"
    image-not-found: image `docker.io/library/nginx:2` cannot be read from `HOST`: the image does not exist: GET http://HOST/v2/hub/library/nginx/manifests/2: 404
      hint: check the name and the tag of the image
    ");
    });
}
