terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

resource "aws_ecs_task_definition" "renamed" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = jsonencode([{ name = "web", image = "nginx:1.25", essential = true, portMappings = [{ containerPort = 80 }] }])
}

resource "aws_ecs_service" "app" {
  name            = "app"
  task_definition = aws_ecs_task_definition.renamed.arn
  desired_count   = 1
}

moved {
  from = aws_ecs_task_definition.app
  to   = aws_ecs_task_definition.renamed
}
