//! What was done, what was left alone, and why.

use std::fmt;

use crate::recipe::ImageSecrets;

/// How much a [`Finding`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// The rewrite was done; a person should look at this.
    Warning,
    /// The task definition was refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The stable, kebab-case name of a kind of finding. `docs/findings.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code, in order of declaration.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code as it is printed.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    /// An alias was replaced by a copy of what it stood for.
    AliasExpanded = "alias-expanded",
    /// The container already starts with the recipe's wrapper.
    AlreadyInstrumented = "already-instrumented",
    /// The recipe assumes root certificates in the image.
    AssumesCertificates = "assumes-certificates",
    /// The recipe assumes a C library in the image.
    AssumesLibc = "assumes-libc",
    /// The recipe assumes something else of the image that cannot be seen.
    AssumesOfImage = "assumes-of-image",
    /// The recipe assumes a shell in the image.
    AssumesShell = "assumes-shell",
    /// The recipe assumes `sudo` in the image.
    AssumesSudo = "assumes-sudo",
    /// What the recipe assumes of an image has not been confirmed.
    AssumptionNotConfirmed = "assumption-not-confirmed",
    /// A planned task definition is replaced, because it is rewritten.
    BecomesReplacement = "becomes-replacement",
    /// A branch that cannot be taken stays as it is, because it cannot be instrumented.
    BranchLeftAlone = "branch-left-alone",
    /// The task definition carries none of the recipes that are to be taken off.
    CarriesNoRecipe = "carries-no-recipe",
    /// An intrinsic function stands where entries have to be merged.
    CannotMerge = "cannot-merge",
    /// A word cannot be quoted for a shell, or joined.
    CannotQuote = "cannot-quote",
    /// The container definitions, or one of them, cannot be read.
    CannotReadContainers = "cannot-read-containers",
    /// What a recipe did cannot be told from what was there before.
    CannotTakeApart = "cannot-take-apart",
    /// What a recipe wrote is not what stands there now.
    ChangedSinceMarked = "changed-since-marked",
    /// More combinations of conditions than are checked one by one.
    CombinationsNotChecked = "combinations-not-checked",
    /// Versions that the vendor does not document together.
    CompatibilityUnknown = "compatibility-unknown",
    /// Off Fargate, neither container nor task states memory.
    ContainerWithoutMemory = "container-without-memory",
    /// The task definition is longer than ECS takes.
    DefinitionTooLong = "definition-too-long",
    /// Containers wait for each other in a circle.
    DependencyCycle = "dependency-cycle",
    /// Two containers have one name.
    DuplicateContainerName = "duplicate-container-name",
    /// An entry point of one empty argument.
    EmptyArgumentEntryPoint = "empty-argument-entry-point",
    /// An explicit empty entry point over an image that has one.
    EmptyEntryPoint = "empty-entry-point",
    /// Neither the task definition nor the image says what runs.
    EmptyProcess = "empty-process",
    /// A variable that the recipe sets was already there and is replaced.
    EnvironmentReplaced = "environment-replaced",
    /// The task definition has an execution role, and keeps it.
    ExecutionRoleKept = "execution-role-kept",
    /// The recipe needs the family, and the task definition states none.
    FamilyDefault = "family-default",
    /// A capability that Fargate does not allow.
    FargateCapability = "fargate-capability",
    /// A volume of the host's files on Fargate.
    FargateHostVolume = "fargate-host-volume",
    /// Links between containers on Fargate.
    FargateLinks = "fargate-links",
    /// A privileged container on Fargate.
    FargatePrivileged = "fargate-privileged",
    /// A task size that Fargate does not offer.
    FargateTaskSize = "fargate-task-size",
    /// A bare task definition holds what cannot be registered.
    FieldNotAccepted = "field-not-accepted",
    /// What cannot be registered was left out of a task definition that was described.
    FieldRemoved = "field-removed",
    /// The recipe's agent or wrapper is there in another form.
    ForeignInstrumentation = "foreign-instrumentation",
    /// A host port differs from the container's where they are the same.
    HostPortDiffers = "host-port-differs",
    /// An image was not read that a program came from.
    ImageNotRead = "image-not-read",
    /// A text that would be written into the template would mean something else there.
    ImageTextUnsafe = "image-text-unsafe",
    /// The image could not be resolved.
    ImageUnresolved = "image-unresolved",
    /// A list that is an intrinsic function may be empty.
    ListMayBeEmpty = "list-may-be-empty",
    /// No log configuration that a sidecar could inherit.
    LogConfigurationNotInherited = "log-configuration-not-inherited",
    /// A value differs between the items of `Fn::ForEach`.
    LoopDependentImage = "loop-dependent-image",
    /// Something of the wrong type.
    Malformed = "malformed",
    /// A marker does not hold all that a removal would have to put back.
    MarkerIncomplete = "marker-incomplete",
    /// It may be the recipe's or the user's own, and a removal leaves it.
    MayBeTheUsers = "may-be-the-users",
    /// The agent's own image has the tag `latest`, or none.
    MutableAgentImage = "mutable-agent-image",
    /// A tag decides what runs; it can move.
    MutableTag = "mutable-tag",
    /// Secrets without an execution role.
    NeedsExecutionRole = "needs-execution-role",
    /// A stack, stack set or module with a template of its own.
    NestedTemplate = "nested-template",
    /// No container is essential.
    NoEssentialContainer = "no-essential-container",
    /// A container waits for the health of one without a health check.
    NoHealthCheck = "no-health-check",
    /// A resource that holds task definitions in another form.
    NotCovered = "not-covered",
    /// The task definition cannot run on Fargate.
    NotFargate = "not-fargate",
    /// The task definition does not carry the recipe, or that cannot be judged.
    NotInstrumented = "not-instrumented",
    /// What the recipe does could not be marked.
    NotMarked = "not-marked",
    /// The tag that names the recipes finds no place.
    NotTagged = "not-tagged",
    /// The task definition or the container was not selected.
    NotSelected = "not-selected",
    /// A container is left alone: FireLens router, proxy, or another agent.
    NotWrapped = "not-wrapped",
    /// Containers reserve more than the task has.
    OverTaskSize = "over-task-size",
    /// Under this arrangement a command override replaces more than the command.
    OverrideChangesProgram = "override-changes-program",
    /// The image was written as the reference that was inspected.
    ParameterResolved = "parameter-resolved",
    /// The image depends on a template parameter.
    ParameterizedImage = "parameterized-image",
    /// Which containers are meant depends on a template parameter.
    ParameterizedSelection = "parameterized-selection",
    /// A `pidMode` on Windows.
    PidModeOnWindows = "pid-mode-on-windows",
    /// The task definition states no platform; Fargate's default is taken.
    PlatformDefault = "platform-default",
    /// The task definition runs on a platform version that is too old for what it asks.
    PlatformVersionTooOld = "platform-version-too-old",
    /// Two containers take one port.
    PortTakenTwice = "port-taken-twice",
    /// The recipe refuses this container.
    RecipeRefused = "recipe-refused",
    /// The recipes of a run want different things of one setting.
    RecipesDisagree = "recipes-disagree",
    /// A container refers to a container or a volume that is not there.
    RefersToNothing = "refers-to-nothing",
    /// A container reserves more memory than it may use.
    ReservationOverMemory = "reservation-over-memory",
    /// A secret stands in clear text.
    SecretInClear = "secret-in-clear",
    /// The whole of a secret is given, where the agent needs one key of it.
    SecretWithoutKey = "secret-without-key",
    /// A tag of Outrigger's with a value that is not known.
    SelectionTag = "selection-tag",
    /// A selector that matches nothing in any task definition.
    SelectorMatchedNothing = "selector-matched-nothing",
    /// What is said about a task definition would show sensitive values.
    SensitiveDefinition = "sensitive-definition",
    /// An entry of a list that the recipe sets was already there and is replaced.
    SettingReplaced = "setting-replaced",
    /// A variable that the shell in front of the program may not pass on.
    ShellDropsVariable = "shell-drops-variable",
    /// A snippet too small to add a sidecar to.
    SnippetTooSmall = "snippet-too-small",
    /// What came from the image stays stated after a removal.
    StaysStated = "stays-stated",
    /// A tag selects what a setting excludes.
    TagOverExclude = "tag-over-exclude",
    /// Tags about instrumentation are not followed.
    TagsIgnored = "tags-ignored",
    /// The task was given a larger size.
    TaskSizeGrown = "task-size-grown",
    /// More combinations of conditions than are planned.
    TooManyConditions = "too-many-conditions",
    /// More containers than ECS takes.
    TooManyContainers = "too-many-containers",
    /// The program is wrapped by the agent of another recipe.
    TwoWrappers = "two-wrappers",
    /// An input names a container that is not there.
    UnknownContainer = "unknown-container",
    /// Container definitions that a plan does not hold yet.
    UnknownDefinition = "unknown-definition",
    /// The image depends on something that only a deployment knows.
    UnknownImage = "unknown-image",
    /// A name that is not known decides whether a container is selected.
    UnknownName = "unknown-name",
    /// It is not known which operating system the task runs on.
    UnknownPlatform = "unknown-platform",
    /// The recipe needs a value that is known only after apply.
    UnknownValue = "unknown-value",
    /// The recipe was there in another version, or for another image, and was put on anew.
    Upgraded = "upgraded",
    /// A variable stands both in the environment and in the secrets.
    VariableTwice = "variable-twice",
    /// A container waits for the end of an essential one.
    WaitsForEssential = "waits-for-essential",
    /// A Windows task.
    WindowsTask = "windows-task",
    /// The image itself starts the recipe's wrapper.
    WrapperInImage = "wrapper-in-image",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that a person should know. Holds no environment value, parameter value or secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The container that it is about, where there is one.
    pub container: Option<String>,
    /// The image that it is about, where there is one.
    pub image: Option<String>,
    /// What was found: lower case, no full stop, one line, user text in backticks.
    pub message: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
}

