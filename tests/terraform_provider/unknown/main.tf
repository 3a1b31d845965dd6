resource "aws_ecr_repository" "app" {
  name = "app"
}

resource "aws_cloudwatch_log_group" "app" {
  name = "/ecs/app"
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  # The image does not exist yet, so that its program has to be stated.
  container_definitions = provider::outrigger::instrument(
    jsonencode([{
      name       = "web"
      image      = "${aws_ecr_repository.app.repository_url}:1.25"
      essential  = true
      entryPoint = ["/run"]
      command    = ["it"]
      logConfiguration = {
        logDriver = "awslogs"
        options   = { "awslogs-group" = aws_cloudwatch_log_group.app.name }
      }
    }]),
    local.task,
    local.outrigger,
  )
}

resource "aws_ecs_service" "app" {
  name            = "app"
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = 1
}
