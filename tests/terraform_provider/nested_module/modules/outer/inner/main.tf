# A function of a provider that is not HashiCorp's is there in modules that name the provider.
terraform {
  required_providers {
    aws       = { source = "hashicorp/aws" }
    outrigger = { source = "outrigger/outrigger" }
  }
}

variable "name" {
  type = string
}

variable "image" {
  type = string
}

variable "task" {
  type = any
}

variable "outrigger" {
  type = any
}

locals {
  task      = merge(var.task, { family = var.name })
  outrigger = var.outrigger
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.task.family
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    jsonencode([{ name = var.name, image = var.image, essential = true }]),
    local.task,
    local.outrigger,
  )
}

output "arn" {
  value = aws_ecs_task_definition.this.arn
}
