# Customers within firms: lme4, clubSandwich and geepack on simulated customers.
# Rscript tests/reference/scripts/mixed.R   (writes tests/reference/mixed.csv and mixed.json)
suppressMessages({library(lme4); library(clubSandwich); library(geepack); library(jsonlite)})
set.seed(21)
size <- sample(6:20, 40, TRUE); firm <- rep(1:40, size)
a <- rnorm(40, 0, 7); u <- rnorm(40, 0, .06); v <- rnorm(40, 0, .002)
index <- round(pmin(100, pmax(0, 68 + a[firm] + rnorm(length(firm), 0, 14))), 3)
age <- round(rnorm(length(firm)), 3)
y <- .25 + .0058 * index + .003 * a[firm] + .02 * age + u[firm] + v[firm] * (index - 68) + rnorm(length(firm), 0, .1)
d <- data.frame(firm, index, age, y = round(pmin(1, pmax(0, y)), 4))
d$again <- as.numeric(runif(nrow(d)) < plogis(-4 + .06 * index + .03 * a[firm] + 6 * u[firm]))
d$w <- round(runif(nrow(d), .4, 2.5), 2)
write.csv(d, "tests/reference/mixed.csv", row.names = FALSE)
d$mean <- ave(d$index, d$firm); d$within <- d$index - d$mean
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e6))
told <- function(f) list(coefficients = unname(fixef(f)), covariance = unname(as.matrix(vcov(f))),
  variances = as.data.frame(VarCorr(f))$vcov, loglik = as.numeric(logLik(f)))
one <- lmer(y ~ within + mean + age + (1 | firm), d, control = tight)
two <- lmer(y ~ within + mean + age + (1 + within | firm), d, control = tight)
out <- list(provenance = list(
  program = paste("R", getRversion(), "with lme4", packageVersion("lme4"), "clubSandwich",
                  packageVersion("clubSandwich"), "geepack", packageVersion("geepack")),
  how = "tests/reference/scripts/mixed.R; regressors constant, within, between, age"))
out$intercept <- c(told(one), list(CR0 = unname(unclass(as.matrix(vcovCR(one, type = "CR0"))))))
out$slope <- c(told(two), list(CR0 = unname(unclass(as.matrix(vcovCR(two, type = "CR0"))))))
g <- function(f) list(coefficients = unname(coef(f)), covariance = unname(f$geese$vbeta),
                      alpha = unname(f$geese$alpha))
tight <- geese.control(epsilon = 1e-12, maxit = 200)
out$logit <- g(geeglm(again ~ within + mean + age, binomial, d, id = firm, corstr = "exchangeable", control = tight))
out$identity <- g(geeglm(y ~ within + mean + age, gaussian, d, id = firm, corstr = "exchangeable", control = tight))
d$wmean <- ave(d$index * d$w, d$firm, FUN = sum) / ave(d$w, d$firm, FUN = sum)
d$wwithin <- d$index - d$wmean
suppressWarnings(out$weighted <- g(geeglm(again ~ wwithin + wmean + age, binomial, d, id = firm, weights = w,
                         corstr = "independence", control = tight)))
writeLines(toJSON(out, digits = NA, matrix = "rowmajor", auto_unbox = TRUE), "tests/reference/mixed.json")
