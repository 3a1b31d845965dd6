resource "aws_ecs_task_definition" "app" {
  for_each = { api = "nginx:1.25", "we\"ird.key" = "redis:7" }

  family                   = "app"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    jsonencode([{ name = "c", image = each.value }]),
    local.task,
    local.outrigger,
  )
}
