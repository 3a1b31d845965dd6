//! The settings: which there are, and how each place spells them.

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A file.
    File,
    /// A list; in a variable with commas or blanks between its values.
    Words,
    /// A list of recipes: names, or files.
    Recipes,
    /// A list; in a variable one value a line, because commas and blanks are part of them.
    Lines,
}

/// A setting: an option that can also be given elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Its key in the settings file; a dot stands between a group and its member.
    pub(super) key: &'static str,
    /// The option, without its hyphens.
    pub(super) option: &'static str,
    /// The variable, without [`PREFIX`].
    pub(super) variable: &'static str,
    pub(super) shape: Shape,
}

impl Setting {
    /// The whole name of its variable.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.variable)
    }
}

/// What the names of all variables begin with.
pub(super) const PREFIX: &str = "OUTRIGGER_";

/// The variable with the inputs of recipes, a JSON object with the keys of `--set`.
pub(super) const INPUTS: &str = "INPUTS";

/// The key with the inputs by recipe.
pub(super) const RECIPES: &str = "recipes";

/// Variables of the macro that say nothing to a filter.
pub(super) const OF_THE_MACRO: [&str; 3] = [
    "ALLOW_OPT_OUT_TAGS",
    "ALLOW_TEMPLATE_PARAMS",
    "REGISTRY_CREDENTIALS",
];

const fn setting(
    key: &'static str,
    option: &'static str,
    variable: &'static str,
    shape: Shape,
) -> Setting {
    Setting {
        key,
        option,
        variable,
        shape,
    }
}

/// All settings, but for the inputs of recipes; those of a group follow each other. A variable
/// that the macro has, too, means the same there.
pub(super) const SETTINGS: [Setting; 25] = [
    setting("recipe", "recipe", "RECIPE", Shape::Recipes),
    setting("lock", "lock", "LOCK", Shape::File),
    setting(
        "policies.onUnresolved",
        "on-unresolved",
        "ON_UNRESOLVED",
        Shape::Text,
    ),
    setting(
        "policies.parameterizedImages",
        "parameterized-images",
        "PARAMETERIZED_IMAGES",
        Shape::Text,
    ),
    setting(
        "policies.pinDigests",
        "pin-digests",
        "PIN_DIGESTS",
        Shape::Text,
    ),
    setting(
        "policies.assumptions",
        "assumptions",
        "ASSUMPTIONS",
        Shape::Text,
    ),
    setting(
        "policies.confirmedImages",
        "confirmed",
        "CONFIRMED_IMAGES",
        Shape::Words,
    ),
    setting("policies.taskSize", "task-size", "TASK_SIZE", Shape::Text),
    setting("policies.mark", "mark", "MARK", Shape::Flag),
    setting("policies.locked", "locked", "LOCKED", Shape::Flag),
    setting("policies.offline", "offline", "OFFLINE", Shape::Flag),
    setting(
        "selection.launchTypes",
        "launch-types",
        "LAUNCH_TYPES",
        Shape::Text,
    ),
    setting("selection.mode", "mode", "MODE", Shape::Text),
    setting("selection.include", "include", "INCLUDE", Shape::Lines),
    setting("selection.exclude", "exclude", "EXCLUDE", Shape::Lines),
    setting(
        "selection.ignoreTags",
        "ignore-tags",
        "IGNORE_TAGS",
        Shape::Flag,
    ),
    setting("registries.mirrors", "mirror", "MIRRORS", Shape::Words),
    setting(
        "registries.allowed",
        "allow-registry",
        "ALLOWED_REGISTRIES",
        Shape::Words,
    ),
    setting(
        "registries.allowedRealms",
        "allow-realm",
        "ALLOWED_REALMS",
        Shape::Words,
    ),
    setting(
        "registries.insecure",
        "insecure-registry",
        "INSECURE_REGISTRIES",
        Shape::Words,
    ),
    setting("registries.caBundle", "ca-bundle", "CA_BUNDLE", Shape::File),
    setting("registries.authFile", "auth-file", "AUTH_FILE", Shape::File),
    setting("registries.timeout", "timeout", "TIMEOUT", Shape::Text),
    setting("deployment.region", "region", "REGION", Shape::Text),
    setting(
        "deployment.accountId",
        "account-id",
        "ACCOUNT_ID",
        Shape::Text,
    ),
];
