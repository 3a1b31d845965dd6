# Has task definitions registered and templates deployed; gives what ECS then has.
import json, sys
import botocore.session

given = json.load(sys.stdin)
session = botocore.session.get_session()


def client(service):
    return session.create_client(
        service,
        region_name="eu-central-1",
        endpoint_url=given["endpoint"],
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )


ecs, cloudformation, ssm = client("ecs"), client("cloudformation"), client("ssm")
for name, value in given["ssm"].items():
    ssm.put_parameter(Name=name, Value=value, Type="String")


# Members that are not in the model are skipped by the SDK, and refused by the AWS CLI.
def unknown(shape, value, path):
    if shape.type_name == "structure":
        for key, item in value.items():
            if key not in shape.members:
                raise SystemExit("there is no " + path + "." + key)
            unknown(shape.members[key], item, path + "." + key)
    elif shape.type_name == "list":
        for item in value:
            unknown(shape.member, item, path + "[]")


def registered(task):
    unknown(ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape, task, "")
    return ecs.register_task_definition(**task)["taskDefinition"]["containerDefinitions"]


def deployed(name, stack):
    values = [{"ParameterKey": key, "ParameterValue": value} for key, value in stack["parameters"].items()]
    cloudformation.create_stack(StackName=name, TemplateBody=stack["template"], Parameters=values)
    found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert found["StackStatus"] == "CREATE_COMPLETE", found["StackStatus"]
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    tasks = [r for r in resources if r["ResourceType"] == "AWS::ECS::TaskDefinition"]
    describe = lambda task: ecs.describe_task_definition(taskDefinition=task["PhysicalResourceId"])
    return {task["LogicalResourceId"]: describe(task)["taskDefinition"]["containerDefinitions"] for task in tasks}


result = {}
for name, stack in given["stacks"].items():
    try:
        tasks = {key: registered(task) for key, task in stack["tasks"].items()}
        result[name] = {"registered": tasks, "deployed": deployed(name, stack)}
    except Exception as error:
        raise SystemExit(name + ": " + str(error))
json.dump(result, sys.stdout)
