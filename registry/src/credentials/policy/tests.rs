use super::SecretPolicy;

const HUB: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf";
const OURS: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours-GhIjKl";

fn bound() -> SecretPolicy {
    SecretPolicy::bound([
        ("index.docker.io", vec![HUB]),
        ("Registry.Example.com:5000", vec![OURS, HUB]),
    ])
    .unwrap()
}

#[test]
fn any_secret_for_any_registry() {
    assert_eq!(SecretPolicy::Any.check("evil.example.com", OURS), Ok(()));
}

#[test]
fn a_bound_secret_goes_to_its_registry() {
    assert_eq!(bound().check("docker.io", HUB), Ok(()));
    assert_eq!(bound().check("registry.example.com:5000", OURS), Ok(()));
    assert_eq!(bound().check("registry.example.com:5000", HUB), Ok(()));
}

#[test]
fn a_bound_secret_goes_nowhere_else() {
    for (registry, secret) in [
        ("docker.io", OURS),
        ("registry.example.com", OURS),
        ("evil.example.com", OURS),
        ("docker.io", "hub"),
        ("docker.io", HUB.strip_suffix("-AbCdEf").unwrap()),
    ] {
        assert!(
            bound().check(registry, secret).is_err(),
            "{registry} {secret}"
        );
    }
    let error = bound().check("evil.example.com", OURS).unwrap_err();
    insta::assert_snapshot!(error, @"the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours-GhIjKl` is not bound to the registry `evil.example.com`, and was not read");
    insta::assert_snapshot!(error.hint(), @"an administrator can bind its ARN to `evil.example.com` in the setting `registry-credentials`");
}

#[test]
fn a_binding_names_a_host() {
    let error = |registry| SecretPolicy::bound([(registry, [HUB])]).unwrap_err();
    insta::assert_snapshot!(error("example.com/team"), @"`example.com/team` in `registry-credentials` is not the host of a registry: the host `example.com/team` has the character `/`");
    insta::assert_snapshot!(error(""), @"`` in `registry-credentials` is not the host of a registry: the host of the registry is missing");
}
