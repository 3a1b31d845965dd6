terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

module "a" {
  source = "./modules/service"
  name   = "a"
}

module "b" {
  source = "./modules/service"
  name   = "b"
}