impl Finding {
    fn each_text(&mut self, change: &mut impl FnMut(&mut String)) {
        let Finding {
            code: _,
            severity: _,
            container,
            image,
            message,
            hint,
        } = self;
        [container, image, hint]
            .into_iter()
            .flatten()
            .chain([message])
            .for_each(change);
    }
}

/// What became of a task definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was changed.
    Rewritten,
    /// It carries the recipe already; nothing changed.
    Unchanged,
    /// It is not in scope, or not selected; nothing changed.
    LeftAlone,
    /// It is in scope and cannot be instrumented; nothing changed.
    Refused,
}

/// A process before and after, as texts; an intrinsic function is shown in its short form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessChange {
    /// Under which conditions of the template, as text (`IsProd and not UseSpot`).
    pub given: Option<String>,
    /// Entry point and command that ran before.
    pub before: Vec<String>,
    /// Entry point and command that run after.
    pub after: Vec<String>,
}

/// What became of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerReport {
    /// Its name, or its position when it has none.
    pub name: String,
    /// Its image as text.
    pub image: String,
    /// Whether the recipe added it.
    pub sidecar: bool,
    /// Whether the recipe's wrapper starts its program, now or already before.
    pub wrapped: bool,
    /// Its processes, one for each combination of conditions that differs.
    pub processes: Vec<ProcessChange>,
    /// What was added or changed, one line each, without values.
    pub changes: Vec<String>,
}

