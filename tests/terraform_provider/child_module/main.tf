module "api" {
  source    = "./modules/service"
  name      = "api"
  image     = "nginx:1.25"
  task      = local.task
  outrigger = local.outrigger
}
