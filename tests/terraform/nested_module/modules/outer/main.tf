variable "image" {
  type = string
}

module "inner" {
  source = "./inner"
  name   = "deep"
  image  = var.image
}
