terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

locals {
  images = { api = "nginx:1.25", "we\"ird.key" = "redis:7" }
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = jsonencode([{ name = "c", image = each.value }])

  for_each = local.images
}
