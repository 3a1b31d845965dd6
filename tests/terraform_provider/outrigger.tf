# What the root module of every case has besides its main.tf.

terraform {
  required_providers {
    aws       = { source = "hashicorp/aws" }
    outrigger = { source = "outrigger/outrigger" }
  }
}

data "outrigger_lock" "this" {
  path = "${path.module}/outrigger.lock"
}

locals {
  task = {
    cpu                      = "512"
    memory                   = "1024"
    network_mode             = "awsvpc"
    requires_compatibilities = ["FARGATE"]
    cpu_architecture         = "X86_64"
    execution_role_arn       = "arn:aws:iam::123456789012:role/execution"
  }

  outrigger = {
    recipe = "sysdig"
    inputs = {
      accessKey        = { valueFrom = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:agent-AbCdEf" }
      orchestratorHost = "orchestrator.example.com"
      orchestratorPort = 6667
      agentVersion     = "5.2.0"
    }
    images = data.outrigger_lock.this.table
  }
}
