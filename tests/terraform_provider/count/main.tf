resource "aws_ecs_task_definition" "app" {
  count = 2

  family                   = "app-${count.index}"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    jsonencode([{ name = "c${count.index}", image = "nginx:1.25" }]),
    local.task,
    local.outrigger,
  )
}
