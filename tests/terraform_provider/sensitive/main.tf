# The value is in the environment of Terraform, and in no file.
variable "password" {
  type      = string
  sensitive = true
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    jsonencode([{
      name        = "web"
      image       = "nginx:1.25"
      environment = [{ name = "DB", value = var.password }]
    }]),
    local.task,
    local.outrigger,
  )
}
