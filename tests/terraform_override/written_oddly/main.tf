terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "volumes" {
  type    = set(string)
  default = ["cache", "data"]
}

variable "arm" {
  type    = bool
  default = false
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app-${terraform.workspace}"
  requires_compatibilities = ["FARGATE"] # not EC2
  network_mode             = "awsvpc"
  cpu                      = (128 + 128)
  memory                   = "512"

  container_definitions = jsonencode(concat(
    [
      # The one that people reach.
      {
        name    = "web"
        image   = "nginx:1.25"
        command = ["sh", "-c", "echo $${HOME} %%{x} \"quoted\" é > /dev/null && exec nginx"]
        dockerLabels = {
          note = <<-NOTE
            two
              lines
          NOTE
        }
        linuxParameters = { initProcessEnabled = true }
        essential       = true
      },
    ],
    [for volume in sort(var.volumes) : { name = "side-${volume}", image = "redis:7", essential = false }],
  ))

  volume {
    name = "static"
  }

  dynamic "volume" {
    for_each = var.volumes
    iterator = it
    content {
      name = it.value
    }
  }

  dynamic "runtime_platform" {
    for_each = var.arm ? [] : ["X86_64"]
    content {
      cpu_architecture = runtime_platform.value
    }
  }

  tags = {
    team = "a"
  }
}

resource "aws_ecs_task_definition" "on_ec2" {
  family                   = "ec2"
  requires_compatibilities = ["EC2"]
  container_definitions    = jsonencode([{ name = "web", image = "nginx:1.25", memory = 128 }])
}
