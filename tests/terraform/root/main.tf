terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions = jsonencode([
    {
      name         = "web"
      image        = "nginx:1.25"
      essential    = true
      portMappings = [{ containerPort = 80 }]
      environment  = [{ name = "B", value = "2" }, { name = "A", value = "1" }]
    },
  ])

  runtime_platform {
    cpu_architecture        = "ARM64"
    operating_system_family = "LINUX"
  }

  volume {
    name = "data"
  }

  tags = { team = "a" }
}
