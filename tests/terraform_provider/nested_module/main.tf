module "outer" {
  source    = "./modules/outer"
  image     = "nginx:1.25"
  task      = local.task
  outrigger = local.outrigger
}
