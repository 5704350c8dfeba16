# Regressions of repurchase on the index scores of mobi, all but cloglog and the weighted probit,
# which scripts/mobi_cloglog.R has. Run in tests/reference; prints what stands in mobi_repurchase.json.
# R 4.2.2, sandwich 3.0-2, MASS of that R.
suppressMessages({library(sandwich); library(MASS); library(jsonlite)})
scores <- read.csv("mobi_index_scores.csv")
d <- cbind(scores, CUSL1 = read.csv("../../data/mobi.csv")$CUSL1)
d$high <- as.numeric(d$CUSL1 >= 8)
right <- "Image + Quality + Value + Satisfaction + Complaints"
tight <- glm.control(epsilon = 1e-14, maxit = 100)
table_of <- function(model, V, law) {
  b <- coef(model); se <- sqrt(diag(V)); statistic <- b / se
  p <- if (law == "z") 2 * pnorm(-abs(statistic)) else 2 * pt(-abs(statistic), model$df.residual)
  out <- lapply(list(b, se, statistic, p), unname)
  names(out) <- c("Estimate", "Std. Error", paste(law, "value"), paste0("Pr(>|", law, "|)"))
  c(list(term = names(b)), out)
}
logit <- glm(paste("high ~", right), binomial, d, control = tight)
probit <- glm(paste("high ~", right), binomial("probit"), d, control = tight)
ols <- lm(paste("CUSL1 ~", right), d)
decile <- rank(d$Satisfaction, ties.method = "first")
cluster <- as.integer(ceiling(10 * decile / nrow(d)))
ordered_of <- function(method, slope) {
  start <- polr(paste("factor(CUSL1) ~", right), d, method = method, Hess = TRUE)
  m <- start
  for (i in 1:5) m <- polr(paste("factor(CUSL1) ~", right), d, method = method, Hess = TRUE,
    start = c(m$coefficients, m$zeta), control = list(reltol = 1e-16, maxit = 1000))
  list(coef = as.list(m$coefficients), zeta = as.list(m$zeta), se = as.list(sqrt(diag(vcov(m)))),
       logLik = as.numeric(logLik(m)))
}
cat(toJSON(list(
  logit = table_of(logit, vcov(logit), "z"),
  logit_HC0 = table_of(logit, vcovHC(logit, "HC0"), "z"),
  logit_HC1 = table_of(logit, vcovHC(logit, "HC1"), "z"),
  logit_logLik = as.numeric(logLik(logit)),
  ols = table_of(ols, vcov(ols), "t"),
  ols_HC1 = table_of(ols, vcovHC(ols, "HC1"), "t"),
  ols_HC3 = table_of(ols, vcovHC(ols, "HC3"), "t"),
  ols_cluster_by_satisfaction_decile_HC1 = table_of(
    ols, vcovCL(ols, cluster = cluster, type = "HC1"), "t"),
  cluster_id = cluster,
  ols_R2 = summary(ols)$r.squared,
  probit = table_of(probit, vcov(probit), "z"),
  polr_logit = ordered_of("logistic"),
  polr_probit = ordered_of("probit")), auto_unbox = TRUE, digits = 15))
