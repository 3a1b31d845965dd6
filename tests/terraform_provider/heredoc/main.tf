resource "aws_ecs_task_definition" "text" {
  family                   = "text"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    "[{\"name\":\"web\",\"image\":\"nginx:1.25\"}]",
    local.task,
    local.outrigger,
  )
}

resource "aws_ecs_task_definition" "heredoc" {
  family                   = "heredoc"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    <<-JSON
    [{"name":"web","image":"nginx:1.25","cpu":10,"environment":[{"name":"X","value":"a<b>&c\u2028 \\ $${HOME}"}]}]
    JSON
    ,
    local.task,
    local.outrigger,
  )
}

resource "aws_ecs_task_definition" "file" {
  family                   = "file"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  network_mode             = local.task.network_mode
  requires_compatibilities = local.task.requires_compatibilities
  execution_role_arn       = local.task.execution_role_arn

  container_definitions = provider::outrigger::instrument(
    file("${path.module}/containers.json"),
    local.task,
    local.outrigger,
  )
}
