resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    jsonencode([
      {
        name         = "web"
        image        = "nginx:1.25"
        essential    = true
        portMappings = [{ containerPort = 80 }]
        environment  = [{ name = "B", value = "2" }, { name = "A", value = "1" }]
      },
      { name = "cache", image = "redis:7", command = ["redis-server", "--save", ""] },
    ]),
    local.task,
    local.outrigger,
  )

  runtime_platform {
    cpu_architecture        = local.task.cpu_architecture
    operating_system_family = "LINUX"
  }

  volume {
    name = "data"
  }

  tags = { team = "a" }
}

resource "aws_ecs_service" "app" {
  name            = "app"
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = 1
}