impl ContainerReport {
    fn each_text(&mut self, change: &mut impl FnMut(&mut String)) {
        let ContainerReport {
            name,
            image,
            sidecar: _,
            wrapped: _,
            processes,
            changes,
        } = self;
        let processes = processes.iter_mut().flat_map(|process| {
            let words = process.before.iter_mut().chain(&mut process.after);
            words.chain(&mut process.given)
        });
        [name, image]
            .into_iter()
            .chain(processes)
            .chain(changes)
            .for_each(change);
    }
}

/// What became of one task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinitionReport {
    /// Logical ID (CloudFormation) or resource address (Terraform).
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Its containers, in order.
    pub containers: Vec<ContainerReport>,
    /// What was added or changed outside of containers, one line each, without values.
    pub changes: Vec<String>,
    /// Findings about it, in order.
    pub findings: Vec<Finding>,
}

impl TaskDefinitionReport {
    /// The same without what is not about a refusal.
    pub(crate) fn only_refusal(self) -> Self {
        TaskDefinitionReport {
            findings: match self.outcome {
                Outcome::Refused => self.findings,
                _ => Vec::new(),
            },
            containers: Vec::new(),
            changes: Vec::new(),
            ..self
        }
    }
}

/// The whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The task definitions, in the order of the document.
    pub task_definitions: Vec<TaskDefinitionReport>,
    /// Findings about the document as a whole: `(logical ID, finding)`.
    pub findings: Vec<(String, Finding)>,
}

impl Report {
    /// Whether a task definition that is in scope was not instrumented.
    pub fn is_refused(&self) -> bool {
        self.task_definitions
            .iter()
            .any(|task| task.outcome == Outcome::Refused)
            || self
                .findings
                .iter()
                .any(|(_, finding)| finding.severity == Severity::Error)
    }

    /// The same without the credentials that stand in names of images.
    pub(crate) fn without(mut self, secrets: &ImageSecrets) -> Report {
        let mut hide = |text: &mut String| secrets.hide(text);
        for task in &mut self.task_definitions {
            task.containers
                .iter_mut()
                .for_each(|container| container.each_text(&mut hide));
            task.changes.iter_mut().for_each(&mut hide);
            task.findings
                .iter_mut()
                .for_each(|finding| finding.each_text(&mut hide));
        }
        for (_, finding) in &mut self.findings {
            finding.each_text(&mut hide);
        }
        self
    }
}
