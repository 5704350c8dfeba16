# A fit of lavaan taken to its minimum: Newton steps on lavaan's own gradient and observed information
# from where it stops by itself, then fitted once more from there.
polished <- function(m, data, ...) {
  a <- sem(m, data, se = "none", test = "none", baseline = FALSE, ...)
  model <- a@Model; th <- lav_model_get_parameters(model)
  gradient <- function(x) as.vector(lavaan:::lav_model_gradient(x, lavsamplestats = a@SampleStats,
    lavdata = a@Data, lavcache = a@Cache))
  for (k in 1:8) {
    info <- lavaan:::lav_model_information_observed(model, lavsamplestats = a@SampleStats,
      lavdata = a@Data, lavoptions = a@Options, lavcache = a@Cache)
    th <- th - solve(info, gradient(model)); model <- lav_model_set_parameters(model, th)
  }
  pt <- parTable(a); pt$est <- NULL; pt$se <- NULL
  pt$start[pt$free > 0] <- th[pt$free[pt$free > 0]]
  sem(m, data, start = pt, optim.force.converged = TRUE, ...)
}
