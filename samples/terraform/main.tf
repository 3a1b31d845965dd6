# An ECS service whose task definition carries the Lacework agent. Run it as docs/terraform-provider.md says.

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

# Where Lacework's access token is kept.
variable "token_arn" {
  type    = string
  default = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf"
}

# What images run. `data "outrigger_images"` asks the registries in place of a lock file.
data "outrigger_lock" "this" {
  path = "${path.module}/outrigger.lock"
}

locals {
  # What the resource says of the task: the function has to know it, too.
  task = {
    family                   = "shop"
    cpu                      = "512"
    memory                   = "1024"
    network_mode             = "awsvpc"
    requires_compatibilities = ["FARGATE"]
    cpu_architecture         = "X86_64"
    execution_role_arn       = "arn:aws:iam::123456789012:role/shop-execution"
  }

  outrigger = {
    recipe = "lacework"
    inputs = { accessToken = { valueFrom = var.token_arn } }
    images = data.outrigger_lock.this.table
  }
}

resource "aws_ecs_task_definition" "shop" {
  family                   = local.task.family
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    jsonencode([{
      name         = "web"
      image        = var.image
      essential    = true
      portMappings = [{ containerPort = 80 }]
    }]),
    local.task,
    local.outrigger,
  )

  runtime_platform {
    cpu_architecture        = local.task.cpu_architecture
    operating_system_family = "LINUX"
  }
}

resource "aws_ecs_service" "shop" {
  name            = "shop"
  task_definition = aws_ecs_task_definition.shop.arn
  desired_count   = 1
}
