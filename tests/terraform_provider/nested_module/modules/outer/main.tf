variable "image" {
  type = string
}

variable "task" {
  type = any
}

variable "outrigger" {
  type = any
}

module "inner" {
  source    = "./inner"
  name      = "deep"
  image     = var.image
  task      = var.task
  outrigger = var.outrigger
}
