terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

resource "aws_ecs_task_definition" "text" {
  family                   = "text"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = "[{\"name\":\"web\",\"image\":\"nginx:1.25\"}]"
}

resource "aws_ecs_task_definition" "heredoc" {
  family                   = "heredoc"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = <<-JSON
  [{"name":"web","image":"nginx:1.25","cpu":10,"environment":[{"name":"X","value":"a<b>&c\u2028 \\ $${HOME}"}]}]
  JSON
}

resource "aws_ecs_task_definition" "file" {
  family                   = "file"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = file("${path.module}/containers.json")
}
