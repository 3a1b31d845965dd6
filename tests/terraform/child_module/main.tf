terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

module "api" {
  source = "./modules/service"
  name   = "api"
  image  = "nginx:1.25"
}
