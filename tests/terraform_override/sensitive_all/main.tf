terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "image" {
  type      = string
  sensitive = true
  default   = "redis:7"
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = jsonencode([{ name = "web", image = var.image }])
}
