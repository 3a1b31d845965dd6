terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "db_password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = jsonencode([{ name = "web", image = "nginx:1.25", environment = [{ name = "DB", value = var.db_password }] }])
}
