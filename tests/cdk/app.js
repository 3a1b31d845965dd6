// Services as people define them with the CDK; `node app.js FOLDER` writes their template there.
// Nothing is built and nothing is asked of AWS.
const cdk = require("aws-cdk-lib");
const { aws_ec2: ec2, aws_ecr: ecr, aws_ecr_assets: assets, aws_ecs: ecs } = cdk;
const { aws_ecs_patterns: patterns, aws_events: events, aws_ssm: ssm } = cdk;

const app = new cdk.App({ outdir: process.argv[2] });
const stack = new cdk.Stack(app, "Shop");
stack.addTransform("Outrigger");
const vpc = new ec2.Vpc(stack, "Vpc", { maxAzs: 2, natGateways: 1 });
const cluster = new ecs.Cluster(stack, "Cluster", { vpc });
const registry = (image) => ecs.ContainerImage.fromRegistry(image);

// A task definition for Fargate, with its service.
function fargate(name, image, options = {}) {
    const task = new ecs.FargateTaskDefinition(stack, name, { cpu: 512, memoryLimitMiB: 1024, ...options.task });
    task.addContainer("app", { image, ...options.container });
    new ecs.FargateService(stack, name + "Service", { cluster, taskDefinition: task });
    return task;
}

fargate("Literal", registry("public.ecr.aws/shop/web:1"), {
    container: {
        command: ["serve", "--port", "8080"],
        environment: { MODE: "production" },
        logging: ecs.LogDrivers.awsLogs({ streamPrefix: "web" }),
        portMappings: [{ containerPort: 8080 }],
    },
});
const repository = ecr.Repository.fromRepositoryName(stack, "Repository", "shop/api");
fargate("Ecr", ecs.ContainerImage.fromEcrRepository(repository, "1"));
const asset = new assets.DockerImageAsset(stack, "Image", { directory: __dirname + "/image" });
fargate("Asset", ecs.ContainerImage.fromDockerImageAsset(asset));
fargate("Arm", ecs.ContainerImage.fromEcrRepository(repository, "1"), {
    task: { runtimePlatform: { cpuArchitecture: ecs.CpuArchitecture.ARM64 } },
});

const image = new cdk.CfnParameter(stack, "Chosen", { default: "registry.example.com/shop/api:1" });
fargate("Parameter", registry(image.valueAsString));
fargate("Ssm", registry(ssm.StringParameter.valueForStringParameter(stack, "/shop/image")));

fargate("Windows", registry("mcr.microsoft.com/windows/servercore/iis:1"), {
    task: {
        cpu: 1024,
        memoryLimitMiB: 2048,
        runtimePlatform: { operatingSystemFamily: ecs.OperatingSystemFamily.WINDOWS_SERVER_2022_CORE },
    },
});
const onInstances = new ecs.Ec2TaskDefinition(stack, "Instances");
onInstances.addContainer("app", { image: registry("public.ecr.aws/shop/web:1"), memoryLimitMiB: 256 });

const routed = fargate("Routed", registry("public.ecr.aws/shop/web:1"), {
    container: { logging: ecs.LogDrivers.firelens({ options: { Name: "cloudwatch", log_group_name: "shop" } }) },
});
routed.addFirelensLogRouter("router", {
    image: registry("public.ecr.aws/aws-observability/aws-for-fluent-bit:1"),
    firelensConfig: { type: ecs.FirelensLogRouterType.FLUENTBIT },
});

new patterns.ScheduledFargateTask(stack, "Nightly", {
    cluster,
    schedule: events.Schedule.cron({ hour: "3" }),
    scheduledFargateTaskImageOptions: {
        image: registry("public.ecr.aws/shop/web:1"),
        command: ["clean"],
        cpu: 512,
        memoryLimitMiB: 1024,
    },
});

app.synth();
