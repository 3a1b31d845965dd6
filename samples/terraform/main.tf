# An ECS service whose task definition carries the Lacework agent. docs/terraform-provider.md runs it
# step by step.

terraform {
  required_version = ">= 1.8"
  required_providers {
    aws       = { source = "hashicorp/aws" }
    outrigger = { source = "outrigger/outrigger" }
  }
}

variable "image" {
  type    = string
  default = "nginx:1.27"
}

# What is another one in every account stands in terraform.tfvars.
variable "token_arn" {
  type        = string
  description = "Secret that holds Lacework's access token"
}

variable "execution_role_arn" {
  type        = string
  description = "Role with which ECS starts the task; it may read the secret"
}

variable "subnets" {
  type        = list(string)
  description = "Where the task runs"
}

locals {
  containers = [{
    name         = "web"
    image        = var.image
    essential    = true
    portMappings = [{ containerPort = 80 }]
  }]

  # What the resource says of the task: the function has to know it, too.
  task = {
    family                   = "shop"
    cpu                      = "512"
    memory                   = "1024"
    network_mode             = "awsvpc"
    requires_compatibilities = ["FARGATE"]
    cpu_architecture         = "X86_64"
    execution_role_arn       = var.execution_role_arn
  }

  outrigger = {
    recipe = "lacework"
    inputs = { accessToken = { valueFrom = var.token_arn } }
    # What images run. `data "outrigger_images"` asks their registries in place of a lock file.
    images = jsondecode(file("${path.module}/outrigger.lock")).images
  }

  instrumented = provider::outrigger::instrument(jsonencode(local.containers), local.task, local.outrigger)
}

resource "aws_ecs_task_definition" "shop" {
  family                   = local.task.family
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn
  container_definitions    = local.instrumented

  runtime_platform {
    cpu_architecture        = local.task.cpu_architecture
    operating_system_family = "LINUX"
  }
}

resource "aws_ecs_service" "shop" {
  name            = "shop"
  task_definition = aws_ecs_task_definition.shop.arn
  launch_type     = "FARGATE"
  desired_count   = 1

  network_configuration {
    subnets          = var.subnets
    assign_public_ip = true
  }
}
