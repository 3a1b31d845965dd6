module "service" {
  source    = "./modules/service"
  for_each  = { api = "nginx:1.25", "we\"ird.key" = "redis:7" }
  name      = "c"
  image     = each.value
  task      = local.task
  outrigger = local.outrigger
}
